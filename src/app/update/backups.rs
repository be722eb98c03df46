//! The tab Backups: what its keys do, and what the repository and the memory of this machine change.

use super::State;
use crate::app::msg::{Cmd, Listed, Msg, Remembered};
use crate::core::backup::{JobView, Task};
use crate::core::error::Result;
use crate::core::workspace::{RunState, WsKey};
use crate::keys::Action;
use crate::model::backups::{BackupView, Health, Listing, RecordView, of};
use crate::model::{Notice, Overlay, Tab};
use crate::text::{ago, printable, size};
use crate::work;
use crate::work::backup::{ended, folder_of, record};

impl State {
    /// The tab is shown: the repository is read the first time.
    pub(super) fn visit_backups(&mut self) -> Vec<Cmd> {
        let mut cmds = vec![Cmd::Remember];
        if self.model.backups.listing == Listing::Waiting {
            cmds.push(self.read_repository());
        }
        self.model.backups.show(None);
        cmds
    }

    fn read_repository(&mut self) -> Cmd {
        self.model.backups.listing = Listing::Reading;
        Cmd::Snapshots
    }

    /// What a key does on this tab; `None` where it does what it does everywhere.
    pub(super) fn backups_key(&mut self, action: Action) -> Option<Vec<Cmd>> {
        if self.model.tab != Tab::Backups {
            return None;
        }
        let backups = &mut self.model.backups;
        match action {
            Action::Open => self.open_record(),
            Action::Refresh => return Some(vec![Cmd::Remember, self.read_repository()]),
            Action::Copy => return Some(self.copy_of_backups()),
            Action::View => {
                backups.view = backups.view.next();
                backups.show(None);
            }
            Action::Sort => {
                let order = backups.sort();
                backups.show(None);
                self.model.notice = Some(Notice::good(format!("sorted by {}", order.title())));
            }
            _ => return None,
        }
        self.scroll();
        Some(Vec::new())
    }

    /// Enter: all that is known of the row.
    fn open_record(&mut self) {
        let (backups, now) = (&self.model.backups, self.model.now);
        let view = match backups.view {
            BackupView::Snapshots => backups.snapshot().map(|snapshot| {
                let (lines, title) = (self.snapshot_lines(), format!("Snapshot {}", snapshot.short()));
                (title, lines)
            }),
            BackupView::Jobs => backups.job().map(|view| (view.name(), record(view, &backups.snapshots, now))),
            BackupView::Log => backups.change().map(|change| {
                let of = |what: &str, text: &str| (format!("{what:<8}{}", printable(text)), false);
                let when = format!("{:.0}, {}", change.at, ago(change.at, now));
                let became = format!("{} -> {}", change.before, change.after);
                let mut lines = vec![of("when", &when), of("who", &change.user), of("did", &change.command)];
                lines.extend([of("state", &became)]);
                lines.push((format!("result  {}", printable(&change.result)), change.result != "done"));
                lines.push(of("undo", change.recreate.as_deref().unwrap_or("nothing undoes it")));
                (format!("{} {}", change.verb.key(), change.container), lines)
            }),
        };
        if let Some((title, lines)) = view {
            let (title, command) = (printable(&title).into_owned(), self.command_of_backups());
            self.model.overlay =
                Some(Overlay::Record(Box::new(RecordView { title, lines, command, scroll: 0 })));
        }
    }

    fn snapshot_lines(&self) -> Vec<(String, bool)> {
        let (backups, now) = (&self.model.backups, self.model.now);
        let Some(snapshot) = backups.snapshot() else { return Vec::new() };
        let line = |what: &str, text: String| (format!("{what:<8}{text}"), false);
        let number = |known: Option<u64>| known.map_or_else(|| "?".to_owned(), |known| known.to_string());
        let bytes = |known: Option<u64>| known.map_or_else(|| "?".to_owned(), size);
        let mut lines = vec![line("id", printable(&snapshot.id).into_owned())];
        lines.push(line("of", printable(&of(snapshot)).into_owned()));
        lines.extend(snapshot.folders.iter().map(|folder| line("folder", printable(folder).into_owned())));
        lines.push(line("host", printable(&snapshot.host).into_owned()));
        lines.push(line("made", format!("{:.0}, {}", snapshot.at, ago(snapshot.at, now))));
        let added = format!("{} new in the repository", bytes(snapshot.added));
        lines.push(line(
            "holds",
            format!("{} files, {}, {added}", number(snapshot.files), bytes(snapshot.bytes)),
        ));
        let health = backups.health(snapshot);
        let state = match health {
            Health::Verified(at) => format!("verified {}: every byte was read and is whole", ago(at, now)),
            Health::NotVerified => "not verified from here: V reads it back".into(),
            Health::Incomplete => "incomplete: something was missing when it was made".into(),
            Health::Damaged => "damaged: some of its data could not be read back whole".into(),
        };
        lines.push((format!("{:<8}{state}", "state"), matches!(health, Health::Damaged | Health::Incomplete)));
        if !snapshot.own {
            lines.push(line("by", "another program".into()));
        }
        lines.push((String::new(), false));
        let id = snapshot.short();
        lines.push((work::twin::restore(snapshot), false));
        lines.extend(["verify", "forget"].map(|verb| (format!("outlast {verb} {id}"), false)));
        lines
    }

    /// The command that does for the row what its keys do.
    fn command_of_backups(&self) -> Option<String> {
        let backups = &self.model.backups;
        match backups.view {
            BackupView::Snapshots => backups.snapshot().map(work::twin::restore),
            BackupView::Jobs => backups.job().and_then(work::twin::job),
            BackupView::Log => {
                backups.change().map(|change| change.recreate.as_ref().unwrap_or(&change.command).clone())
            }
        }
    }

    fn copy_of_backups(&mut self) -> Vec<Cmd> {
        match self.command_of_backups() {
            Some(command) => self.copied(command),
            None => self.nothing_to_copy(),
        }
    }

    /// Answers about backups and jobs.
    pub(super) fn of_backups(&mut self, msg: Msg) -> Vec<Cmd> {
        match msg {
            Msg::Snapshots(listed) => self.repository_read(*listed),
            Msg::Remembered(read) => return self.remembered(*read),
            Msg::Jobs(views) => return self.jobs_went_on(views),
            Msg::JobsPlanned(number, plan) => self.jobs_planned(number, *plan),
            Msg::JobsBegun(begun) => return self.jobs_begun(begun),
            _ => {}
        }
        Vec::new()
    }

    fn repository_read(&mut self, listed: Result<Listed>) {
        let backups = &mut self.model.backups;
        let keep = backups.selected_id();
        match listed {
            Ok(listed) => {
                backups.listing = if listed.exists { Listing::Known } else { Listing::Absent };
                (backups.url, backups.good_for) = (listed.url, listed.good_for);
                backups.snapshots = listed.snapshots;
                backups.as_of = Some(listed.as_of);
                self.model.now = self.model.now.max(listed.as_of);
            }
            // What was read before stays, and is called old.
            Err(error) => backups.listing = Listing::Failed(error),
        }
        self.model.backups.show(keep);
        if self.model.tab == Tab::Backups {
            self.scroll();
        }
    }

    fn remembered(&mut self, read: Remembered) -> Vec<Cmd> {
        let backups = &mut self.model.backups;
        let keep = backups.selected_id();
        backups.forgotten = read.error;
        backups.records = read.records;
        (backups.jobs, backups.changes, backups.damaged) = (read.jobs, read.changes, read.damaged);
        backups.show(keep);
        let live: Vec<String> = backups.live().map(|view| view.job.id.clone()).collect();
        if !read.news.is_empty() {
            let bad = read.news.iter().any(|(_, bad)| *bad);
            let text = read.news.into_iter().map(|(text, _)| text).collect::<Vec<_>>().join("; ");
            self.model.notice = Some(Notice { text, bad });
        }
        if live.is_empty() { Vec::new() } else { vec![Cmd::Watch(live)] }
    }

    /// Jobs that are watched: those that ended are told of, and what they changed is read anew.
    fn jobs_went_on(&mut self, views: Vec<JobView>) -> Vec<Cmd> {
        let mut cmds = Vec::new();
        let mut told = Vec::new();
        let mut saved = Vec::new();
        for view in views {
            if let Some(end) = ended(&view) {
                told.push(end);
                saved.extend(self.rows_of(&view));
            }
            let jobs = &mut self.model.backups.jobs;
            match jobs.iter_mut().find(|known| known.job.id == view.job.id) {
                Some(known) => *known = view,
                None => jobs.push(view),
            }
        }
        self.model.backups.show(None);
        if told.is_empty() {
            return cmds;
        }
        let bad = told.iter().any(|(_, bad)| *bad);
        let text = told.into_iter().map(|(text, _)| text).collect::<Vec<_>>().join("; ");
        self.model.notice = Some(Notice { text, bad });
        cmds.push(Cmd::Remember);
        if self.model.backups.listing != Listing::Waiting {
            cmds.push(self.read_repository());
        }
        // A retired folder is looked at with the list.
        self.folders_asked = false;
        cmds.extend([Cmd::BackedUp(saved), Cmd::List]);
        cmds
    }

    /// The workspaces whose folder a job saved.
    fn rows_of(&self, view: &JobView) -> Vec<WsKey> {
        let Task::Backup(save) = &view.job.task else { return Vec::new() };
        let roots = &self.model.folder_roots;
        let rows = self.model.rows.iter().filter(|row| row.workspace.state != RunState::Retired);
        let saved = rows.filter(|row| {
            let folder = row.grounds().and_then(|grounds| folder_of(&grounds, roots));
            row.workspace.name == save.workspace || folder.as_ref() == Some(&save.folder)
        });
        saved.map(|row| row.workspace.key.clone()).collect()
    }
}
