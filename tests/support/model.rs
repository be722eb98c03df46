//! Models for tests: read from the demo with a clock that stands still, or made by hand.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use outlast::app::{Cmd, Msg, State};
use outlast::core::habits::{HabitFacts, habits as judged};
use outlast::core::lessons;
use outlast::core::recognise::Profiles;
use outlast::engine::demo::{Demo, Fixed};
use outlast::model::key::Key;
use outlast::model::{HabitsView, HelpPage, HelpView, LinkState, Model, Overlay};
use outlast::port::{Endpoint, Engine};
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
        let mut queue =
            VecDeque::from([Msg::Connected(engine.probe().await), Msg::Listed(engine.inventory().await)]);
        while let Some(msg) = queue.pop_front() {
            for cmd in state.update(msg) {
                answer(engine, &state.model, cmd, &mut queue).await;
            }
        }
    });
    let wanted =
        state.model.workspaces.shown.iter().position(|&index| {
            state.model.rows.get(index).is_some_and(|row| row.workspace.name == "my-project")
        });
    for _ in 0..wanted.unwrap_or(0) {
        state.update(Msg::Key(Key::parse("j").unwrap()));
    }
    state.update(Msg::Settled);
    // The files at risk are put in order when somebody looks at them.
    for tab in ["2", "1"] {
        state.update(Msg::Key(Key::parse(tab).unwrap()));
    }
    state.model
}

async fn answer(engine: &dyn Engine, model: &Model, cmd: Cmd, queue: &mut VecDeque<Msg>) {
    match cmd {
        Cmd::Detail(keys) => {
            for key in keys {
                let workspace = &model.row(&key).unwrap().workspace;
                let grounds = ground::look(engine, &model.profiles, workspace).await;
                queue.push_back(Msg::Detailed(key, grounds));
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
