//! Giving way: the idle I/O class and a higher nice value for the current thread.

use std::io::{Error, Result};

/// `IOPRIO_WHO_PROCESS`: one thread; number 0 is the calling one.
const WHO_PROCESS: libc::c_int = 1;
/// `IOPRIO_CLASS_IDLE` in the place where a class stands in a priority.
const IDLE: libc::c_int = 3 << 13;
/// How far the nice value is raised.
const NICER_BY: i32 = 10;

/// Makes the current thread give way to everybody else, on the disk and on the processor.
///
/// # Errors
/// What the kernel said; both are tried even where the first is refused.
pub fn give_way() -> Result<()> {
    let disk = set_io_priority(WHO_PROCESS, IDLE);
    let processor = rustix::process::nice(NICER_BY);
    disk?;
    processor?;
    Ok(())
}

/// Lets the threads that answer a person go before the current one, which works for the same person.
///
/// # Errors
/// What the kernel said.
pub fn let_answers_first() -> Result<()> {
    rustix::process::nice(NICER_BY / 2)?;
    Ok(())
}

fn set_io_priority(who: libc::c_int, priority: libc::c_int) -> Result<()> {
    // SAFETY: ioprio_set takes three integers and touches no memory of ours.
    let answer = unsafe { libc::syscall(libc::SYS_ioprio_set, who, 0, priority) };
    if answer == 0 { Ok(()) } else { Err(Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_gives_way_leaves_the_others_as_they_were() {
        let nice = || rustix::process::getpriority_process(None).expect("nice value");
        let before = nice();
        let inside = std::thread::spawn(move || {
            give_way().expect("giving way");
            // SAFETY: ioprio_get takes two integers and touches no memory of ours.
            let class = unsafe { libc::syscall(libc::SYS_ioprio_get, WHO_PROCESS, 0) } >> 13;
            (nice(), class)
        });
        let (during, class) = inside.join().expect("thread");
        assert_eq!(during, (before + NICER_BY).min(19));
        assert_eq!(class, 3, "the idle class");
        assert_eq!(nice(), before);
    }

    #[test]
    fn a_refusal_is_an_error_and_not_ignored() {
        let refused = set_io_priority(99, IDLE).map_err(|error| error.raw_os_error());
        assert_eq!(refused, Err(Some(libc::EINVAL)));
    }
}
