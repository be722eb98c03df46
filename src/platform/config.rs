//! The person's own settings, from `$XDG_CONFIG_HOME/outlast/config.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::core::error::Result;
use crate::core::event::Event;
use crate::core::span::Span;

/// When to use colour, and on which background.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Color {
    /// Colours for a dark background where the terminal has any.
    #[default]
    Auto,
    /// For a dark background.
    Dark,
    /// For a light background.
    Light,
    /// No colour.
    Never,
}

/// The settings; what is not set is `None` or the default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Draw with ASCII only.
    pub ascii: bool,
    /// When to use colour.
    pub color: Color,
    /// Folders whose sub-folders are projects, instead of the platform's.
    pub folder_roots: Option<Vec<String>>,
    /// The folder that archives are written to, instead of the platform's.
    pub archives: Option<PathBuf>,
    /// How old a last backup may be; seven days unless said here.
    pub overdue_after: Option<Span>,
    /// The event that views begin with.
    pub event: Option<Event>,
    /// The profile of every workspace, instead of the one recognised: an id or a file.
    pub profile: Option<String>,
    /// Parameters of profiles, by the profile's id.
    pub parameters: BTreeMap<String, BTreeMap<String, String>>,
    /// Where backups go.
    pub backup: Backup,
}

/// Where backups go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Backup {
    /// The repository: a folder, `rest:`, `sftp:`, `s3:` or `rclone:`.
    pub repository: Option<String>,
    /// The file that holds its password.
    pub password_file: Option<PathBuf>,
    /// The person keeps a copy of the password where no event of this machine reaches it.
    pub key_elsewhere: bool,
}

/// Where the settings are, if this person has a home at all.
pub fn path() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "outlast").map(|dirs| dirs.config_dir().join("config.toml"))
}

/// Where what only saves time is kept.
pub fn cache() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "outlast").map(|dirs| dirs.cache_dir().to_path_buf())
}

/// Reads the settings. No file is no mistake; a damaged one is named with file,
/// line and reason, and the caller goes on with [`Config::default`].
pub fn load() -> Result<Config> {
    path().map_or_else(|| Ok(Config::default()), |path| load_from(&path))
}

/// Reads the settings from a given file.
pub fn load_from(path: &Path) -> Result<Config> {
    match super::toml::text(path)? {
        Some(text) => super::toml::read(&path.to_string_lossy(), &text),
        None => Ok(Config::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::error::Kind;

    #[test]
    fn settings_are_read_and_a_missing_file_is_no_mistake() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        assert_eq!(load_from(&path), Ok(Config::default()));
        std::fs::write(&path, "ascii = true\ncolor = \"light\"\nevent = \"image_removal\"\n").unwrap();
        let config = load_from(&path).unwrap();
        assert!(config.ascii);
        assert_eq!((config.color, config.event), (Color::Light, Some(Event::ImageRemoval)));
    }

    #[test]
    fn a_damaged_file_is_named_with_its_line_and_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        for (text, line, reason) in [
            ("ascii = true\ncolour = \"dark\"\n", 2, "unknown field `colour`"),
            ("\n\ncolor = \"pink\"\n", 3, "unknown variant `pink`"),
            ("ascii = \n", 1, ""),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = load_from(&path).unwrap_err();
            assert_eq!(error.kind, Kind::Config);
            let start = format!("{}: line {line}: {reason}", path.display());
            assert!(error.message.starts_with(&start), "{error}");
        }
        std::fs::write(&path, b"\xff\xfe").unwrap();
        assert_eq!(load_from(&path).unwrap_err().kind, Kind::Config);
    }
}
