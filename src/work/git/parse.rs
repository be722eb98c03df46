//! What git prints, read. Everything in it is somebody's data.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::core::habits::{GitState, LARGE, LargeFile, Untracked};
use crate::core::value::Value;

/// Large files that are named, largest first.
const NAMED: usize = 8;

/// `status --porcelain=v2 --branch -z` without renames: headers, then a record for each changed file.
pub(super) fn status(out: &[u8]) -> GitState {
    let mut state = GitState::default();
    for record in records(out) {
        let text = String::from_utf8_lossy(record);
        if let Some(oid) = text.strip_prefix("# branch.oid ") {
            state.commits = oid != "(initial)";
        } else if let Some(head) = text.strip_prefix("# branch.head ") {
            state.branch = (head != "(detached)").then(|| head.to_owned());
        } else if text.starts_with("# branch.upstream ") {
            state.upstream = true;
        } else if matches!(record.first(), Some(b'1' | b'2' | b'u')) {
            state.uncommitted += 1;
        }
    }
    state
}

/// `remote -v`: names and the addresses that a push goes to.
pub(super) fn remotes(text: &str) -> Vec<(String, String)> {
    text.lines()
        .filter_map(|line| {
            let (name, address) = line.split_once('\t')?;
            Some((name.to_owned(), address.strip_suffix(" (push)")?.to_owned()))
        })
        .collect()
}

/// Whether a name can be typed as it is, without quotes.
pub(super) fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    !name.is_empty() && !name.starts_with('-') && name.bytes().all(plain)
}

/// Whether an address stays on this machine, as git itself reads addresses. What runs a program
/// to get anywhere is not known to leave it.
pub(super) fn is_local(address: &str) -> bool {
    let host = if let Some((scheme, rest)) = address.split_once("://") {
        if scheme.eq_ignore_ascii_case("file") || scheme.contains("::") {
            return true;
        }
        let authority = rest.split('/').next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        match host.strip_prefix('[') {
            Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        }
    } else {
        let colon = address.find(':');
        let slash = address.find('/');
        match colon {
            Some(colon) if slash.is_none_or(|slash| colon < slash) => {
                let (host, path) = address.split_at(colon);
                if path.starts_with("::") {
                    return true;
                }
                host.rsplit('@').next().unwrap_or_default().trim_matches(['[', ']'])
            }
            _ => return true,
        }
    };
    host.is_empty() || host.eq_ignore_ascii_case("localhost") || host == "::1" || host.starts_with("127.")
}

/// `config --list --name-only -z`: the names of filters. `None` where one cannot be given on a
/// command line, which ends a name at its first `=`.
pub(super) fn filters(out: &[u8]) -> Option<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for name in records(out).filter(|name| name.starts_with(b"filter.")) {
        let name = std::str::from_utf8(name).ok().filter(|name| !name.contains(['=', '\n']))?;
        let Some((driver, _)) = name.strip_prefix("filter.").and_then(|rest| rest.rsplit_once('.')) else {
            continue;
        };
        found.insert(driver.to_owned());
    }
    Some(found)
}

/// `ls-tree -r -l -z`: files above the limit. `None` where none was found and not every size is
/// known: the list was cut, or a partial clone lacks the file.
pub(super) fn large(out: &[u8], cut: bool) -> Option<Vec<LargeFile>> {
    let (mut found, mut unknown) = (Vec::new(), cut);
    for record in records(out) {
        let tab = record.iter().position(|byte| *byte == b'\t').unwrap_or(record.len());
        let (facts, path) = record.split_at(tab);
        let facts = String::from_utf8_lossy(facts);
        match facts.split_ascii_whitespace().last() {
            // Another repository inside this one has no size.
            Some("-") => {}
            Some(bytes) => match bytes.parse() {
                Ok(bytes) if bytes > LARGE => {
                    found.push(LargeFile { path: path_of(path.get(1..).unwrap_or_default()), bytes });
                }
                Ok(_) => {}
                Err(_) => unknown = true,
            },
            None => unknown = true,
        }
    }
    found.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.path.cmp(&b.path)));
    found.truncate(NAMED);
    (!unknown || !found.is_empty()).then_some(found)
}

/// `ls-files --others -z`: how many, and how many of them somebody wrote.
pub(super) fn untracked(out: &[u8]) -> Untracked {
    let mut found = Untracked::default();
    for path in records(out) {
        found.files += 1;
        if matches!(Value::of(&path_of(path)), Value::Source | Value::Notebook) {
            found.code += 1;
        }
    }
    found
}

fn path_of(bytes: &[u8]) -> PathBuf {
    Path::new(OsStr::from_bytes(bytes)).to_path_buf()
}

fn records(out: &[u8]) -> impl Iterator<Item = &[u8]> {
    out.split(|byte| *byte == 0).filter(|record| !record.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_stay_on_this_machine_are_known() {
        for local in [
            "/srv/repo.git",
            "../repo",
            "file:///srv/x",
            "./a:b",
            "ssh://u@localhost:22/x",
            "localhost:x",
            "u@127.0.0.1:x",
            "http://[::1]:80/x",
            "ext::sh -c true",
            "ssh:///x",
        ] {
            assert!(is_local(local), "{local}");
        }
        for away in [
            "git@github.com:u/p.git",
            "https://github.com/u/p",
            "ssh://git@host:2222/p",
            "host:p",
            "git://localhost.example.org/p",
            "https://u:localhost@host/p",
        ] {
            assert!(!is_local(away), "{away}");
        }
    }

    #[test]
    fn only_names_without_a_meaning_to_a_shell_are_typed() {
        assert!(is_plain("origin") && is_plain("me/fork-2.0"));
        assert!(
            !is_plain("") && !is_plain("-f") && !is_plain("a b") && !is_plain("$(x)") && !is_plain("a\x1b")
        );
    }

    #[test]
    fn a_filter_whose_name_cannot_be_given_is_refused() {
        let of = |names: &[u8]| filters(names).map(|found| found.into_iter().collect::<Vec<_>>());
        assert_eq!(
            of(b"core.bare\0filter.lfs.clean\0filter.a.b.process\0"),
            Some(vec!["a.b".into(), "lfs".into()])
        );
        assert_eq!(of(b"filter.a=b.clean\0"), None);
        assert_eq!(of(b"filter.a\nb.clean\0"), None);
        assert_eq!(of(b"filter.\xff.clean\0"), None);
    }

    #[test]
    fn a_status_is_counted_record_by_record() {
        let out = b"# branch.oid 12\0# branch.head main\0# branch.upstream o/main\0# branch.ab +1 -0\0\
            1 .M N... 1 1 1 a b a\nb\0u UU N... 1 1 1 1 a b c d\0? new\0";
        let state = status(out);
        assert_eq!((state.branch.as_deref(), state.upstream, state.commits), (Some("main"), true, true));
        assert_eq!(state.uncommitted, 2);
        let empty = status(b"# branch.oid (initial)\0# branch.head (detached)\0");
        assert_eq!((empty.branch, empty.commits, empty.upstream), (None, false, false));
    }

    #[test]
    fn a_list_that_was_cut_is_no_proof_of_absence() {
        let big =
            b"100644 blob 12  209715200\tbig.bin\x00160000 commit 13       -\tsub\x00100644 blob 14 5\ta\0";
        let found = large(big, true);
        assert_eq!(found.map(|found| found.len()), Some(1));
        assert_eq!(large(b"100644 blob 14 5\ta\0", true), None);
        assert_eq!(large(b"", false), Some(Vec::new()));
        assert_eq!(large(b"100644 blob 14     BAD\ta\0", false), None, "a partial clone does not have it");
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_git_could_print_stops_the_reading(out: Vec<u8>, text: String) {
            let _ = (status(&out), filters(&out), large(&out, false), untracked(&out));
            let _ = (remotes(&text), is_local(&text));
        }
    }
}
