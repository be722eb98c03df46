//! Absolute paths: normal form, and symlink resolution inside a container's root.
//!
//! Resolution is pure: it asks its caller about one path at a time, so the same
//! rules serve a running container, a stopped one and a test.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// The kernel's own limit on links followed in one resolution (`MAXSYMLINKS`).
const MAX_LINKS: usize = 40;

/// The absolute, lexically normal form: no `.`, no `..`, no doubled slashes.
/// A relative path counts from the root.
pub fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::ParentDir => {
                out.pop();
            }
            Component::Normal(name) => out.push(name),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    out
}

/// What a resolution wants next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Say what is at this path, with [`Resolver::answer`].
    Ask(PathBuf),
    /// The path with all links followed.
    Done(PathBuf),
    /// More links than the kernel itself would follow.
    Loop,
}

/// Follows the links in a path, one question at a time, never leaving the root it began in.
#[derive(Debug)]
pub struct Resolver {
    done: PathBuf,
    todo: VecDeque<OsString>,
    asked: Option<PathBuf>,
    links: usize,
}

impl Resolver {
    /// Starts on an absolute path; a relative one counts from the root.
    pub fn new(path: &Path) -> Self {
        let mut resolver = Self { done: PathBuf::from("/"), todo: VecDeque::new(), asked: None, links: 0 };
        resolver.put_back(path);
        resolver
    }

    /// The next question, or the end.
    pub fn step(&mut self) -> Step {
        if self.links > MAX_LINKS {
            return Step::Loop;
        }
        while let Some(name) = self.todo.pop_front() {
            if name == ".." {
                self.done.pop();
                continue;
            }
            let next = self.done.join(&name);
            self.asked = Some(next.clone());
            return Step::Ask(next);
        }
        Step::Done(self.done.clone())
    }

    /// Answers the last question: the link's target, or `None` where there is no link.
    pub fn answer(&mut self, link: Option<&Path>) {
        let Some(asked) = self.asked.take() else { return };
        match link {
            None => self.done = asked,
            Some(target) => {
                self.links += 1;
                if target.is_absolute() {
                    self.done = PathBuf::from("/");
                }
                self.put_back(target);
            }
        }
    }

    /// Puts a path's components in front of what is still to do.
    fn put_back(&mut self, path: &Path) {
        for component in path.components().rev() {
            match component {
                Component::Normal(name) => self.todo.push_front(name.to_os_string()),
                Component::ParentDir => self.todo.push_front("..".into()),
                Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn resolve(path: &str, links: &[(&str, &str)]) -> Option<String> {
        let links: HashMap<&Path, &Path> =
            links.iter().map(|(from, to)| (Path::new(*from), Path::new(*to))).collect();
        let mut resolver = Resolver::new(Path::new(path));
        loop {
            match resolver.step() {
                Step::Ask(at) => resolver.answer(links.get(at.as_path()).copied()),
                Step::Done(path) => return Some(path.display().to_string()),
                Step::Loop => return None,
            }
        }
    }

    #[test]
    fn normal_paths_have_no_dots_and_never_climb_above_the_root() {
        assert_eq!(normal(Path::new("/a/./b//../c/")), Path::new("/a/c"));
        assert_eq!(normal(Path::new("../../etc")), Path::new("/etc"));
        assert_eq!(normal(Path::new("")), Path::new("/"));
    }

    #[test]
    fn an_absolute_link_is_followed_inside_the_root() {
        let links = [("/workspace/out", "/tmp/out")];
        assert_eq!(resolve("/workspace/out/model.pt", &links).as_deref(), Some("/tmp/out/model.pt"));
    }

    #[test]
    fn a_relative_link_counts_from_its_own_folder_and_cannot_escape() {
        let links = [("/a/b", "../../../../etc"), ("/c/d", "../x/y")];
        assert_eq!(resolve("/a/b/passwd", &links).as_deref(), Some("/etc/passwd"));
        assert_eq!(resolve("/c/d/z", &links).as_deref(), Some("/x/y/z"));
    }

    #[test]
    fn links_to_links_are_followed_and_a_loop_ends() {
        let chain = [("/a", "/b"), ("/b", "c"), ("/c", "/d")];
        assert_eq!(resolve("/a/x", &chain).as_deref(), Some("/d/x"));
        assert_eq!(resolve("/l/x", &[("/l", "/l")]), None);
        assert_eq!(resolve("/p", &[("/p", "/q"), ("/q", "/p")]), None);
    }

    proptest::proptest! {
        #[test]
        fn any_path_resolves_to_a_normal_one(path in "[a-c./]{0,20}") {
            if let Some(resolved) = resolve(&path, &[("/a", "b/../c"), ("/b/c", "/a")]) {
                proptest::prop_assert_eq!(normal(Path::new(&resolved)), PathBuf::from(resolved));
            }
        }
    }
}
