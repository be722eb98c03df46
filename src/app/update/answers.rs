//! What the engine's answers change. An answer that is late is still welcome; one that
//! failed never turns into a smaller number.

use std::sync::Arc;

use jiff::Timestamp;

use super::State;
use crate::app::msg::{Cmd, Msg};
use crate::core::classify::Grounds;
use crate::core::error::{Error, Kind, Result};
use crate::core::finding::{Method, Risk, Tally};
use crate::core::lessons::with_help;
use crate::core::workspace::{RunState, WsKey};
use crate::model::{Fact, LastBackup, LinkState, Notice, Row};
use crate::port::{Can, Inventory, Probe, Right, Tick};
use crate::work;

/// The endpoint that is this machine itself.
const THIS_MACHINE: &str = "machine";
/// Rows before and after the selected one that are counted as seen.
const IN_SIGHT: usize = 20;

impl State {
    /// Takes an answer from outside.
    pub(super) fn answer(&mut self, msg: Msg) -> Vec<Cmd> {
        match msg {
            Msg::Waiting(seconds) => {
                if let LinkState::Connecting { seconds: shown } = &mut self.model.endpoint.state {
                    *shown = seconds;
                }
                Vec::new()
            }
            Msg::Connected(Ok(probe)) => self.connected(probe),
            Msg::Listed(Ok(inventory)) => self.listed(inventory),
            // The first contact has not failed or succeeded yet: it will say more.
            Msg::Listed(Err(_)) if self.model.endpoint.product.is_none() => Vec::new(),
            Msg::Connected(Err(error)) | Msg::Listed(Err(error)) | Msg::Ticked(Tick::Lost(error)) => {
                self.lost(error);
                Vec::new()
            }
            Msg::Ticked(Tick::Live) => vec![Cmd::List],
            Msg::Ticked(Tick::Changed(key)) => {
                let mut cmds = vec![Cmd::List];
                if let Some(key) = key.filter(|key| self.model.row(key).is_some()) {
                    cmds.push(Cmd::Detail(vec![key]));
                }
                cmds
            }
            Msg::Detailed(key, detail, backed_up) => self.detailed(&key, detail, backed_up),
            Msg::Scanning(key, _, tally) => self.scanning(&key, tally),
            Msg::Scanned(key, _, risk) => self.scanned(&key, risk),
            Msg::Stirred(key) => vec![Cmd::Rescan(key)],
            Msg::Habits(key, habits) => {
                self.ticked(&key, habits);
                Vec::new()
            }
            Msg::Surroundings(key, found) => {
                if let Some(row) = self.model.row_mut(&key) {
                    row.surroundings = Some(found);
                }
                self.show_detail_list();
                Vec::new()
            }
            Msg::Folders(folders) => self.folders(folders),
            Msg::Found(number, news) => {
                self.found(number, news);
                Vec::new()
            }
            Msg::Browsed(number, read) => self.folder_read(number, read),
            Msg::Previewed(number, path, read) => {
                self.looked_into(number, &path, read);
                Vec::new()
            }
            Msg::FilePlanned(number, plan) => {
                self.file_planned(number, *plan);
                Vec::new()
            }
            Msg::Walk(path, _, walking) => self.walking(&path, *walking),
            Msg::Grew(path, progress) => self.grew(&path, *progress),
            Msg::Shown(path, answer, _) => {
                let (asked, shown) = *answer;
                self.shown(&path, asked, shown);
                Vec::new()
            }
            Msg::Machine(machine) => {
                self.model.disk.machine = machine;
                self.show_places();
                Vec::new()
            }
            Msg::Ran(plan, result) => self.ran(&plan, result),
            Msg::RanAll(ran) => self.ran_all(ran),
            Msg::WholePlanned(number, plans) => {
                self.whole_planned(number, plans);
                Vec::new()
            }
            Msg::Recovered(sentences) => {
                if !sentences.is_empty() {
                    self.model.notice = Some(Notice::bad(sentences.join("; ")));
                }
                Vec::new()
            }
            other => self.of_backups(other),
        }
    }

    fn connected(&mut self, probe: Probe) -> Vec<Cmd> {
        let link = &mut self.model.endpoint;
        link.product = Some(probe.product);
        link.capabilities = probe.capabilities;
        // The list may have come first; what it may cost to look closer is known only now.
        let waiting = self.model.all_rows().filter(|row| is_waited_for(row));
        let mut keys: Vec<WsKey> = waiting.map(|row| row.workspace.key.clone()).collect();
        self.order_by_attention(&mut keys);
        if keys.is_empty() { Vec::new() } else { vec![Cmd::Detail(keys)] }
    }

    /// The endpoint went away: what is shown stays, and is called old.
    fn lost(&mut self, error: Error) {
        let since = match &self.model.endpoint.state {
            LinkState::Lost { since, .. } => *since,
            LinkState::Connecting { .. } | LinkState::Live => self.model.now,
        };
        let error = with_help(error, &self.model.rules.profile.contacts);
        self.model.endpoint.state = LinkState::Lost { error, since };
    }

    fn listed(&mut self, inventory: Inventory) -> Vec<Cmd> {
        let first = !matches!(self.model.endpoint.state, LinkState::Live);
        self.model.endpoint.state = LinkState::Live;
        self.model.now = self.model.now.max(inventory.as_of);
        self.model.images = inventory.images.ok();
        let selected = self.model.selected().map(|row| row.workspace.key.clone());
        let mut look_at = Vec::new();
        let mut old: Vec<Row> = std::mem::take(&mut self.model.rows);
        old.append(&mut self.model.hidden);
        for workspace in inventory.workspaces {
            let known = old.iter().position(|row| row.workspace.key == workspace.key);
            let Some(mut row) = known.map(|at| old.swap_remove(at)) else {
                look_at.push(workspace.key.clone());
                let rules = Arc::new(self.model.profiles.rules(&workspace, None));
                self.model.rows.push(Row::new(workspace, rules));
                continue;
            };
            let changed = row.workspace.state != workspace.state;
            row.workspace = workspace;
            if changed || first || matches!(row.detail, Fact::Failed(_)) {
                look_at.push(row.workspace.key.clone());
            }
            self.model.rows.push(row);
        }
        // Retired folders are not the engine's; they stay until looked at again.
        self.model.rows.extend(old.into_iter().filter(|row| row.workspace.state == RunState::Retired));
        self.folders_asked = false;
        // It holds places in the old rows.
        self.model.workspaces.shown.clear();
        self.take_stock();
        self.reselect(selected.as_ref());
        // Where only this machine is, its detail is the first thing to see.
        let lone = self.model.detail.is_none() && self.model.endpoint.endpoint.id == THIS_MACHINE;
        let mut cmds = self.settled();
        if lone {
            self.model.open = true;
            self.show_detail_list();
        }
        cmds.retain(|cmd| !matches!(cmd, Cmd::Detail(_)));
        if self.model.endpoint.product.is_none() {
            // The first contact looks closer.
            return Vec::new();
        }
        self.order_by_attention(&mut look_at);
        if look_at.is_empty() {
            cmds.extend(self.ask_for_folders());
        } else {
            cmds.push(Cmd::Detail(look_at));
        }
        cmds
    }

    /// The selected first, then what is on the screen, then the rest.
    fn order_by_attention(&self, keys: &mut [WsKey]) {
        let place = |key: &WsKey| {
            let index = self.model.rows.iter().position(|row| row.workspace.key == *key);
            let list = &self.model.workspaces;
            let shown = index.and_then(|index| list.shown.iter().position(|&at| at == index));
            shown.map_or(usize::MAX, |at| at.abs_diff(list.selected))
        };
        keys.sort_by_cached_key(place);
    }

    fn detailed(&mut self, key: &WsKey, grounds: Result<Grounds>, backed_up: LastBackup) -> Vec<Cmd> {
        let now = self.model.now;
        let images = self.model.images.clone();
        let roots = self.model.folder_roots.clone();
        let scan_all = self.model.endpoint.capabilities.can(Right::ScanAll);
        let is_shown = self.model.detail.as_ref() == Some(key);
        let viewer = self.model.viewer.clone();
        let mut cmds = Vec::new();
        if let Some(row) = self.model.row_mut(key) {
            match grounds {
                Ok(grounds) => {
                    let Grounds { detail, rules, facts, timing, covers } = grounds;
                    row.workspace.state = detail.state;
                    let folder = work::roster::folder(&detail, &rules, &roots);
                    let folder = folder.and_then(|mount| mount.host_path.as_deref());
                    row.layers =
                        Some(work::roster::layers(&row.workspace, Some(&detail), images.as_deref(), folder));
                    row.facts = work::ground::with_images(facts, &row.workspace, images.as_deref());
                    let same = row.detail.known().is_some_and(|known| *known == detail)
                        && row.rules.profile.id == rules.profile.id;
                    row.rules = rules;
                    row.detail = Fact::Known(detail);
                    row.timing = timing;
                    row.covers = covers;
                    row.last_backup = backed_up;
                    row.tick(now);
                    if !same {
                        row.surroundings = None;
                    }
                    let sees = viewer.sees(&row.workspace.owner, &row.rules.profile);
                    if sees && (row.risk.known.is_none() || !same) {
                        cmds.extend(scan_when_allowed(row, &scan_all, is_shown, now));
                    }
                }
                // It went while it was looked at: the next list says so.
                Err(error) if error.kind == Kind::NotFound => {}
                Err(error) => row.detail = Fact::Failed(with_help(error, &row.rules.profile.contacts)),
            }
        }
        self.take_stock();
        self.show_lists();
        cmds.extend(self.page_needs());
        if !self.model.all_rows().any(is_waited_for) {
            cmds.extend(self.ask_for_folders());
        }
        cmds
    }

    /// Looks closer at a workspace that the person now looks at.
    pub(super) fn look_at(&mut self, key: &WsKey) -> Vec<Cmd> {
        self.show_detail_list();
        let scan_all = self.model.endpoint.capabilities.can(Right::ScanAll);
        let now = self.model.now;
        let Some(row) = self.model.row_mut(key) else { return Vec::new() };
        let mut cmds = Vec::new();
        match &row.detail {
            Fact::Waiting | Fact::Failed(_) => {
                if row.workspace.container.is_some() {
                    cmds.push(Cmd::Detail(vec![key.clone()]));
                }
            }
            Fact::Known(_) => {
                if row.risk.known.is_none() && row.risk.reading.is_none() && row.risk.not_read.is_none() {
                    cmds.extend(scan_when_allowed(row, &scan_all, true, now));
                }
                let method = row.risk.known.as_ref().map(|risk| risk.method);
                cmds.extend(method.and_then(|method| self.keep_up(key, method)));
            }
        }
        cmds.extend(self.page_needs());
        cmds
    }

    /// `r`: the list, and the files at risk of what is marked, else of the selection.
    pub(super) fn refresh(&mut self) -> Vec<Cmd> {
        let mut keys: Vec<WsKey> =
            self.model.rows.iter().filter(|row| row.marked).map(|row| row.workspace.key.clone()).collect();
        if keys.is_empty() {
            keys.extend(self.attended());
        }
        let (mut cmds, now) = (vec![Cmd::List], self.model.now);
        for key in keys {
            self.walk_own_again(&key);
            if let Some(row) = self.model.row_mut(&key)
                && row.detail.known().is_some()
            {
                row.surroundings = None;
                row.risk.begin(now);
                cmds.push(Cmd::Scan { key, asked: true });
            }
        }
        cmds.extend(self.page_needs());
        cmds.extend(self.read_again());
        cmds
    }

    /// The workspace that the keys are about, in whichever view.
    pub(super) fn attended(&self) -> Option<WsKey> {
        let model = &self.model;
        if model.open {
            return model.detail.clone();
        }
        match model.tab {
            crate::model::Tab::Workspaces => model.selected().map(|row| row.workspace.key.clone()),
            crate::model::Tab::AtRisk => {
                let index = model.at_risk.selected_item()?;
                model.files.get(index).map(|file| file.key.clone())
            }
            crate::model::Tab::Backups => None,
            crate::model::Tab::Disk => {
                let root = model.disk.tree.as_ref().map(|tree| &tree.root).or_else(|| model.disk.selected());
                root.and_then(|root| root.of.as_ref()).map(|(key, _)| key.clone())
            }
        }
    }

    fn scanning(&mut self, key: &WsKey, tally: Tally) -> Vec<Cmd> {
        if let Some(row) = self.model.row_mut(key) {
            row.risk.reading = Some(tally);
        }
        Vec::new()
    }

    fn scanned(&mut self, key: &WsKey, risk: Result<Arc<Risk>>) -> Vec<Cmd> {
        let (fresh, now) = (risk.as_ref().ok().cloned(), self.model.now);
        if let Some(row) = self.model.row_mut(key) {
            row.risk.end(risk, now);
        }
        self.show_lists();
        if self.plan_for.as_ref() == Some(key) {
            self.plan_for = None;
            // Without a fresh look the plan says that nobody could look; old facts do not count.
            self.offer(key, fresh.as_deref());
        }
        fresh.and_then(|risk| self.keep_up(key, risk.method)).into_iter().collect()
    }

    /// Where the kernel tells of changes every workspace is followed, else those in sight.
    fn keep_up(&self, key: &WsKey, method: Method) -> Option<Cmd> {
        let followed = match method {
            Method::Upper => true,
            Method::Proc | Method::Inside => self.in_sight(key),
            Method::Api => false,
        };
        followed.then(|| Cmd::Follow(key.clone()))
    }

    /// Whether a workspace is selected, or stands near enough to be seen with what is.
    fn in_sight(&self, key: &WsKey) -> bool {
        let list = &self.model.workspaces;
        let near = list.shown.iter().skip(list.selected.saturating_sub(IN_SIGHT)).take(2 * IN_SIGHT);
        let is_it = |index: &usize| self.model.rows.get(*index).is_some_and(|row| row.workspace.key == *key);
        self.attended().as_ref() == Some(key) || near.into_iter().any(is_it)
    }

    /// What went wrong, what to do next, and who helps where only an administrator can.
    pub(super) fn complaint(&self, error: Error, key: Option<&WsKey>) -> Notice {
        let rules = key.and_then(|key| self.model.row(key)).map_or(&self.model.rules, |row| &row.rules);
        let error = with_help(error, &rules.profile.contacts);
        let says: Vec<&str> = [&error.message].into_iter().chain(&error.hints).map(String::as_str).collect();
        Notice::bad(says.join("; "))
    }

    /// Shows the lists anew and selects what was selected, wherever it now is.
    pub(super) fn reselect(&mut self, selected: Option<&WsKey>) {
        self.model.workspaces.shown.clear();
        self.show_lists();
        let model = &mut self.model;
        let at = selected.and_then(|key| {
            let index = model.rows.iter().position(|row| row.workspace.key == *key)?;
            model.workspaces.shown.iter().position(|&shown| shown == index)
        });
        if let Some(at) = at {
            model.workspaces.select(at);
        }
        let shown = |key: &WsKey| model.rows.iter().any(|row| row.workspace.key == *key);
        if model.detail.as_ref().is_some_and(|key| !shown(key)) {
            model.detail = None;
            model.open = false;
        }
        self.scroll();
    }
}

/// Whether a closer look at this row is still to come; nobody looks closer at a retired folder.
pub(super) fn is_waited_for(row: &Row) -> bool {
    matches!(row.detail, Fact::Waiting) && row.workspace.state != RunState::Retired
}

/// A scan of this row, if it is cheap enough to run unasked or the person looks at it.
fn scan_when_allowed(row: &mut Row, scan_all: &Can, looked_at: bool, now: Timestamp) -> Option<Cmd> {
    match scan_all {
        Can::Yes => {}
        Can::No(_) if looked_at && row.risk.slow => {
            let slow = "the engine takes long to tell its files; r asks it again";
            row.risk.not_read = Some(slow.into());
            return None;
        }
        Can::No(_) if looked_at => {}
        Can::No(reason) => {
            row.risk.not_read = Some(reason.clone());
            return None;
        }
    }
    row.risk.not_read = None;
    row.risk.begin(now);
    Some(Cmd::Scan { key: row.workspace.key.clone(), asked: looked_at && *scan_all != Can::Yes })
}
