//! The library's errors in words for people.

use rustic_core::RusticError;

use crate::core::error::{Error, Kind};

/// An error of the library, and what was being done.
pub(super) fn failed(doing: &str, error: &RusticError) -> Error {
    if error.is_incorrect_password() {
        return Error::new(Kind::Config, format!("could not {doing}: the password is wrong"))
            .hint("the file that OUTLAST_PASSWORD_FILE or the settings name must hold the password of this repository");
    }
    let why = words(&error.display_log());
    let kind = if is_out_of_reach(&why) { Kind::Unreachable } else { Kind::Failed };
    let error = Error::new(kind, format!("could not {doing}: {why}"));
    if why.contains("No space left") {
        return error.hint("the disk of the repository is full: make room, or name another repository");
    }
    if kind == Kind::Unreachable {
        return error.hint("is the repository's server up, and its address right?");
    }
    error
}

/// The one line that matters: without the library's own frame around it.
fn words(log: &str) -> String {
    let log = log.strip_prefix("Error: ").unwrap_or(log);
    let (guidance, cause) = match log.split_once(" (kind: related to ") {
        Some((guidance, rest)) => (guidance, rest.split_once("): caused by: ").map(|(_, cause)| cause)),
        None => (log, None),
    };
    let guidance =
        guidance.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let guidance = guidance.split(". Please").next().unwrap_or_default().trim_end_matches('.');
    match cause.map(|cause| cause.lines().next().unwrap_or_default().trim()) {
        Some(cause) if !cause.is_empty() => format!("{guidance}: {cause}"),
        _ => guidance.to_owned(),
    }
}

/// Whether it sounds like a server that does not answer.
fn is_out_of_reach(why: &str) -> bool {
    ["error sending request", "Backoff failed", "connection", "dns error", "timed out"]
        .iter()
        .any(|sign| why.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustic_core::ErrorKind;

    #[test]
    fn an_error_is_one_line_that_says_what_happened_and_why() {
        let cause = std::io::Error::other("No space left on device (os error 28)");
        let error = RusticError::with_source(
            ErrorKind::InputOutput,
            "Failed to write `{path}`. Please check the file and try again.",
            cause,
        )
        .attach_context("path", "/r/data/1");
        let error = failed("save", &error);
        assert_eq!(
            error.message,
            "could not save: Failed to write `/r/data/1`: No space left on device (os error 28)"
        );
        assert!(error.hints[0].contains("full"));
    }

    #[test]
    fn a_server_that_does_not_answer_is_out_of_reach() {
        let error = RusticError::new(ErrorKind::Backend, "Backoff failed, please check the logs.");
        assert_eq!(failed("open it", &error).kind, Kind::Unreachable);
    }
}
