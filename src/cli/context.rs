//! What every verb needs: the engine, the profile, the settings, and names found in the list.

use std::path::PathBuf;
use std::sync::Arc;

use super::args::{EngineChoice, Global};
use super::{MakeEngine, Wiring};
use crate::core::error::{Error, Kind, Result};
use crate::core::event::Event;
use crate::core::profile::Profile;
use crate::core::workspace::{Detail, Workspace};
use crate::work::gather::{self, Gathered};
use crate::work::{Clock, Config, Engine, Host, first_event, roots};

/// What every verb needs.
pub(super) struct Context<'w> {
    pub(super) engine: Arc<dyn Engine>,
    pub(super) host: Arc<Host>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) profile: Profile,
    pub(super) config: Config,
    make: &'w MakeEngine,
}

impl<'w> Context<'w> {
    pub(super) fn new(global: &Global, config: Config, wiring: Wiring<'w>) -> Result<Self> {
        let profile = (wiring.profile)(global.profile.as_deref())?;
        let engine = (wiring.engine)(global.engine, &wiring.host, &wiring.clock)?;
        Ok(Self { engine, host: wiring.host, clock: wiring.clock, profile, config, make: wiring.engine })
    }

    /// This machine as an engine, whatever engine was chosen.
    pub(super) fn machine(&self) -> Result<Arc<dyn Engine>> {
        (self.make)(Some(EngineChoice::Machine), &self.host, &self.clock)
    }

    /// The endpoint's id.
    pub(super) fn endpoint(&self) -> &str {
        &self.engine.endpoint().id
    }

    /// The folder roots in force.
    pub(super) fn roots(&self) -> Vec<PathBuf> {
        roots(&self.profile, &self.config, &self.host)
    }

    /// The event that was asked for, else the one that views begin with.
    pub(super) fn event(&self, asked: Option<Event>) -> Event {
        asked.unwrap_or_else(|| first_event(&self.profile, &self.config))
    }

    /// The list, with closer looks at those that `wanted` picks.
    pub(super) async fn gather(&self, wanted: impl Fn(&Workspace) -> bool) -> Result<Gathered> {
        gather::gather(std::slice::from_ref(&self.engine), &self.host, wanted).await
    }

    /// The one workspace that a name means, looked at closely.
    pub(super) async fn named(&self, name: &str) -> Result<(Workspace, Arc<Detail>, Gathered)> {
        let list = self.gather(|_| false).await?;
        let workspace = list.find(name)?.workspace.clone();
        let detail = self.engine.detail(&workspace.key).await?;
        Ok((workspace, Arc::new(detail), list))
    }

    /// A path a person typed: `~` is their home, a relative one counts from where they are.
    pub(super) fn host_path(&self, typed: &std::path::Path) -> Result<PathBuf> {
        let rest = typed.strip_prefix("~");
        let absolute = match (rest, &self.host.home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => std::path::absolute(typed)
                .map_err(|error| Error::new(Kind::Usage, format!("{}: {error}", typed.display())))?,
        };
        Ok(crate::core::path::normal(&absolute))
    }
}
