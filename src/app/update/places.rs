//! Which places of the disk there are, in which order they stand, and which are walked unasked.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

use super::State;
use super::answers::is_waited_for;
use crate::core::ondisk::OnDisk;
use crate::core::pattern::Words;
use crate::core::workspace::{RunState, WsKey};
use crate::model::disk::{DiskRoot, Order, Size, Walked, collect};
use crate::model::{Model, Row, Tab};
use crate::work;

impl State {
    /// Makes out the places anew; what is known of each stays.
    pub(super) fn take_places(&mut self) {
        let model = &mut self.model;
        for row in &mut model.rows {
            row.disk = own(row, &model.folder_roots);
        }
        if model.tab == Tab::Disk || model.disk.visited {
            self.show_places();
        }
    }

    /// Lists the places, keeping the selected one selected.
    pub(super) fn show_places(&mut self) {
        let model = &mut self.model;
        let selected = model.disk.selected().map(|root| root.path.clone());
        let machine = model.disk.machine.as_ref().map(|machine| machine.1.detail.mounts.as_slice());
        let home = model.disk.home.as_deref();
        // Without a home of its own the playground has no folders either but those of its workspaces.
        let projects = if home.is_some() { model.folder_roots.as_slice() } else { &[] };
        model.disk.roots = collect(&model.rows, projects, home, machine, model.disk.shared);
        let words = Words::new(&model.disk.list.filter);
        let mut shown: Vec<usize> = (0..model.disk.roots.len()).collect();
        shown.retain(|index| {
            let root = model.disk.roots.get(*index);
            root.is_some_and(|root| {
                words.are_in(format!("{} {}", root.title(), root.path.display()).as_bytes())
            })
        });
        if let Some(order) = model.disk.order {
            shown.sort_by_cached_key(|index| {
                let root = model.disk.roots.get(*index);
                root.map(|root| key(model, root, order))
            });
        }
        let keep = selected.and_then(|path| model.disk.roots.iter().position(|root| root.path == path));
        model.disk.list.show(shown, keep);
    }

    /// What is walked unasked and was not yet: what workspaces have on the disk, the selected one first,
    /// then those in sight; and once somebody looked, the places of the tab.
    pub(super) fn to_walk(&self) -> Vec<PathBuf> {
        let model = &self.model;
        // Names and states come first: while they do, no disk is touched.
        if model.all_rows().any(is_waited_for) || model.endpoint.product.is_none() {
            return Vec::new();
        }
        let mut first = Vec::new();
        if model.tab == Tab::Disk {
            let own = |root: &&DiskRoot| root.kind.is_own();
            first.extend(model.disk.selected().filter(own).map(|root| root.path.clone()));
        }
        let of_rows = self.by_attention().flat_map(|row| row.disk.paths.iter().cloned());
        let visited = model.disk.roots.iter().filter(|root| model.disk.visited && root.kind.is_own());
        // A container that mounts the whole host is no reason to walk it.
        let is_host = |path: &PathBuf| path.as_path() == Path::new("/");
        let all = first.into_iter().chain(of_rows).chain(visited.map(|root| root.path.clone()));
        let all = all.filter(|path| !is_host(path));
        if model.disk.shared { model.disk.unread(all) } else { Vec::new() }
    }

    /// The workspaces, the nearest to the selected one first.
    fn by_attention(&self) -> impl Iterator<Item = &Row> {
        let list = &self.model.workspaces;
        let mut order: Vec<(usize, usize)> =
            list.shown.iter().enumerate().map(|(at, index)| (at.abs_diff(list.selected), *index)).collect();
        order.sort_unstable();
        let hidden = (0..self.model.rows.len()).filter(|index| !list.shown.contains(index));
        let indices: Vec<usize> = order.into_iter().map(|(_, index)| index).chain(hidden).collect();
        indices.into_iter().filter_map(|index| self.model.rows.get(index))
    }

    /// What a workspace has on the disk is to be walked again.
    pub(super) fn walk_own_again(&mut self, key: &WsKey) {
        let paths = self.model.row(key).map(|row| row.disk.paths.clone()).unwrap_or_default();
        for path in paths {
            if let Some(walked) = self.model.disk.walks.get_mut(&path) {
                walked.again = true;
            }
        }
    }
}

fn own(row: &Row, roots: &[PathBuf]) -> OnDisk {
    let detail = row.detail.known();
    let mount = detail.and_then(|detail| work::roster::folder(detail, &row.rules, roots));
    let retired = (row.workspace.state == RunState::Retired).then(|| Path::new(&row.workspace.key.id));
    let folder = retired.or_else(|| mount?.host_path.as_deref());
    OnDisk::of(&row.workspace, detail.map(|detail| &**detail), folder)
}

fn key(model: &Model, root: &DiskRoot, order: Order) -> (Reverse<i128>, String) {
    let found = model.disk.walked(&root.path).and_then(|walked: &Walked| {
        walked.known.as_ref().map(|found| &found.progress).or(walked.reading.as_ref())
    });
    let rank = match order {
        Order::Size => match model.disk.size(&root.path) {
            Size::Known { bytes, .. } | Size::Reading(bytes) => i128::from(bytes),
            Size::Waiting | Size::NotRead | Size::Nothing => -1,
        },
        Order::Count => found.map_or(-1, |progress| progress.total.files.into()),
        Order::Age => {
            let as_of = model.disk.walked(&root.path).and_then(|walked| walked.known.as_ref());
            as_of.map_or(i128::MIN, |found| found.as_of.as_second().into())
        }
        Order::Name => 0,
    };
    (Reverse(rank), root.title().to_lowercase())
}
