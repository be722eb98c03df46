//! Models for tests: read from the demo with a clock that stands still, or made by hand.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use outlast::app::{Cmd, Msg, State, Walking};
use outlast::core::habits::{HabitFacts, habits as judged};
use outlast::core::lessons;
use outlast::core::recognise::Profiles;
use outlast::engine::demo::{Demo, DemoDisk, Fixed};
use outlast::model::key::{Key, parse_keys};
use outlast::model::{HabitsView, HelpPage, HelpView, LastBackup, LinkState, Model, Overlay};
use outlast::port::{Disk, Endpoint, Engine, Host, Pace};
use outlast::work::disk::shown;
use outlast::work::{ground, risk};

/// The time in every test: a Monday afternoon.
pub(crate) fn now() -> Timestamp {
    "2026-11-23T14:02:00Z".parse().unwrap()
}

/// A clock that stands still at [`now`].
pub(crate) fn clock() -> Arc<Fixed> {
    Arc::new(Fixed(now()))
}

/// The profiles that are part of the program, none asked for.
pub(crate) fn profiles() -> Profiles {
    let all = outlast::platform::profiles::built_in().unwrap();
    Profiles { all, ..Profiles::default() }
}

/// A screen before anything answered.
pub(crate) fn connecting(columns: u16, rows: u16) -> Model {
    let endpoint =
        Endpoint { id: "docker".into(), title: "Docker".into(), address: "unix:///var/run/docker.sock".into() };
    let mut model = Model::new(endpoint, Arc::new(profiles()), now());
    model.size = (columns, rows);
    model.user = "alice".into();
    model.hostname = "lab01".into();
    model.endpoint.state = LinkState::Connecting { seconds: 3 };
    model
}

/// A screen on an endpoint that answered, without workspaces.
pub(crate) fn live(columns: u16, rows: u16) -> Model {
    let mut model = connecting(columns, rows);
    model.endpoint.state = LinkState::Live;
    model
}

/// The demo on the screen, everything read that is read unasked.
pub(crate) fn demo(columns: u16, rows: u16) -> Model {
    of(&Demo::new(clock()), columns, rows)
}

/// What an engine holds, on the screen, my-project selected where it is there.
///
/// The program's own update makes it, fed with the engine's answers in order.
pub(crate) fn of(engine: &dyn Engine, columns: u16, rows: u16) -> Model {
    let mut state = State::new(live(columns, rows));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let first = [Msg::Connected(engine.probe().await), Msg::Listed(engine.inventory().await)];
        feed(engine, &mut state, first.into()).await;
        let wanted = state.model.workspaces.shown.iter().position(|&index| {
            state.model.rows.get(index).is_some_and(|row| row.workspace.name == "my-project")
        });
        for _ in 0..wanted.unwrap_or(0) {
            state.update(Msg::Key(Key::parse("j").unwrap()));
        }
        // The files at risk are put in order when somebody looks at them.
        let keys = ["2", "1"].map(|tab| Msg::Key(Key::parse(tab).unwrap()));
        feed(engine, &mut state, [Msg::Settled].into_iter().chain(keys).collect()).await;
    });
    state.model
}

/// The demo on the screen after some keys, all that they ask for answered.
pub(crate) fn after(columns: u16, rows: u16, keys: &str) -> Model {
    let engine = Demo::new(clock());
    let mut state = State::new(of(&engine, columns, rows));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let keys = parse_keys(keys).into_iter().map(Msg::Key);
    // One after the other: each answer may decide what the next key means.
    for key in keys {
        runtime.block_on(feed(&engine, &mut state, VecDeque::from([key])));
    }
    state.model
}

/// Takes messages and all that follows from them.
async fn feed(engine: &dyn Engine, state: &mut State, mut queue: VecDeque<Msg>) {
    while let Some(msg) = queue.pop_front() {
        for cmd in state.update(msg) {
            answer(engine, &state.model, cmd, &mut queue).await;
        }
    }
}

async fn answer(engine: &dyn Engine, model: &Model, cmd: Cmd, queue: &mut VecDeque<Msg>) {
    let disk = DemoDisk::new(&*clock());
    let walk = |path: PathBuf| {
        let ended = disk.walk(&path, Pace::Full).map(|walk| (walk.progress(), false, now()));
        Msg::Walk(path, 0, Box::new(Walking::Ended(ended)))
    };
    match cmd {
        Cmd::Queue(paths) => queue.extend(paths.into_iter().map(walk)),
        Cmd::Walk { path, .. } => queue.push_back(walk(path)),
        Cmd::Look(path, asked) => {
            if let Ok(walk) = disk.walk(&path, Pace::Full) {
                let shown = shown(walk.as_ref(), &asked, &people());
                queue.push_back(Msg::Shown(path, Box::new((asked, shown)), Duration::ZERO));
            }
        }
        Cmd::Detail(keys) => {
            for key in keys {
                let workspace = &model.row(&key).unwrap().workspace;
                let grounds = ground::look(engine, &model.profiles, workspace).await;
                let last = backed_up(&workspace.name);
                queue.push_back(Msg::Detailed(key, grounds, last));
            }
        }
        Cmd::Scan { key, asked } => {
            let grounds = model.row(&key).unwrap().grounds().unwrap();
            let risk = risk::read(engine, &key, &grounds, asked, 300, &now(), &mut |_| {}).await;
            queue.push_back(Msg::Scanned(key, 0, risk.map(Arc::new)));
        }
        _ => {}
    }
}

/// When a workspace of the demo was last backed up.
fn backed_up(name: &str) -> LastBackup {
    let ago = |hours: i64| LastBackup::At(now() - jiff::SignedDuration::from_hours(hours));
    match name {
        "my-project" => ago(3 * 24),
        "thesis" => ago(1),
        "llm-finetune" => ago(9 * 24),
        "scratch" => LastBackup::Unknown,
        _ => LastBackup::Never,
    }
}

/// The people of the demo.
fn people() -> Host {
    let users = [(1_001, "alice"), (1_002, "bob"), (1_003, "carol"), (0, "root")];
    Host { users: users.map(|(uid, name)| (uid, name.to_string())).into(), ..Host::default() }
}

/// Help on one of its pages, about the demo's my-project.
pub(crate) fn help(page: HelpPage, scroll: usize) -> Option<Overlay> {
    help_on("my-project", page, scroll)
}

/// Help about one of the demo's workspaces.
pub(crate) fn help_on(name: &str, page: HelpPage, scroll: usize) -> Option<Overlay> {
    let model = demo(80, 24);
    let row = model.rows.iter().find(|row| row.workspace.name == name)?;
    let lessons = lessons::of_workspace(name, &row.classifier()?);
    Some(Overlay::Help(Box::new(HelpView { page, scroll, lessons })))
}

/// Habits of a workspace that nobody has looked at, with the cursor on one of them.
pub(crate) fn habits(cursor: usize) -> Option<Overlay> {
    let facts = HabitFacts { inside: Some("/workspace".into()), ..HabitFacts::not_read(now()) };
    let key = demo(80, 24).rows.first()?.workspace.key.clone();
    let habits = Some(judged(&facts).into());
    Some(Overlay::Habits(Box::new(HabitsView { key, name: "my-project".into(), habits, cursor })))
}
