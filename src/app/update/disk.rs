//! The disk tab: what its keys do, and what walks and looks at them change.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::State;
use super::explain::view;
use crate::app::msg::{Cmd, Walking};
use crate::core::error::Result;
use crate::core::event::Event;
use crate::core::fate::Verdict;
use crate::keys::Action;
use crate::model::disk::{
    Asked, DiskRoot, DiskTree, EntryKind, Found, Line, Order, Show, Shown, Walked, answerer,
};
use crate::model::{ExplainView, Notice, Overlay, Tab};
use crate::port::Progress;
use crate::{text, ui, work};

impl State {
    /// Whether the keys are about an open tree.
    pub(super) fn in_tree(&self) -> bool {
        self.model.tab == Tab::Disk && self.model.disk.tree.is_some()
    }

    /// The tab is shown: what only it shows is walked from now on.
    pub(super) fn visit_disk(&mut self) -> Vec<Cmd> {
        let first = !std::mem::replace(&mut self.model.disk.visited, true);
        self.show_places();
        if first { vec![Cmd::Machine] } else { Vec::new() }
    }

    /// What a key does on this tab; `None` where it does what it does everywhere.
    pub(super) fn disk_key(&mut self, action: Action) -> Option<Vec<Cmd>> {
        if self.model.tab != Tab::Disk {
            return None;
        }
        let Some(tree) = &mut self.model.disk.tree else { return self.place_key(action) };
        match action {
            Action::Up => tree.step(-1),
            Action::Down => tree.step(1),
            Action::PageUp | Action::PageDown => {
                let page = self.page();
                self.model.disk.tree.as_mut()?.step(if action == Action::PageDown { page } else { -page });
            }
            Action::Top => tree.step(isize::MIN),
            Action::Bottom => tree.step(isize::MAX),
            Action::Right => drop(tree.enter()),
            Action::Open => {
                if !tree.enter() {
                    self.explain_entry();
                }
            }
            Action::Left => self.out(),
            Action::Mark => tree.mark(),
            Action::Sort => {
                tree.sort();
                let by = words(tree.order);
                self.model.notice = Some(Notice::good(format!("sorted by {by}")));
            }
            Action::View => {
                tree.next_view();
                tree.asked = None;
            }
            Action::Back => return self.back_in_tree(),
            Action::Refresh => return Some(self.walk_again()),
            Action::Copy => return Some(self.copy_du()),
            Action::Whose => return Some(self.show_whose()),
            _ => return None,
        }
        self.scroll_tree();
        Some(Vec::new())
    }

    /// Keys on the list of places.
    fn place_key(&mut self, action: Action) -> Option<Vec<Cmd>> {
        match action {
            Action::Open | Action::Right => Some(self.open_place()),
            Action::Refresh => Some(self.walk_again()),
            Action::Copy => Some(self.copy_du()),
            Action::Whose => Some(self.show_whose()),
            Action::View => {
                self.model.notice = Some(Notice::bad("open a place first: Enter"));
                Some(Vec::new())
            }
            Action::Sort => {
                let disk = &mut self.model.disk;
                disk.order = match disk.order {
                    None => Some(Order::Size),
                    Some(Order::Size) => Some(Order::Count),
                    Some(Order::Count) => Some(Order::Age),
                    Some(Order::Age) => Some(Order::Name),
                    Some(Order::Name) => None,
                };
                let by = disk.order.map_or("what they are", words);
                self.model.notice = Some(Notice::good(format!("sorted by {by}")));
                self.show_places();
                Some(Vec::new())
            }
            Action::Back => self.stop_walk(),
            _ => None,
        }
    }

    fn open_place(&mut self) -> Vec<Cmd> {
        let Some(root) = self.model.disk.selected().cloned() else { return Vec::new() };
        let walked = self.model.disk.walked(&root.path);
        let known = walked.is_some_and(|walked| walked.known.is_some());
        let path = root.path.clone();
        self.model.disk.tree = Some(DiskTree::new(root));
        // Whatever was found is shown; where nothing was, somebody waits now.
        if known { Vec::new() } else { vec![Cmd::Walk { path, fresh: false }] }
    }

    fn out(&mut self) {
        let disk = &mut self.model.disk;
        if disk.tree.as_mut().is_some_and(|tree| !tree.leave()) {
            disk.tree = None;
        }
    }

    /// One step back: the walk that goes on, the filter, the marks, the view, the tree; one at a time.
    fn back_in_tree(&mut self) -> Option<Vec<Cmd>> {
        if let Some(cmds) = self.stop_walk() {
            return Some(cmds);
        }
        let tree = self.model.disk.tree.as_mut()?;
        if !tree.filter.is_empty() {
            tree.filter.clear();
            (tree.selected, tree.offset) = (0, 0);
        } else if !tree.marks.is_empty() {
            tree.marks.clear();
        } else if tree.show != Show::Entries {
            tree.leave();
        } else {
            self.model.disk.tree = None;
        }
        self.scroll();
        Some(Vec::new())
    }

    /// Ends the walk that the person looks at.
    fn stop_walk(&mut self) -> Option<Vec<Cmd>> {
        let path = self.looked_at()?.path.clone();
        self.model.disk.walked(&path)?.reading.as_ref()?;
        self.model.notice = Some(Notice::good("stopped: what was found so far stays"));
        Some(vec![Cmd::StopWalk(path)])
    }

    /// The place that is open, else the one under the cursor.
    fn looked_at(&self) -> Option<&DiskRoot> {
        let disk = &self.model.disk;
        disk.tree.as_ref().map(|tree| &tree.root).or_else(|| disk.selected())
    }

    fn walk_again(&mut self) -> Vec<Cmd> {
        self.looked_at()
            .map(|root| vec![Cmd::Walk { path: root.path.clone(), fresh: true }])
            .unwrap_or_default()
    }

    /// Copies the command that says in a shell what the selected row says.
    fn copy_du(&mut self) -> Vec<Cmd> {
        let Some(root) = self.looked_at() else { return self.nothing_to_copy() };
        let command = match &self.model.disk.tree {
            None => work::twin::du(&root.path, &[]),
            Some(tree) => {
                let options: &[&str] = match (tree.show, tree.order) {
                    (Show::Files(_), Order::Age) => &["--newer", "1d"],
                    (Show::Files(_), _) => &["--larger", "1M"],
                    _ => &[],
                };
                let below = tree.current().filter(|_| options.is_empty()).and_then(|line| tree.path_of(line));
                let path = below.map_or_else(|| root.path.join(&tree.at), |below| root.path.join(below));
                work::twin::du(&path, options)
            }
        };
        match command {
            Some(command) => self.copied(command),
            None => self.nothing_to_copy(),
        }
    }

    /// Goes to the workspace that answers for the selected row.
    fn show_whose(&mut self) -> Vec<Cmd> {
        let key = self.answering().map(|(workspace, _)| workspace);
        let at = key.and_then(|key| self.model.rows.iter().position(|row| row.workspace.key == key));
        let Some(index) = at else {
            self.model.notice = Some(Notice::bad("no workspace sees this path"));
            return Vec::new();
        };
        self.model.tab = Tab::Workspaces;
        self.model.workspaces.filter.clear();
        self.show_lists();
        if let Some(place) = self.model.workspaces.shown.iter().position(|shown| *shown == index) {
            self.model.workspaces.select(place);
        }
        self.open()
    }

    /// The workspace that answers for the selected row, and the row's explanation.
    fn answering(&self) -> Option<(crate::core::workspace::WsKey, Option<ExplainView>)> {
        let model = &self.model;
        let root = self.looked_at()?;
        let line = model.disk.tree.as_ref().and_then(|tree| Some((tree, tree.current()?)));
        let beneath = match line {
            Some((tree, line)) => tree.path_of(line)?,
            None => PathBuf::new(),
        };
        let found = answerer(&model.disk, &model.rows, root, &beneath)?;
        let facts = line.map(|(_, line)| facts(line, model.now)).unwrap_or_default();
        let explained = found.explanation();
        let view = view(found.workspace, &found.classifier, &found.path, &explained, facts, model.event);
        Some((found.workspace.key.clone(), Some(view)))
    }

    fn explain_entry(&mut self) {
        match self.answering() {
            Some((_, Some(view))) => self.model.overlay = Some(Overlay::Explain(Box::new(view))),
            _ => self.model.notice = Some(Notice::bad("it is not known yet what becomes of this path")),
        }
    }

    /// What the selection is, and the worst that each event does to it; `None` without a selection.
    pub(super) fn what_if_on_disk(&self) -> Option<(String, Worst)> {
        let (_, view) = self.answering()?;
        let view = view?;
        let worst = view.events.iter().map(|(event, verdict, ..)| (*event, Some(*verdict)));
        Some((view.path.clone(), worst.collect()))
    }

    /// How far a walk is.
    pub(super) fn walking(&mut self, path: &Path, walking: Walking) -> Vec<Cmd> {
        let walked = self.model.disk.walks.entry(path.to_path_buf()).or_default();
        walked.again = false;
        match walking {
            Walking::So(progress) => {
                remember(walked, &progress);
                walked.reading = Some(progress);
            }
            Walking::Ended(ended) => end(walked, ended),
        }
        self.look_again(path)
    }

    /// What a tree that is followed has come to.
    pub(super) fn grew(&mut self, path: &Path, progress: Progress) -> Vec<Cmd> {
        let known = self.model.disk.walks.get_mut(path).and_then(|walked| walked.known.as_mut());
        if let Some(found) = known.filter(|found| !found.stopped) {
            found.as_of = progress.as_of.unwrap_or(found.as_of);
            found.progress = progress;
        }
        self.look_again(path)
    }

    /// What shows something of a place is drawn anew.
    fn look_again(&mut self, path: &Path) -> Vec<Cmd> {
        if self.model.tab == Tab::Disk {
            self.show_places();
        }
        let looked_at = self.model.disk.tree.as_ref().filter(|tree| tree.root.path == path);
        let asked = looked_at.and_then(|tree| tree.asked.clone());
        asked.map(|asked| Cmd::Look(path.to_path_buf(), asked)).into_iter().collect()
    }

    /// A part of a walk is here.
    pub(super) fn shown(&mut self, path: &Path, asked: Asked, shown: Shown) {
        let reading = self.model.disk.walked(path).is_some_and(|walked| walked.reading.is_some());
        let Some(tree) = self.model.disk.tree.as_mut().filter(|tree| tree.root.path == path) else { return };
        let gone = !shown.there && !reading && !tree.at.as_os_str().is_empty();
        tree.take(asked, shown);
        if gone {
            tree.leave();
            self.model.notice = Some(Notice::bad("the folder is not there any more"));
        }
        self.scroll_tree();
    }

    pub(super) fn scroll_tree(&mut self) {
        let height = ui::page_height(&self.model);
        if let Some(tree) = &mut self.model.disk.tree {
            tree.scroll(height);
        }
    }

    /// What must be asked of the open tree, and what is to be walked: after whatever happened.
    pub(super) fn disk_wants(&mut self) -> Vec<Cmd> {
        let mut cmds = Vec::new();
        if self.in_tree() {
            let height = ui::page_height(&self.model);
            if let Some(tree) = &mut self.model.disk.tree {
                let question = tree.question(height);
                if tree.asked.as_ref() != Some(&question) {
                    tree.asked = Some(question.clone());
                    cmds.push(Cmd::Look(tree.root.path.clone(), question));
                }
            }
        }
        let wanted = self.to_walk();
        // What was read meanwhile waits no more; that alone is nothing new.
        self.queued.retain(|path| wanted.contains(path));
        if wanted != self.queued {
            self.queued.clone_from(&wanted);
            cmds.push(Cmd::Queue(wanted));
        }
        cmds
    }
}

/// What each event does to a path.
type Worst = Vec<(Event, Option<Verdict>)>;

/// What is remembered of the last time stands, with its age, until it was compared with the disk.
fn remember(walked: &mut Walked, progress: &Progress) {
    if let (None, Some(as_of)) = (&walked.known, progress.as_of) {
        // It was whole then: nothing else is remembered.
        let progress = Progress { finished: true, ..progress.clone() };
        walked.known = Some(Found { progress, as_of, stopped: false });
    }
}

/// A walk ended; what was whole before is better than what a stopped one found.
fn end(walked: &mut Walked, ended: Result<(Progress, bool, Timestamp)>) {
    walked.reading = None;
    match ended {
        Ok((progress, stopped, as_of)) => {
            let found = Found { progress, as_of, stopped };
            if !(stopped && walked.known.as_ref().is_some_and(Found::complete)) {
                walked.known = Some(found);
            }
            walked.not_read = None;
        }
        Err(error) => walked.not_read = Some(error.message),
    }
}

fn facts(line: &Line, now: Timestamp) -> String {
    let totals = line.row.totals;
    let mut facts = vec![match (line.row.kind, line.value) {
        (EntryKind::Folder, _) => "folder".into(),
        (_, Some(value)) => value.label().to_string(),
        (EntryKind::Link, _) => "link".into(),
        _ => "special file".into(),
    }];
    facts.push(text::size(totals.allocated));
    if line.row.kind == EntryKind::Folder {
        facts.push(format!("{} files", totals.files));
    }
    facts.extend(line.row.modified.map(|at| format!("changed {}", text::ago(at, now))));
    facts.join(", ")
}

/// What a list is sorted by, in words.
const fn words(order: Order) -> &'static str {
    match order {
        Order::Size => "size",
        Order::Count => "number of files",
        Order::Age => "newest change",
        Order::Name => "name",
    }
}
