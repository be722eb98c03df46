//! One session on the terminal: from the first byte to the words left on the normal screen.

use std::io::IsTerminal as _;
use std::sync::Arc;

use super::{Ended, Ports, Start, run};
use crate::core::error::{Error, Kind, Result};
use crate::core::event::Event;
use crate::core::lessons::with_help;
use crate::core::recognise::Profiles;
use crate::core::span::Span;
use crate::model::{LinkState, Model, Notice, Tour};
use crate::port::Engine;
use crate::term::{self, ColorChoice, Colors, Screen};
use crate::ui::Theme;
use crate::work;

/// What a session is opened with.
pub struct Session {
    /// The world.
    pub ports: Ports,
    /// What is shown instead where the engine, which nobody chose, may not be used.
    pub fallback: Option<Arc<dyn Engine>>,
    /// The profiles in force.
    pub profiles: Arc<Profiles>,
    /// The event shown when nobody chose one; `None` is what the platforms make of it.
    pub event: Option<Event>,
    /// How old a last backup may be; `None` is the usual.
    pub overdue_after: Option<Span>,
    /// One line that stays, such as how to reach an engine.
    pub hint: Option<String>,
    /// Something to say at the start, such as a damaged configuration.
    pub notice: Option<String>,
    /// Begin with the guided tour.
    pub tour: bool,
    /// Draw with ASCII alone, whatever the locale says.
    pub ascii: bool,
    /// Which colours.
    pub color: ColorChoice,
    /// For a light background.
    pub light: bool,
}

/// Opens the dashboard and returns the exit code.
///
/// # Errors
/// Before the terminal is touched: no full screen is possible here. Afterwards:
/// the engine never answered; the message belongs on the normal screen.
pub async fn open(mut session: Session) -> Result<u8> {
    let env = |name: &str| std::env::var(name).ok();
    let (stdin, stdout) = (std::io::stdin().is_terminal(), std::io::stdout().is_terminal());
    let caps = term::caps::detect(&env, stdin, stdout, session.ascii, session.color)?;
    // All themes use the names of the person's own palette: more colours change nothing.
    let theme = match caps.colors {
        Colors::None => Theme::mono(),
        _ if session.light => Theme::light(),
        _ => Theme::dark(),
    };
    let theme = if caps.unicode { theme } else { theme.ascii() };
    let mut screen = Screen::on_terminal(caps).map_err(|error| no_terminal(&error))?;
    term::guard::install_panic_hook();
    screen.enter().map_err(|error| no_terminal(&error))?;
    let mut inputs = term::inputs();
    let model = first_model(&session, screen.size());
    let mut ended = run(&mut inputs, &mut screen, session.ports.clone(), Start { model, theme }).await;
    if let (Err(error), Some(engine)) = (&ended, session.fallback.take())
        && error.kind == Kind::NotPermitted
    {
        // Nobody chose this engine, so being shut out of it is no reason to show nothing.
        let rules = session.profiles.without_workspace();
        // The line that stays is short: the first who helps is named.
        let first = rules.profile.contacts.get(..1).unwrap_or_default();
        let error = with_help(error.clone(), first);
        let says: Vec<&str> = [&error.message].into_iter().chain(&error.hints).map(String::as_str).collect();
        session.hint = Some(says.join("; "));
        session.ports.engine = engine;
        let model = first_model(&session, screen.size());
        ended = run(&mut inputs, &mut screen, session.ports.clone(), Start { model, theme }).await;
    }
    screen.leave();
    let (ended, model) = ended?;
    match ended {
        Ended::Signal(signal) => Ok(term::exit_code(signal)),
        // Nobody is left to read anything.
        Ended::Gone => Ok(129),
        Ended::Quit => never_answered(model.endpoint.state, &model.endpoint.endpoint.address),
    }
}

/// What the first frame shows.
fn first_model(session: &Session, size: (u16, u16)) -> Model {
    let ports = &session.ports;
    let mut model =
        Model::new(ports.engine.endpoint().clone(), Arc::clone(&session.profiles), ports.clock.now());
    model.size = size;
    model.user = ports.host.user.clone().unwrap_or_else(|| ports.host.uid.to_string());
    model.hostname.clone_from(&ports.host.hostname);
    model.viewer = work::viewer(&ports.host, &session.profiles, ports.engine.endpoint());
    // The people of the demo have homes of their own.
    model.disk.home = ports.host.home.clone().filter(|_| ports.machine.is_some());
    model.overdue_after = session.overdue_after;
    model.hint.clone_from(&session.hint);
    model.notice = session.notice.clone().map(Notice::bad);
    model.tour = session.tour.then(Tour::default);
    if let Some(event) = session.event {
        model.event = event;
        model.default_event = event;
        model.default_is_set = true;
    }
    model
}

/// What must be said on the normal screen: the engine never answered, or no longer does.
fn never_answered(state: LinkState, address: &str) -> Result<u8> {
    match state {
        LinkState::Live => Ok(0),
        LinkState::Lost { error, .. } => Err(error),
        LinkState::Connecting { seconds } => {
            Err(Error::new(Kind::TimedOut, format!("{address} did not answer in {seconds} s"))
                .hint("`outlast --engine machine` looks at this machine without an engine"))
        }
    }
}

fn no_terminal(error: &std::io::Error) -> Error {
    Error::new(Kind::Usage, format!("the terminal cannot be used: {error}"))
        .hint("`outlast ls` and `outlast risk` need none")
}
