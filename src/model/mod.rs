//! Plain data the screen is drawn from. Changed only by `app::update`; drawn only by `ui`.

pub mod backups;
mod browse;
pub mod cells;
pub mod disk;
pub mod key;
mod lifecycle;
mod list;
mod overlay;
mod rows;
mod tour;

pub use browse::{Browse, BrowseState, EntryKind, FileEntry, FileOrder, PreviewView};
pub use lifecycle::{LifecycleItem, lifecycle_items};
pub use list::List;
pub use overlay::{
    Confirm, ExplainView, FindView, FoundRow, HabitsView, HelpPage, HelpView, JobAct, JobPlan, Overlay,
    PlanState, PlanView,
};
pub use rows::{Fact, FileRef, Group, LastBackup, RiskState, Row, Sort, file_matches};
pub use tour::{Lesson, Tour};

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::core::error::Error;
use crate::core::event::Event;
use crate::core::identity::Viewer;
use crate::core::lifecycle::Lifecycle;
use crate::core::recognise::Profiles;
use crate::core::rules::Rules;
use crate::core::span::Span;
use crate::core::workspace::{RunState, WsKey};
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
    /// The same person, as far as that decides whose workspaces are shown.
    pub viewer: Viewer,
    /// The machine's name.
    pub hostname: String,
    /// The profiles that are known.
    pub profiles: Arc<Profiles>,
    /// The rules that hold where no workspace says otherwise, as for folders of the host.
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
    /// The person's settings name that event, so nothing else changes it.
    pub default_is_set: bool,
    /// How old a last backup may be; `None` is the usual.
    pub overdue_after: Option<Span>,
    /// Folders whose sub-folders are projects.
    pub folder_roots: Vec<PathBuf>,
    /// The engine's images, once known.
    pub images: Option<Vec<Image>>,
    /// All workspaces; `workspaces.shown` picks and orders them.
    pub rows: Vec<Row>,
    /// Workspaces of others, which the viewer is not to see. They are known all the same: what
    /// they mount is no retired folder.
    pub hidden: Vec<Row>,
    /// The list of workspaces.
    pub workspaces: List,
    /// How workspaces are sorted.
    pub sort: Sort,
    /// Files at risk of all workspaces, in order.
    pub files: Vec<FileRef>,
    /// The list of files at risk.
    pub at_risk: List,
    /// Files at risk that are marked, by their workspace.
    pub marked_files: BTreeSet<(WsKey, PathBuf)>,
    /// The disk.
    pub disk: disk::Disk,
    /// Backups.
    pub backups: backups::Backups,
    /// The workspace whose detail is shown; follows the selection after a moment.
    pub detail: Option<WsKey>,
    /// The detail fills the screen and has the keys.
    pub open: bool,
    /// Which page of the detail is shown.
    pub page: Page,
    /// The list on the page of the detail.
    pub detail_list: List,
    /// What the page Lifecycle says of the workspace whose detail is shown, while it is open.
    pub lifecycle: Option<Lifecycle>,
    /// The folder that the page Browse shows; that of the last workspace it was open for.
    pub browse: Option<Browse>,
    /// What lies on top.
    pub overlay: Option<Overlay>,
    /// The line being edited: the filter. `None` while nobody edits.
    pub editing: Option<Editing>,
    /// A message about the last thing that happened; gone with the next key.
    pub notice: Option<Notice>,
    /// The guided tour of the demo; `None` elsewhere, and once it was closed.
    pub tour: Option<Tour>,
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
    /// What takes the space.
    Disk,
    /// Snapshots, jobs, the log.
    Backups,
}

impl Tab {
    /// All tabs in order.
    pub const ALL: [Self; 4] = [Self::Workspaces, Self::AtRisk, Self::Disk, Self::Backups];

    /// The word on the screen.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Workspaces => "Workspaces",
            Self::AtRisk => "At risk",
            Self::Disk => "Disk",
            Self::Backups => "Backups",
        }
    }

    /// The key that leads to it.
    pub const fn key(self) -> char {
        match self {
            Self::Workspaces => '1',
            Self::AtRisk => '2',
            Self::Disk => '3',
            Self::Backups => '5',
        }
    }

    /// The tab some places further, in order: at the end none, or round and round.
    pub fn neighbour(self, forward: bool, round: bool) -> Option<Self> {
        let all = Self::ALL.len();
        let at = Self::ALL.iter().position(|tab| *tab == self)?;
        let to = if forward { at + 1 } else { (at + all).checked_sub(1)? };
        let to = if round {
            to % all
        } else if forward {
            to
        } else {
            at.checked_sub(1)?
        };
        Self::ALL.get(to).copied()
    }
}

/// The pages of a workspace's detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Page {
    /// Its mounts, and what it is made of.
    Paths,
    /// Its files at risk.
    Files,
    /// How long each of its parts lives, and what brings it back.
    Lifecycle,
    /// Its folders and files.
    Browse,
}

impl Page {
    /// All pages in order.
    pub const ALL: [Self; 4] = [Self::Paths, Self::Files, Self::Lifecycle, Self::Browse];

    /// The word on the screen.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Paths => "Paths",
            Self::Files => "Files",
            Self::Lifecycle => "Lifecycle",
            Self::Browse => "Browse",
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
    /// What stands before it, where it is neither.
    pub prompt: Option<&'static str>,
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
        let folder_roots = profiles.roots(&rules.profile);
        // An engine that is reached over a network has its folders elsewhere.
        let shared = endpoint.address.is_empty() || endpoint.address.starts_with("unix:");
        let disk = disk::Disk { shared, ..disk::Disk::default() };
        Self {
            size: (80, 24),
            now,
            user: String::new(),
            viewer: Viewer::default(),
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
            default_is_set: false,
            overdue_after: None,
            folder_roots,
            images: None,
            rows: Vec::new(),
            hidden: Vec::new(),
            workspaces: List::default(),
            sort: Sort::default(),
            files: Vec::new(),
            at_risk: List::default(),
            marked_files: BTreeSet::new(),
            disk,
            backups: backups::Backups::default(),
            detail: None,
            open: false,
            page: Page::Paths,
            detail_list: List::default(),
            lifecycle: None,
            browse: None,
            overlay: None,
            editing: None,
            notice: None,
            tour: None,
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

    /// Every workspace, shown or not.
    pub fn all_rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().chain(&self.hidden)
    }

    /// A workspace by its key, shown or not.
    pub fn row(&self, key: &WsKey) -> Option<&Row> {
        self.all_rows().find(|row| row.workspace.key == *key)
    }

    /// A workspace by its key, shown or not, to change.
    pub fn row_mut(&mut self, key: &WsKey) -> Option<&mut Row> {
        self.rows.iter_mut().chain(&mut self.hidden).find(|row| row.workspace.key == *key)
    }

    /// The rules of all shown workspaces; folders without a container have nothing that gives a platform away.
    pub fn workspace_rules(&self) -> impl Iterator<Item = &Rules> {
        let workspaces = self.rows.iter().filter(|row| row.workspace.state != RunState::Retired);
        workspaces.map(|row| &*row.rules)
    }

    /// Whether the viewer sees a workspace.
    pub fn sees(&self, row: &Row) -> bool {
        self.viewer.sees(&row.workspace.owner, &row.rules.profile)
    }

    /// Whether somebody chose an event: it then stands in the header until Esc.
    pub fn event_chosen(&self) -> bool {
        self.event != self.default_event
    }

    /// Whether Esc has something to go back from: an open detail, a filter, a chosen event.
    pub fn has_a_way_back(&self) -> bool {
        let list = match self.tab {
            Tab::Workspaces => &self.workspaces,
            Tab::AtRisk => &self.at_risk,
            Tab::Disk => &self.disk.list,
            Tab::Backups => self.backups.list(),
        };
        let in_tree = self.tab == Tab::Disk && self.disk.tree.is_some();
        in_tree || self.open || !list.filter.is_empty() || self.event_chosen()
    }

    /// Whether the place of the disk that is looked at is being walked: Esc ends that first.
    pub fn walk_goes_on(&self) -> bool {
        let looked_at = self.disk.tree.as_ref().map(|tree| &tree.root).or_else(|| self.disk.selected());
        let walked = looked_at.filter(|_| self.tab == Tab::Disk).and_then(|root| self.disk.walked(&root.path));
        walked.is_some_and(|walked| walked.reading.is_some())
    }

    /// The detail has at least this many columns beside the list; below, Enter opens it.
    pub const SIDE_BY_SIDE: u16 = 110;

    /// Whether list and detail stand side by side.
    pub fn side_by_side(&self) -> bool {
        self.size.0 >= Self::SIDE_BY_SIDE
    }
}
