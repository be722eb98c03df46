//! What others make of the same place: a folder of the host that several containers mount.

use std::path::Path;

use super::explain::shown_name;
use crate::core::also::Also;
use crate::core::classify::{Classifier, Origin};
use crate::core::fate::Fates;
use crate::core::mount;
use crate::core::workspace::Workspace;

/// Those that see a place of the host as well and answer worse for it than was answered for one
/// workspace's path.
pub fn also<'a>(
    host: &Path,
    (workspace, path): (&Workspace, &Path),
    fates: &Fates,
    others: impl Iterator<Item = (&'a Workspace, Classifier<'a>)>,
) -> Vec<Also> {
    let mut worse = Vec::new();
    for (other, classifier) in others.filter(|(other, _)| other.container.is_some()) {
        for inside in mount::paths_inside(&classifier.detail.mounts, host) {
            if other.key == workspace.key && inside == path {
                continue;
            }
            let answer = classifier.explain(&inside, Origin::Unknown);
            worse.extend(Also::of(shown_name(other), &inside, answer.storage, &answer.fates, fates));
        }
    }
    worse
}
