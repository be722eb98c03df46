//! The open tree: which folder is shown, how, which of its lines are here, and what is marked.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::places::DiskRoot;
use crate::port::{Asked, By, Line, Order, Show, Shown, Totals, Trait};

/// The tree of one place. Never holds more lines than a few screens.
#[derive(Clone, Debug)]
pub struct DiskTree {
    /// The place.
    pub root: DiskRoot,
    /// The folder beneath it.
    pub at: PathBuf,
    /// What is shown of it.
    pub show: Show,
    /// What comes first.
    pub order: Order,
    /// Words that names hold.
    pub filter: String,
    /// The lines that are here, and what the folder comes to.
    pub shown: Shown,
    /// Which line the first one of them is.
    pub from: usize,
    /// What was asked last; `None` before the first question.
    pub asked: Option<Asked>,
    /// What is shown answers this.
    pub answered: Option<Asked>,
    /// The selected line.
    pub selected: usize,
    /// The first line on the screen.
    pub offset: usize,
    /// What is marked, by its path beneath the place.
    pub marks: BTreeMap<PathBuf, Totals>,
    /// What the files of a sum have in common, in words (untrusted text).
    pub common: String,
    /// Where the cursor stood in each folder above.
    above: Vec<(usize, usize)>,
}

/// What all marks come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// How many are marked.
    pub count: usize,
    /// What they take; what lies in a folder that is marked too counts once.
    pub bytes: u64,
}

impl DiskTree {
    /// The tree of a place, at its top.
    pub fn new(root: DiskRoot) -> Self {
        Self {
            root,
            at: PathBuf::new(),
            show: Show::Entries,
            order: Order::Size,
            filter: String::new(),
            shown: Shown::default(),
            from: 0,
            asked: None,
            answered: None,
            selected: 0,
            offset: 0,
            marks: BTreeMap::new(),
            common: String::new(),
            above: Vec::new(),
        }
    }

    /// The line at a place in the whole list, where it is here.
    pub fn line(&self, place: usize) -> Option<&Line> {
        self.shown.lines.get(place.checked_sub(self.from)?)
    }

    /// The line under the cursor.
    pub fn current(&self) -> Option<&Line> {
        self.line(self.selected)
    }

    /// The path beneath the place that a line stands for; `None` for a sum.
    pub fn path_of(&self, line: &Line) -> Option<PathBuf> {
        let above: &Path = if self.show == Show::Entries { &self.at } else { Path::new("") };
        line.sum.is_none().then(|| above.join(&line.row.name))
    }

    /// Moves the cursor.
    pub fn step(&mut self, rows: isize) {
        let last = self.shown.of.saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(rows).min(last);
    }

    /// Keeps the cursor among so many rows.
    pub fn scroll(&mut self, height: usize) {
        let height = height.max(1);
        self.selected = self.selected.min(self.shown.of.saturating_sub(1));
        self.offset = self
            .offset
            .min(self.selected)
            .max((self.selected + 1).saturating_sub(height))
            .min(self.shown.of.saturating_sub(height));
    }

    /// What must be asked so that all rows in sight are here: the last question where that does, else
    /// one with a screen more on both sides.
    pub fn question(&self, height: usize) -> Asked {
        let height = height.max(1);
        let fits = |asked: &&Asked| {
            asked.at == self.at
                && asked.show == self.show
                && asked.order == self.order
                && asked.named == self.filter
                && asked.from <= self.offset
                && asked.from + asked.limit >= self.offset + height
        };
        self.asked.as_ref().filter(fits).cloned().unwrap_or_else(|| Asked {
            at: self.at.clone(),
            show: self.show,
            order: self.order,
            named: self.filter.clone(),
            from: self.offset.saturating_sub(height),
            limit: 3 * height,
        })
    }

    /// Takes an answer; one to another question than the last is late and left alone.
    ///
    /// Whoever has moved stays on the entry; else the first one is under the cursor, whichever that is.
    pub fn take(&mut self, asked: Asked, shown: Shown) {
        if self.asked.as_ref() != Some(&asked) {
            return;
        }
        let same_list = self.answered.as_ref().is_some_and(|before| {
            before.at == asked.at && before.show == asked.show && before.order == asked.order
        });
        let name = self.current().map(|line| line.row.name.clone()).filter(|_| same_list && self.selected > 0);
        self.from = asked.from;
        self.shown = shown;
        self.answered = Some(asked);
        if let Some(at) = name.and_then(|name| self.place_of(&name)) {
            // It stays on the same row of the screen.
            self.offset = (self.offset + at).saturating_sub(self.selected);
            self.selected = at;
        }
    }

    fn place_of(&self, name: &OsStr) -> Option<usize> {
        let at = self.shown.lines.iter().position(|line| line.row.name == name)?;
        Some(self.from + at)
    }

    /// Into the folder or the sum under the cursor; whether there was one.
    pub fn enter(&mut self) -> bool {
        let Some(line) = self.current() else { return false };
        match (line.sum, line.row.folder) {
            (Some(having), _) => {
                self.common = line.row.name.to_string_lossy().into_owned();
                self.turn(Show::Files(Some(having)));
            }
            (None, Some(_)) if self.show == Show::Entries => {
                self.at.push(line.row.name.clone());
                self.above.push((self.selected, self.offset));
                self.begin();
            }
            _ => return false,
        }
        true
    }

    /// Out of the folder, or back from a view; `false` at the top.
    pub fn leave(&mut self) -> bool {
        match self.show {
            Show::Entries if self.at.as_os_str().is_empty() => return false,
            Show::Entries => {
                let was = self.above.pop().unwrap_or_default();
                self.at.pop();
                self.begin();
                (self.selected, self.offset) = was;
                // As many as there must have been, until the answer comes.
                self.shown.of = self.selected + 1;
            }
            Show::Files(Some(Trait::Value(_))) => self.turn(Show::Sums(By::Value)),
            Show::Files(Some(Trait::Owner(_))) => self.turn(Show::Sums(By::Owner)),
            Show::Files(None) | Show::Sums(_) => {
                self.order = Order::Size;
                self.turn(Show::Entries);
            }
        }
        true
    }

    /// The next view: the folder, the largest files, the newest files, by kind, by owner.
    pub fn next_view(&mut self) {
        let (show, order) = match (self.show, self.order) {
            (Show::Entries, _) => (Show::Files(None), Order::Size),
            (Show::Files(None), Order::Size) => (Show::Files(None), Order::Age),
            (Show::Files(None), _) => (Show::Sums(By::Value), Order::Size),
            (Show::Sums(By::Value) | Show::Files(Some(Trait::Value(_))), _) => {
                (Show::Sums(By::Owner), Order::Size)
            }
            (Show::Sums(By::Owner) | Show::Files(Some(Trait::Owner(_))), _) => (Show::Entries, Order::Size),
        };
        self.order = order;
        self.turn(show);
    }

    /// What the view is called.
    pub const fn view(&self) -> &'static str {
        match (self.show, self.order) {
            (Show::Entries, _) => "",
            (Show::Files(None), Order::Age) => "newest files",
            (Show::Files(None), _) => "largest files",
            (Show::Files(Some(_)), _) => "files",
            (Show::Sums(By::Value), _) => "by kind",
            (Show::Sums(By::Owner), _) => "by owner",
        }
    }

    /// Sorts by what comes next. Files anywhere have two orders: largest and newest.
    pub fn sort(&mut self) {
        self.order = match (self.show, self.order) {
            (_, Order::Size) => Order::Age,
            (Show::Files(_), _) | (_, Order::Name) => Order::Size,
            (_, Order::Age) => Order::Count,
            (_, Order::Count) => Order::Name,
        };
        (self.selected, self.offset) = (0, 0);
    }

    /// Marks what is under the cursor, or takes the mark back, and goes on to the next.
    pub fn mark(&mut self) {
        if let Some((path, totals)) =
            self.current().and_then(|line| Some((self.path_of(line)?, line.row.totals)))
            && self.marks.remove(&path).is_none()
        {
            self.marks.insert(path, totals);
        }
        self.step(1);
    }

    /// What all marks come to.
    pub fn marked(&self) -> Mark {
        let inside = |path: &Path| path.ancestors().skip(1).any(|above| self.marks.contains_key(above));
        let counted = self.marks.iter().filter(|(path, _)| !inside(path));
        Mark { count: self.marks.len(), bytes: counted.map(|(_, totals)| totals.allocated).sum() }
    }

    fn turn(&mut self, show: Show) {
        self.show = show;
        self.begin();
    }

    /// Another list: nothing of it is known yet.
    fn begin(&mut self) {
        self.filter.clear();
        (self.selected, self.offset, self.from) = (0, 0, 0);
        self.shown = Shown { totals: self.shown.totals, ..Shown::default() };
        self.answered = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::disk::RootKind;
    use crate::port::{EntryKind, FolderId, Row};

    fn line(name: &str, folder: bool) -> Line {
        let totals = Totals { allocated: 4096, files: 1, ..Totals::default() };
        let row = Row {
            name: name.into(),
            kind: if folder { EntryKind::Folder } else { EntryKind::File },
            totals,
            modified: None,
            owner: None,
            folder: folder.then_some(FolderId::ROOT),
            growing: false,
            again: false,
            changed: false,
        };
        Line { row, value: None, sum: None }
    }

    fn tree() -> DiskTree {
        let root = DiskRoot { path: "/srv".into(), kind: RootKind::Mount, of: None, name: String::new() };
        DiskTree::new(root)
    }

    fn answer(tree: &mut DiskTree, names: &[&str]) {
        let asked = tree.question(10);
        tree.asked = Some(asked.clone());
        let lines: Vec<Line> = names.iter().map(|name| line(name, name.starts_with('d'))).collect();
        let of = lines.len();
        tree.take(asked, Shown { lines, of, there: true, ..Shown::default() });
    }

    #[test]
    fn whoever_has_not_moved_sees_the_first_and_whoever_has_stays_on_the_entry() {
        let mut tree = tree();
        answer(&mut tree, &["a", "b", "c"]);
        answer(&mut tree, &["c", "a", "b"]);
        assert_eq!(tree.current().unwrap().row.name, "c");
        tree.step(1);
        answer(&mut tree, &["b", "c", "a"]);
        assert_eq!((tree.selected, tree.current().unwrap().row.name.as_os_str()), (2, OsStr::new("a")));
        answer(&mut tree, &["b"]);
        tree.scroll(10);
        assert_eq!(tree.current().unwrap().row.name, "b");
    }

    #[test]
    fn an_answer_to_an_older_question_changes_nothing() {
        let mut tree = tree();
        answer(&mut tree, &["a", "d"]);
        let old = tree.asked.clone().unwrap();
        tree.step(1);
        assert!(tree.enter());
        assert_eq!(tree.at, Path::new("d"));
        tree.asked = Some(tree.question(10));
        tree.take(old, Shown { of: 7, ..Shown::default() });
        assert_eq!(tree.shown.of, 0);
        answer(&mut tree, &["x"]);
        assert!(!tree.enter(), "a file");
        assert!(tree.leave());
        answer(&mut tree, &["a", "d"]);
        assert_eq!((tree.at.as_os_str(), tree.selected), (OsStr::new(""), 1), "back where it was");
        assert!(!tree.leave());
    }

    #[test]
    fn a_question_is_asked_anew_only_where_rows_in_sight_are_missing() {
        let mut tree = tree();
        tree.asked = Some(tree.question(10));
        assert_eq!(tree.asked.as_ref().unwrap().limit, 30);
        tree.shown.of = 100_000;
        for step in [1, 10, 8] {
            tree.step(step);
            tree.scroll(10);
            assert_eq!(Some(tree.question(10)), tree.asked, "after {step}");
        }
        tree.step(isize::MAX);
        tree.scroll(10);
        assert_eq!((tree.offset, tree.question(10).from), (99_990, 99_980));
    }

    #[test]
    fn what_lies_in_a_marked_folder_counts_once() {
        let mut tree = tree();
        answer(&mut tree, &["d", "e"]);
        tree.mark();
        tree.mark();
        assert_eq!(tree.marked(), Mark { count: 2, bytes: 8192 });
        tree.selected = 0;
        tree.enter();
        answer(&mut tree, &["x"]);
        tree.mark();
        assert_eq!(tree.marked(), Mark { count: 3, bytes: 8192 });
        tree.mark();
        assert_eq!(tree.marked().count, 2, "a second press takes the mark back");
    }

    #[test]
    fn the_views_go_round_and_lead_back() {
        let mut tree = tree();
        let mut seen = Vec::new();
        for _ in 0..5 {
            tree.next_view();
            seen.push(tree.view());
        }
        assert_eq!(seen, ["largest files", "newest files", "by kind", "by owner", ""]);
        tree.turn(Show::Sums(By::Owner));
        let mut sum = line("alice", true);
        sum.sum = Some(Trait::Owner(7));
        tree.shown = Shown { lines: vec![sum], of: 1, ..Shown::default() };
        assert!(tree.enter());
        assert_eq!(tree.show, Show::Files(Some(Trait::Owner(7))));
        assert!(tree.leave() && tree.show == Show::Sums(By::Owner));
        assert!(tree.leave() && tree.show == Show::Entries);
    }
}
