//! A closer look at one workspace: what its engine says, which platform it is on, which conditions hold.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::lifecycle;
use crate::core::classify::Grounds;
use crate::core::error::Result;
use crate::core::event::Event;
use crate::core::facts::Facts;
use crate::core::fate::{Condition, Verdict};
use crate::core::mount::Measure;
use crate::core::recognise::Profiles;
use crate::core::rules::Rules;
use crate::core::workspace::{Detail, RunState, Workspace};
use crate::port::{Engine, Image};

/// How long a look for a project's Dockerfile may take; on a dead share the answer stays unknown.
const DOCKERFILE_WITHIN: Duration = Duration::from_millis(500);

/// How long measuring a home against its limit may take.
const MEASURED_WITHIN: Duration = Duration::from_secs(2);

/// Looks closer at a workspace.
pub async fn look(engine: &dyn Engine, profiles: &Profiles, workspace: &Workspace) -> Result<Grounds> {
    let detail = engine.detail(&workspace.key).await?;
    let grounds = stand(profiles, workspace, detail).await;
    let timing = Arc::new(lifecycle::timing(engine, &grounds).await);
    Ok(Grounds { timing, ..grounds })
}

/// Everything that follows from what an engine said.
pub async fn stand(profiles: &Profiles, workspace: &Workspace, detail: Detail) -> Grounds {
    let rules = profiles.rules(workspace, Some(&detail));
    stand_under(rules, profiles.home.as_deref(), workspace, detail).await
}

/// The same under rules that are chosen already.
pub async fn stand_under(rules: Rules, home: Option<&Path>, workspace: &Workspace, detail: Detail) -> Grounds {
    let detail = rules.refine(detail);
    let mut facts = facts(workspace, &detail, &rules);
    if rules
        .profile
        .rules
        .iter()
        .any(|rule| rule.conditions.values().any(|condition| *condition == Condition::DockerfilePresent))
    {
        let places = dockerfiles(workspace, &detail, &rules, home);
        facts = facts.with(Condition::DockerfilePresent, any_is_there(places).await);
    }
    Grounds {
        detail: Arc::new(detail),
        rules: Arc::new(rules),
        facts,
        timing: Arc::default(),
        covers: Arc::default(),
    }
}

/// What follows from the engine's word and the site's parameters alone.
fn facts(workspace: &Workspace, detail: &Detail, rules: &Rules) -> Facts {
    let gone = matches!(workspace.state, RunState::Retired) || matches!(detail.state, RunState::Removing);
    let moves = rules.parameters.get("storage").map(|storage| storage != "local-path");
    Facts::default()
        .with(Condition::ContainerExists, Some(!gone))
        .with(Condition::VolumeMoves, moves)
        .with(Condition::VolumeMovesOrBackedUp, moves.filter(|moves| *moves))
}

/// Whether a new container can have the image: not where the engine lists its images without it.
pub fn with_images(facts: Facts, workspace: &Workspace, images: Option<&[Image]>) -> Facts {
    let gone = images
        .zip(workspace.image_id.as_ref())
        .is_some_and(|(images, id)| !images.is_empty() && !images.iter().any(|image| &image.id == id));
    facts.with(Condition::ImageObtainable, gone.then_some(false))
}

/// Where the Dockerfile of a project may lie: in its folder, or among its owner's Dockerfiles.
pub fn dockerfiles(workspace: &Workspace, detail: &Detail, rules: &Rules, home: Option<&Path>) -> Vec<PathBuf> {
    let project = workspace.project.as_deref().unwrap_or(&workspace.name);
    let folder = rules
        .workspace
        .as_deref()
        .and_then(|target| detail.mounts.iter().find(|mount| mount.target == target)?.host_path.clone());
    let owner = workspace.owner.name.as_ref().map(|owner| Path::new("/home").join(owner));
    let mut places: Vec<PathBuf> = folder.iter().map(|folder| folder.join("Dockerfile")).collect();
    for home in owner.iter().map(PathBuf::as_path).chain(home) {
        if !project.contains('/') {
            places.push(home.join("dockerfiles").join(format!("{project}.Dockerfile")));
        }
    }
    places
}

/// Whether a file is at one of these places; `None` where that could not be seen.
async fn any_is_there(places: Vec<PathBuf>) -> Option<bool> {
    let look = tokio::task::spawn_blocking(move || {
        let looks = places.iter().map(|place| match std::fs::symlink_metadata(place) {
            Ok(metadata) => Some(metadata.is_file()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(false),
            Err(_) => None,
        });
        let looks: Vec<Option<bool>> = looks.collect();
        if looks.contains(&Some(true)) {
            return Some(true);
        }
        (!looks.contains(&None)).then_some(false)
    });
    tokio::time::timeout(DOCKERFILE_WITHIN, look).await.ok()?.ok()?
}

/// Whether a workspace is tied to its machine, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// Tied to the machine; `None` where that is not known.
    pub pinned: Option<bool>,
    /// Bytes in the workspace folder, where they were measured.
    pub bytes: Option<u64>,
    /// The most that is backed up.
    pub limit: u64,
}

/// Measures the workspace folder against the platform's limit for backups; `None` where it has none.
pub async fn pinned(engine: &dyn Engine, workspace: &Workspace, grounds: &Grounds) -> Option<Pinned> {
    let limit = grounds.rules.profile.limits.backup_bytes?;
    let folder = grounds.classifier().folder()?;
    if grounds.facts.holds(Condition::VolumeMoves) == Some(true) {
        return Some(Pinned { pinned: Some(false), bytes: None, limit });
    }
    let measure = engine.measure(&workspace.key, folder, MEASURED_WITHIN);
    let measure = tokio::time::timeout(MEASURED_WITHIN, measure).await.ok();
    let (bytes, over) = match measure {
        Some(Measure::Bytes(bytes)) => (Some(bytes), Some(bytes > limit)),
        Some(Measure::AtLeast(bytes)) => (Some(bytes), (bytes > limit).then_some(true)),
        _ => (None, None),
    };
    // Within the limit it moves once it was backed up: to where the loss of this machine does not reach.
    let kept = grounds.classifier().mount(folder).fates.verdict(Event::HostLoss) == Verdict::Kept;
    let pinned = match over {
        Some(false) if !kept => None,
        over => over,
    };
    Some(Pinned { pinned, bytes, limit })
}
