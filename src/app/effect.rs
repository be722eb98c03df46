//! Carries out commands on tasks of their own and sends back what came of them.
//!
//! Queries: at most one list runs and one waits; scans have their own order (`scans`).
//! Actions run as they come and are never dropped.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, sleep_until};

use super::backups::Known;
use super::jobs::JobTasks;
use super::msg::{Cmd, JobWish, Msg};
use super::scans::Scans;
use super::walks::Walks;
use super::{Ports, browse, whole};
use crate::core::classify::Grounds;
use crate::core::plan::Plan;
use crate::core::recognise::Profiles;
use crate::core::report::Trouble;
use crate::core::workspace::{Workspace, WsKey};
use crate::model::{LastBackup, Model, Row};
use crate::port::Tick;
use crate::work;
use crate::work::find::{self, News, Search};

/// Pauses before the engine is tried again, in seconds; the last one repeats.
const RETRY: [u64; 5] = [1, 2, 4, 8, 15];
/// The list is read at most this often, however many things change.
const LIST_EVERY: Duration = Duration::from_millis(150);

/// Runs commands.
pub(super) struct Effects {
    ports: Ports,
    profiles: Arc<Profiles>,
    out: UnboundedSender<Msg>,
    listing: Listing,
    listed_at: Option<Instant>,
    scans: Scans,
    /// The search by name that runs.
    search: Option<AbortHandle>,
    looking_for_folders: bool,
    recovered: bool,
    backups: Known,
    walks: Walks,
    jobs: JobTasks,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listing {
    Idle,
    Running,
    /// Once more when the running one is over.
    Again,
}

impl Effects {
    /// Effects on these ports; what comes of them goes to `out`.
    pub(super) fn new(ports: Ports, model: &Model, out: UnboundedSender<Msg>) -> Self {
        Self {
            scans: Scans::new(ports.clone(), out.clone()),
            walks: Walks::new(ports.clone(), out.clone()),
            jobs: JobTasks::new(ports.clone(), Arc::clone(&model.profiles), out.clone()),
            ports,
            profiles: Arc::clone(&model.profiles),
            out,
            listing: Listing::Idle,
            listed_at: None,
            search: None,
            looking_for_folders: false,
            recovered: false,
            backups: Known::default(),
        }
    }

    /// Connects, listens, and tries again for as long as the screen is there.
    ///
    /// The first list does not wait for the first contact: names are what people wait for.
    pub(super) fn start(&mut self) {
        self.list();
        self.jobs.remember();
        let (ports, out) = (self.ports.clone(), self.out.clone());
        spawn(async move {
            let mut failures = 0;
            loop {
                let heard = listen(&ports, &out).await;
                failures = if heard { 0 } else { failures + 1 };
                let pause = RETRY.get(failures).or(RETRY.last()).copied().unwrap_or(1);
                sleep(Duration::from_secs(pause)).await;
            }
        });
    }

    /// Carries out one command. `row` finds what is known of a workspace.
    pub(super) fn run<'r>(&mut self, cmd: Cmd, row: impl Fn(&WsKey) -> Option<&'r Row>) {
        match cmd {
            Cmd::List => self.list(),
            Cmd::Detail(keys) => {
                let workspaces = keys.iter().filter_map(|key| Some(row(key)?.workspace.clone())).collect();
                self.look_closer(workspaces, false);
            }
            Cmd::Scan { key, asked } => {
                if let Some(grounds) = row(&key).and_then(Row::grounds) {
                    self.scans.scan(key, grounds, asked);
                }
            }
            Cmd::Follow(key) => {
                if let Some(grounds) = row(&key).and_then(Row::grounds) {
                    self.scans.follow(key, &grounds);
                }
            }
            Cmd::Rescan(key) => match row(&key).map(Row::grounds) {
                Some(Some(grounds)) => self.scans.rescan(key, grounds),
                Some(None) => {}
                None => self.scans.end(&key),
            },
            Cmd::Habits(key) => {
                if let Some(row) = row(&key) {
                    self.habits(key, row);
                }
            }
            Cmd::Surroundings(key) => {
                if let Some((row, grounds)) = row(&key).and_then(|row| Some((row, row.grounds()?))) {
                    self.surroundings(row.workspace.clone(), grounds);
                }
            }
            Cmd::Folders { roots, mounted } => self.folders(roots, mounted),
            Cmd::Find { number, part, places, roots } => {
                let rows = places.iter().filter_map(row).map(|row| (row.workspace.clone(), row.grounds()));
                self.find(number, &part, rows.collect(), roots);
            }
            Cmd::EndFind => self.end_find(),
            Cmd::Browse { number, key, path, order } => {
                self.browse(row(&key), move |ports, whose| async move {
                    browse::folder(&ports, &whose, number, &path, order).await
                });
            }
            Cmd::Preview { number, key, path } => {
                self.browse(row(&key), move |ports, whose| async move {
                    browse::file(&ports, &whose, number, &path).await
                });
            }
            Cmd::PlanFile { number, key, path, wish } => {
                self.browse(row(&key), move |ports, whose| async move {
                    browse::plan(&ports, &whose, number, &path, wish).await
                });
            }
            Cmd::Run { plan, lose_data } => self.act(plan, lose_data),
            Cmd::RunAll(plans) => {
                let (ports, out, profiles) = (self.ports.clone(), self.out.clone(), Arc::clone(&self.profiles));
                on_a_thread(async move {
                    send(&out, Msg::RanAll(whole::run(&ports, &profiles, plans, false).await));
                });
            }
            Cmd::PlanWhole { number, keys, wish } => {
                let rows = keys.iter().filter_map(row);
                let whose = rows.filter_map(|row| Some((row.workspace.clone(), row.grounds()?))).collect();
                let (ports, out, profiles) = (self.ports.clone(), self.out.clone(), Arc::clone(&self.profiles));
                let known = self.backups.clone();
                on_a_thread(async move {
                    let plans = whole::plans(&ports, &profiles, &known, whose, wish).await;
                    send(&out, Msg::WholePlanned(number, plans));
                });
            }
            Cmd::Queue(paths) => self.walks.queue(paths),
            Cmd::Walk { path, fresh } => self.walks.walk(path, fresh),
            Cmd::StopWalk(path) => self.walks.stop(&path),
            Cmd::Look(path, asked) => self.walks.look(path, asked),
            Cmd::Machine => self.machine(),
            Cmd::Snapshots => self.jobs.list(),
            Cmd::Remember => self.jobs.remember(),
            Cmd::Watch(ids) => self.jobs.watch(ids),
            Cmd::BackedUp(keys) => {
                let workspaces = keys.iter().filter_map(|key| Some(row(key)?.workspace.clone())).collect();
                self.look_closer(workspaces, true);
            }
            Cmd::PlanJobs { number, wish } => {
                let keys = if let JobWish::Backup(keys) = &wish { keys.as_slice() } else { &[] };
                let rows = keys.iter().filter_map(&row);
                self.jobs.plan(
                    number,
                    wish.clone(),
                    rows.map(|row| (row.workspace.clone(), row.grounds())).collect(),
                );
            }
            Cmd::BeginJobs(all) => self.jobs.begin(all),
            Cmd::CallOff(id) => self.jobs.call_off(id),
            // The loop's own.
            Cmd::Settle | Cmd::Copy(_) | Cmd::Quit => {}
        }
    }

    /// What came back may let something wait no longer. Says whether it still counts:
    /// what a scan says after a newer one of the same workspace began does not.
    pub(super) fn came_back(&mut self, msg: &Msg) -> bool {
        match msg {
            Msg::Listed(_) => {
                let again = self.listing == Listing::Again;
                self.listing = Listing::Idle;
                if again {
                    self.list();
                }
            }
            Msg::Connected(Ok(_)) if !std::mem::replace(&mut self.recovered, true) => self.recover(),
            Msg::Folders(_) => self.looking_for_folders = false,
            Msg::Scanning(key, number, _) => return self.scans.is_running(key, *number),
            Msg::Scanned(key, number, risk) => return self.scans.scanned(key, *number, risk.is_ok()),
            _ => return self.walks.came_back(msg),
        }
        true
    }

    fn list(&mut self) {
        if self.listing != Listing::Idle {
            self.listing = Listing::Again;
            return;
        }
        self.listing = Listing::Running;
        let now = Instant::now();
        let not_before = self.listed_at.map_or(now, |at| at + LIST_EVERY).max(now);
        self.listed_at = Some(not_before);
        let (ports, out) = (self.ports.clone(), self.out.clone());
        spawn(async move {
            sleep_until(not_before).await;
            let listed = ports.engine.inventory().await;
            send(&out, Msg::Listed(listed));
        });
    }

    /// Looks closer at these; `anew` where what is known of backups is old.
    fn look_closer(&self, workspaces: Vec<Workspace>, anew: bool) {
        let (ports, out, profiles) = (self.ports.clone(), self.out.clone(), Arc::clone(&self.profiles));
        let known = self.backups.clone();
        spawn(async move {
            if anew {
                known.forget().await;
            }
            let mut looks = pin!(work::roster::grounds(ports.engine.as_ref(), &profiles, workspaces));
            while let Some((key, grounds)) = looks.next().await {
                let (mut backed_up, mut grounds) = (LastBackup::Unknown, grounds);
                if let Ok(grounds) = &mut grounds {
                    backed_up = known.put_in(grounds, &ports, &profiles).await;
                }
                send(&out, Msg::Detailed(key, grounds, backed_up));
            }
        });
    }

    fn habits(&self, key: WsKey, row: &Row) {
        let roots = self.profiles.roots(&row.rules.profile);
        let (ports, out) = (self.ports.clone(), self.out.clone());
        let whose = work::habits::Whose {
            workspace: row.workspace.clone(),
            grounds: row.grounds(),
            risk: row.risk.known.clone(),
            roots,
        };
        spawn(async move {
            let now = ports.clock.now();
            let habits = work::habits::look(ports.engine.as_ref(), &ports.host, &whose, now).await;
            send(&out, Msg::Habits(key, habits.into()));
        });
    }

    fn surroundings(&self, workspace: Workspace, grounds: Grounds) {
        let (ports, out, profiles) = (self.ports.clone(), self.out.clone(), Arc::clone(&self.profiles));
        let roots = profiles.roots(&grounds.rules.profile);
        spawn(async move {
            let engine = ports.engine.as_ref();
            let found = work::lifecycle::surroundings(engine, &profiles, &workspace, &grounds, &roots).await;
            send(&out, Msg::Surroundings(workspace.key, found));
        });
    }

    /// Asks something about a file of a workspace.
    fn browse<F: Future<Output = Msg> + Send + 'static>(
        &self,
        row: Option<&Row>,
        ask: impl FnOnce(Ports, browse::Whose) -> F,
    ) {
        let Some(row) = row else { return };
        let whose = browse::Whose { workspace: row.workspace.clone(), grounds: row.grounds() };
        let asked = ask(self.ports.clone(), whose);
        let out = self.out.clone();
        spawn(async move { send(&out, asked.await) });
    }

    fn end_find(&mut self) {
        if let Some(search) = self.search.take() {
            search.abort();
        }
    }

    fn find(&mut self, number: u64, part: &str, rows: Vec<(Workspace, Option<Grounds>)>, roots: Vec<PathBuf>) {
        self.end_find();
        let Ok(wanted) = find::Wanted::new(part) else { return };
        let (ports, out, profiles) = (self.ports.clone(), self.out.clone(), Arc::clone(&self.profiles));
        let folders = roots.into_iter().chain(ports.host.home.clone()).collect();
        let task = tokio::spawn(async move {
            let mut on = |news| send(&out, Msg::Found(number, Some(news)));
            let machine = match &ports.machine {
                Some(engine) => find::this_machine(engine.as_ref(), &profiles).await,
                None => Ok(None),
            };
            let machine = machine.unwrap_or_else(|error| {
                on(News::Trouble(Trouble::new("machine", "folders", &error)));
                None
            });
            let engine = ports.engine.as_ref();
            let places = find::places(engine, &profiles, rows, &mut on).await;
            let search = Search {
                engine,
                known: places.clone(),
                places,
                machine,
                host: &ports.host,
                folders,
                budget: find::Budget::default(),
            };
            search.run(&wanted, &mut on).await;
            send(&out, Msg::Found(number, None));
        });
        self.search = Some(task.abort_handle());
    }

    fn machine(&self) {
        let (ports, out, profiles) = (self.ports.clone(), self.out.clone(), Arc::clone(&self.profiles));
        spawn(async move {
            let machine = match &ports.machine {
                Some(engine) => find::this_machine(engine.as_ref(), &profiles).await.ok().flatten(),
                None => None,
            };
            let machine = machine.map(Arc::unwrap_or_clone);
            send(&out, Msg::Machine(machine.map(|place| Box::new((place.workspace, place.grounds)))));
        });
    }

    fn folders(&mut self, roots: Vec<PathBuf>, mounted: Vec<PathBuf>) {
        if std::mem::replace(&mut self.looking_for_folders, true) {
            return;
        }
        let (ports, out, profiles) = (self.ports.clone(), self.out.clone(), Arc::clone(&self.profiles));
        let known = self.backups.clone();
        on_a_thread(async move {
            let folders = work::roster::retired(&roots, &mounted, &ports.engine.endpoint().id, &ports.host);
            let paths = folders.iter().map(|folder| Path::new(&folder.key.id));
            let last = known.last(paths, &ports, &profiles).await;
            send(&out, Msg::Folders(folders.into_iter().zip(last).collect()));
        });
    }

    /// Runs a plan. The journal waits for the disk at every step, so this has a thread of its own.
    fn act(&self, plan: Box<Plan>, lose_data: bool) {
        let (ports, out, profiles) = (self.ports.clone(), self.out.clone(), Arc::clone(&self.profiles));
        on_a_thread(async move {
            let mut ran = whole::run(&ports, &profiles, vec![*plan], lose_data).await;
            if let Some((plan, ran)) = ran.pop() {
                send(&out, Msg::Ran(Box::new(plan), ran));
            }
        });
    }

    /// Finishes what was cut off the last time, now that the engine answers.
    fn recover(&self) {
        let (ports, out) = (self.ports.clone(), self.out.clone());
        on_a_thread(async move {
            if let Ok(store) = (ports.store)() {
                let (engine, clock) = (ports.engine.as_ref(), ports.clock.as_ref());
                let sentences = work::act::recover(engine, &ports.files, &store, clock, &ports.program).await;
                send(&out, Msg::Recovered(sentences));
            }
        });
    }
}

/// Runs what waits for a disk away from the loop's own thread.
pub(super) fn on_a_thread(task: impl Future<Output = ()> + Send + 'static) {
    let runtime = tokio::runtime::Handle::current();
    drop(tokio::task::spawn_blocking(move || runtime.block_on(task)));
}

/// One connection: first contact, then changes until it is lost. Says whether it was heard at all.
async fn listen(ports: &Ports, out: &UnboundedSender<Msg>) -> bool {
    let probe = ports.engine.probe().await;
    let reached = probe.is_ok();
    send(out, Msg::Connected(probe));
    if !reached {
        return false;
    }
    let mut ticks = ports.engine.watch();
    let mut live = false;
    while let Some(tick) = ticks.next().await {
        live |= tick == Tick::Live;
        let over = matches!(tick, Tick::Lost(_));
        send(out, Msg::Ticked(tick));
        if over {
            break;
        }
    }
    live
}

pub(super) fn send(out: &UnboundedSender<Msg>, msg: Msg) {
    // The loop has ended: nobody is left to hear it.
    let _ = out.send(msg);
}

/// The tasks end with the runtime; nobody waits for them.
pub(super) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    drop(tokio::spawn(task));
}
