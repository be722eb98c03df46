//! Rescue: files at risk are copied to where they are kept, read back, and nothing there is overwritten.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::act::files::on_disk;
use super::act::new_id;
use super::browse::{self, Follow};
use super::doomed::Doomed;
use super::explain::quote;
use super::risk;
use crate::core::classify::Grounds;
use crate::core::deed::Deed;
use crate::core::error::{Error, Kind, Result};
use crate::core::event::Event;
use crate::core::finding::Risk;
use crate::core::path::normal;
use crate::core::plan::{Fact, Plan, Step, Verb};
use crate::core::rescue::{Lot, Rescue};
use crate::core::spot::Spot;
use crate::core::workspace::Workspace;
use crate::port::{Clock, Engine, Files, Job};
use crate::text::{printable, printable_path, size};

/// The folder of a workspace that rescued files go to.
const FOLDER: &str = "rescued";

/// What plans are made with.
pub struct Rescuing<'a> {
    /// Where the workspace runs.
    pub engine: &'a dyn Engine,
    /// The files of this machine.
    pub files: &'a Arc<dyn Files>,
    /// The time.
    pub clock: &'a dyn Clock,
}

/// Where files go.
struct Goal {
    to: Spot,
    owner: Option<(u32, u32)>,
    /// In the workspace's own words, where it is in it.
    inside: Option<PathBuf>,
}

impl Rescuing<'_> {
    /// Plans to copy paths of a workspace, or all that a retire would lose where none is named.
    pub async fn plan(
        &self,
        workspace: &Workspace,
        grounds: &Grounds,
        paths: &[PathBuf],
        risk: Option<&Risk>,
        to: Option<&Path>,
    ) -> Result<Plan> {
        let now = self.clock.now();
        let id = new_id(now);
        let goal = match to {
            Some(folder) => {
                let doomed = Doomed::of(self.engine, workspace, grounds).await;
                doomed.spares("the folder", folder).await?;
                here(folder)
            }
            None => self.kept(grounds, &now.strftime("%Y%m%d-%H%M%S").to_string()).await?,
        };
        let found: Vec<PathBuf>;
        let wanted = if paths.is_empty() {
            let risk = risk.ok_or_else(|| Error::new(Kind::Failed, "its files at risk could not be read"))?;
            found = risk::findings(risk, grounds.classifier(), Event::Retire)
                .map(|finding| finding.path.clone())
                .collect();
            &found
        } else {
            paths
        };
        if wanted.is_empty() {
            return Err(Error::new(Kind::NotFound, "no file of it would be lost")
                .hint("name a path: `outlast rescue NAME PATH`"));
        }
        let lots = self.lots(workspace, grounds, wanted, paths.is_empty()).await?;
        let (files, bytes) = self.counted(&lots).await?;
        let words = if files == 1 { "1 file".to_owned() } else { format!("{files} files") };
        let place = goal.inside.clone().unwrap_or_else(|| goal.to.full());
        let facts = vec![
            Fact {
                about: "copies".into(),
                says: format!("{words}, {}", size(bytes)),
                count: Some(files),
                bytes: Some(bytes),
            },
            Fact::plain("to", printable_path(&place).into_owned()),
        ];
        let full = goal.to.full();
        let name = workspace.container.clone().unwrap_or_else(|| workspace.name.clone());
        let mut call = format!("outlast rescue {}", word(Path::new(&name)));
        for path in paths {
            call = format!("{call} {}", word(path));
        }
        let call = format!("{call} --to {}", word(&full));
        let what = Rescue { key: id.clone(), lots, to: goal.to, owner: goal.owner };
        let step = Step {
            verb: Verb::Rescue,
            subject: workspace.key.clone(),
            name,
            call,
            bytes: Some(bytes),
            loses: Vec::new(),
            reversible_by: Some(format!("outlast trash put {}", word(&full))),
            files: None,
            job: None,
            deed: Some(Box::new(Deed::Rescue(Box::new(what)))),
        };
        let notes =
            vec!["nothing is overwritten; done once more with this --to, it goes on where it ended".into()];
        Ok(Plan {
            id,
            endpoint: workspace.key.endpoint.clone(),
            made_at: now,
            preconditions: Vec::new(),
            steps: vec![step],
            notes,
            asks_for: None,
            facts,
        })
    }

    /// A new folder in the one of the workspace that is kept.
    async fn kept(&self, grounds: &Grounds, time: &str) -> Result<Goal> {
        let classifier = grounds.classifier();
        let nowhere = || {
            Error::new(Kind::NotFound, "it has no folder that is kept and that can be written to from here")
                .hint("name one of this machine: `--to /a/folder`")
        };
        let mount = classifier.kept_folder(Event::Retire).ok_or_else(nowhere)?;
        let root = mount.host_path.clone().ok_or_else(nowhere)?;
        let folder = root.clone();
        let owner = on_disk(self.files, move |_| {
            let found = std::fs::metadata(&folder)
                .map_err(|why| Error::new(Kind::NotFound, format!("{}: {why}", printable_path(&folder))))?;
            Ok((found.uid(), found.gid()))
        })
        .await?;
        let path = Path::new(FOLDER).join(time);
        let inside = Some(mount.target.join(&path));
        Ok(Goal { to: Spot { root, path }, owner: Some(owner), inside })
    }

    /// Where the paths can be read here, by the folders they lie in.
    async fn lots(
        &self,
        workspace: &Workspace,
        grounds: &Grounds,
        paths: &[PathBuf],
        found: bool,
    ) -> Result<Vec<Lot>> {
        let mut lots: Vec<Lot> = Vec::new();
        for path in paths {
            let path = normal(path);
            let spot = if found {
                let at = self.engine.whereabouts(&workspace.key, &grounds.detail, &path).await?;
                at.written.unwrap_or(at.spot)
            } else {
                let reach =
                    browse::reach(self.engine, workspace, Some(grounds), &path, Follow::Parents).await?;
                reach.at?.spot
            };
            let below = above(&path, &spot.path);
            let known = lots.iter_mut().find(|lot| lot.from.root == spot.root && lot.below == below);
            if let Some(lot) = known {
                lot.only.push(spot.path);
            } else {
                let from = Spot { root: spot.root, path: PathBuf::new() };
                lots.push(Lot { from, below, only: vec![spot.path] });
            }
        }
        Ok(lots)
    }

    async fn counted(&self, lots: &[Lot]) -> Result<(u64, u64)> {
        let lots = lots.to_vec();
        on_disk(self.files, move |files| {
            let (mut many, mut bytes) = (0, 0);
            for lot in &lots {
                for path in &lot.only {
                    let spot = Spot { root: lot.from.root.clone(), path: lot.from.path.join(path) };
                    let (more, size) = files.count(&spot, &Job::default())?;
                    many += more;
                    bytes += size;
                }
            }
            Ok((many, bytes))
        })
        .await
    }
}

/// What lies above a spot's folder, in the words of the workspace: `/dev/shm` of `/dev/shm/x` in memory.
fn above(path: &Path, beneath: &Path) -> PathBuf {
    let levels = beneath.components().count();
    let mut above = path.to_path_buf();
    for _ in 0..levels {
        above.pop();
    }
    if path.ends_with(beneath) { above } else { PathBuf::from("/") }
}

/// A folder of this machine, links in its path followed as far as it is there.
fn here(folder: &Path) -> Goal {
    let mut missing: Vec<&std::ffi::OsStr> = Vec::new();
    let mut at = folder;
    let root = loop {
        if let Ok(there) = std::fs::canonicalize(at) {
            break there;
        }
        let (Some(above), Some(name)) = (at.parent(), at.file_name()) else { break PathBuf::from("/") };
        missing.push(name);
        at = above;
    };
    let path: PathBuf = missing.into_iter().rev().collect();
    // The folder itself is worked beneath by a handle on what holds it.
    let to = match (path.as_os_str().is_empty(), root.parent(), root.file_name()) {
        (true, Some(above), Some(name)) => Spot { root: above.into(), path: name.into() },
        _ => Spot { root, path },
    };
    Goal { to, owner: None, inside: None }
}

/// A rescue as a part of something larger.
pub(super) fn act(id: &str, lots: Vec<Lot>, folder: &Path) -> Rescue {
    let goal = here(folder);
    Rescue { key: id.to_owned(), lots, to: goal.to, owner: goal.owner }
}

fn word(path: &Path) -> String {
    quote(path).unwrap_or_else(|| printable(&path.to_string_lossy()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_lie_below_the_goal_as_they_lay_in_the_workspace() {
        let at = |path: &str, beneath: &str| above(Path::new(path), Path::new(beneath)).display().to_string();
        assert_eq!(at("/dev/shm/a/x", "a/x"), "/dev/shm");
        assert_eq!(at("/tmp/x", "tmp/x"), "/");
        assert_eq!(at("/link/x", "real/x"), "/");
    }
}
