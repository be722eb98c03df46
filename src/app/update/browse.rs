//! The page Browse: folders opened and left, files looked into, and plans that change them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::State;
use crate::app::edit::Editor;
use crate::app::msg::{Browsed, Cmd, Wish};
use crate::core::error::Result;
use crate::core::plan::Plan;
use crate::core::preview::Preview;
use crate::core::workspace::{RunState, WsKey};
use crate::keys::Action;
use crate::model::{Browse, BrowseState, FileEntry, FileOrder, Notice, Overlay, Page, PreviewView, Tab};
use crate::port::EntryKind;
use crate::{text, work};

/// What a line is being typed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The new name of the selected entry.
    Name,
    /// Where on this machine the selected entry is copied to.
    Out,
    /// What of this machine is copied into the open folder.
    In,
    /// The folder that a snapshot is written to.
    Into,
}

impl Asked {
    /// What stands before the line.
    pub(super) const fn prompt(self) -> &'static str {
        match self {
            Self::Name => "new name: ",
            Self::Out => "copy out to: ",
            Self::In => "copy in from: ",
            Self::Into => "restore into: ",
        }
    }
}

impl State {
    /// What the open page needs that takes a while.
    pub(super) fn page_needs(&mut self) -> Vec<Cmd> {
        self.surroundings().into_iter().chain(self.begin_browsing()).collect()
    }

    /// Reads the folder that a workspace's own files are in, once its page is open and its facts are known.
    fn begin_browsing(&mut self) -> Option<Cmd> {
        let model = &self.model;
        if !model.open || model.page != Page::Browse {
            return None;
        }
        let row = model.detailed()?;
        let key = row.workspace.key.clone();
        let ready = row.workspace.state == RunState::Retired || row.detail.known().is_some();
        if !ready || model.browse.as_ref().is_some_and(|browse| browse.key == key) {
            return None;
        }
        let classifier = row.classifier();
        let folder = classifier.and_then(|known| known.folder()).map(|mount| mount.target.clone());
        let start = folder.unwrap_or_else(|| "/".into());
        self.model.browse = Some(Browse {
            key,
            path: start.clone(),
            state: BrowseState::Reading,
            entries: Arc::default(),
            fixed: None,
            partial: None,
            order: FileOrder::default(),
        });
        self.model.detail_list.filter.clear();
        Some(self.read_folder(start))
    }

    /// Reads a folder of the workspace whose page is open.
    pub(super) fn read_folder(&mut self, path: PathBuf) -> Cmd {
        self.browsing += 1;
        // What was asked about another folder counts no more.
        self.asking += 1;
        let (key, order) = match &mut self.model.browse {
            Some(browse) => {
                browse.state = BrowseState::Reading;
                (browse.key.clone(), browse.order)
            }
            None => (WsKey { endpoint: String::new(), id: String::new() }, FileOrder::default()),
        };
        Cmd::Browse { number: self.browsing, key, path, order }
    }

    /// The open folder once more, where one is open.
    pub(super) fn read_again(&mut self) -> Option<Cmd> {
        let path = self.browsed()?.path.clone();
        Some(self.read_folder(path))
    }

    /// The open folder, while its page has the keys.
    pub(super) fn browsed(&self) -> Option<&Browse> {
        let model = &self.model;
        let browse = model.browse.as_ref().filter(|_| model.open && model.page == Page::Browse)?;
        (model.detail.as_ref() == Some(&browse.key)).then_some(browse)
    }

    /// The selected entry and its path; the way up is none.
    fn selected_file(&self) -> Option<(&FileEntry, PathBuf)> {
        let browse = self.browsed()?;
        let entry = browse.entries.get(self.model.detail_list.selected_item()?)?;
        (!entry.is_up()).then(|| (entry, browse.path.join(&entry.entry.name)))
    }

    /// A folder was read, or a file was found in its place.
    pub(super) fn folder_read(&mut self, number: u64, read: Result<Browsed>) -> Vec<Cmd> {
        if number != self.browsing {
            return Vec::new();
        }
        let Some(browse) = &mut self.model.browse else { return Vec::new() };
        let left = browse.path.clone();
        match read {
            Ok(read) => {
                let moved = browse.path != read.path;
                browse.path = read.path;
                browse.entries = Arc::new(read.entries);
                browse.fixed = read.fixed;
                browse.partial = read.partial;
                browse.state = BrowseState::Known;
                let came_from = left.file_name().filter(|_| left.parent() == Some(browse.path.as_path()));
                let at = came_from
                    .and_then(|name| browse.entries.iter().position(|entry| entry.entry.name == name))
                    .unwrap_or(0);
                if moved {
                    self.model.detail_list.filter.clear();
                    self.model.detail_list.select(0);
                }
                self.show_detail_list();
                if moved {
                    self.model.detail_list.select(at);
                }
                self.scroll();
            }
            // What is shown stays; where nothing is, the reason stands in its place.
            Err(error) if browse.entries.is_empty() => browse.state = BrowseState::Failed(error),
            Err(error) => {
                browse.state = BrowseState::Known;
                let key = browse.key.clone();
                self.model.notice = Some(self.complaint(error, Some(&key)));
            }
        }
        Vec::new()
    }

    /// Enter: into a folder, up, or a look into a file.
    pub(super) fn open_file(&mut self) -> Vec<Cmd> {
        let Some(browse) = self.browsed() else { return Vec::new() };
        let selected = self.model.detail_list.selected_item().and_then(|index| browse.entries.get(index));
        let Some(entry) = selected else { return Vec::new() };
        let up = browse.path.parent().map(Path::to_path_buf);
        let path = browse.path.join(&entry.entry.name);
        match (entry.is_up(), entry.entry.kind) {
            (true, _) => up.map(|up| self.read_folder(up)).into_iter().collect(),
            (false, EntryKind::Special) => {
                self.model.notice = Some(Notice::bad("it is no file that can be looked into"));
                Vec::new()
            }
            // Where a link leads is seen once it is followed.
            (false, EntryKind::Folder | EntryKind::Link) => vec![self.read_folder(path)],
            (false, EntryKind::File) => vec![self.look_into(path)],
        }
    }

    /// Looks into a file.
    fn look_into(&mut self, path: PathBuf) -> Cmd {
        self.asking += 1;
        let key = self.model.browse.as_ref().map(|browse| browse.key.clone());
        let key = key.unwrap_or_else(|| WsKey { endpoint: String::new(), id: String::new() });
        self.model.notice = Some(Notice::good("reading it"));
        Cmd::Preview { number: self.asking, key, path }
    }

    /// What is in a file.
    pub(super) fn looked_into(&mut self, number: u64, path: &Path, read: Result<Preview>) {
        if number != self.asking || self.model.overlay.is_some() || self.is_editing() {
            return;
        }
        if let Some(browse) = &mut self.model.browse
            && browse.state == BrowseState::Reading
        {
            // A link led to a file.
            browse.state = BrowseState::Known;
        }
        self.model.notice = None;
        match read {
            Ok(preview) => {
                let workspace = self.browsed().and_then(|browse| self.model.row(&browse.key));
                let command = workspace.and_then(|row| work::twin::cat(&row.workspace, path));
                let name = text::printable_path(path).into_owned();
                let view = PreviewView { name, preview, command, scroll: 0 };
                self.model.overlay = Some(Overlay::Preview(Box::new(view)));
            }
            Err(error) => {
                let key = self.attended();
                self.model.notice = Some(self.complaint(error, key.as_ref()));
            }
        }
    }

    /// Esc: the filter, then the folder above the one that was opened; whether there was either.
    pub(super) fn back_in_folder(&mut self) -> bool {
        if self.browsed().is_some() && !self.model.detail_list.filter.is_empty() {
            self.model.detail_list.filter.clear();
            self.show_detail_list();
            return true;
        }
        false
    }

    /// Another order of the open folder.
    pub(super) fn sort_folder(&mut self) -> bool {
        if self.browsed().is_none() {
            return false;
        }
        if let Some(browse) = &mut self.model.browse {
            browse.order = browse.order.next();
            browse.order.sort(Arc::make_mut(&mut browse.entries).as_mut_slice());
            let title = browse.order.title();
            self.model.notice = Some(Notice::good(format!("sorted by {title}")));
        }
        self.show_detail_list();
        true
    }

    /// Why an entry cannot be acted on here; `None` where it can.
    pub(super) fn cannot_act(&self, action: Action) -> Option<String> {
        if action == Action::Trash && self.retired_folder().is_some() {
            return None;
        }
        let Some(browse) = self.browsed() else {
            return Some("only on the page Browse of a workspace".into());
        };
        let fixed = browse.fixed.clone().filter(|_| action != Action::CopyOut);
        let selected = action == Action::CopyIn || self.selected_file().is_some();
        match (&browse.state, fixed) {
            (BrowseState::Failed(error), _) => Some(error.message.clone()),
            (_, Some(reason)) => Some(reason),
            _ if !selected => Some("no file is selected".into()),
            _ => None,
        }
    }

    /// A retired workspace that is selected as a whole.
    fn retired_folder(&self) -> Option<WsKey> {
        let model = &self.model;
        let row = model.selected().filter(|_| !model.open && model.tab == Tab::Workspaces)?;
        (row.workspace.state == RunState::Retired).then(|| row.workspace.key.clone())
    }

    /// `T`, `R`, `C`, `I`: asks for what it takes to make the plan.
    pub(super) fn act_on_file(&mut self, action: Action) -> Vec<Cmd> {
        if let Some(reason) = self.cannot_act(action) {
            self.model.notice = Some(Notice::bad(reason));
            return Vec::new();
        }
        let name = self.selected_file().map(|(entry, _)| entry.entry.name.clone()).unwrap_or_default();
        let (asked, begin) = match action {
            Action::Trash => return self.plan_file(Wish::Trash { mounted: self.mounted() }),
            Action::Rename => (Asked::Name, name.to_string_lossy().into_owned()),
            Action::CopyOut => (Asked::Out, "~/".into()),
            _ => (Asked::In, "~/".into()),
        };
        self.asked = Some(asked);
        self.editor = Some(Editor::new(&begin));
        self.edited();
        Vec::new()
    }

    /// Folders of this machine that containers have mounted.
    fn mounted(&self) -> Vec<PathBuf> {
        let containers = self.model.all_rows().filter(|row| row.workspace.container.is_some());
        let details = containers.filter_map(|row| row.detail.known());
        details.flat_map(|detail| detail.mounts.iter().filter_map(|mount| mount.host_path.clone())).collect()
    }

    /// Enter behind what was asked for.
    pub(super) fn answered(&mut self, asked: Asked) -> Vec<Cmd> {
        let typed = self.editor.as_ref().map(|editor| editor.line().text).unwrap_or_default();
        self.stop_editing();
        let typed = typed.trim();
        if typed.is_empty() {
            self.model.notice = Some(Notice::good("nothing was changed"));
            return Vec::new();
        }
        if asked == Asked::Into {
            return self.restore_into(typed);
        }
        self.plan_file(match asked {
            Asked::Name => Wish::Rename(OsStr::new(typed).into()),
            Asked::Out => Wish::Out(typed.into()),
            Asked::In | Asked::Into => Wish::In(typed.into()),
        })
    }

    /// Has the plan made: that looks at the disk.
    fn plan_file(&mut self, wish: Wish) -> Vec<Cmd> {
        let whole = self.retired_folder();
        let (key, path) = match (&wish, whole) {
            (_, Some(key)) => (key, PathBuf::from("/")),
            (Wish::In(_), None) => match self.browsed() {
                Some(browse) => (browse.key.clone(), browse.path.clone()),
                None => return Vec::new(),
            },
            (_, None) => match (self.browsed(), self.selected_file()) {
                (Some(browse), Some((_, path))) => (browse.key.clone(), path),
                _ => return Vec::new(),
            },
        };
        self.asking += 1;
        self.model.notice = Some(Notice::good("looking at what it takes"));
        vec![Cmd::PlanFile { number: self.asking, key, path, wish }]
    }

    /// A plan about a file was made.
    pub(super) fn file_planned(&mut self, number: u64, plan: Result<Plan>) {
        if number != self.asking || self.model.overlay.is_some() || self.is_editing() {
            return;
        }
        self.model.notice = None;
        match plan {
            Ok(plan) => self.show_plan(plan),
            Err(error) => {
                let key = self.attended();
                self.model.notice = Some(self.complaint(error, key.as_ref()));
            }
        }
    }

    /// What `y` copies: the command that lists the folder or prints the file.
    pub(super) fn browse_command(&self) -> Option<String> {
        let browse = self.browsed()?;
        let workspace = &self.model.row(&browse.key)?.workspace;
        match self.selected_file() {
            Some((entry, path)) if entry.entry.kind == EntryKind::File => work::twin::cat(workspace, &path),
            Some((entry, path)) if entry.entry.kind == EntryKind::Folder => work::twin::files(workspace, &path),
            _ => work::twin::files(workspace, &browse.path),
        }
    }
}
