//! The subject syntax of every command: `[ENDPOINT/]NAME[/CONTAINER][:PATH]`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use super::error::{Error, Kind, Result};
use super::workspace::{Workspace, WsKey};

/// What a person named on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// A workspace's name, a container's name or the beginning of its id; `None` where only a path was given.
    pub name: Option<String>,
    /// The path after the colon, or the bare path.
    pub path: Option<PathBuf>,
}

impl Subject {
    /// Reads a subject. Text that begins with `/`, `.` or `~` is a path; the
    /// first colon ends a name.
    ///
    /// A path keeps its bytes as they are; a name that is not UTF-8 is nobody's, so it is made text.
    pub fn parse(text: &OsStr) -> Self {
        let bytes = text.as_bytes();
        if bytes.starts_with(b"/") || bytes.starts_with(b".") || bytes.starts_with(b"~") {
            return Self { name: None, path: Some(text.into()) };
        }
        let mut parts = bytes.splitn(2, |byte| *byte == b':');
        match (parts.next(), parts.next()) {
            (Some(name), Some(path)) if !name.is_empty() => Self {
                name: Some(String::from_utf8_lossy(name).into_owned()),
                path: Some(OsStr::from_bytes(path).into()),
            },
            _ => Self { name: Some(text.to_string_lossy().into_owned()), path: None },
        }
    }
}

/// Finds the one workspace a name means; an ambiguous name lists the candidates.
///
/// Exact names win over exact container names, those over the beginning of an
/// id (four characters or more).
pub fn find<'w>(workspaces: &'w [Workspace], name: &str) -> Result<&'w Workspace> {
    let (endpoint, bare) = match name.split_once('/') {
        Some((endpoint, rest)) if workspaces.iter().any(|w| w.key.endpoint == endpoint) => {
            (Some(endpoint), rest)
        }
        _ => (None, name),
    };
    let here = || workspaces.iter().filter(|w| endpoint.is_none_or(|endpoint| w.key.endpoint == endpoint));
    let by_container: Vec<_> = here().filter(|w| w.container.as_deref() == Some(bare)).collect();
    let by_name: Vec<_> = here().filter(|w| w.name == bare).collect();
    let by_id: Vec<_> = here().filter(|w| bare.len() >= 4 && w.key.id.starts_with(bare)).collect();
    for found in [by_container, by_name, by_id] {
        match found.as_slice() {
            [] => {}
            [one] => return Ok(one),
            several => return Err(ambiguous(bare, several)),
        }
    }
    Err(not_found(bare, here()))
}

/// Whether a key belongs to the workspace with this id or id prefix.
pub fn same(key: &WsKey, id: &str) -> bool {
    !id.is_empty() && (key.id.starts_with(id) || id.starts_with(&key.id))
}

fn ambiguous(name: &str, several: &[&Workspace]) -> Error {
    let mut error = Error::new(Kind::Usage, format!("“{name}” could be any of {} workspaces", several.len()));
    for workspace in several.iter().take(8) {
        error = error.hint(format!(
            "name it by its container: {}",
            workspace.container.as_deref().unwrap_or(&workspace.key.id)
        ));
    }
    error
}

fn not_found<'w>(name: &str, here: impl Iterator<Item = &'w Workspace>) -> Error {
    let error = Error::new(Kind::NotFound, format!("no workspace is called “{name}”"));
    let near = here
        .map(|workspace| workspace.name.as_str())
        .find(|known| known.contains(name) || (!known.is_empty() && name.contains(known)));
    match near {
        Some(near) => error.hint(format!("did you mean “{near}”?")),
        None => error.hint("`outlast ls --all` lists them"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::workspace::{Owner, RunState};

    fn workspace(container: &str, name: &str, id: &str) -> Workspace {
        Workspace {
            key: WsKey { endpoint: "docker".into(), id: id.into() },
            container: Some(container.into()),
            name: name.into(),
            owner: Owner::default(),
            project: None,
            image: None,
            image_id: None,
            state: RunState::Running,
            created: None,
            labels: std::collections::BTreeMap::default(),
            managed_by: None,
            protected: false,
            client: crate::core::workspace::CLIENT,
        }
    }

    #[test]
    fn a_path_is_told_from_a_name() {
        let parse = |text: &str| Subject::parse(OsStr::new(text));
        assert_eq!(parse("/tmp/a:b"), Subject { name: None, path: Some("/tmp/a:b".into()) });
        assert_eq!(parse("web:/tmp"), Subject { name: Some("web".into()), path: Some("/tmp".into()) });
        assert_eq!(parse("web"), Subject { name: Some("web".into()), path: None });
        let bytes = Subject::parse(OsStr::from_bytes(b"web:/tmp/\xff"));
        assert_eq!(bytes.name.as_deref(), Some("web"));
        assert_eq!(bytes.path, Some(OsStr::from_bytes(b"/tmp/\xff").into()));
    }

    #[test]
    fn a_workspace_is_found_by_name_container_or_the_start_of_its_id() {
        let all = [workspace("p._.1001", "p", "abcdef12"), workspace("q._.1001", "q", "abcd9999")];
        let id = |name: &str| find(&all, name).map(|w| w.key.id.clone()).ok();
        assert_eq!(id("p").as_deref(), Some("abcdef12"));
        assert_eq!(id("q._.1001").as_deref(), Some("abcd9999"));
        assert_eq!(id("docker/q").as_deref(), Some("abcd9999"));
        assert_eq!(id("abcde").as_deref(), Some("abcdef12"));
    }

    #[test]
    fn an_ambiguous_name_lists_the_candidates() {
        let all = [workspace("p._.1001", "p", "abcdef12"), workspace("p._.1002", "p", "abcd9999")];
        let error = find(&all, "p").err();
        let hints = error.map(|error| error.hints.join("\n")).unwrap_or_default();
        assert!(hints.contains("p._.1001") && hints.contains("p._.1002"), "{hints}");
        assert_eq!(find(&all, "abcd").err().map(|error| error.kind), Some(Kind::Usage));
        assert_eq!(find(&all, "zzz").err().map(|error| error.kind), Some(Kind::NotFound));
    }
}
