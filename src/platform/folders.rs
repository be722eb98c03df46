//! Project folders: the sub-folders of folder roots. Reads directories, follows no link in them.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::config::Config;
use crate::core::profile::Profile;
use crate::port::Host;

/// How many sub-folders of one root count as projects; a root with more is not one.
const MOST: usize = 2_000;

/// One project folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The folder's name (untrusted text).
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// The number of the user it belongs to.
    pub uid: u32,
    /// When it was made, where the file system says so.
    pub created: Option<Timestamp>,
}

/// The folder roots in force: the person's own, else the platform's; `~` is the viewer's home.
/// Roots that cannot be placed, such as `~` without a home, are left out.
pub fn roots(profile: &Profile, config: &Config, host: &Host) -> Vec<PathBuf> {
    let texts = config.folder_roots.as_ref().unwrap_or(&profile.folder_roots);
    texts
        .iter()
        .filter_map(|text| match text.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                host.home.as_ref().map(|home| home.join(rest.trim_start_matches('/')))
            }
            _ => Some(PathBuf::from(text)),
        })
        .filter(|root| root.is_absolute())
        .collect()
}

/// The projects below one root by name; a root that cannot be read has none.
pub fn projects(root: &Path) -> Vec<Project> {
    let Ok(entries) = std::fs::read_dir(root) else { return Vec::new() };
    let mut found: Vec<_> = entries.flatten().take(MOST).filter_map(|entry| project(&entry)).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn project(entry: &std::fs::DirEntry) -> Option<Project> {
    let name = entry.file_name().to_string_lossy().into_owned();
    // DirEntry::metadata does not follow links.
    let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_dir)?;
    if name.starts_with('.') {
        return None;
    }
    let created = metadata.created().ok().and_then(|time| Timestamp::try_from(time).ok());
    Some(Project { name, path: entry.path(), uid: metadata.uid(), created })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::profiles;

    #[test]
    fn a_tilde_is_the_viewers_home_and_nothing_without_one() {
        let profile = &profiles::built_in().unwrap()[0];
        let home = |home: Option<&str>| Host { home: home.map(Into::into), ..Host::default() };
        let of = |host: &Host, config: &Config| roots(profile, config, host);
        assert_eq!(of(&home(Some("/home/u")), &Config::default()), [Path::new("/home/u/workspace")]);
        assert!(of(&home(None), &Config::default()).is_empty());
        let own = Config { folder_roots: Some(vec!["/srv/p".into(), "relative".into()]), ..Config::default() };
        assert_eq!(of(&home(None), &own), [Path::new("/srv/p")]);
    }
}
