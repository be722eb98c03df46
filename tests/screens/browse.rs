//! The page Browse, and a look into a file.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

use outlast::app::{Browsed, Cmd, Msg, State};
use outlast::core::error::{Error, Kind};
use outlast::core::preview::preview;
use outlast::core::spot::Identity;
use outlast::core::workspace::WsKey;
use outlast::model::key::parse_keys;
use outlast::model::{Browse, BrowseState, FileEntry, FileOrder, Model, Page};
use outlast::port::{Entry, EntryKind};
use outlast::ui::Theme;

use crate::support::{model, screen};

fn file(name: impl Into<OsString>, kind: EntryKind, bytes: u64, hours: i64) -> FileEntry {
    let ago = jiff::SignedDuration::from_hours(hours);
    FileEntry {
        entry: Entry {
            name: name.into(),
            kind,
            bytes,
            allocated: bytes,
            modified: model::now().checked_sub(ago).ok(),
            owner: 1001,
            mode: 0o644,
            target: (kind == EntryKind::Link).then(|| "/data/sets".into()),
            identity: Identity::default(),
            mount: false,
        },
        written: None,
        owner: Some("alice".into()),
    }
}

fn entries() -> Vec<FileEntry> {
    let mut entries = vec![
        file("..", EntryKind::Folder, 0, 0),
        file("model.pt", EntryKind::File, 2_254_857_830, 1),
        file("notes.ipynb", EntryKind::File, 14_336, 50),
        file("runs", EntryKind::Folder, 4096, 3),
        file("sets", EntryKind::Link, 10, 900),
        file(
            OsStr::from_bytes(b"odd\xff\x1b[2J name that is rather long for a list.csv"),
            EntryKind::File,
            7,
            2,
        ),
    ];
    FileOrder::Name.sort(&mut entries);
    entries
}

/// A folder whose names nobody would choose.
pub(super) fn odd_folder(key: WsKey, failed: bool) -> Browse {
    let state = if failed {
        BrowseState::Failed(Error::new(Kind::NotPermitted, "no\u{1b} way").hint("日本"))
    } else {
        BrowseState::Known
    };
    Browse {
        key,
        path: "/日本/\u{1b}[2J".into(),
        state,
        entries: Arc::new(entries()),
        fixed: Some("read-only\u{7}".into()),
        partial: Some("日本".into()),
        order: FileOrder::Size,
    }
}

/// The demo after these keys on the page Browse of its project, whose folder was read.
fn page(columns: u16, rows: u16, fixed: Option<&str>, keys: &str) -> (State, Vec<Cmd>) {
    let mut state = State::new(model::demo(columns, rows));
    let mut asked = None;
    for key in parse_keys("/my-project<enter><enter>lll") {
        for cmd in state.update(Msg::Key(key)) {
            if let Cmd::Browse { number, path, .. } = cmd {
                asked = Some((number, path));
            }
        }
    }
    assert_eq!(state.model.page, Page::Browse);
    let (number, path) = asked.unwrap();
    let read = Browsed { path, entries: entries(), fixed: fixed.map(Into::into), partial: None };
    state.update(Msg::Browsed(number, Ok(read)));
    let mut cmds = Vec::new();
    for key in parse_keys(keys) {
        cmds.extend(state.update(Msg::Key(key)));
    }
    (state, cmds)
}

fn shot(model: &Model) -> String {
    screen::text(&screen::buffer(model, &Theme::dark()))
}

#[test]
fn the_page_at_every_size() {
    for (columns, rows) in [(80, 24), (120, 40), (40, 12)] {
        let (state, _) = page(columns, rows, None, "jj");
        insta::assert_snapshot!(format!("browse_{columns}x{rows}"), shot(&state.model));
    }
    let (state, _) = page(80, 24, Some("read-only: nothing can be saved here"), "");
    insta::assert_snapshot!("browse_read_only_80x24", shot(&state.model));
}

#[test]
fn a_look_into_a_file_shows_what_it_is_and_how_it_begins() {
    let (mut state, cmds) = page(80, 24, None, "/notes<enter><enter>");
    let Some(Cmd::Preview { number, path, .. }) =
        cmds.into_iter().find(|cmd| matches!(cmd, Cmd::Preview { .. }))
    else {
        panic!("Enter looks into a file");
    };
    let book = b"{\"cells\": [{\"cell_type\": \"code\", \"outputs\": []}],\n \"metadata\": {}}\n";
    state.update(Msg::Previewed(number, path.clone(), Ok(preview(&path, book, book.len() as u64))));
    insta::assert_snapshot!("browse_notebook_80x24", shot(&state.model));
    state.update(Msg::Key(parse_keys("<esc>")[0]));
    assert!(state.model.overlay.is_none());
}

#[test]
fn an_answer_to_an_older_question_changes_nothing() {
    let (mut state, cmds) = page(80, 24, None, "G");
    assert!(!cmds.iter().any(|cmd| matches!(cmd, Cmd::Browse { .. })));
    let late = Browsed { path: "/elsewhere".into(), entries: Vec::new(), fixed: None, partial: None };
    state.update(Msg::Browsed(0, Ok(late)));
    assert_eq!(state.model.browse.as_ref().unwrap().entries.len(), entries().len());
}

#[test]
fn keys_that_change_ask_first_and_are_refused_with_the_reason_where_nothing_can_be_changed() {
    let (state, cmds) = page(80, 24, None, "GR");
    assert_eq!(state.model.editing.as_ref().and_then(|editing| editing.prompt), Some("new name: "));
    assert!(cmds.iter().all(|cmd| !matches!(cmd, Cmd::PlanFile { .. })));
    let (_, cmds) = page(80, 24, None, "GT");
    assert!(cmds.iter().any(|cmd| matches!(cmd, Cmd::PlanFile { .. })));
    for keys in ["GR", "GT", "I"] {
        let (state, cmds) = page(80, 24, Some("read-only: nothing can be saved here"), keys);
        assert!(cmds.iter().all(|cmd| !matches!(cmd, Cmd::PlanFile { .. })) && state.model.editing.is_none());
        assert!(state.model.notice.unwrap().text.contains("read-only"), "{keys}");
    }
}

#[test]
fn a_hundred_thousand_entries_are_drawn_as_one_screen_of_them() {
    let (mut state, _) = page(80, 24, None, "");
    let many = (0..100_000).map(|number| file(format!("{number:06}"), EntryKind::File, number, 1)).collect();
    // `r` asks anew, under a number that counts.
    let asked = state.update(Msg::Key(parse_keys("r")[0]));
    let number = asked
        .into_iter()
        .find_map(|cmd| match cmd {
            Cmd::Browse { number, .. } => Some(number),
            _ => None,
        })
        .unwrap();
    let path = state.model.browse.as_ref().unwrap().path.clone();
    state.update(Msg::Browsed(number, Ok(Browsed { path, entries: many, fixed: None, partial: None })));
    for key in parse_keys("Gkkks") {
        state.update(Msg::Key(key));
    }
    let drawn = shot(&state.model);
    assert!(drawn.contains("100000 entries") && drawn.lines().count() <= 24, "{drawn}");
    for key in parse_keys("/099999<enter>") {
        state.update(Msg::Key(key));
    }
    assert!(shot(&state.model).contains("1 of 100000 entries"));
}
