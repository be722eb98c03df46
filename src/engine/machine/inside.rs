//! Whether this machine is itself a container, which, and how that is known.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path};

use crate::scan::mountinfo::Line;

/// What runs a container, as far as it matters from inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// Docker: a stopped container keeps its layer.
    Docker,
    /// Podman: likewise.
    Podman,
    /// Kubernetes: every start has a fresh layer.
    Kubernetes,
    /// A container of some other kind.
    Other,
}

impl Runtime {
    /// The name shown to people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Docker => "Docker",
            Self::Podman => "Podman",
            Self::Kubernetes => "Kubernetes",
            Self::Other => "unknown",
        }
    }
}

/// The container that this machine is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// What runs it.
    pub runtime: Runtime,
    /// Its full id (of the pod in Kubernetes), where a mount gives it away.
    pub id: Option<String>,
    /// Every sign that was seen, in words (may hold untrusted text).
    pub evidence: Vec<String>,
}

/// Signs beside the mount table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is one sign, there or not, whatever the others are")]
pub struct Clues {
    /// `/.dockerenv` is there.
    pub dockerenv: bool,
    /// `/run/.containerenv` is there.
    pub containerenv: bool,
    /// A service account of a pod is there.
    pub service_account: bool,
    /// The environment variable `container`.
    pub container: Option<String>,
    /// The environment variable `KUBERNETES_SERVICE_HOST` is set.
    pub kubernetes: bool,
    /// The name of process 1.
    pub init: Option<String>,
    /// The names of all environment variables; platforms set some.
    pub env_names: BTreeSet<String>,
}

impl Clues {
    /// Reads the signs beneath a root (`/`, or a test's) and in this process's environment.
    pub fn read(root: &Path) -> Self {
        let there = |path: &str| fs::symlink_metadata(root.join(path)).is_ok();
        Self {
            dockerenv: there(".dockerenv"),
            containerenv: there("run/.containerenv"),
            service_account: there("run/secrets/kubernetes.io/serviceaccount")
                || there("var/run/secrets/kubernetes.io/serviceaccount"),
            container: std::env::var("container").ok(),
            kubernetes: std::env::var_os("KUBERNETES_SERVICE_HOST").is_some(),
            env_names: std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()).collect(),
            init: fs::read_to_string(root.join("proc/1/comm")).ok().map(|name| name.trim().to_owned()),
        }
    }
}

/// Decides whether this is a container. LXC, nspawn and WSL keep their root and count as machines.
pub fn recognise(lines: &[Line], clues: &Clues) -> Option<Container> {
    let mut seen = Vec::new();
    let mut note = |runtime, id: Option<String>, text: String| seen.push((runtime, id, text));
    if let Some((uid, _)) = lines.iter().find_map(|line| pod(&line.root)) {
        note(Runtime::Kubernetes, Some(uid.to_owned()), "mounts from a pod's folder".into());
    }
    if clues.service_account {
        note(Runtime::Kubernetes, None, "a pod's service account".into());
    }
    if clues.kubernetes {
        note(Runtime::Kubernetes, None, "KUBERNETES_SERVICE_HOST is set".into());
    }
    for line in lines.iter().filter(|line| is_runtime_file(&line.target)) {
        if let Some(id) = after(&line.root, "overlay-containers") {
            note(Runtime::Podman, Some(id), format!("{} comes from Podman", line.target.display()));
        } else if let Some(id) = after(&line.root, "containers") {
            note(Runtime::Docker, Some(id), format!("{} comes from Docker", line.target.display()));
        }
    }
    if clues.containerenv {
        note(Runtime::Podman, None, "/run/.containerenv".into());
    }
    if clues.container.as_deref() == Some("podman") {
        note(Runtime::Podman, None, "container=podman is set".into());
    }
    if clues.dockerenv {
        note(Runtime::Docker, None, "/.dockerenv".into());
    }
    let root = lines.iter().rev().find(|line| line.target == Path::new("/"));
    let overlay =
        root.is_some_and(|line| matches!(line.filesystem.as_str(), "overlay" | "fuse.fuse-overlayfs"));
    let machine = matches!(clues.init.as_deref(), None | Some("systemd" | "init"));
    if overlay && !machine {
        note(Runtime::Other, None, "/ is an overlay and no init runs".into());
    }
    // Variables are inherited, and a marker file stays behind when an image is made into a
    // virtual machine: neither makes a container of a machine whose root is a whole disk.
    let whole_disk = root.is_some_and(|line| line.root == Path::new("/") && line.source.starts_with("/dev"));
    let mounted = seen.iter().any(|(_, id, _)| id.is_some()) || clues.service_account;
    let runtime = seen.first().map(|(runtime, ..)| *runtime).filter(|_| mounted || !whole_disk)?;
    let id = seen.iter().find(|(of, id, _)| *of == runtime && id.is_some()).and_then(|(_, id, _)| id.clone());
    let mut evidence: Vec<String> = seen.into_iter().map(|(_, _, text)| text).collect();
    evidence.dedup();
    Some(Container { runtime, id, evidence })
}

/// Files that a runtime writes anew at each start.
pub(super) fn is_runtime_file(target: &Path) -> bool {
    ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/run/.containerenv", "/dev/termination-log"]
        .iter()
        .any(|file| target == Path::new(file))
}

/// The uid and the folder after it in a pod's own folder, `pods/UID/FOLDER`.
pub(super) fn pod(root: &Path) -> Option<(&str, &str)> {
    let mut names = names(root);
    names.by_ref().find(|name| *name == "pods")?;
    let uid = names.next()?.to_str().filter(|uid| is_uuid(uid))?;
    let folder = names.next()?.to_str()?;
    matches!(folder, "volumes" | "volume-subpaths" | "etc-hosts" | "containers").then_some((uid, folder))
}

/// The 64 hex digits that follow a folder of this name.
fn after(root: &Path, folder: &str) -> Option<String> {
    let mut names = names(root);
    names.by_ref().find(|name| *name == folder)?;
    names.next()?.to_str().filter(|name| is_id(name)).map(str::to_owned)
}

/// The names in a path, without its root.
pub(super) fn names(path: &Path) -> impl Iterator<Item = &OsStr> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name),
        _ => None,
    })
}

/// Whether this is a full container id or the name of a volume without a name.
pub(super) fn is_id(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_uuid(name: &str) -> bool {
    // A mirror pod's uid is a hash of 32 digits without dashes.
    matches!(name.len(), 32 | 36) && name.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::mountinfo::parse;

    const HOST: &[u8] = b"22 1 254:0 / / rw - ext4 /dev/vda rw\n";
    const OVERLAY: &[u8] = b"199 96 0:75 / / rw - overlay overlay rw,upperdir=/u,workdir=/w\n";

    fn init(name: &str) -> Clues {
        Clues { init: Some(name.into()), ..Clues::default() }
    }

    #[test]
    fn a_machine_is_no_container_even_with_a_variable_left_over() {
        assert_eq!(recognise(&parse(HOST), &init("systemd")), None);
        assert_eq!(recognise(&parse(HOST), &Clues { kubernetes: true, ..init("bash") }), None);
        assert_eq!(recognise(&parse(HOST), &init("bash")), None);
        let left_over = Clues { dockerenv: true, containerenv: true, ..init("bash") };
        assert_eq!(recognise(&parse(HOST), &left_over), None, "a virtual machine made from an image");
        assert_eq!(recognise(&[], &Clues::default()), None);
    }

    #[test]
    fn lxc_keeps_its_root_and_counts_as_a_machine() {
        let lxc = Clues { container: Some("lxc".into()), ..init("systemd") };
        assert_eq!(recognise(&parse(HOST), &lxc), None);
    }

    #[test]
    fn an_overlay_without_an_init_is_a_container_of_some_kind() {
        let of = |clues: &Clues| recognise(&parse(OVERLAY), clues).map(|container| container.runtime);
        assert_eq!(of(&init("sleep")), Some(Runtime::Other));
        assert_eq!(of(&init("systemd")), None, "a live system or an immutable one");
        assert_eq!(of(&Clues { dockerenv: true, ..init("sleep") }), Some(Runtime::Docker));
        assert_eq!(of(&Clues { containerenv: true, ..init("sleep") }), Some(Runtime::Podman));
        assert_eq!(of(&Clues { kubernetes: true, ..init("sleep") }), Some(Runtime::Kubernetes));
    }
}
