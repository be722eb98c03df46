//! What every verb needs: the engine, the profile, the settings, and names found in the list.

use std::path::PathBuf;
use std::sync::Arc;

use super::args::{EngineChoice, Global, RepositoryArgs};
use super::{Make, Wiring};
use crate::core::classify::Grounds;
use crate::core::error::{Error, Kind, Result};
use crate::core::event::Event;
use crate::core::lessons::with_help;
use crate::core::recognise::{Profiles, first_event};
use crate::core::report::Trouble;
use crate::core::rules::Rules;
use crate::core::workspace::Workspace;
use crate::work::act::Runner;
use crate::work::backup::{Chosen, Covers, Here, Wish, choose, wish};
use crate::work::browse;
use crate::work::gather::{self, Gathered};
use crate::work::space::Asker;
use crate::work::{
    Archives, Backups, Clock, Config, Disk, Engine, FileSystems, Files, Host, Store, ask_for_a_secret, ground,
    somebody_is_there,
};

/// This machine's endpoint.
const MACHINE: &str = "machine";

/// What every verb needs.
pub(super) struct Context<'w> {
    pub(super) engine: Arc<dyn Engine>,
    pub(super) files: Arc<dyn Files>,
    pub(super) file_systems: Arc<dyn FileSystems>,
    pub(super) host: Arc<Host>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) archives: Arc<dyn Archives>,
    pub(super) backups: Arc<dyn Backups>,
    pub(super) program: PathBuf,
    pub(super) profiles: Profiles,
    /// The rules before any workspace is known.
    pub(super) rules: Rules,
    /// Profile files that were refused.
    pub(super) refused: Vec<Error>,
    pub(super) config: Config,
    /// Why the engine that nobody chose may not be used; this machine is looked at in its place.
    pub(super) denied: Option<Denied>,
    /// Whether nobody chose an engine.
    pub(super) best: bool,
    make: Make<'w>,
    covers: tokio::sync::OnceCell<Covers>,
}

/// An engine that may not be used.
pub(super) struct Denied {
    /// What it says.
    pub(super) error: Error,
    /// The same as a part of the answer.
    pub(super) trouble: Trouble,
}

impl<'w> Context<'w> {
    pub(super) fn new(global: &Global, config: Config, wiring: Wiring<'w>) -> Result<Self> {
        let (profiles, refused) = super::profiles_in_force(global, &config, &wiring)?;
        for error in &refused {
            super::warn(&error.message);
        }
        let make = Make { with: wiring.engine, landmarks: profiles.landmarks() };
        let engine = make.engine(global.engine, &wiring.host, &wiring.clock)?;
        Ok(Self {
            engine,
            files: wiring.files,
            file_systems: wiring.file_systems,
            host: wiring.host,
            clock: wiring.clock,
            disk: wiring.disk,
            archives: wiring.archives,
            backups: wiring.backups,
            program: wiring.program,
            covers: tokio::sync::OnceCell::new(),
            rules: profiles.without_workspace(),
            profiles,
            refused,
            config,
            denied: None,
            best: global.engine.is_none(),
            make,
        })
    }

    /// Looks at this machine in place of an engine that nobody chose and that this person may not use.
    pub(super) async fn or_this_machine(&mut self) -> Result<()> {
        if !self.best || self.endpoint() == MACHINE {
            return Ok(());
        }
        match self.engine.probe().await {
            Err(error) if error.kind == Kind::NotPermitted => {
                let error = with_help(error, &self.rules.profile.contacts);
                let trouble = Trouble::new(self.endpoint(), "workspaces", &error);
                self.engine = self.machine()?;
                self.denied = Some(Denied { error, trouble });
                Ok(())
            }
            Err(error) => Err(error),
            Ok(_) => Ok(()),
        }
    }

    /// What plans are run with.
    pub(super) fn runner<'a>(&'a self, store: &'a Store) -> Runner<'a> {
        Runner {
            engine: self.engine.as_ref(),
            files: Arc::clone(&self.files),
            store,
            host: &self.host,
            profiles: &self.profiles,
            clock: self.clock.as_ref(),
            job: Arc::default(),
            program: &self.program,
        }
    }

    /// Says what is missing beside the answer, but nothing twice.
    pub(super) fn warn(&self, troubles: &[Trouble]) {
        let said = self.denied.as_ref().map(|denied| &denied.trouble);
        for trouble in troubles.iter().filter(|trouble| Some(*trouble) != said) {
            super::warn(&format!("{}: {}", trouble.section, trouble.message));
        }
    }

    /// This machine as an engine, whatever engine was chosen.
    pub(super) fn machine(&self) -> Result<Arc<dyn Engine>> {
        self.make.engine(Some(EngineChoice::Machine), &self.host, &self.clock)
    }

    /// Who asks for space and limits, and on whose behalf.
    pub(super) fn asker(&self) -> Result<Asker<'_>> {
        if self.is_playground() {
            return Err(Error::new(Kind::NotSupported, "the playground lies in memory and fills no disk")
                .hint("without `--engine demo` this machine's disks are looked at"));
        }
        let ours = self.engine.shares_our_disk() && self.endpoint() != MACHINE;
        Ok(Asker {
            file_systems: Arc::clone(&self.file_systems),
            host: Arc::clone(&self.host),
            engine: ours.then(|| self.engine.as_ref()),
            roots: self.profiles.roots(&self.rules.profile),
            help: &self.rules.profile.contacts,
        })
    }

    /// Whether this is the playground, which reads no disk.
    pub(super) fn is_playground(&self) -> bool {
        self.endpoint() == "demo"
    }

    /// The endpoint's id.
    pub(super) fn endpoint(&self) -> &str {
        &self.engine.endpoint().id
    }

    /// The event that was asked for, else the one that views of this workspace begin with.
    pub(super) fn event(&self, asked: Option<Event>, rules: Option<&Rules>) -> Event {
        self.event_of(asked, rules.into_iter())
    }

    /// The event that was asked for, else the one that views of these running workspaces begin with.
    pub(super) fn event_of<'r>(&self, asked: Option<Event>, running: impl Iterator<Item = &'r Rules>) -> Event {
        asked.or(self.config.event).unwrap_or_else(|| first_event(running, &self.rules.profile))
    }

    /// The list, with closer looks at those that `wanted` picks.
    pub(super) async fn gather(&self, wanted: impl Fn(&Workspace) -> bool) -> Result<Gathered> {
        let mut list =
            gather::gather(std::slice::from_ref(&self.engine), &self.profiles, &self.host, wanted).await?;
        let now = self.clock.now();
        let covers = self.covers().await;
        for entry in &mut list.entries {
            entry.grounds =
                entry.grounds.take().map(|look| look.map(|grounds| grounds.at(&entry.workspace, now)));
            if let Some(Ok(grounds)) = &mut entry.grounds
                && !covers.is_empty()
            {
                grounds.covers = covers.of(grounds).await;
            }
        }
        list.troubles.splice(0..0, self.denied.as_ref().map(|denied| denied.trouble.clone()));
        Ok(list)
    }

    /// Adds project folders that no container mounts, and says by which rules and in which roots.
    pub(super) fn add_retired(&self, list: &mut Gathered) -> (Rules, Vec<PathBuf>) {
        let standing = self.profiles.standing(list.rules());
        gather::add_retired(list, &self.profiles, &standing, self.engine.endpoint(), &self.host);
        let roots = self.profiles.roots(&standing.profile);
        (standing, roots)
    }

    /// Adds this machine itself to a list, where nobody chose to look elsewhere.
    pub(super) async fn add_this_machine(&self, list: &mut Gathered) {
        if !self.best || self.endpoint() == MACHINE {
            return;
        }
        let machine = match self.machine() {
            Ok(machine) => gather::gather(&[machine], &self.profiles, &self.host, |_| true).await,
            Err(error) => Err(error),
        };
        match machine {
            Ok(machine) => {
                list.entries.extend(machine.entries);
                list.troubles.extend(machine.troubles);
            }
            Err(error) => list.troubles.push(Trouble::new(MACHINE, "workspaces", &error)),
        }
    }

    /// The one workspace that a name means, looked at closely.
    pub(super) async fn named(&self, name: &str) -> Result<(Workspace, Grounds, Gathered)> {
        let list = self.gather(|_| false).await?;
        let workspace = match (list.find(name), &self.denied) {
            (Ok(entry), _) => entry.workspace.clone(),
            // It may well be there, behind the engine.
            (Err(_), Some(denied)) => return Err(denied.error.clone()),
            (Err(error), None) => return Err(error),
        };
        let grounds = ground::look(self.engine.as_ref(), &self.profiles, &workspace).await?;
        let mut grounds = grounds.at(&workspace, self.clock.now());
        let images = list.images.get(&workspace.key.endpoint).map(Vec::as_slice);
        grounds.facts = ground::with_images(grounds.facts, &workspace, images);
        let covers = self.covers().await;
        if !covers.is_empty() {
            grounds.covers = covers.of(&grounds).await;
        }
        Ok((workspace, grounds, list))
    }

    /// What is known of backups. Looks at nothing where none was ever made here.
    pub(super) async fn covers(&self) -> &Covers {
        let read = || async {
            let store = if self.is_playground() { None } else { Store::existing(&self.host).ok().flatten() };
            let machine = store.as_ref().and_then(|_| self.machine().ok());
            let in_use = std::env::var("OUTLAST_REPOSITORY").ok();
            let wish = Wish { repository: in_use, password_file: None };
            let in_use = choose(&wish, &self.config.backup, &Here::unknown()).ok();
            Covers::read(
                store.as_ref(),
                machine.as_deref(),
                &self.profiles,
                &self.host,
                &self.backups,
                in_use.map(|chosen| chosen.repository),
                self.config.backup.key_elsewhere,
            )
            .await
        };
        self.covers.get_or_init(read).await
    }

    /// The repository that is meant: the one named here, in the settings, by an administrator, or the
    /// person's own.
    pub(super) async fn repository(&self, args: &RepositoryArgs) -> Result<Chosen> {
        self.repository_in(args, &self.rules).await
    }

    /// The same under the rules of one workspace.
    pub(super) async fn repository_in(&self, args: &RepositoryArgs, rules: &Rules) -> Result<Chosen> {
        let (repository, file) = (args.repository.clone(), args.password_file.clone());
        let wish = wish(repository, file, &self.config.backup, Some(rules), &self.host)?;
        let machine = self.machine()?;
        let here = Here::look(machine.as_ref(), &self.profiles).await.unwrap_or_else(|_| Here::unknown());
        let chosen = choose(&wish, &self.config.backup, &here)?;
        self.unlocked(chosen).await
    }

    /// The repository with a password: asked for where it needs one that nobody named and somebody is there.
    async fn unlocked(&self, chosen: Chosen) -> Result<Chosen> {
        if !chosen.own_key || chosen.repository.key.exists() {
            return Ok(chosen);
        }
        let (backups, repository) = (Arc::clone(&self.backups), chosen.repository.clone());
        let there = tokio::task::spawn_blocking(move || backups.exists(&repository)).await;
        // Who opens it says what is wrong with it.
        if !matches!(there, Ok(Ok(true))) {
            return Ok(chosen);
        }
        let shown = crate::text::printable(&chosen.repository.url).into_owned();
        if !somebody_is_there() {
            return Err(Error::new(
                Kind::Config,
                format!("the repository {shown} needs a password, and nobody said which file holds it"),
            )
            .hint("OUTLAST_PASSWORD_FILE, or `--password-file`, names the file")
            .hint("for good: password_file = \"FILE\" below [backup] in the settings")
            .hint("on a terminal you are asked for the password itself"));
        }
        let password = ask_for_a_secret(&format!("password of the repository {shown}"))?;
        let repository = chosen.repository.with_password(password);
        Ok(Chosen { repository, ..chosen })
    }

    /// A path a person typed: `~` is their home, a relative one counts from where they are.
    pub(super) fn host_path(&self, typed: &std::path::Path) -> Result<PathBuf> {
        browse::host_path(typed, self.host.home.as_deref())
    }
}
