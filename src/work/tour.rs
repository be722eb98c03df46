//! The tour: one file saved in two places of a throw-away workspace, what is predicted, and what is left.
//!
//! The steps are data, with the command a person would type for each. What the
//! tour made is found again by its mark, so that it is cleared away also after
//! an error, and by the next tour after a crash.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::explain::{explain, quote};
use super::ground;
use crate::core::classify::Grounds;
use crate::core::error::{Error, Kind, Result};
use crate::core::event::Event;
use crate::core::fate::Verdict;
use crate::core::recognise::Profiles;
use crate::core::rules::Rules;
use crate::core::workspace::Workspace;
use crate::platform::process;
use crate::port::{Blueprint, Clock, Engine, Host, Part, PartKind, PathKind, Sandbox};
use crate::store;
use crate::text::{printable, printable_path};

/// The folder that is mounted, where the platform names none.
const TARGET: &str = "/workspace";
/// A folder of the writable layer, and another one where the first is not in it.
const LAYER: [&str; 2] = ["/tmp", "/root"];
/// The file's name.
const FILE: &str = "notes.txt";
/// What is in it.
const TEXT: &str = "Is this still here tomorrow?\n";
/// How old leftovers of processes that cannot be judged from here must be.
const OLD: SignedDuration = SignedDuration::from_hours(24);

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Makes the image.
    Image,
    /// Makes the folder on the host.
    Folder,
    /// Makes the container.
    Container,
    /// Saves the file in both places.
    Save,
    /// Says what will become of them.
    Predict,
    /// Removes the container.
    Retire,
    /// Makes a new container and looks for both files.
    Look,
    /// Clears everything away.
    Clear,
}

/// One step of the tour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What it does.
    pub step: Act,
    /// What it does and what that means, for people.
    pub says: String,
    /// What a person would type for it.
    pub commands: Vec<String>,
    /// What came of it; `null` until it is done.
    pub result: Option<Vec<String>>,
}

/// The two files, by what becomes of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Split {
    /// Those that are kept.
    pub kept: Vec<String>,
    /// Those that are lost.
    pub lost: Vec<String>,
}

/// A tour on one engine.
pub struct Tour<'t> {
    engine: &'t dyn Engine,
    sandbox: &'t dyn Sandbox,
    profiles: &'t Profiles,
    clock: &'t dyn Clock,
    blueprint: Blueprint,
    /// The viewer's home, written as `~`.
    home: Option<PathBuf>,
    /// Folders above that of the tour which were not there before it.
    missing: Vec<PathBuf>,
    /// What was begun to be made, by name.
    begun: Vec<String>,
    /// What was predicted, once it was.
    pub predicted: Option<Split>,
    /// What was found after the container was removed.
    pub found: Option<Split>,
}

impl<'t> Tour<'t> {
    /// A tour that has made nothing yet. `rules` say which folder is meant to be kept.
    pub fn new(
        engine: &'t dyn Engine,
        profiles: &'t Profiles,
        rules: &Rules,
        host: &Host,
        clock: &'t dyn Clock,
    ) -> Result<Self> {
        let sandbox = engine.sandbox().ok_or_else(|| {
            Error::new(Kind::Unreachable, "the tour makes a container, and no engine is here to make it")
                .hint("`outlast --engine demo tour` shows it in memory")
                .hint("start Docker or Podman, or set DOCKER_HOST to its socket")
        })?;
        let folders = store::tours()?;
        let missing = folders.ancestors().take_while(|path| !path.exists()).map(Path::to_path_buf).collect();
        let target = rules.workspace.clone().unwrap_or_else(|| TARGET.into());
        let blueprint = Blueprint { owner: process::own(), folders, target };
        let home = host.home.clone();
        let (begun, predicted, found) = (Vec::new(), None, None);
        Ok(Self { engine, sandbox, profiles, clock, blueprint, home, missing, begun, predicted, found })
    }

    /// The two places: the one that is meant to be kept first.
    fn places(&self) -> [PathBuf; 2] {
        let target = &self.blueprint.target;
        let layer = if Path::new(LAYER[0]).starts_with(target) { LAYER[1] } else { LAYER[0] };
        [target.join(FILE), Path::new(layer).join(FILE)]
    }

    /// All steps, none of them done.
    pub fn steps(&self) -> Vec<Step> {
        let (name, image) = (self.blueprint.name(), self.blueprint.image());
        let folder = self.folder();
        let target = printable_path(&self.blueprint.target);
        let quoted = |path: &Path| quote(path).unwrap_or_else(|| "FILE".into());
        let mount = quoted(&self.blueprint.target);
        let create = vec![
            format!("docker create --name {name} \\"),
            format!("  -v {folder}:{mount} \\"),
            format!("  {image} true"),
        ];
        let [kept, lost] = self.places();
        let inside = |path: &Path| quoted(Path::new(&format!("{name}:{}", path.to_string_lossy())));
        let each =
            |before: &str, after: &str| [&kept, &lost].map(|path| format!("{before}{}{after}", inside(path)));
        let explains = each("outlast explain ", " \\").map(|line| [line, "  --event retire".into()]);
        let step = |step, says: String, commands| Step { step, says, commands, result: None };
        vec![
            step(
                Act::Image,
                "An image is what containers start from: files that never change. This one holds a few \
                 empty folders and is made right here. Nothing is downloaded."
                    .into(),
                vec![format!("tar -C FOLDERS -c . | docker import - {image}")],
            ),
            step(
                Act::Folder,
                "A folder of this machine. It does not belong to any container.".into(),
                vec![format!("mkdir -p {folder}")],
            ),
            step(
                Act::Container,
                format!(
                    "A container is made from the image. The folder is mounted into it as {target}. All \
                     other places in it are its writable layer, which is the container's own."
                ),
                create.clone(),
            ),
            step(
                Act::Save,
                "The same file is saved twice: in the mounted folder, and in the writable layer.".into(),
                each(&format!("docker cp {FILE} "), "").to_vec(),
            ),
            step(
                Act::Predict,
                "What becomes of them if the container is retired, which means removed?".into(),
                explains.concat(),
            ),
            step(
                Act::Retire,
                "The container is removed. The folder and the image stay.".into(),
                vec![format!("docker rm {name}")],
            ),
            step(
                Act::Look,
                "A new container takes its place: the same image, the same folder. Are the files there?".into(),
                [create, each("docker cp ", " -").to_vec()].concat(),
            ),
            step(
                Act::Clear,
                "The tour clears away what it made.".into(),
                vec![format!("docker rm {name}"), format!("docker rmi {image}"), format!("rm -r {folder}")],
            ),
        ]
    }

    /// The folder on the host as one would type it.
    fn folder(&self) -> String {
        let folder = self.blueprint.folder();
        let short = self.home.as_ref().and_then(|home| folder.strip_prefix(home).ok()).and_then(quote);
        match short {
            Some(rest) => format!("~/{rest}"),
            None => quote(&folder).unwrap_or_else(|| "FOLDER".into()),
        }
    }

    /// Removes what earlier tours left that are over. First contact with the engine.
    pub async fn sweep(&self) -> Result<Vec<String>> {
        let now = self.clock.now();
        let parts = self.sandbox.parts(&self.blueprint.folders).await?;
        let over: Vec<Part> = parts.into_iter().filter(|part| is_over(part, now)).collect();
        let left = self.discard(&over).await;
        Ok(over.into_iter().map(|part| part.name).filter(|name| !left.contains(name)).collect())
    }

    /// Does one step; says what came of it.
    pub async fn perform(&mut self, act: Act) -> Result<Vec<String>> {
        match act {
            Act::Image => self.make(PartKind::Image, self.blueprint.image()).await,
            Act::Folder => {
                let name = self.blueprint.folder().to_string_lossy().into_owned();
                self.make(PartKind::Folder, name).await
            }
            Act::Container => self.make(PartKind::Workspace, self.blueprint.name()).await,
            Act::Save => {
                for path in self.places() {
                    self.sandbox.save(&self.blueprint, &path, TEXT).await?;
                }
                Ok(Vec::new())
            }
            Act::Predict => self.predict().await,
            Act::Retire => {
                let containers = self.own().await?.into_iter();
                for part in containers.filter(|part| part.kind == PartKind::Workspace) {
                    self.sandbox.discard(&self.blueprint.folders, &part).await?;
                }
                Ok(Vec::new())
            }
            Act::Look => {
                self.make(PartKind::Workspace, self.blueprint.name()).await?;
                self.look().await
            }
            Act::Clear => Ok(self.clear().await),
        }
    }

    /// Whether nothing was found that contradicts the prediction; not before both are known.
    pub fn as_predicted(&self) -> bool {
        let (Some(predicted), Some(found)) = (&self.predicted, &self.found) else { return false };
        let none_of =
            |found: &[String], predicted: &[String]| !found.iter().any(|path| predicted.contains(path));
        none_of(&found.kept, &predicted.lost) && none_of(&found.lost, &predicted.kept)
    }

    async fn make(&mut self, part: PartKind, name: String) -> Result<Vec<String>> {
        // Noted first: a call that fails may have made it all the same.
        if !self.begun.contains(&name) {
            self.begun.push(name);
        }
        self.sandbox.make(part, &self.blueprint).await?;
        Ok(Vec::new())
    }

    async fn predict(&mut self) -> Result<Vec<String>> {
        let (workspace, grounds) = self.container().await?;
        let (mut split, mut lines) = (Split::default(), Vec::new());
        for path in self.places() {
            let answer = explain(self.engine, &workspace, &grounds, &path).await?;
            let shown = printable_path(&path);
            if answer.kind != PathKind::File {
                return Err(Error::new(Kind::Failed, format!("{shown} was saved, but it is not there")));
            }
            let fate = answer.fates.of(Event::Retire);
            match fate.verdict() {
                Verdict::Kept => split.kept.push(path.to_string_lossy().into_owned()),
                Verdict::Lost => split.lost.push(path.to_string_lossy().into_owned()),
                _ => {}
            }
            lines.push(format!("{shown}: {}", fate.verdict().words()));
            lines.push(format!("  {}", printable(&fate.reason)));
        }
        self.predicted = Some(split);
        Ok(lines)
    }

    async fn look(&mut self) -> Result<Vec<String>> {
        let (workspace, grounds) = self.container().await?;
        let predicted = self.predicted.clone().unwrap_or_default();
        let (mut split, mut lines) = (Split::default(), Vec::new());
        for path in self.places() {
            let text = path.to_string_lossy().into_owned();
            let look = self.engine.look(&workspace.key, &grounds.detail, &path).await?;
            let (found, list, as_said, otherwise) = match look.kind {
                PathKind::Unknown => {
                    return Err(Error::new(Kind::Failed, format!("{text} could not be looked for")));
                }
                PathKind::Absent => ("gone", &mut split.lost, &predicted.lost, &predicted.kept),
                _ => ("still there", &mut split.kept, &predicted.kept, &predicted.lost),
            };
            // A prediction with a condition is neither.
            let compared = match (as_said.contains(&text), otherwise.contains(&text)) {
                (true, _) => ", as predicted",
                (_, true) => ", not as predicted",
                (false, false) => "",
            };
            lines.push(format!("{}: {found}{compared}", printable_path(&path)));
            list.push(text);
        }
        self.found = Some(split);
        Ok(lines)
    }

    /// The container, as the classifier needs it.
    async fn container(&self) -> Result<(Workspace, Grounds)> {
        let name = self.blueprint.name();
        let workspaces = self.engine.inventory().await?.workspaces;
        let own = |workspace: &Workspace| workspace.container.as_ref() == Some(&name);
        let workspace = workspaces
            .into_iter()
            .find(own)
            .ok_or_else(|| Error::new(Kind::NotFound, format!("the container {name} is gone")))?;
        let grounds = ground::look(self.engine, self.profiles, &workspace).await?;
        Ok((workspace, grounds))
    }

    /// Clears everything away that this tour made; names what is left all the same.
    pub async fn clear(&mut self) -> Vec<String> {
        let left = match self.own().await {
            Ok(parts) => match self.discard(&parts).await {
                none if none.is_empty() => none,
                // Somebody else may have removed it meanwhile.
                some => {
                    self.own().await.map_or(some, |parts| parts.into_iter().map(|part| part.name).collect())
                }
            },
            Err(_) => self.begun.clone(),
        };
        for folder in &self.missing {
            // Where somebody put something into it, it stays.
            let _ = std::fs::remove_dir(folder);
        }
        left
    }

    /// What is there of this tour.
    async fn own(&self) -> Result<Vec<Part>> {
        let mut parts = self.sandbox.parts(&self.blueprint.folders).await?;
        parts.retain(|part| part.owner == self.blueprint.owner);
        Ok(parts)
    }

    /// Removes parts, containers first: they hold the others. Names those that could not be removed.
    async fn discard(&self, parts: &[Part]) -> Vec<String> {
        let mut left = Vec::new();
        for kind in [PartKind::Workspace, PartKind::Folder, PartKind::Image] {
            for part in parts.iter().filter(|part| part.kind == kind) {
                if self.sandbox.discard(&self.blueprint.folders, part).await.is_err() {
                    left.push(part.name.clone());
                }
            }
        }
        left
    }
}

/// Whether the tour that made a part is over: its process is, or it is too old.
fn is_over(part: &Part, now: Timestamp) -> bool {
    let old = part.made.is_some_and(|made| now.duration_since(made) > OLD);
    process::is_over(&part.owner).unwrap_or(old)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(owner: &str, made: Option<Timestamp>) -> Part {
        let kind = PartKind::Workspace;
        Part { kind, id: "x".into(), name: "x".into(), owner: owner.into(), made }
    }

    #[test]
    fn a_tour_that_goes_on_is_never_swept_and_one_from_elsewhere_after_a_day() {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let ago = |hours| now.checked_sub(SignedDuration::from_hours(hours)).ok();
        let own = process::own();
        assert!(!is_over(&part(&own, ago(48)), now));
        assert!(is_over(&part(&format!("{own}0"), Some(now)), now));
        assert!(!is_over(&part("elsewhere", ago(23)), now));
        assert!(is_over(&part("elsewhere", ago(25)), now));
        assert!(!is_over(&part("elsewhere", None), now));
    }
}
