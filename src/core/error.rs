//! What went wrong, why, and what to do next; and the exit code it leads to.

use std::fmt;

/// The kind of a failure; it decides the exit code and how the screen reacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The command or its arguments are wrong, or a name is ambiguous.
    Usage,
    /// A configuration or profile file is wrong.
    Config,
    /// The engine or target cannot be reached.
    Unreachable,
    /// The engine or target was reached and gave no answer in time.
    TimedOut,
    /// The rights at hand do not suffice.
    NotPermitted,
    /// What was asked for is not there, or vanished while looked at.
    NotFound,
    /// The engine cannot do this.
    NotSupported,
    /// The engine refused because of the state things are in.
    Conflict,
    /// Refused to protect data.
    Refused,
    /// Its platform protects it from being changed.
    Protected,
    /// The person said no.
    Cancelled,
    /// Work was done, but not all of it.
    Incomplete,
    /// Anything else.
    Failed,
}

impl Kind {
    /// The exit code for a failure of this kind.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Usage | Self::Config | Self::NotFound => 2,
            Self::Unreachable | Self::TimedOut | Self::NotPermitted => 3,
            Self::Refused | Self::Protected => 4,
            Self::Cancelled => 130,
            Self::NotSupported | Self::Conflict | Self::Incomplete | Self::Failed => 1,
        }
    }

    /// Whether only somebody with more rights can mend it.
    pub const fn needs_an_admin(self) -> bool {
        matches!(self, Self::NotPermitted | Self::Protected)
    }
}

/// A failure that can be shown to a person as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind of failure it is.
    pub kind: Kind,
    /// What happened and why, without a full stop (may hold untrusted text).
    pub message: String,
    /// What to do next, one step a line.
    pub hints: Vec<String>,
}

/// A result whose failure can be shown to a person.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A failure without a hint yet.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hints: Vec::new() }
    }

    /// Adds one step to take next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_lead_to_the_documented_exit_codes() {
        let code = |kind| Error::new(kind, "x").kind.exit_code();
        assert_eq!(code(Kind::Usage), 2);
        assert_eq!(code(Kind::Unreachable), 3);
        assert_eq!(code(Kind::Refused), 4);
        assert_eq!(code(Kind::Cancelled), 130);
        assert_eq!(code(Kind::Incomplete), 1);
    }
}
