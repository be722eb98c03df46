//! Plans that are more than one step: retire, bring back, rescue. Made away from the loop, since each
//! looks at the disk and asks the engine.

use std::path::PathBuf;
use std::sync::Arc;

use super::Ports;
use super::backups::Known;
use super::msg::Whole;
use crate::core::classify::Grounds;
use crate::core::error::{Error, Kind, Result};
use crate::core::plan::Plan;
use crate::core::recognise::Profiles;
use crate::core::rules::Rules;
use crate::core::workspace::Workspace;
use crate::model::LastBackup;
use crate::work::act::{Consent, Runner};
use crate::work::backup::{Chosen, Here, choose, wish};
use crate::work::rescue::Rescuing;
use crate::work::retire::{self, Retiring};
use crate::work::risk;
use crate::work::undo::{self, Undoing};

/// Files that are told apart at most.
const MOST_FILES: usize = 200_000;

/// Makes the plans that are wanted, one for each workspace.
pub(super) async fn plans(
    ports: &Ports,
    profiles: &Profiles,
    known: &Known,
    whose: Vec<(Workspace, Grounds)>,
    wish: Whole,
) -> Result<Vec<Plan>> {
    match wish {
        Whole::Undo(name) => bring_back(ports, profiles, name.as_deref()).await.map(|plan| vec![plan]),
        Whole::Rescue(paths) => {
            let mut plans = Vec::new();
            for (workspace, grounds) in whose {
                let own = paths.iter().filter(|(key, _)| *key == workspace.key);
                let own: Vec<PathBuf> = own.map(|(_, path)| path.clone()).collect();
                plans.push(rescue(ports, &workspace, &grounds, &own).await?);
            }
            Ok(plans)
        }
        Whole::Retire => {
            let mut plans = Vec::new();
            for (workspace, grounds) in whose {
                plans.push(retire(ports, profiles, known, &workspace, grounds).await?);
            }
            Ok(plans)
        }
    }
}

async fn retire(
    ports: &Ports,
    profiles: &Profiles,
    known: &Known,
    workspace: &Workspace,
    mut grounds: Grounds,
) -> Result<Plan> {
    let engine = ports.engine.as_ref();
    let clock = ports.clock.as_ref();
    // What could not be read is in the plan as not known.
    let read = risk::read(engine, &workspace.key, &grounds, true, MOST_FILES, clock, &mut |_| {}).await.ok();
    let last = match known.put_in(&mut grounds, ports, profiles).await {
        LastBackup::At(at) => Some(at),
        LastBackup::Never | LastBackup::Unknown => None,
    };
    let roots = profiles.roots(&grounds.rules.profile);
    let retiring = Retiring {
        engine,
        files: &ports.files,
        host: &ports.host,
        clock,
        repository: repository(ports, profiles, Some(&grounds.rules)).await,
    };
    let wish = retire::Wish::default();
    retiring.plan(workspace, &grounds, read.as_ref(), &roots, last, &wish).await
}

/// The repository that is meant, and whether it is there.
async fn repository(ports: &Ports, profiles: &Profiles, rules: Option<&Rules>) -> Result<(Chosen, bool)> {
    let here = match &ports.machine {
        Some(machine) => Here::look(machine.as_ref(), profiles).await.unwrap_or_else(|_| Here::unknown()),
        None => Here::unknown(),
    };
    let wish = wish(None, None, &ports.backup, rules, &ports.host)?;
    let chosen = choose(&wish, &ports.backup, &here)?;
    let (backups, repository) = (Arc::clone(&ports.backups), chosen.repository.clone());
    let exists = tokio::task::spawn_blocking(move || backups.exists(&repository)).await;
    let exists = exists.map_err(|_| Error::new(Kind::Failed, "looking at the repository ended badly"))??;
    Ok((chosen, exists))
}

async fn bring_back(ports: &Ports, profiles: &Profiles, name: Option<&str>) -> Result<Plan> {
    let store = (ports.store)()?;
    undo::sweep(ports.engine.as_ref(), &store, ports.clock.now()).await;
    let record = undo::find(&store, name)?;
    let in_use = repository(ports, profiles, None).await.ok().map(|(chosen, _)| chosen.repository);
    let undoing =
        Undoing { engine: ports.engine.as_ref(), backups: &ports.backups, clock: ports.clock.as_ref(), in_use };
    undoing.plan(&record).await
}

async fn rescue(ports: &Ports, workspace: &Workspace, grounds: &Grounds, paths: &[PathBuf]) -> Result<Plan> {
    let (engine, clock) = (ports.engine.as_ref(), ports.clock.as_ref());
    let read = if paths.is_empty() {
        Some(risk::read(engine, &workspace.key, grounds, true, MOST_FILES, clock, &mut |_| {}).await?)
    } else {
        None
    };
    let rescuing = Rescuing { engine, files: &ports.files, clock };
    rescuing.plan(workspace, grounds, paths, read.as_ref(), None).await
}

/// Runs plans one after the other; one that fails does not stop the rest.
pub(super) async fn run(
    ports: &Ports,
    profiles: &Profiles,
    plans: Vec<Plan>,
    lose_data: bool,
) -> Vec<(Plan, Result<()>)> {
    let consent = Consent { yes: true, lose_data };
    let mut ran = Vec::new();
    for plan in plans {
        let result = match (ports.store)() {
            Ok(store) => {
                let runner = Runner {
                    engine: ports.engine.as_ref(),
                    files: Arc::clone(&ports.files),
                    store: &store,
                    host: &ports.host,
                    profiles,
                    clock: ports.clock.as_ref(),
                    program: &ports.program,
                    job: Arc::default(),
                };
                runner.run(&plan, consent).await
            }
            Err(error) => Err(error),
        };
        ran.push((plan, result));
    }
    ran
}
