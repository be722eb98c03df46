//! Journeys: keys as a person types them, through the real loop, onto a terminal emulator.
//!
//! A journey says in order what is pressed and what must then be seen. Nothing
//! sleeps and looks: every `see` waits until the screen says so, and fails with
//! the whole screen printed.

use std::io::Write;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use outlast::app::{self, Ended, Ports, Start};
use outlast::core::error::Error;
use outlast::core::recognise::Profiles;
use outlast::engine::demo::DemoDisk;
use outlast::model::key::parse_keys;
use outlast::model::{Model, Tour};
use outlast::port::{Clock, Disk, Engine, Host};
use outlast::scan::LocalDisk;
use outlast::store::Store;
use outlast::term::{Caps, Colors, Input, Screen};
use outlast::ui::Theme;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// One step of a journey.
#[derive(Clone)]
pub(crate) enum Step {
    Press(String),
    See(String),
    Unsee(String),
    Resize(u16, u16),
    Do(Arc<dyn Fn() + Send + Sync>),
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Press(keys) => write!(f, "press {keys:?}"),
            Self::See(text) => write!(f, "see {text:?}"),
            Self::Unsee(text) => write!(f, "unsee {text:?}"),
            Self::Resize(columns, rows) => write!(f, "resize to {columns} x {rows}"),
            Self::Do(_) => f.write_str("something outside"),
        }
    }
}

pub(crate) fn press(keys: &str) -> Step {
    Step::Press(keys.into())
}

pub(crate) fn see(text: &str) -> Step {
    Step::See(text.into())
}

/// The text goes away. Asked for only after something else has been seen.
pub(crate) fn unsee(text: &str) -> Step {
    Step::Unsee(text.into())
}

pub(crate) fn resize(columns: u16, rows: u16) -> Step {
    Step::Resize(columns, rows)
}

/// Something that happens outside, between two keys.
pub(crate) fn meanwhile(what: impl Fn() + Send + Sync + 'static) -> Step {
    Step::Do(Arc::new(what))
}

/// How a journey ended.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) screen: String,
    pub(crate) model: Model,
    pub(crate) ended: Ended,
    /// All bytes that went to the terminal.
    pub(crate) bytes: usize,
    /// The state directory.
    pub(crate) state: tempfile::TempDir,
}

#[derive(Clone)]
struct Emulator(Arc<Mutex<(vt100::Parser, usize)>>);

impl Write for Emulator {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut inner = self.0.lock().unwrap();
        inner.0.process(bytes);
        inner.1 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Emulator {
    fn text(&self) -> String {
        self.0.lock().unwrap().0.screen().contents()
    }
}

/// Runs a journey on an engine and a clock, in a window of a size.
pub(crate) fn journey(
    engine: Arc<dyn Engine>,
    clock: Arc<dyn Clock>,
    size: (u16, u16),
    steps: &[Step],
) -> Arrived {
    journey_below(engine, clock, size, Vec::new(), steps)
}

/// The same with folders whose sub-folders are projects.
pub(crate) fn journey_below(
    engine: Arc<dyn Engine>,
    clock: Arc<dyn Clock>,
    size: (u16, u16),
    folder_roots: Vec<PathBuf>,
    steps: &[Step],
) -> Arrived {
    let roots = folder_roots.iter().map(|root| root.display().to_string()).collect();
    let prepare = |model: &mut Model| {
        Arc::make_mut(&mut model.profiles).folder_roots = Some(roots);
        model.folder_roots = folder_roots;
    };
    travel(engine, clock, size, prepare, steps).unwrap()
}

/// The same in a world that is changed before it begins.
pub(crate) fn journey_wired(
    engine: Arc<dyn Engine>,
    clock: Arc<dyn Clock>,
    size: (u16, u16),
    wire: impl FnOnce(&mut Ports),
    steps: &[Step],
) -> Arrived {
    travel_wired(engine, Arc::new(LocalDisk), clock, size, |_| {}, wire, steps).unwrap()
}

/// The same on a disk of one's own.
pub(crate) fn journey_on_disk(
    engine: Arc<dyn Engine>,
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    size: (u16, u16),
    steps: &[Step],
) -> Arrived {
    travel_on(engine, disk, clock, size, |_| {}, steps).unwrap()
}

/// The same as `outlast demo` begins, with the guided tour.
pub(crate) fn journey_on_tour(
    engine: Arc<dyn Engine>,
    clock: Arc<dyn Clock>,
    size: (u16, u16),
    steps: &[Step],
) -> Arrived {
    travel(engine, clock, size, |model| model.tour = Some(Tour::default()), steps).unwrap()
}

/// Opens a session without any keys and returns how it ends.
pub(crate) fn journey_ends(
    engine: Arc<dyn Engine>,
    clock: Arc<dyn Clock>,
    size: (u16, u16),
) -> Result<Ended, Error> {
    travel(engine, clock, size, |_| {}, &[see("the end comes before this")]).map(|arrived| arrived.ended)
}

fn travel(
    engine: Arc<dyn Engine>,
    clock: Arc<dyn Clock>,
    size: (u16, u16),
    prepare: impl FnOnce(&mut Model),
    steps: &[Step],
) -> Result<Arrived, Error> {
    let disk: Arc<dyn Disk> = if engine.endpoint().id.starts_with("demo") {
        Arc::new(DemoDisk::new(clock.as_ref()))
    } else {
        Arc::new(LocalDisk)
    };
    travel_on(engine, disk, clock, size, prepare, steps)
}

fn travel_on(
    engine: Arc<dyn Engine>,
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    size: (u16, u16),
    prepare: impl FnOnce(&mut Model),
    steps: &[Step],
) -> Result<Arrived, Error> {
    travel_wired(engine, disk, clock, size, prepare, |_| {}, steps)
}

fn travel_wired(
    engine: Arc<dyn Engine>,
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    size: (u16, u16),
    prepare: impl FnOnce(&mut Model),
    wire: impl FnOnce(&mut Ports),
    steps: &[Step],
) -> Result<Arrived, Error> {
    let state = tempfile::tempdir().unwrap();
    let emulator = Emulator(Arc::new(Mutex::new((vt100::Parser::new(cells(size.1), cells(size.0), 0), 0))));
    let caps = Caps { unicode: true, colors: Colors::Ansi16, sync: true };
    let mut screen = Screen::new(emulator.clone(), caps, size.0, size.1);
    let profiles = Arc::new(Profiles { folder_roots: Some(Vec::new()), ..super::model::profiles() });
    let mut model = Model::new(engine.endpoint().clone(), profiles, clock.now());
    model.size = size;
    model.user = "alice".into();
    model.hostname = "lab01".into();
    prepare(&mut model);
    let mut ports = Ports {
        backups: Arc::new(outlast::backup::Restic),
        // Not made before something is saved.
        backup: outlast::work::BackupSettings {
            repository: Some(state.path().join("repository").to_str().unwrap().into()),
            password_file: Some(state.path().join("key")),
            ..Default::default()
        },
        program: env!("CARGO_BIN_EXE_outlast").into(),
        engine,
        disk,
        machine: None,
        files: Arc::new(outlast::files::LocalFiles),
        clock,
        host: Arc::new(Host { uid: 1001, user: Some("alice".into()), ..Host::default() }),
        store: {
            let folder = state.path().to_path_buf();
            Arc::new(move || Store::at(folder.clone()))
        },
    };
    wire(&mut ports);
    let (sender, mut receiver) = unbounded_channel();
    let mut inputs = futures_util::stream::poll_fn(move |context| receiver.poll_recv(context));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let start = Start { model, theme: Theme::dark() };
    let ended = runtime.block_on(async {
        let mut session = std::pin::pin!(app::run(&mut inputs, &mut screen, ports, start));
        tokio::select! {
            ended = &mut session => ended,
            () = drive(&emulator, &sender, steps) => session.await,
        }
    });
    runtime.shutdown_timeout(Duration::from_millis(100));
    let (ended, model) = ended?;
    let bytes = emulator.0.lock().unwrap().1;
    Ok(Arrived { screen: emulator.text(), model, ended, bytes, state })
}

async fn drive(emulator: &Emulator, inputs: &UnboundedSender<Input>, steps: &[Step]) {
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Press(keys) => {
                for key in parse_keys(keys) {
                    inputs.send(Input::Key(key)).unwrap();
                }
            }
            Step::See(text) => until(emulator, number, step, |screen| screen.contains(text.as_str())).await,
            Step::Unsee(text) => until(emulator, number, step, |screen| !screen.contains(text.as_str())).await,
            Step::Resize(cols, rows) => {
                emulator.0.lock().unwrap().0.screen_mut().set_size(cells(*rows), cells(*cols));
                inputs.send(Input::Resized { cols: *cols, rows: *rows }).unwrap();
            }
            Step::Do(what) => what(),
        }
    }
    // Already gone where the last key was `q`.
    let _ = inputs.send(Input::Terminate(15));
}

async fn until(emulator: &Emulator, number: usize, step: &Step, done: impl Fn(&str) -> bool) {
    // An engine may need a while to start.
    for _ in 0..8_000 {
        if done(&emulator.text()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("step {number}, {step:?}, never came true. The screen:\n{}", emulator.text());
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap()
}

/// The moment all demo screens are drawn at.
pub(crate) fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}
