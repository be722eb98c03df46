//! What the system's errors mean to people who act on files.

use rustix::io::Errno;

use crate::core::error::{Error, Kind};
use crate::core::spot::Spot;
use crate::text::printable_path;

/// What the system answers.
pub(super) type Tried<T> = std::result::Result<T, Errno>;

/// An act that the system refused.
pub(super) fn failed(doing: &str, spot: &Spot, why: Errno) -> Error {
    let place = spot.full();
    let place = printable_path(&place);
    let error = |kind, because: &str| Error::new(kind, format!("could not {doing} {place}: {because}"));
    match why {
        Errno::NOENT => Error::new(Kind::NotFound, format!("{place} is not there")),
        Errno::NOTDIR => error(Kind::NotFound, "a part of its path is a link or no folder"),
        Errno::ACCESS | Errno::PERM => {
            error(Kind::NotPermitted, "the rights of this user do not suffice").hint("its owner or root can")
        }
        Errno::ROFS => error(Kind::NotPermitted, "its file system is read-only"),
        Errno::EXIST | Errno::NOTEMPTY => error(Kind::Conflict, "something is there already")
            .hint("nothing was overwritten; choose another name"),
        Errno::LOOP => error(Kind::Refused, "a link is in its path, and links are not followed here"),
        Errno::XDEV => error(Kind::NotSupported, "it lies on another mount than the folder it is in"),
        Errno::BUSY => error(Kind::Refused, "something is mounted there"),
        Errno::NOSPC => error(Kind::Failed, "the disk is full").hint("`outlast du` says what takes the space"),
        Errno::DQUOT => {
            error(Kind::Failed, "the quota is used up").hint("`outlast du` says what takes the space")
        }
        Errno::NAMETOOLONG => error(Kind::Usage, "the name is too long"),
        Errno::ISDIR => error(Kind::Usage, "it is a folder"),
        other => error(Kind::Failed, &std::io::Error::from(other).to_string()),
    }
}

/// An input or output error in the middle of a file.
pub(super) fn broken(doing: &str, spot: &Spot, why: &std::io::Error) -> Error {
    failed(doing, spot, Errno::from_io_error(why).unwrap_or(Errno::IO))
}

/// That things are not as they were when the plan was made.
pub(super) fn changed(spot: &Spot, how: &str) -> Error {
    let place = spot.full();
    Error::new(
        Kind::Refused,
        format!("things changed since the plan was made: {how}: {}", printable_path(&place)),
    )
    .hint("look at the new plan: the same command with `--dry-run`")
}
