//! Backups by keys: made, listed, read back, written out, removed, called off; jobs that outlive the screen.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use outlast::app::Ports;
use outlast::core::backup::{Check, End, Job, JobState, Outcome, Repository, Snapshot, Task};
use outlast::core::error::Result;
use outlast::engine::machine::Machine;
use outlast::platform::{clock::System, host};
use outlast::port::{Backups, Clock, Engine, Meter, Vault};
use outlast::store::{Running, Store};
use outlast::work::BackupSettings;

use super::real::{only, real};
use super::{OLD, WIDE, demo};
use crate::backup::{noise, restic, said, write};
use crate::cli::Outlast;
use crate::support::docker::{self, Cli, Container};
use crate::support::journey::{Arrived, Step, journey_wired, meanwhile, press, see, unsee};
use crate::support::pty::Start;

/// A folder with work in it, a repository beside it, and what is remembered of both.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::Builder::new().prefix("outlast-test-").tempdir_in("/srv").unwrap());
        write(&place.path("work/notes"), "text");
        write(&place.path("key"), "secret\n");
        place
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    fn settings(&self) -> BackupSettings {
        BackupSettings {
            repository: Some(self.path("repository").to_str().unwrap().into()),
            password_file: Some(self.path("key")),
            key_elsewhere: false,
        }
    }

    fn store(&self) -> Store {
        Store::at(self.path("state")).unwrap()
    }

    fn container(&self, engine: &Cli, what: &str) -> Container {
        let mount = format!("-v{}:/workspace", self.path("work").display());
        engine.container(what).args(["--label=ds01.user=1001", &mount]).run()
    }

    fn wire(&self) -> impl FnOnce(&mut Ports) + use<> {
        let (settings, state) = (self.settings(), self.path("state"));
        move |ports| {
            ports.backup = settings;
            ports.store = Arc::new(move || Store::at(state.clone()));
        }
    }

    fn journey(&self, size: (u16, u16), steps: &[Step]) -> Arrived {
        let (engine, clock) = real();
        journey_wired(engine, clock, size, self.wire(), steps)
    }

    fn snapshots(&self) -> Vec<Snapshot> {
        let key = self.path("key");
        let repository = Repository::new(self.path("repository").to_str().unwrap(), key).unwrap();
        outlast::backup::Restic.open(&repository, &Arc::default()).unwrap().list().unwrap()
    }
}

/// A path of this machine typed over what the line begins with.
fn typed(path: &Path) -> Step {
    press(&format!("<backspace><backspace>{}<enter>", path.display()))
}

fn root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn a_workspace_is_backed_up_read_back_written_out_and_one_of_two_snapshots_removed() {
    let Some(engine) = docker::engine() else { return };
    if !root() {
        return;
    }
    let place = Place::new();
    let container = place.container(&engine, "keeps");
    let new = place.path("new");
    let again = place.path("work/later");
    let backup = |done: &str| vec![press("B"), see("which is made"), press("y"), see(done)];
    let mut steps = vec![see("AT RISK"), only(&container.name), see("never")];
    // Any key but yes is no.
    steps.extend([press("B"), see("Do this?"), press("<enter>"), see("nothing was changed")]);
    steps.extend(backup("is done"));
    steps.extend([unsee("never"), meanwhile(move || write(&again, "more"))]);
    steps.extend([press("B"), see("Do this?"), press("y"), see("begun: backup"), see("3 files")]);
    steps.extend([
        press("5"),
        see("Snapshots 2"),
        // Nothing is promised of a place that nobody looked at.
        see("could not be looked at, so whether it lasts is not known"),
        see("not verified"),
        press("V"),
        see("all of"),
        press("y"),
        see("whole, every byte was read"),
        see("verified just now"),
        press("O"),
        see("restore into: ~/"),
        typed(&new),
        see("which must be new or empty"),
        press("y"),
        see("is done: 2 files"),
        // What is there already is never written over.
        press("O"),
        see("restore into"),
        typed(&new),
        see("is not empty"),
        press("y"),
        see("copied: outlast restore"),
        press("F"),
        see("stays: it is the newest"),
        press("jF"),
        see("removes"),
        press("y"),
        see("1 snapshot removed"),
        see("Snapshots 1"),
        press("v"),
        see("VERB"),
        see("Jobs 5"),
        press("<enter>"),
        see("state done"),
        press("<esc>v"),
        see("Log 4"),
        // What only looks is no change.
        see("forget"),
        unsee("verify "),
    ]);
    place.journey(WIDE, &steps);
    assert_eq!(std::fs::read(new.join("later")).unwrap(), b"more");
    let left = place.snapshots();
    assert_eq!(left.len(), 1);
    // The command line says the same.
    let listed =
        restic(place.path("repository").to_str().unwrap(), &place.path("key"), &["snapshots", "--json"]);
    if let Some(output) = listed {
        assert!(output.status.success(), "{}", said(&output));
        assert!(said(&output).contains(&left[0].id), "{}", said(&output));
    }
}

#[test]
fn the_column_says_what_ls_says() {
    let Some(engine) = docker::engine() else { return };
    if !root() {
        return;
    }
    let place = Place::new();
    let container = place.container(&engine, "listed");
    let outlast = Outlast::new().with("XDG_STATE_HOME", place.path("xdg").to_str().unwrap());
    let (repository, key) = (place.path("repository"), place.path("key"));
    let outlast = outlast.with("OUTLAST_REPOSITORY", repository.to_str().unwrap());
    let outlast = outlast.with("OUTLAST_PASSWORD_FILE", key.to_str().unwrap());
    let saved = outlast.run(&["backup", &container.name, "--yes"]);
    assert_eq!(saved.code, 0, "{}", saved.err);
    let listed = outlast.json(&["ls", "--json"]);
    let rows = listed["workspaces"].as_array().unwrap();
    let row = rows.iter().find(|row| row["container"] == *container.name).unwrap();
    let said: Timestamp = row["last_backup"].as_str().unwrap().parse().unwrap();
    let state = std::fs::read_dir(place.path("xdg/outlast")).unwrap().next().unwrap().unwrap().path();
    let (engine, clock) = real();
    let (settings, steps) = (place.settings(), [see("AT RISK"), only(&container.name), see("<1m")]);
    let wire = move |ports: &mut Ports| {
        ports.backup = settings;
        ports.store = Arc::new(move || Store::at(state.clone()));
    };
    let arrived = journey_wired(engine, clock, WIDE, wire, &steps);
    let row = arrived.model.rows.iter().find(|row| row.workspace.container.as_deref() == Some(&container.name));
    assert_eq!(row.unwrap().last_backup, outlast::model::LastBackup::At(said));
}

/// Files that take a moment to save.
fn large(place: &Place) {
    for number in 0..40 {
        write(&place.path(&format!("work/f{number}")), noise(number, 8 << 20));
    }
}

#[test]
fn a_job_that_is_called_off_leaves_no_snapshot() {
    let Some(engine) = docker::engine() else { return };
    if !root() {
        return;
    }
    let place = Place::new();
    large(&place);
    let container = place.container(&engine, "off");
    let steps = [
        see("AT RISK"),
        only(&container.name),
        see("never"),
        press("B"),
        see("Do this?"),
        press("y"),
        see("5: backups"),
        see("saving"),
        press("5v"),
        see("A call off"),
        press("A"),
        see("call off backup"),
        press("y"),
        see("was called off"),
        unsee("A call off"),
        see("cancelled"),
    ];
    place.journey(OLD, &steps);
    assert!(place.snapshots().is_empty());
}

#[test]
fn a_screen_that_is_killed_takes_no_job_with_it_and_the_next_one_tells_its_end() {
    let Some(engine) = docker::engine() else { return };
    if !root() {
        return;
    }
    let place = Place::new();
    large(&place);
    let container = place.container(&engine, "killed");
    let start = || {
        let variable = |name: &str| place.path(name).to_str().unwrap().to_owned();
        Start::outlast(&[])
            .size(120, 40)
            .env("XDG_STATE_HOME", &variable("xdg"))
            .env("OUTLAST_REPOSITORY", &variable("repository"))
            .env("OUTLAST_PASSWORD_FILE", &variable("key"))
            .spawn()
    };
    let mut screen = start();
    screen.see("AT RISK");
    screen.send(&format!("/{}\r", container.name));
    screen.see("never");
    screen.send("B");
    screen.see("Do this?");
    screen.send("y");
    screen.see("saving");
    rustix::process::kill_process(screen.pid(), rustix::process::Signal::KILL).unwrap();
    screen.wait();
    let state = std::fs::read_dir(place.path("xdg/outlast")).unwrap().next().unwrap().unwrap().path();
    let jobs = Store::at(state).unwrap().jobs();
    let begun = Instant::now();
    while jobs.all().unwrap()[0].is_live() {
        assert!(begun.elapsed() < Duration::from_mins(1));
        std::thread::sleep(Duration::from_millis(50));
    }
    let view = jobs.all().unwrap().remove(0);
    assert!(matches!(&view.state, JobState::Over(outcome) if outcome.end == End::Done), "{view:?}");
    assert_eq!(place.snapshots().len(), 1);
    let mut next = start();
    next.see("is done");
    next.send("q");
    next.wait();
    assert!(jobs.all().unwrap()[0].seen, "it is told once");
}

/// This machine as an engine.
fn machine() -> (Arc<dyn Engine>, Arc<dyn Clock>) {
    let clock: Arc<dyn Clock> = Arc::new(System);
    (Arc::new(Machine::new(Arc::new(host::this_host()), Arc::clone(&clock), Vec::new())), clock)
}

#[test]
fn a_partial_job_of_an_earlier_session_says_which_files() {
    let place = Place::new();
    let jobs = place.store().jobs();
    let repository = Repository::new("/nowhere", "/nowhere.key".into()).unwrap();
    let job = Job {
        id: "20260101T000000.000Z-1-0".into(),
        made_at: Timestamp::now(),
        user: "alice".into(),
        repository,
        task: Task::Verify(Check { snapshots: Vec::new() }),
        notes: Vec::new(),
    };
    let folder = jobs.create(&job).unwrap();
    let (_, running) = Running::begin(&folder).unwrap();
    let mut outcome = Outcome::new(Timestamp::now(), End::Incomplete);
    outcome.damaged.add("/data/model\u{1b}.pt".as_ref(), "its data is damaged");
    running.finish(&outcome).unwrap();
    let steps = [
        see("1 file is damaged:"),
        press("5v"),
        see("incomplete"),
        press("<enter>"),
        see("damaged: /data/model\\u{1b}.pt: its data is damaged"),
    ];
    let (engine, clock) = machine();
    journey_wired(engine, clock, OLD, place.wire(), &steps);
    let again = [see("this machine"), press("5v"), see("incomplete")];
    let (engine, clock) = machine();
    let arrived = journey_wired(engine, clock, OLD, place.wire(), &again);
    assert!(arrived.model.notice.is_none(), "it is told once");
}

/// A repository that never answers.
struct Hung;

impl Backups for Hung {
    fn open(&self, _: &Repository, _: &Arc<Meter>) -> Result<Box<dyn Vault>> {
        loop {
            std::thread::park();
        }
    }

    fn create(&self, repository: &Repository, meter: &Arc<Meter>) -> Result<Box<dyn Vault>> {
        self.open(repository, meter)
    }

    fn exists(&self, repository: &Repository) -> Result<bool> {
        self.open(repository, &Arc::default()).map(|_| true)
    }

    fn ids(&self, repository: &Repository) -> Result<Vec<String>> {
        self.open(repository, &Arc::default()).map(|_| Vec::new())
    }
}

#[test]
fn a_repository_that_hangs_is_said_to_have_timed_out_and_the_keys_still_work() {
    let place = Place::new();
    let wire = |ports: &mut Ports| {
        ports.backups = Arc::new(Hung);
    };
    let steps = [
        see("this machine"),
        press("5"),
        see("Reading the repository"),
        press("v"),
        see("No job yet."),
        press("vv"),
        see("timed out: no answer in 10 s"),
        see("r asks again"),
        press("r"),
        see("Reading the repository"),
        press("1"),
        unsee("Reading the repository"),
        see("this machine"),
    ];
    let (engine, clock) = machine();
    let wired = place.wire();
    journey_wired(
        engine,
        clock,
        OLD,
        |ports| {
            wired(ports);
            wire(ports);
        },
        &steps,
    );
}

#[test]
fn where_nothing_was_ever_backed_up_the_tab_says_how_to_begin() {
    let place = Place::new();
    let steps =
        [see("this machine"), press("5"), see("No backup yet."), see("outlast backup "), see("on this host")];
    let (engine, clock) = machine();
    journey_wired(engine, clock, OLD, place.wire(), &steps);
    assert!(!place.path("repository").exists(), "looking makes nothing");
}

#[test]
fn the_playground_has_nothing_to_back_up_and_says_so() {
    let steps = [
        see("my-project"),
        see("never"),
        press("B"),
        see("the playground has no files"),
        press("5"),
        see("no files that could be saved"),
        press("O"),
        see("no snapshot is selected"),
        press("!"),
        see("call the running job off"),
    ];
    demo(WIDE, &steps);
}
