//! Plain data the screen is drawn from. Changed only by `app::update`; drawn only by `ui`.

pub mod cells;
pub mod key;
mod list;
mod overlay;
mod rows;

pub use list::List;
pub use overlay::{Confirm, ExplainView, FindView, FoundRow, Overlay, PlanState, PlanView};
pub use rows::{Fact, FileRef, Group, RiskState, Row, Sort, file_matches};

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::core::error::Error;
use crate::core::event::Event;
use crate::core::recognise::Profiles;
use crate::core::rules::Rules;
use crate::core::workspace::WsKey;
use crate::port::{Can, Capabilities, Endpoint, Image, Right};

/// Everything on the screen.
#[derive(Clone, Debug)]
pub struct Model {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The time that ages are counted from; moves at most once a minute while nothing else happens.
    pub now: Timestamp,
    /// Who looks: the user's name.
    pub user: String,
    /// The machine's name.
    pub hostname: String,
    /// The profiles that are known.
    pub profiles: Arc<Profiles>,
    /// The rules that hold where no workspace says otherwise: the header names them.
    pub rules: Arc<Rules>,
    /// Where workspaces come from, and how that stands.
    pub endpoint: Link,
    /// One line that stays, such as how to reach an engine.
    pub hint: Option<String>,
    /// Which tab is shown.
    pub tab: Tab,
    /// The event that fates are shown for.
    pub event: Event,
    /// The event shown when nobody chose one.
    pub default_event: Event,
    /// Folders whose sub-folders are projects.
    pub folder_roots: Vec<PathBuf>,
    /// The engine's images, once known.
    pub images: Option<Vec<Image>>,
    /// All workspaces; `workspaces.shown` picks and orders them.
    pub rows: Vec<Row>,
    /// The list of workspaces.
    pub workspaces: List,
    /// How workspaces are sorted.
    pub sort: Sort,
    /// Files at risk of all workspaces, in order.
    pub files: Vec<FileRef>,
    /// The list of files at risk.
    pub at_risk: List,
    /// The workspace whose detail is shown; follows the selection after a moment.
    pub detail: Option<WsKey>,
    /// The detail fills the screen and has the keys.
    pub open: bool,
    /// Which page of the detail is shown.
    pub page: Page,
    /// The list on the page of the detail.
    pub detail_list: List,
    /// What lies on top.
    pub overlay: Option<Overlay>,
    /// The line being edited: the filter. `None` while nobody edits.
    pub editing: Option<Editing>,
    /// A message about the last thing that happened; gone with the next key.
    pub notice: Option<Notice>,
}

/// How things stand with an endpoint.
#[derive(Clone, Debug)]
pub struct Link {
    /// Where it is.
    pub endpoint: Endpoint,
    /// How it stands.
    pub state: LinkState,
    /// Product and version, once known.
    pub product: Option<String>,
    /// What it can do, once known.
    pub capabilities: Capabilities,
}

impl Link {
    /// Whether anything can be stopped and started here.
    pub fn can_run(&self) -> bool {
        self.capabilities.can(Right::Run) == Can::Yes
    }
}

/// The state of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Not answered yet; `seconds` since the first try.
    Connecting {
        /// Whole seconds waited so far.
        seconds: u64,
    },
    /// It answers.
    Live,
    /// It went away; what is shown is old.
    Lost {
        /// Why.
        error: Error,
        /// When it was last heard of.
        since: Timestamp,
    },
}

/// The tabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tab {
    /// Workspaces and their detail.
    Workspaces,
    /// Files at risk of all workspaces.
    AtRisk,
}

impl Tab {
    /// All tabs in order.
    pub const ALL: [Self; 2] = [Self::Workspaces, Self::AtRisk];

    /// The word on the screen.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Workspaces => "Workspaces",
            Self::AtRisk => "At risk",
        }
    }
}

/// The pages of a workspace's detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Page {
    /// Its mounts, and what it is made of.
    Paths,
    /// Its files at risk.
    Files,
}

impl Page {
    /// All pages in order.
    pub const ALL: [Self; 2] = [Self::Paths, Self::Files];

    /// The word on the screen.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Paths => "Paths",
            Self::Files => "Files",
        }
    }
}

/// A line being edited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Editing {
    /// The text so far.
    pub text: String,
    /// Where the cursor stands, in characters.
    pub cursor: usize,
    /// It is the name of a file to find, and not the filter.
    pub find: bool,
}

/// A message about the last thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What happened.
    pub text: String,
    /// Whether it went wrong.
    pub bad: bool,
}

impl Notice {
    /// Something went well.
    pub fn good(text: impl Into<String>) -> Self {
        Self { text: text.into(), bad: false }
    }

    /// Something went wrong.
    pub fn bad(text: impl Into<String>) -> Self {
        Self { text: text.into(), bad: true }
    }
}

impl Model {
    /// The first frame: nothing is known yet but where to ask.
    pub fn new(endpoint: Endpoint, profiles: Arc<Profiles>, now: Timestamp) -> Self {
        let rules = Arc::new(profiles.without_workspace());
        let default_event = rules.profile.default_event();
        Self {
            size: (80, 24),
            now,
            user: String::new(),
            hostname: String::new(),
            profiles,
            rules,
            endpoint: Link {
                endpoint,
                state: LinkState::Connecting { seconds: 0 },
                product: None,
                capabilities: Capabilities::default(),
            },
            hint: None,
            tab: Tab::Workspaces,
            event: default_event,
            default_event,
            folder_roots: Vec::new(),
            images: None,
            rows: Vec::new(),
            workspaces: List::default(),
            sort: Sort::default(),
            files: Vec::new(),
            at_risk: List::default(),
            detail: None,
            open: false,
            page: Page::Paths,
            detail_list: List::default(),
            overlay: None,
            editing: None,
            notice: None,
        }
    }

    /// The selected workspace.
    pub fn selected(&self) -> Option<&Row> {
        self.workspaces.selected_item().and_then(|index| self.rows.get(index))
    }

    /// The workspace whose detail is shown.
    pub fn detailed(&self) -> Option<&Row> {
        self.detail.as_ref().and_then(|key| self.row(key))
    }

    /// A workspace by its key.
    pub fn row(&self, key: &WsKey) -> Option<&Row> {
        self.rows.iter().find(|row| row.workspace.key == *key)
    }

    /// A workspace by its key, to change.
    pub fn row_mut(&mut self, key: &WsKey) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.workspace.key == *key)
    }

    /// Whether somebody chose an event: it then stands in the header until Esc.
    pub fn event_chosen(&self) -> bool {
        self.event != self.default_event
    }

    /// The detail has at least this many columns beside the list; below, Enter opens it.
    pub const SIDE_BY_SIDE: u16 = 110;

    /// Whether list and detail stand side by side.
    pub fn side_by_side(&self) -> bool {
        self.size.0 >= Self::SIDE_BY_SIDE
    }
}
