//! The mount table as mounts with storage kinds: what each line says about where its bytes are.
//!
//! A line's root is a path within its source file system, not on the host, so it is
//! recognised by its end and never by where an engine usually keeps its data.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::inside::{Container, Runtime, is_id, is_runtime_file, names, pod};
use crate::core::filesystem::Filesystem;
use crate::core::mount::{Backing, Mount, OnRelease, Source};
use crate::scan;
use crate::scan::mountinfo::Line;

/// The mounts that can be reached, the root first, then in the order of the table.
pub fn mounts(lines: &[Line], container: Option<&Container>) -> Vec<Mount> {
    let mut mounts: Vec<Mount> = reachable(lines)
        .into_iter()
        .map(|line| {
            let backing = match container {
                Some(container) => inside(line, container.runtime),
                None => outside(line),
            };
            let mount = mount(line, backing, container.is_some());
            match container {
                Some(_) => mount,
                None => mount.in_host_memory(scan::line_in_memory(lines, line)),
            }
        })
        .collect();
    mounts.sort_by_key(|mount| mount.target != Path::new("/"));
    mounts
}

fn mount(line: &Line, backing: Backing, inside: bool) -> Mount {
    let held_at = match &backing {
        _ if inside => None,
        Backing::Pseudo => None,
        _ => Some(line.target.clone()),
    };
    let source = match &backing {
        Backing::Layer => "writable layer".into(),
        Backing::Memory | Backing::HostMemory => "memory".into(),
        Backing::PodScratch { .. } => "emptyDir".into(),
        Backing::Volume { name, .. } => name.clone(),
        Backing::Claim { .. } => claim_name(&line.root).unwrap_or_else(|| text(&line.source)),
        Backing::HostDir { .. } if Filesystem::of(&line.filesystem) == Filesystem::Network => {
            text(&line.source)
        }
        Backing::HostDir { path, .. } => text(path),
        Backing::Injected => text(&line.root),
        Backing::Block | Backing::Disk | Backing::Pseudo | Backing::Unknown => text(&line.source),
    };
    let super_read_only = line.super_options.split(|byte| *byte == b',').any(|option| option == b"ro");
    Mount::new(line.target.clone(), source, backing, Some(line.filesystem.clone()))
        .read_only(line.read_only || super_read_only)
        .held_at(held_at)
}

/// Leaves out what another mount hides: an earlier line at the same place, and what lies
/// below a place that was mounted over. (What is mounted below a mount is mounted on it, so
/// of two mounts on the same parent the one further down is the hidden one.)
fn reachable(lines: &[Line]) -> Vec<&Line> {
    let places: HashSet<(u64, &Path)> = lines.iter().map(|line| (line.parent, line.target.as_path())).collect();
    let is_covered =
        |line: &&Line| line.target.ancestors().skip(1).any(|above| places.contains(&(line.parent, above)));
    let mut hidden: HashSet<u64> = lines.iter().filter(is_covered).map(|line| line.id).collect();
    // What is mounted on something hidden is hidden too, however deep.
    loop {
        let before = hidden.len();
        for line in lines.iter().filter(|line| line.parent != line.id) {
            if hidden.contains(&line.parent) {
                hidden.insert(line.id);
            }
        }
        if hidden.len() == before {
            break;
        }
    }
    let mut taken: HashSet<&Path> = HashSet::new();
    let mut last_first: Vec<&Line> = lines
        .iter()
        .rev()
        .filter(|line| !hidden.contains(&line.id) && taken.insert(line.target.as_path()))
        .collect();
    last_first.reverse();
    last_first
}

/// What backs a mount of a container, seen from inside it. The first rule that fits wins.
fn inside(line: &Line, runtime: Runtime) -> Backing {
    let filesystem = Filesystem::of(&line.filesystem);
    let whole = line.root == Path::new("/");
    if is_runtime_file(&line.target) || is_injected(line) {
        return Backing::Injected;
    }
    if is_system(&line.target) || filesystem == Filesystem::Pseudo {
        return Backing::Pseudo;
    }
    if line.target == Path::new("/") {
        return Backing::Layer;
    }
    if line.is_deleted() {
        return host_dir(line, Source::Deleted);
    }
    if filesystem == Filesystem::Memory && whole {
        return match runtime {
            // A pod's secrets are memory that the platform fills; its own memory can be written.
            Runtime::Kubernetes if line.read_only => Backing::Injected,
            Runtime::Kubernetes => Backing::PodScratch { memory: true },
            _ => Backing::Memory,
        };
    }
    if has_folder(&line.root, "kubernetes.io~empty-dir") {
        return Backing::PodScratch { memory: filesystem == Filesystem::Memory };
    }
    if claim_name(&line.root).is_some() {
        let pinned = filesystem == Filesystem::Disk;
        return Backing::Claim { on_release: OnRelease::Unknown, pinned: Some(pinned) };
    }
    if let Some(name) = volume_name(&line.root) {
        return Backing::Volume { anonymous: is_id(&name), name };
    }
    if filesystem == Filesystem::Disk && whole && is_block_device(&line.source) {
        return Backing::Block;
    }
    if is_overlay(line) {
        return Backing::Unknown;
    }
    host_dir(line, Source::Present)
}

/// What backs a mount of a machine that is no container.
fn outside(line: &Line) -> Backing {
    let filesystem = Filesystem::of(&line.filesystem);
    if is_system(&line.target) || filesystem == Filesystem::Pseudo || belongs_to_a_container(&line.target) {
        return Backing::Pseudo;
    }
    if line.is_deleted() {
        return host_dir(line, Source::Deleted);
    }
    match filesystem {
        Filesystem::Memory => Backing::HostMemory,
        Filesystem::Disk if is_overlay(line) => Backing::Unknown,
        Filesystem::Disk => Backing::Disk,
        // Its own file system tells the rest: network, or not clear.
        _ => Backing::HostDir { path: line.target.clone(), source: Source::Present },
    }
}

fn host_dir(line: &Line, source: Source) -> Backing {
    let path = text(&line.root);
    let path = path.strip_suffix("//deleted").map_or_else(|| line.root.clone(), PathBuf::from);
    Backing::HostDir { path, source }
}

/// Paths that hold no stored data, but for the shared memory among them.
fn is_system(target: &Path) -> bool {
    ["/proc", "/sys", "/dev"].iter().any(|system| target.starts_with(system)) && !target.starts_with("/dev/shm")
}

/// Written by the runtime or the platform: secrets, configuration, a container's own small files.
fn is_injected(line: &Line) -> bool {
    const PLATFORM: [&str; 4] = [
        "kubernetes.io~configmap",
        "kubernetes.io~secret",
        "kubernetes.io~projected",
        "kubernetes.io~downward-api",
    ];
    let below = |folder: &str| line.target.starts_with(folder);
    let of_pod = || pod(&line.root).is_some_and(|(_, folder)| matches!(folder, "etc-hosts" | "containers"));
    let of_container = || {
        let folders: Vec<_> = names(&line.root).collect();
        folders.windows(2).any(|pair| {
            let [folder, id] = pair else { return false };
            (*folder == "containers" || *folder == "overlay-containers") && id.to_str().is_some_and(is_id)
        })
    };
    below("/run/secrets")
        || below("/var/run/secrets")
        || PLATFORM.iter().any(|folder| has_folder(&line.root, folder))
        || of_pod()
        || of_container()
}

/// Seen from a host: the root and memory of each container, which that container itself shows.
fn belongs_to_a_container(target: &Path) -> bool {
    let last = target.file_name().unwrap_or_default();
    (last == "merged"
        && ["overlay2", "overlay", "fuse-overlayfs"].iter().any(|store| has_folder(target, store)))
        || (last == "rootfs" && has_folder(target, "io.containerd.runtime.v2.task"))
        || (last == "shm" && (has_folder(target, "containers") || has_folder(target, "sandboxes")))
}

fn is_overlay(line: &Line) -> bool {
    scan::tells_births(Some(&line.filesystem))
}

fn is_block_device(source: &Path) -> bool {
    source.starts_with("/dev")
}

/// The name in `volumes/NAME/_data`.
fn volume_name(root: &Path) -> Option<String> {
    let folders: Vec<_> = names(root).collect();
    folders.windows(3).find_map(|folders| match folders {
        [volumes, name, data] if *volumes == "volumes" && *data == "_data" => {
            Some(name.to_string_lossy().into_owned())
        }
        _ => None,
    })
}

/// The claim's folder, such as `pvc-UID_namespace_name` of a provisioner for local paths.
fn claim_name(root: &Path) -> Option<String> {
    names(root)
        .filter_map(|name| name.to_str())
        .find(|name| {
            name.strip_prefix("pvc-").is_some_and(|rest| rest.len() >= 36 && rest.is_char_boundary(36))
        })
        .map(str::to_owned)
}

fn has_folder(path: &Path, folder: &str) -> bool {
    names(path).any(|name| name == folder)
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
