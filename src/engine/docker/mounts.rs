//! A container's mounts: what the engine was told, refined by what the kernel shows.
//!
//! The engine lists binds and volumes in one place, `--tmpfs` in another and
//! `/dev/shm` only as a size. Where the container's mount table can be read, it
//! is the truth: file system types, deleted sources, mounts below a bind mount.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use bollard::models::{ContainerInspectResponse, HostConfig, MountPoint, Volume};

use crate::core::filesystem::Filesystem;
use crate::core::mount::{self, Backing, Mount, Source};
use crate::scan::Below;
use crate::scan::mountinfo::{self, Line};

use super::process::Process;

/// Trees that hold no stored data.
const PSEUDO: [&str; 3] = ["/dev", "/proc", "/sys"];
const SHM: &str = "/dev/shm";
/// Engines that know the label put it on volumes that they named themselves.
const ANONYMOUS_LABEL: &str = "com.docker.volume.anonymous";

/// What is known around the container while its mounts are made out.
struct View<'a> {
    inspected: &'a ContainerInspectResponse,
    host: HostConfig,
    volumes: &'a HashMap<String, Volume>,
    process: Option<&'a Process>,
    /// This machine's own mount table, where the engine runs on it.
    machine: Option<Vec<Line>>,
}

/// Makes out the mounts: the root first, then by target. Touches the disk.
pub(super) fn read(
    inspected: &ContainerInspectResponse,
    volumes: &HashMap<String, Volume>,
    process: Option<&Process>,
    local: bool,
) -> Vec<Mount> {
    let table = || std::fs::read("/proc/self/mountinfo").map(|table| mountinfo::parse(&table)).ok();
    let host = inspected.host_config.clone().unwrap_or_default();
    let machine = if local { table() } else { None };
    let view = View { inspected, host, volumes, process, machine };

    let mut all = vec![view.root()];
    let mut add = |mount: Mount| {
        if !all.iter().any(|known| known.target == mount.target) {
            all.push(mount);
        }
    };
    inspected.mounts.iter().flatten().filter_map(|point| view.point(point)).for_each(&mut add);
    view.memory().into_iter().for_each(&mut add);
    view.runtime_files().into_iter().for_each(&mut add);
    for tree in PSEUDO {
        add(Mount::new(tree.into(), "the kernel".into(), Backing::Pseudo, None));
    }
    for line in process.map(|process| process.mounts.as_slice()).unwrap_or_default() {
        if let Some(mount) = unlisted(line, &all, view.machine.as_deref()) {
            all.push(mount);
        }
    }
    all[1..].sort_by(|a, b| a.target.cmp(&b.target));
    all
}

/// Where the writable layer is.
pub(super) struct Layer {
    /// The directory that holds it.
    pub(super) upper: PathBuf,
    /// What it is laid over, as far as that is known.
    pub(super) below: Below,
}

/// Finds the writable layer: the kernel's word, then the engine's.
pub(super) fn layer(inspected: &ContainerInspectResponse, process: Option<&Process>) -> Option<Layer> {
    let told = inspected.graph_driver.as_ref().map(|driver| &driver.data);
    let told = |key: &str| told.and_then(|data| data.get(key)).filter(|path| path.starts_with('/'));
    let told_below = || told("LowerDir").map(|dirs| dirs.split(':').map(PathBuf::from).collect());
    if let Some(line) = process.and_then(|process| process.line(Path::new("/")))
        && let Some(upper) = line.upper_dir().filter(|path| path.is_absolute())
    {
        // A long list the engine shortens by naming the layers from its own folder.
        let layers = line.lower_dirs().filter(|layers| layers.iter().all(|layer| layer.is_absolute()));
        let layers = layers.or_else(told_below).unwrap_or_default();
        return Some(Layer { upper, below: Below { layers, trusted: !line.has_option("userxattr") } });
    }
    let below = Below { layers: told_below().unwrap_or_default(), trusted: false };
    Some(Layer { upper: told("UpperDir")?.into(), below })
}

impl View<'_> {
    fn root(&self) -> Mount {
        let line = self.process.and_then(|process| process.line(Path::new("/")));
        let filesystem = line.map(|line| line.filesystem.clone()).or_else(|| {
            Some(match self.inspected.driver.as_deref()? {
                "overlay2" | "overlayfs" => "overlay".to_string(),
                "fuse-overlayfs" => "fuse.fuse-overlayfs".to_string(),
                driver => driver.to_string(),
            })
        });
        Mount::new("/".into(), "writable layer".into(), Backing::Layer, filesystem)
            .read_only(self.host.readonly_rootfs == Some(true))
            .held_at(layer(self.inspected, self.process).map(|layer| layer.upper))
    }

    /// One of the mounts that the engine lists.
    fn point(&self, point: &MountPoint) -> Option<Mount> {
        let target = self.target(point.destination.as_deref()?);
        let line = self.line(&target);
        let read_only = point.rw == Some(false) || line.is_some_and(|line| line.read_only);
        let source = point.source.clone().unwrap_or_default();
        let mount = match point.typ.as_deref() {
            Some("bind") => self.bind(target, source.clone(), source.into(), line),
            Some("volume") => self.volume(target, point, line),
            Some("tmpfs") => memory(target),
            Some("image") => Mount::new(target, source, Backing::Injected, None),
            _ => Mount::new(target, source, Backing::Unknown, line.map(|line| line.filesystem.clone())),
        };
        Some(mount.read_only(read_only))
    }

    fn bind(&self, target: PathBuf, said: String, path: PathBuf, line: Option<&Line>) -> Mount {
        let source = match line {
            Some(line) if line.is_deleted() => Source::Deleted,
            Some(_) => Source::Present,
            None if self.machine.is_none() => Source::Unseen,
            None => match path.try_exists() {
                Ok(true) => Source::Present,
                Ok(false) => Source::Deleted,
                Err(_) => Source::Unseen,
            },
        };
        // What a link on the host leads to is what counts: it may be temporary or a session's own.
        let path = if self.machine.is_some() && source == Source::Present {
            path.canonicalize().unwrap_or(path)
        } else {
            path
        };
        let filesystem = self.filesystem(line, &path);
        Mount::new(target, said, Backing::HostDir { path, source }, filesystem)
    }

    fn volume(&self, target: PathBuf, point: &MountPoint, line: Option<&Line>) -> Mount {
        let name = point.name.clone().unwrap_or_default();
        let volume = self.volumes.get(&name);
        let option = |key: &str| volume.and_then(|volume| volume.options.get(key)).map(String::as_str);
        let device = option("device").unwrap_or_default();
        let is_bind = option("o").is_some_and(|o| o.split(',').any(|o| matches!(o, "bind" | "rbind")));
        if is_bind && device.starts_with('/') {
            return self.bind(target, name, device.into(), line);
        }
        let place = volume
            .map(|volume| volume.mountpoint.clone())
            .or_else(|| point.source.clone())
            .filter(|place| place.starts_with('/'))
            .map(PathBuf::from);
        let driver = point.driver.as_deref().filter(|driver| !driver.is_empty()).unwrap_or("local");
        let filesystem = match (line, option("type")) {
            (Some(line), _) => Some(line.filesystem.clone()),
            (None, Some(kind)) if !matches!(kind, "" | "none") => Some(kind.to_string()),
            (None, _) if driver == "local" => place.as_deref().and_then(|place| self.filesystem(None, place)),
            (None, _) => None,
        };
        if driver != "local" && filesystem.is_none() {
            // A plugin keeps its bytes wherever it likes.
            return Mount::new(target, name, Backing::Unknown, None);
        }
        let anonymous = self.is_anonymous(&name, point.destination.as_deref().unwrap_or_default(), volume);
        let in_memory = filesystem.as_deref().map(Filesystem::of) == Some(Filesystem::Memory);
        Mount::new(target, name.clone(), Backing::Volume { name, anonymous }, filesystem)
            .held_at(place.filter(|_| !in_memory))
    }

    /// Sixty-four hexadecimal digits may be a name that somebody chose; the container then asked
    /// for it by that name. What it took over from another container (`--volumes-from`) it did not:
    /// such a volume goes with whichever of them is removed last together with its volumes.
    fn is_anonymous(&self, name: &str, destination: &str, volume: Option<&Volume>) -> bool {
        if volume.is_some_and(|volume| volume.labels.contains_key(ANONYMOUS_LABEL)) {
            return true;
        }
        let made_up = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !made_up {
            return false;
        }
        let mut declared = self.inspected.config.iter().flat_map(|config| config.volumes.iter().flatten());
        let mut binds = self.host.binds.iter().flatten();
        let mut asked = self.host.mounts.iter().flatten();
        let by_name = binds.any(|bind| bind.split_once(':').is_some_and(|(source, _)| source == name))
            || asked.any(|mount| mount.source.as_deref() == Some(name));
        !by_name || declared.any(|declared| declared.trim_end_matches('/') == destination)
    }

    /// `--tmpfs` and `/dev/shm`, which the engine does not list as mounts.
    fn memory(&self) -> Vec<Mount> {
        let mut all = Vec::new();
        for (target, options) in self.host.tmpfs.iter().flatten() {
            let read_only = options.split(',').any(|option| option == "ro");
            all.push(memory(self.target(target)).read_only(read_only));
        }
        match self.host.ipc_mode.as_deref().unwrap_or_default() {
            // Without shared memory `/dev/shm` is an ordinary part of `/dev`.
            "none" => {}
            "host" => {
                let backing = Backing::HostDir { path: SHM.into(), source: Source::Present };
                all.push(Mount::new(SHM.into(), SHM.into(), backing, Some("tmpfs".into())));
            }
            _ => all.push(memory(SHM.into())),
        }
        all
    }

    fn runtime_files(&self) -> Vec<Mount> {
        [
            ("/etc/hosts", &self.inspected.hosts_path),
            ("/etc/hostname", &self.inspected.hostname_path),
            ("/etc/resolv.conf", &self.inspected.resolv_conf_path),
        ]
        .into_iter()
        .filter_map(|(target, source)| {
            let source = source.clone().filter(|source| !source.is_empty())?;
            Some(Mount::new(target.into(), source, Backing::Injected, None))
        })
        .collect()
    }

    fn target(&self, destination: &str) -> PathBuf {
        let target = crate::core::path::normal(Path::new(destination));
        match self.process {
            Some(process) => process.real_target(&target),
            None => target,
        }
    }

    fn line(&self, target: &Path) -> Option<&Line> {
        self.process.and_then(|process| process.line(target))
    }

    /// The file system's type: the container's own view, then this machine's.
    fn filesystem(&self, line: Option<&Line>, path: &Path) -> Option<String> {
        if let Some(line) = line {
            return Some(line.filesystem.clone());
        }
        let machine = self.machine.as_deref()?;
        let path = path.canonicalize().ok()?;
        let holding = machine.iter().enumerate().filter(|(_, line)| path.starts_with(&line.target));
        holding
            .max_by_key(|(at, line)| (line.target.as_os_str().len(), *at))
            .map(|(_, line)| line.filesystem.clone())
    }
}

fn memory(target: PathBuf) -> Mount {
    Mount::new(target, "memory".into(), Backing::Memory, Some("tmpfs".into()))
}

/// A line of the mount table that the engine did not speak of: a file system
/// below a bind mount, memory or a file that the runtime added.
fn unlisted(line: &Line, known: &[Mount], machine: Option<&[Line]>) -> Option<Mount> {
    let target = &line.target;
    let hidden = PSEUDO.iter().any(|tree| target.starts_with(tree));
    if hidden || known.iter().any(|known| known.target == *target) {
        return None;
    }
    let filesystem = Some(line.filesystem.clone());
    let said = || line.source.to_string_lossy().into_owned();
    let source = if line.is_deleted() { Source::Deleted } else { Source::Present };
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
            // What the host does not show there was mounted inside the container and goes with it.
            let on_host = machine.is_some_and(|lines| lines.iter().any(|line| line.target == path));
            if !on_host && Filesystem::of(&line.filesystem) == Filesystem::Memory {
                return Some(memory(target.clone()).read_only(line.read_only));
            }
            let said = path.to_string_lossy().into_owned();
            Mount::new(target.clone(), said, Backing::HostDir { path, source }, filesystem)
        }
        _ if line.filesystem == "tmpfs" && line.root == Path::new("/") => memory(target.clone()),
        _ => Mount::new(target.clone(), said(), Backing::Injected, filesystem),
    };
    Some(mount.read_only(line.read_only))
}
