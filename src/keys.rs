//! The one table of keys: the loop, the footer, `?`, `!`, the man page and README all read it.
//!
//! Lower case never changes anything; upper case changes, always through a
//! plan. `G`, which only moves, is the exception.

use crate::model::key::Key;

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// One page up.
    PageUp,
    /// One page down.
    PageDown,
    /// To the first row.
    Top,
    /// To the last row.
    Bottom,
    /// To the page on the left.
    Left,
    /// To the page on the right.
    Right,
    /// To the next tab.
    NextTab,
    /// To the tab before.
    PreviousTab,
    /// To the workspaces.
    Workspaces,
    /// To the files at risk.
    AtRisk,
    /// To the disk.
    Disk,
    /// To the backups.
    Backups,
    /// The next view of a tree of the disk, or of the backups.
    View,
    /// To the workspace that a path of the disk belongs to.
    Whose,
    /// Opens what is selected.
    Open,
    /// Back: closes what is open, ends a filter, forgets the chosen event.
    Back,
    /// Chooses the event that fates are shown for.
    WhatIf,
    /// Narrows the list.
    Filter,
    /// Finds a file by its name.
    Find,
    /// Sorts by the next column.
    Sort,
    /// Marks the selected row.
    Mark,
    /// Reads again: the list, and the files at risk of the selection.
    Refresh,
    /// Copies the command for the selection.
    Copy,
    /// Shows good habits and how the selected workspace stands to each.
    Habits,
    /// Stops what runs, starts what does not.
    StopOrStart,
    /// Saves what is in the container and removes it.
    Retire,
    /// Brings back what was retired.
    Undo,
    /// Backs up what is marked, else the selected workspace.
    Backup,
    /// Writes the selected snapshot to a folder.
    Restore,
    /// Reads the selected snapshot back.
    Verify,
    /// Removes the selected snapshot.
    Forget,
    /// Calls the selected job off.
    CallOff,
    /// Moves the selected file to the trash.
    Trash,
    /// Gives the selected file another name.
    Rename,
    /// Copies files out of harm's way.
    CopyOut,
    /// Copies a file of this machine in.
    CopyIn,
    /// Lists every verb and why it is not available.
    Verbs,
    /// Shows all keys and what there is to learn.
    Help,
    /// Leaves.
    Quit,
}

/// How bindings are grouped in `?` and in the documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Moves and opens.
    Move,
    /// Looks, without changing anything.
    Look,
    /// Changes something, through a plan.
    Change,
}

impl Group {
    /// The heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Move => "Moving",
            Self::Look => "Looking",
            Self::Change => "Changing, always through a plan",
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// The keys, in the notation of `model::key`: `j`, `down`, `ctrl-c`.
    pub on: &'static [&'static str],
    /// What they do.
    pub action: Action,
    /// Where it is listed.
    pub group: Group,
    /// Two words at most, for the footer; empty where the footer leaves it out.
    pub short: &'static str,
    /// One line, for `?` and the documents.
    pub help: &'static str,
}

const fn binding(
    on: &'static [&'static str],
    action: Action,
    group: Group,
    short: &'static str,
    help: &'static str,
) -> Binding {
    Binding { on, action, group, short, help }
}

/// The table, in the order in which the footer and the help list it.
pub const TABLE: &[Binding] = &[
    binding(&["S"], Action::StopOrStart, Group::Change, "stop or start", "stop what runs, start what does not"),
    binding(&["X"], Action::Retire, Group::Change, "retire", "save what is in the container, then remove it"),
    binding(
        &["B"],
        Action::Backup,
        Group::Change,
        "backup",
        "back up what is marked, else the selected workspace",
    ),
    binding(
        &["O"],
        Action::Restore,
        Group::Change,
        "restore",
        "on the tab Backups: write the snapshot out to a folder",
    ),
    binding(
        &["V"],
        Action::Verify,
        Group::Change,
        "verify",
        "on the tab Backups: read all of the snapshot back",
    ),
    binding(&["F"], Action::Forget, Group::Change, "forget", "on the tab Backups: remove the snapshot"),
    binding(&["A"], Action::CallOff, Group::Change, "call off", "on the tab Backups: call the running job off"),
    binding(
        &["C"],
        Action::CopyOut,
        Group::Change,
        "copy out",
        "copy files at risk to where they are kept; on Browse: copy out",
    ),
    binding(&["U"], Action::Undo, Group::Change, "undo", "bring back what was retired last, with its files"),
    binding(
        &["I"],
        Action::CopyIn,
        Group::Change,
        "copy in",
        "on the page Browse: copy a file of this machine in",
    ),
    binding(&["R"], Action::Rename, Group::Change, "rename", "on the page Browse: give the file another name"),
    binding(
        &["T"],
        Action::Trash,
        Group::Change,
        "to trash",
        "trash the file on the page Browse, or the retired workspace",
    ),
    binding(
        &["enter"],
        Action::Open,
        Group::Move,
        "open",
        "open the selected row: its paths and files, a folder, a file, or why it is lost",
    ),
    binding(&["w"], Action::WhatIf, Group::Look, "what if", "choose the event that fates are shown for"),
    binding(
        &["/"],
        Action::Filter,
        Group::Look,
        "filter",
        "narrow the list to names, images, owners and states that match",
    ),
    binding(
        &["f"],
        Action::Find,
        Group::Look,
        "find",
        "find a file by name, on this machine and in every container",
    ),
    binding(&["s"], Action::Sort, Group::Look, "sort", "sort by the next column"),
    binding(
        &["v"],
        Action::View,
        Group::Look,
        "view",
        "next view: of the disk largest, newest, kinds, owners; of backups snapshots, jobs, log",
    ),
    binding(&["i"], Action::Whose, Group::Look, "its workspace", "the workspace of a path of the disk"),
    binding(
        &["space"],
        Action::Mark,
        Group::Look,
        "mark",
        "mark the row; r, w, X, B and C then mean all that is marked",
    ),
    binding(
        &["r"],
        Action::Refresh,
        Group::Look,
        "refresh",
        "read again: the list and the files at risk of the selection",
    ),
    binding(
        &["y"],
        Action::Copy,
        Group::Look,
        "copy command",
        "copy the command that does the same in a shell",
    ),
    binding(
        &["!"],
        Action::Verbs,
        Group::Look,
        "all verbs",
        "list every verb, with the reason where it is not available",
    ),
    binding(&["b"], Action::Habits, Group::Look, "habits", "good habits, and how the workspace stands to each"),
    binding(&["?"], Action::Help, Group::Look, "help", "all keys, what lasts, words, examples, who helps"),
    binding(&["q", "ctrl-c"], Action::Quit, Group::Look, "quit", "leave"),
    binding(&["j", "down"], Action::Down, Group::Move, "", "one row down"),
    binding(&["k", "up"], Action::Up, Group::Move, "", "one row up"),
    binding(&["pgdn", "ctrl-f"], Action::PageDown, Group::Move, "", "one page down"),
    binding(&["pgup", "ctrl-b"], Action::PageUp, Group::Move, "", "one page up"),
    binding(&["g", "home"], Action::Top, Group::Move, "", "to the first row"),
    binding(&["G", "end"], Action::Bottom, Group::Move, "", "to the last row"),
    binding(
        &["h", "left", "backspace"],
        Action::Left,
        Group::Move,
        "",
        "to the page on the left; out of a folder of the disk",
    ),
    binding(
        &["l", "right"],
        Action::Right,
        Group::Move,
        "",
        "to the page on the right; into a folder of the disk",
    ),
    binding(&["1"], Action::Workspaces, Group::Move, "", "to the workspaces"),
    binding(&["2"], Action::AtRisk, Group::Move, "", "to the files at risk"),
    binding(&["3"], Action::Disk, Group::Move, "", "to what takes the space on the disk"),
    binding(&["5"], Action::Backups, Group::Move, "", "to the backups: snapshots, jobs, what was changed"),
    binding(&["tab"], Action::NextTab, Group::Move, "", "to the next tab"),
    binding(&["backtab"], Action::PreviousTab, Group::Move, "", "to the tab before"),
    binding(&["esc"], Action::Back, Group::Move, "", "back: close, end the filter, forget the chosen event"),
];

/// The binding of an action.
pub fn of(action: Action) -> Option<&'static Binding> {
    TABLE.iter().find(|binding| binding.action == action)
}

/// The first key of an action, as it is written in the footer.
pub fn key(action: Action) -> &'static str {
    of(action).and_then(|binding| binding.on.first().copied()).unwrap_or("")
}

/// How a key of the table is written for people: `Enter`, `^C`, `j`.
pub fn written(on: &str) -> String {
    Key::parse(on).map_or_else(|| on.to_string(), |key| key.to_string())
}

/// The table as Markdown, the way README holds it.
pub fn markdown() -> String {
    let mut out = String::from("| key | what it does |\n|---|---|\n");
    for group in [Group::Change, Group::Look, Group::Move] {
        for binding in TABLE.iter().filter(|binding| binding.group == group) {
            let keys: Vec<_> = binding.on.iter().map(|on| format!("`{}`", written(on))).collect();
            out.extend(["| ", &keys.join(" "), " | ", binding.help, " |\n"]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things() {
        let mut seen = std::collections::BTreeSet::new();
        for on in TABLE.iter().flat_map(|binding| binding.on) {
            assert!(Key::parse(on).is_some(), "{on} is no key");
            assert!(seen.insert(*on), "{on} is bound twice");
        }
    }

    #[test]
    fn lower_case_never_changes_anything_and_upper_case_does() {
        for binding in TABLE {
            for on in binding.on.iter().filter(|on| on.chars().count() == 1) {
                let upper = on.chars().all(char::is_uppercase);
                let changes = binding.group == Group::Change;
                assert!(upper == changes || *on == "G", "{on}");
            }
        }
    }

    #[test]
    fn keys_are_written_as_people_say_them() {
        assert_eq!(written("ctrl-c"), "^C");
        assert_eq!(written("pgdn"), "PgDn");
        assert_eq!(written("enter"), "Enter");
        assert_eq!(written("j"), "j");
    }
}
