//! How much memory there is: the real ceiling of everything that is kept in memory.

use sysinfo::System;

/// Memory in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// In use.
    pub used: u64,
    /// All there is: the limit of the control group where it has one, else the machine's.
    pub total: u64,
    /// Whether `total` is a limit below what the machine has.
    pub limited: bool,
}

/// Reads the memory figures; `None` where the kernel gives none.
pub fn memory() -> Option<Memory> {
    let mut system = System::new().ok()?;
    system.refresh_memory();
    let machine = Memory { used: system.used_memory(), total: system.total_memory(), limited: false };
    let group = system
        .cgroup_limits()
        .filter(|limits| limits.total_memory > 0 && limits.total_memory < machine.total)
        .map(|limits| Memory {
            used: limits.total_memory.saturating_sub(limits.free_memory),
            total: limits.total_memory,
            limited: true,
        });
    Some(group.unwrap_or(machine)).filter(|memory| memory.total > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_memory_and_uses_some() {
        let memory = memory().expect("a memory figure");
        assert!(memory.used > 0 && memory.used <= memory.total);
    }
}
