//! Archives of a workspace folder as VESSL writes them: their names, what is left out, how large they may be.
//!
//! Pure rules. Reading and writing archives is `backup/archive`'s.

use std::ffi::OsStr;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::backup;
use super::check::{Finding, Severity};
use super::error::{Error, Kind};
use crate::text::{printable_path, size};

/// What names of archives begin with.
const BEGINS: &str = "workspace-backup";
/// What archives that outlast writes end in.
const ENDS: &str = ".tar.gz";
/// What an archive that is being written ends in.
pub const PARTIAL: &str = ".partial";
/// The moment in a name.
const MOMENT: &str = "%Y%m%d%H%M%S";
/// Left out of every archive, wherever it lies: the platform's own state.
pub const ALWAYS_OUT: &str = ".vessl";
/// Entries of a folder that counts as empty all the same.
pub const COUNT_AS_EMPTY: [&str; 2] = [ALWAYS_OUT, "lost+found"];
/// How an archive is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// tar within gzip.
    TarGz,
    /// As older releases of the platform did.
    Zip,
}

/// What an archive's name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// How it is packed.
    pub packing: Packing,
    /// When it was made; the oldest names do not say.
    pub made: Option<Timestamp>,
}

/// The name of a new archive: the moment in UTC, then a letter and eleven letters or digits.
pub fn name(now: Timestamp, random: [u8; 12]) -> String {
    const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let moment = now.to_zoned(TimeZone::UTC).strftime(MOMENT).to_string();
    let tail: String = random
        .iter()
        .enumerate()
        .filter_map(|(index, byte)| {
            let among = if index == 0 { 26 } else { LETTERS.len() };
            LETTERS.get(usize::from(*byte) % among).map(|letter| char::from(*letter))
        })
        .collect();
    format!("{BEGINS}-{moment}-{tail}{ENDS}")
}

/// Reads the name of an archive; `None` for any other file.
pub fn read_name(name: &OsStr) -> Option<Named> {
    let rest = name.to_str()?.strip_prefix(BEGINS)?;
    let (rest, packing) = match (rest.strip_suffix(ENDS), rest.strip_suffix(".zip")) {
        (Some(rest), _) => (rest, Packing::TarGz),
        (None, Some(rest)) => (rest, Packing::Zip),
        (None, None) => return None,
    };
    if rest.is_empty() {
        return Some(Named { packing, made: None });
    }
    let (moment, tail) = rest.strip_prefix('-')?.split_once('-')?;
    let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits =
        tail.len() == 12 && tail.starts_with(|c: char| c.is_ascii_lowercase()) && tail.bytes().all(lower);
    let made = DateTime::strptime(MOMENT, moment).ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp();
    fits.then_some(Named { packing, made: Some(made) })
}

/// How a file is packed, by how its name ends.
pub fn packing(file: &Path) -> Packing {
    let zip = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
    if zip { Packing::Zip } else { Packing::TarGz }
}

/// What is left out of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excludes {
    said: Vec<String>,
    rules: backup::Excludes,
}

impl Excludes {
    /// The platform's own state, and these: a name is left out anywhere, one with a slash counts from
    /// the folder that is saved. `*` stands for anything in a name.
    pub fn new(patterns: impl IntoIterator<Item = String>) -> Self {
        let mut said = vec![ALWAYS_OUT.to_owned()];
        said.extend(patterns.into_iter().map(|pattern| pattern.trim_matches('/').to_owned()));
        said.retain(|pattern| !pattern.is_empty());
        let rules = backup::Excludes::new(&said);
        Self { said, rules }
    }

    /// Whether an entry is left out, by its path beneath the folder.
    pub fn cover(&self, relative: &Path) -> bool {
        self.rules.covers(relative, true)
    }

    /// What is left out, as it was said.
    pub fn patterns(&self) -> &[String] {
        &self.said
    }
}

/// How a folder stands to the platform's limit for backups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gauge {
    /// It is backed up.
    Within,
    /// It is backed up still, but nears the limit.
    Near,
    /// It is not backed up: only more than the limit is too much.
    Over,
}

impl Gauge {
    /// Reads it. A folder of exactly the limit is within.
    pub const fn of(bytes: u64, limit: u64) -> Self {
        if bytes > limit {
            Self::Over
        } else if bytes > limit / 5 * 4 {
            Self::Near
        } else {
            Self::Within
        }
    }
}

/// Reads `USER:GROUP`, both as numbers.
pub fn read_owner(text: &str) -> Option<(u32, u32)> {
    let (user, group) = text.split_once(':')?;
    Some((user.parse().ok()?, group.parse().ok()?))
}

/// What `check` says of a folder that is too large to be backed up, or nears that; nothing of others.
pub fn finding(subject: &str, bytes: u64, limit: u64) -> Option<Finding> {
    let (id, severity, evidence) = match Gauge::of(bytes, limit) {
        Gauge::Within => return None,
        Gauge::Near => ("near-backup-limit", Severity::Notice, "nears the"),
        Gauge::Over => ("over-backup-limit", Severity::Warning, "is over the"),
    };
    let (folder, most) = (size(bytes), size(limit));
    let mut evidence =
        format!("its folder holds {folder} ({bytes} bytes) and {evidence} {most} that is backed up");
    if severity == Severity::Warning {
        evidence.push_str(": it is pinned to this node");
    }
    let fix = "`outlast du` says what takes the space; move data elsewhere".into();
    Some(Finding { id, severity, subject: subject.into(), evidence, fix })
}

/// Why something is too large; `what` is the folder or the archive.
pub fn too_large(what: &str, path: &Path, bytes: u64, limit: u64) -> Error {
    Error::new(
        Kind::Refused,
        format!(
            "{what} {} is larger than the limit: {} ({bytes} bytes), and at most {} ({limit} bytes) is backed up",
            printable_path(path),
            size(bytes),
            size(limit)
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_has_the_moment_in_utc_a_letter_and_eleven_letters_or_digits() {
        let made = at("2026-03-01T04:05:06.7Z");
        let name = name(made, [255, 0, 26, 35, 36, 1, 2, 3, 4, 5, 6, 200]);
        assert_eq!(name, "workspace-backup-20260301040506-vaA9abcdefgu.tar.gz".replace('A', "0"));
        let read = read_name(OsStr::new(&name)).unwrap();
        assert_eq!((read.packing, read.made), (Packing::TarGz, Some(at("2026-03-01T04:05:06Z"))));
    }

    #[test]
    fn old_names_are_read_and_strange_ones_are_not() {
        let read = |name: &str| read_name(OsStr::new(name));
        assert_eq!(read("workspace-backup.zip"), Some(Named { packing: Packing::Zip, made: None }));
        let zip = read("workspace-backup-20220102030405-abcdefghijk1.zip").unwrap();
        assert_eq!((zip.packing, zip.made), (Packing::Zip, Some(at("2022-01-02T03:04:05Z"))));
        for name in [
            "workspace-backup-20260301040506-0bcdefghijkl.tar.gz",
            "workspace-backup-20260301040506-abcdefghijkl.tar.gz.partial",
            "workspace-backup-20261301040506-abcdefghijkl.tar.gz",
            "workspace-backup-2026-abc.tar.gz",
            "workspace-backups.tar.gz",
            "x.tar.gz",
        ] {
            assert_eq!(read(name), None, "{name}");
        }
    }

    #[test]
    fn a_name_is_left_out_anywhere_and_a_path_only_there() {
        let excludes = Excludes::new(["*.tmp".into(), "data/raw".into(), "/".into()]);
        let out = |path: &str| excludes.cover(Path::new(path));
        assert!(out(".vessl") && out("a/b/.vessl") && out("x.tmp") && out("data/raw"));
        assert!(!out("a.vessl") && !out("b/data/raw") && !out("") && !out("data"));
    }

    #[test]
    fn an_owner_is_two_numbers() {
        assert_eq!(read_owner("1000:100"), Some((1000, 100)));
        for text in ["1000", "me:us", "1:", ":1", "-1:0"] {
            assert_eq!(read_owner(text), None, "{text}");
        }
    }

    #[test]
    fn exactly_the_limit_is_within_and_one_byte_more_is_over() {
        const LIMIT: u64 = 16_106_127_360;
        let almost = LIMIT / 150 * 149;
        assert_eq!(Gauge::of(almost, LIMIT), Gauge::Near, "14.9 GiB");
        assert_eq!(Gauge::of(LIMIT, LIMIT), Gauge::Near);
        assert_eq!(Gauge::of(LIMIT + 1, LIMIT), Gauge::Over);
        assert_eq!(Gauge::of(12_000_000_000, LIMIT), Gauge::Within);
        assert_eq!(finding("p", LIMIT, LIMIT).map(|one| one.severity), Some(Severity::Notice));
        let over = finding("p", LIMIT + 1, LIMIT).unwrap();
        assert_eq!((over.id, over.severity), ("over-backup-limit", Severity::Warning));
        assert!(over.evidence.contains("pinned to this node"), "{over:?}");
        assert_eq!(finding("p", 1, LIMIT), None);
        let error = too_large("the folder", Path::new("/home/vessl"), LIMIT + 1, LIMIT);
        assert!(error.message.contains("16106127361") && error.message.contains("16106127360"), "{error}");
    }
}
