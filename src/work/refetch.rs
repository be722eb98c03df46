//! Whether a file of this machine can be had again from elsewhere: what lies beside it is looked at.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::core::pattern::Pattern;
use crate::core::refetch::{LFS_LARGEST, ONLY_COPY, Refetch};
use crate::core::rules::Rules;
use crate::core::value::Value;

/// How long a look may take; on a dead share the answer stays unknown.
const WITHIN: Duration = Duration::from_millis(500);

/// What is known of a file's other copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copies {
    /// It can be fetched again.
    Again(Refetch),
    /// Data or a model of which no other copy is known.
    Only,
}

impl Copies {
    /// The word in JSON.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Again(Refetch::Dvc) => "dvc",
            Self::Again(Refetch::Lfs) => "lfs",
            Self::Again(Refetch::SharedData) => "shared_data",
            Self::Only => "only_copy",
        }
    }

    /// The words for it.
    pub fn words(self) -> String {
        match self {
            Self::Again(how) => format!("can be fetched again: {}", how.words()),
            Self::Only => ONLY_COPY.into(),
        }
    }
}

/// Looks at a file: where it is on this machine, and what it is called where the rules hold. `None` for
/// anything but files, and for small things that somebody wrote, which belong into git.
pub async fn copies(on_host: PathBuf, inside: &Path, rules: &Rules) -> Option<Copies> {
    let folders = rules.profile.shared_data.iter().map(|folder| Pattern::new(&rules.text(folder)));
    let shared = folders.into_iter().any(|folder| folder.covers(inside));
    let precious = matches!(Value::of(inside), Value::Checkpoint | Value::Data);
    let look = tokio::task::spawn_blocking(move || look(&on_host, shared, precious));
    tokio::time::timeout(WITHIN, look).await.ok()?.ok()?
}

fn look(path: &Path, shared: bool, precious: bool) -> Option<Copies> {
    if !path.symlink_metadata().ok()?.is_file() {
        return None;
    }
    if shared {
        return Some(Copies::Again(Refetch::SharedData));
    }
    let is_there = |path: &Path| path.symlink_metadata().is_ok_and(|metadata| metadata.is_file());
    let begins = |path: &Path| {
        let small = path.symlink_metadata().is_ok_and(|metadata| metadata.len() <= LFS_LARGEST);
        let mut text = Vec::new();
        let file = std::fs::File::open(path).ok().filter(|_| small)?;
        file.take(LFS_LARGEST).read_to_end(&mut text).ok()?;
        Some(text)
    };
    match Refetch::of(path, &[], is_there, begins) {
        Some(how) => Some(Copies::Again(how)),
        None => precious.then_some(Copies::Only),
    }
}
