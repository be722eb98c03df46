//! What lies below a container's mounts: file systems that the engine did not speak of, and those
//! that the host mounted there and the container does not see, or sees from its next start on.

use std::path::Path;

use crate::core::filesystem::Filesystem;
use crate::core::mount::{self, Backing, Mount, Source};
use crate::scan::mountinfo::Line;

use super::mounts::{PSEUDO, View, memory};

/// Folders in which engines mount the roots and the memory of other containers.
const ENGINES: [&str; 5] =
    ["/run/docker", "/run/containerd", "/var/lib/containers", "/var/lib/containerd", "/var/lib/docker"];

/// Adds them to the mounts that are known.
pub(super) fn add(view: &View<'_>, all: &mut Vec<Mount>) {
    for line in view.process.map(|process| process.mounts.as_slice()).unwrap_or_default() {
        // A later line at the same place hides an earlier one.
        let shows =
            view.process.and_then(|process| process.line(&line.target)).is_some_and(|on| on.id == line.id);
        if let Some(mount) = unlisted(view, line, all).filter(|_| shows) {
            all.push(mount);
        }
    }
    let hosts: Vec<Mount> = all.iter().filter(|mount| is_of_the_host(mount)).cloned().collect();
    for parent in hosts {
        for line in view.machine.iter().flatten() {
            if let Some(mount) = hidden(view, line, &parent, all) {
                all.retain(|known| known.target != mount.target);
                all.push(mount);
            }
        }
    }
}

/// Whether a mount shows a folder of this machine, and still the one at that place.
fn is_of_the_host(mount: &Mount) -> bool {
    match &mount.backing {
        Backing::HostDir { source, .. } => matches!(source, Source::Present | Source::Scratch | Source::Unsure),
        Backing::Volume { .. } => mount.host_path.is_some(),
        _ => false,
    }
}

/// A line of the mount table that the engine did not speak of: a file system
/// below a bind mount, memory or a file that the runtime added.
fn unlisted(view: &View<'_>, line: &Line, known: &[Mount]) -> Option<Mount> {
    let target = &line.target;
    let is_system = PSEUDO.iter().any(|tree| target.starts_with(tree));
    if is_system || known.iter().any(|known| known.target == *target) {
        return None;
    }
    let filesystem = Some(line.filesystem.clone());
    let said = || line.source.to_string_lossy().into_owned();
    let below = mount::holding(known, target).and_then(|parent| match &parent.backing {
        Backing::HostDir { path, .. } => Some((path, parent)),
        Backing::Volume { .. } => Some((parent.host_path.as_ref()?, parent)),
        _ => None,
    });
    let mount = match below {
        _ if Filesystem::of(&line.filesystem) == Filesystem::Pseudo => {
            Mount::new(target.clone(), said(), Backing::Pseudo, filesystem)
        }
        // The part of the tree behind a bind mount that is a file system of its own on the host.
        Some((host_path, parent)) => {
            let rest = target.strip_prefix(&parent.target).unwrap_or(Path::new(""));
            let path = host_path.join(rest);
            let source = match view.source(target, &path, Some(line)) {
                // Below a folder that was moved away nothing is at its old place.
                _ if !is_of_the_host(parent) && view.machine.is_some() => Source::Replaced,
                source => source,
            };
            // What the host does not show there was mounted inside the container and goes with it.
            if source != Source::Present && Filesystem::of(&line.filesystem) == Filesystem::Memory {
                return Some(memory(target.clone()).read_only(line.read_only));
            }
            let said = path.to_string_lossy().into_owned();
            let in_memory = view.in_memory(Some(line), &path);
            Mount::new(target.clone(), said, Backing::HostDir { path, source }, filesystem)
                .in_host_memory(in_memory)
        }
        _ if line.filesystem == "tmpfs" && line.root == Path::new("/") => memory(target.clone()),
        _ => Mount::new(target.clone(), said(), Backing::Injected, filesystem),
    };
    Some(mount.read_only(line.read_only))
}

/// A file system that the host has below a mount's folder and that the container does not show there:
/// the mount was made before it, or made without what lies below. What the container's path leads to
/// is hidden on the host.
fn hidden(view: &View<'_>, line: &Line, parent: &Mount, all: &[Mount]) -> Option<Mount> {
    let host_path = parent.host_path.as_deref()?;
    let rest = line.target.strip_prefix(host_path).ok().filter(|rest| !rest.as_os_str().is_empty())?;
    let of_an_engine = |folder: &Path| line.target.starts_with(folder) && !host_path.starts_with(folder);
    let is_noise = Filesystem::of(&line.filesystem) == Filesystem::Pseudo
        || PSEUDO.iter().any(|tree| line.target.starts_with(tree))
        || ENGINES.iter().any(|folder| of_an_engine(Path::new(folder)))
        || of_an_engine(view.data_root);
    let target = parent.target.join(rest);
    // Another mount of the container covers the place, or shows that very file system.
    let covered = mount::holding(all, &target).is_none_or(|on| on.target != parent.target);
    if is_noise || covered {
        return None;
    }
    let said = line.target.to_string_lossy().into_owned();
    let make = |source: Source, filesystem: Option<String>| {
        let backing = Backing::HostDir { path: line.target.clone(), source };
        Mount::new(target.clone(), said.clone(), backing, filesystem)
    };
    let filesystem = Some(line.filesystem.clone());
    let runs = view.inspected.state.as_ref().is_some_and(|state| state.running == Some(true));
    let mount = if without_what_is_below(view, &parent.target) {
        // It shows the folder beneath, now and after every start.
        let beneath = make(Source::Present, parent.filesystem.clone()).held_at(None);
        beneath.in_host_memory(parent.in_memory)
    } else if view.process.is_some() {
        make(Source::Replaced, parent.filesystem.clone())
    } else if runs {
        make(Source::Unseen, None)
    } else {
        make(Source::Present, filesystem).in_host_memory(view.in_memory(None, &line.target))
    };
    Some(mount.read_only(parent.read_only))
}

/// Whether a mount was asked for without the file systems below its folder.
fn without_what_is_below(view: &View<'_>, target: &Path) -> bool {
    view.host.mounts.iter().flatten().any(|asked| {
        let options = asked.bind_options.as_ref();
        options.is_some_and(|options| options.non_recursive == Some(true))
            && asked.target.as_deref().is_some_and(|asked| Path::new(asked) == target)
    })
}
