//! A program of this machine that is run to its end: no shell, its input given, its output read line by
//! line, ended where somebody asks to stop or where it takes too long.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::core::error::{Error, Kind, Result};
use crate::platform::process::ask_to_end;
use crate::port::archive::Meter;

/// How often it is looked whether to stop.
const LOOKED_AT: Duration = Duration::from_millis(50);
/// How long a program that was asked to end may take for it.
const GRACE: Duration = Duration::from_secs(5);
/// Bytes of a line, and of all complaints, that are read; the rest is passed over.
const LONGEST: u64 = 64 * 1024;
/// Lines that may wait to be heard.
const WAITING: usize = 1024;

/// How a program ended.
pub(super) struct Ended {
    /// Its exit code; `None` where a signal ended it.
    pub(super) code: Option<i32>,
    /// What it complained of.
    pub(super) complaint: String,
}

impl Ended {
    /// The last line of the complaints, which says the most.
    pub(super) fn why(&self) -> String {
        let line = self.complaint.lines().rev().find(|line| !line.trim().is_empty());
        line.unwrap_or("it gave no reason").trim().to_owned()
    }
}

/// Runs a program. `package` is what to install where it is missing.
pub(super) fn run(
    mut command: Command,
    package: &str,
    input: Vec<u8>,
    limit: Duration,
    meter: &Meter,
    line: &mut dyn FnMut(&[u8]),
) -> Result<Ended> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        // A folder on the search path that is closed to us answers for a program that is nowhere.
        std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied => {
            Error::new(Kind::NotSupported, format!("{program} is not installed here"))
                .hint(format!("install the package {package}: apt-get install {package}"))
        }
        _ => Error::new(Kind::Failed, format!("{program} could not be started: {error}")),
    })?;
    let stdin = child.stdin.take();
    let feeding = thread::spawn(move || {
        // A program that does not want all of it says why itself.
        let _ = stdin.map(|mut pipe| pipe.write_all(&input));
    });
    let complaints = child.stderr.take().map(|pipe| thread::spawn(move || some(pipe)));
    let (sender, lines) = mpsc::sync_channel::<Vec<u8>>(WAITING);
    let stdout = child.stdout.take();
    let reading = thread::spawn(move || {
        let mut input = BufReader::new(stdout?);
        loop {
            let mut line = Vec::new();
            let read = input.by_ref().take(LONGEST).read_until(b'\n', &mut line).ok()?;
            if read == 0 || sender.send(line).is_err() {
                return Some(());
            }
        }
    });
    let end = Instant::now() + limit;
    let heard = loop {
        match lines.recv_timeout(LOOKED_AT) {
            Ok(text) => line(text.strip_suffix(b"\n").unwrap_or(&text)),
            Err(RecvTimeoutError::Disconnected) => break Ok(()),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if meter.stopped() {
            break Err(Error::new(Kind::Cancelled, format!("stopped {program} before its end")));
        }
        if Instant::now() > end {
            let seconds = limit.as_secs();
            break Err(Error::new(Kind::TimedOut, format!("{program} did not end within {seconds} s")));
        }
    };
    // Whoever still writes has nobody to write to any more.
    drop(lines);
    let status = if heard.is_ok() { wait(&mut child, end) } else { None };
    let Some(status) = status else {
        finish(&mut child);
        return Err(heard
            .err()
            .unwrap_or_else(|| Error::new(Kind::TimedOut, format!("{program} does not end"))));
    };
    let _ = (feeding.join(), reading.join());
    let complaint = complaints.and_then(|thread| thread.join().ok()).unwrap_or_default();
    Ok(Ended { code: status.code(), complaint })
}

/// Some of what a pipe has; the rest is passed over, so that nobody waits with a full pipe.
fn some(mut pipe: impl Read) -> String {
    let mut text = Vec::new();
    let _ = pipe.by_ref().take(LONGEST).read_to_end(&mut text);
    let _ = std::io::copy(&mut pipe, &mut std::io::sink());
    String::from_utf8_lossy(&text).into_owned()
}

fn wait(child: &mut Child, end: Instant) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < end => thread::sleep(Duration::from_millis(2)),
            Ok(None) | Err(_) => return None,
        }
    }
}

/// Asks it to end, and ends it where it does not.
fn finish(child: &mut Child) {
    ask_to_end(child);
    if wait(child, Instant::now() + GRACE).is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, limit: Duration, meter: &Meter) -> (Result<Ended>, Vec<String>) {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let mut lines = Vec::new();
        let mut line = |text: &[u8]| lines.push(String::from_utf8_lossy(text).into_owned());
        let ended = run(command, "sh", b"in\n".to_vec(), limit, meter, &mut line);
        (ended, lines)
    }

    #[test]
    fn a_program_is_heard_line_by_line_with_its_code_and_complaints() {
        let limit = Duration::from_mins(1);
        let (ended, lines) = sh("cat; echo out; echo why >&2; exit 3", limit, &Meter::default());
        let ended = ended.unwrap();
        assert_eq!((ended.code, ended.why().as_str()), (Some(3), "why"));
        assert_eq!(lines, ["in", "out"]);
    }

    #[test]
    fn one_that_takes_too_long_or_is_not_wanted_any_more_is_ended() {
        let (ended, _) = sh("sleep 60", Duration::from_millis(200), &Meter::default());
        assert_eq!(ended.err().map(|error| error.kind), Some(Kind::TimedOut));
        let meter = Meter::default();
        meter.stop();
        let (ended, _) = sh("yes", Duration::from_mins(1), &meter);
        assert_eq!(ended.err().map(|error| error.kind), Some(Kind::Cancelled));
    }

    #[test]
    fn what_is_not_installed_is_named_with_its_package() {
        let command = Command::new("no-such-program-here");
        let meter = Meter::default();
        let ended = run(command, "its-package", Vec::new(), Duration::from_secs(1), &meter, &mut |_| {});
        let error = ended.err().unwrap();
        assert!(error.message.contains("not installed") && error.hints[0].contains("its-package"), "{error:?}");
    }
}
