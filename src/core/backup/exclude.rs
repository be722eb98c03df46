//! What is left out of a backup: patterns of a platform and of the person's own ignore file.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::super::pattern::{Pattern, like};

/// Patterns of what is left out.
///
/// A pattern without a slash is a name, anywhere; one with a slash is a path from the folder's top.
/// `*` and `?` stand for parts of a name, `**` for any number of folders; a slash at the end means
/// folders only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excludes {
    names: Vec<(Box<str>, bool)>,
    paths: Vec<(Pattern, bool)>,
}

impl Excludes {
    /// The file in a workspace's folder that names what is left out, one pattern a line.
    pub const FILE: &str = ".outlastignore";

    /// Reads patterns; empty ones and comments say nothing.
    pub fn new<T: AsRef<str>>(patterns: impl IntoIterator<Item = T>) -> Self {
        let mut excludes = Self::default();
        for pattern in patterns {
            excludes.add(pattern.as_ref());
        }
        excludes
    }

    fn add(&mut self, line: &str) {
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') {
            return;
        }
        let folders_only = text.ends_with('/');
        let text = text.trim_end_matches('/');
        match text.strip_prefix("**/") {
            // A name in any folder, written in full.
            Some(name) if !name.contains('/') => self.names.push((name.into(), folders_only)),
            _ if !text.contains('/') => self.names.push((text.into(), folders_only)),
            _ => self.paths.push((Pattern::new(&format!("/{}", text.trim_start_matches('/'))), folders_only)),
        }
    }

    /// The lines of an ignore file that are patterns, and those that this program does not understand.
    pub fn lines(text: &str) -> (Vec<String>, Vec<String>) {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(str::to_owned).partition(|line| !line.starts_with('!'))
    }

    /// Whether an entry is left out. The path is from the folder's top; what lies below a folder that
    /// is left out is never asked about.
    pub fn covers(&self, path: &Path, is_folder: bool) -> bool {
        let name = path.file_name().unwrap_or(OsStr::new("")).as_bytes();
        if self.names.iter().any(|(text, folders)| (is_folder || !folders) && like(text.as_bytes(), name)) {
            return true;
        }
        if self.paths.is_empty() {
            return false;
        }
        let rooted = Path::new("/").join(path);
        self.paths.iter().any(|(pattern, folders)| (is_folder || !folders) && pattern.is(&rooted))
    }

    /// Whether a path or a folder above it is left out.
    pub fn hides(&self, path: &Path) -> bool {
        let above = path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
        // Whether the path itself is a folder is not known, so it counts as both.
        self.covers(path, true) || above.into_iter().any(|folder| self.covers(folder, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(patterns: &[&str], path: &str, is_folder: bool) -> bool {
        Excludes::new(patterns).covers(Path::new(path), is_folder)
    }

    #[test]
    fn a_name_is_left_out_anywhere_and_a_path_only_where_it_stands() {
        assert!(covers(&[".vessl"], ".vessl", true) && covers(&[".vessl"], "a/b/.vessl", true));
        assert!(covers(&["*.tmp"], "a/x.tmp", false) && !covers(&["*.tmp"], "a/x.tmpl", false));
        assert!(covers(&["/data/raw"], "data/raw", true) && !covers(&["/data/raw"], "x/data/raw", true));
        assert!(covers(&["data/*/raw"], "data/1/raw", true) && !covers(&["data/*/raw"], "data/raw", true));
        assert!(covers(&["a/**/z"], "a/b/c/z", false));
        assert!(covers(&["**/__pycache__"], "x/__pycache__", true));
    }

    #[test]
    fn a_slash_at_the_end_means_folders_only_and_comments_mean_nothing() {
        assert!(covers(&["build/"], "a/build", true) && !covers(&["build/"], "a/build", false));
        assert!(!covers(&["# build", ""], "# build", false));
        let (known, unknown) = Excludes::lines("# x\n*.tmp\n\n!keep.tmp\n");
        assert_eq!((known, unknown), (vec!["*.tmp".to_owned()], vec!["!keep.tmp".to_owned()]));
    }

    #[test]
    fn what_lies_below_a_folder_that_is_left_out_is_hidden() {
        let excludes = Excludes::new([".vessl", "data/raw/"]);
        assert!(excludes.hides(Path::new("a/.vessl/x/y")) && excludes.hides(Path::new("data/raw/f")));
        assert!(!excludes.hides(Path::new("data/rawer/f")) && !excludes.hides(Path::new("a/vessl")));
    }
}
