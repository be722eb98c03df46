//! Which process made something, as one short word for names and labels, and whether that process is over.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// A word that no other process has, now or later: `4711-3f1c4f63843`. Process number, then four
/// digits for where that number counts, then when the process started.
pub fn own() -> String {
    let pid = std::process::id();
    format!("{pid}-{:04x}{:x}", here(), started(pid).unwrap_or(0))
}

/// Whether the process that a word names is over; `None` for one of another person, another
/// machine or another start of this one, and for what is no such word.
pub fn is_over(word: &str) -> Option<bool> {
    let (pid, rest) = word.split_once('-')?;
    let (place, start) = (rest.get(..4)?, rest.get(4..)?);
    let (pid, start) = (pid.parse().ok()?, u64::from_str_radix(start, 16).ok()?);
    (place == format!("{:04x}", here())).then(|| started(pid) != Some(start))
}

/// Asks a child to end, so that it can clean up behind itself. One that is over already is not there to ask.
pub fn ask_to_end(child: &std::process::Child) {
    let _ =
        rustix::process::kill_process(rustix::process::Pid::from_child(child), rustix::process::Signal::TERM);
}

/// Where process numbers count: this start of this machine, seen from this container, by this
/// person, for processes of others may be hidden.
fn here() -> u64 {
    let mut digest = DefaultHasher::new();
    std::fs::read("/proc/sys/kernel/random/boot_id").ok().hash(&mut digest);
    std::fs::read_link("/proc/self/ns/pid").ok().hash(&mut digest);
    rustix::process::geteuid().as_raw().hash(&mut digest);
    digest.finish() & 0xffff
}

/// When a process started, in the kernel's own count; `None` where it is over.
fn started(pid: u32) -> Option<u64> {
    let line = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before may hold anything, brackets and spaces included.
    let mut fields = line.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    (!matches!(state, "Z" | "X")).then(|| fields.nth(18)?.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_goes_on_and_one_that_had_its_number_is_over() {
        let own = own();
        assert_eq!(is_over(&own), Some(false));
        assert!(own.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{own}");
        assert_eq!(is_over(&format!("{own}0")), Some(true), "another start is another process");
    }

    #[test]
    fn a_process_that_ended_is_over_also_before_it_was_waited_for() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let word = format!("{}-{:04x}{:x}", child.id(), here(), started(child.id()).unwrap());
        assert_eq!(is_over(&word), Some(false));
        child.kill().unwrap();
        let begun = std::time::Instant::now();
        while is_over(&word) == Some(false) && begun.elapsed().as_secs() < 5 {
            std::thread::yield_now();
        }
        assert_eq!(is_over(&word), Some(true));
        child.wait().unwrap();
        assert_eq!(is_over(&word), Some(true));
    }

    #[test]
    fn words_from_elsewhere_are_not_judged() {
        let elsewhere = format!("1-{:04x}1", here() ^ 1);
        for word in ["", "1", "1-", "x-00001", "1-00", "-1-00001", elsewhere.as_str()] {
            assert_eq!(is_over(word), None, "{word}");
        }
    }
}
