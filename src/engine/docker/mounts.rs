//! A container's mounts: what the engine was told, refined by what the kernel shows.
//!
//! The engine lists binds and volumes in one place, `--tmpfs` in another and
//! `/dev/shm` only as a size. Where the container's mount table can be read, it
//! is the truth: file system types, deleted sources. What lies below mounts is `below`'s.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use bollard::models::{ContainerInspectResponse, HostConfig, MountPoint, Volume};

use crate::core::filesystem::Filesystem;
use crate::core::mount::{Backing, Mount, Source};
use crate::scan::mountinfo::{self, Line};
use crate::scan::{here, line_in_memory, place_in_memory, stayed};

use super::process::Process;
use super::{Session, below, detail};

/// Trees that hold no stored data.
pub(super) const PSEUDO: [&str; 3] = ["/dev", "/proc", "/sys"];
const SHM: &str = "/dev/shm";
/// Engines that know the label put it on volumes that they named themselves.
const ANONYMOUS_LABEL: &str = "com.docker.volume.anonymous";

/// What is known around the container while its mounts are made out.
pub(super) struct View<'a> {
    pub(super) inspected: &'a ContainerInspectResponse,
    pub(super) host: HostConfig,
    volumes: &'a HashMap<String, Volume>,
    pub(super) process: Option<&'a Process>,
    /// This machine's own mount table, where the engine runs on it.
    pub(super) machine: Option<Vec<Line>>,
    /// Where the engine keeps its data.
    pub(super) data_root: &'a Path,
}

/// Makes out the mounts: the root first, then by target. Touches the disk.
pub(super) fn read(
    inspected: &ContainerInspectResponse,
    volumes: &HashMap<String, Volume>,
    process: Option<&Process>,
    session: &Session,
) -> Vec<Mount> {
    let local = session.local;
    let table = || std::fs::read("/proc/self/mountinfo").map(|table| mountinfo::parse(&table)).ok();
    let host = inspected.host_config.clone().unwrap_or_default();
    let machine = if local { table() } else { None };
    let view = View { inspected, host, volumes, process, machine, data_root: &session.data_root };

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
    below::add(&view, &mut all);
    all[1..].sort_by(|a, b| a.target.cmp(&b.target));
    all
}

/// The directory that holds the writable layer: the kernel's word, then the engine's.
pub(super) fn upper(inspected: &ContainerInspectResponse, process: Option<&Process>) -> Option<PathBuf> {
    process.and_then(Process::upper).or_else(|| {
        let driver = inspected.graph_driver.as_ref()?;
        driver.data.get("UpperDir").filter(|path| path.starts_with('/')).map(PathBuf::from)
    })
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
        let upper = upper(self.inspected, self.process);
        let place = upper.clone().unwrap_or_else(|| self.data_root.into());
        Mount::new("/".into(), "writable layer".into(), Backing::Layer, filesystem)
            .read_only(self.host.readonly_rootfs == Some(true))
            .held_at(upper)
            .in_host_memory(self.place_in_memory(&place))
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
        let source = self.source(&target, &path, line);
        // What a link on the host leads to is what counts: it may be temporary or a session's own.
        let path = if self.machine.is_some() && matches!(source, Source::Present | Source::Unsure) {
            path.canonicalize().unwrap_or(path)
        } else {
            path
        };
        let filesystem = self.filesystem(line, &path);
        let in_memory = self.in_memory(line, &path);
        let now_at = (source == Source::Replaced).then(|| self.now_at(&target)).flatten();
        let mount = Mount::new(target, said, Backing::HostDir { path, source }, filesystem);
        let held_at = now_at.or_else(|| mount.host_path.clone());
        mount.held_at(held_at).in_host_memory(in_memory)
    }

    /// What is known of the place on the host that a mount was made from: a running container goes on
    /// with what was there when it started, whatever is there now.
    pub(super) fn source(&self, target: &Path, path: &Path, line: Option<&Line>) -> Source {
        let shown = self.process.and_then(|process| process.identity(target));
        match (line, shown) {
            (Some(line), _) if line.is_deleted() => Source::Deleted,
            (Some(_), _) if self.machine.is_none() => Source::Present,
            (Some(_), Some(shown)) => match here(path) {
                Ok(Some(there)) if there == shown => Source::Present,
                Ok(_) => Source::Replaced,
                Err(_) => Source::Unsure,
            },
            (Some(line), None) => match self.tables_agree(line, path) {
                Some(true) => Source::Present,
                Some(false) => Source::Replaced,
                None => Source::Unsure,
            },
            (None, _) if self.machine.is_none() => Source::Unseen,
            (None, _) => match path.try_exists() {
                Ok(true) => self.by_times(path),
                Ok(false) => Source::Deleted,
                Err(_) => Source::Unseen,
            },
        }
    }

    /// Of a container of which nothing may be seen, the times of what is at the place now have to tell.
    fn by_times(&self, path: &Path) -> Source {
        let state = self.inspected.state.as_ref();
        let runs = state.is_some_and(|state| state.running == Some(true) || state.paused == Some(true));
        let started = state.and_then(|state| detail::time(state.started_at.as_deref())).filter(|_| runs);
        match started.map(|started| stayed(path, started)) {
            None | Some(Some(true)) => Source::Present,
            Some(Some(false)) => Source::Replaced,
            Some(None) => Source::Unsure,
        }
    }

    /// Whether a line of the container's table and this machine's table speak of the same directory:
    /// anybody may read both. `None` where the place may not be looked at.
    fn tables_agree(&self, line: &Line, path: &Path) -> Option<bool> {
        let path = match path.canonicalize() {
            Ok(path) => path,
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Some(false),
            Err(_) => return None,
        };
        let on = mountinfo::holding(self.machine.as_deref()?, &path)?;
        let rest = path.strip_prefix(&on.target).ok()?;
        let root = if rest.as_os_str().is_empty() { on.root.clone() } else { on.root.join(rest) };
        Some(on.device == line.device && root == line.root)
    }

    /// Where on this machine what a mount shows is by now: where the kernel says, if it is there indeed.
    fn now_at(&self, target: &Path) -> Option<PathBuf> {
        let line = self.line(target)?;
        let shown = self.process?.identity(target)?;
        let of_the_same = self.machine.iter().flatten().filter(|on| on.device == line.device);
        let places = of_the_same.filter_map(|on| Some(on.target.join(line.root.strip_prefix(&on.root).ok()?)));
        places.into_iter().find(|place| here(place).is_ok_and(|there| there == Some(shown)))
    }

    /// Whether this machine keeps a file system in its memory: the container's own view, then the place.
    pub(super) fn in_memory(&self, line: Option<&Line>, path: &Path) -> Option<bool> {
        match (line, self.machine.as_deref()) {
            (_, None) => Some(false),
            (Some(line), Some(table)) => line_in_memory(table, line),
            (None, Some(_)) => self.place_in_memory(path),
        }
    }

    fn place_in_memory(&self, place: &Path) -> Option<bool> {
        match self.machine.as_deref() {
            Some(table) if place.is_absolute() => place_in_memory(table, place),
            _ => Some(false),
        }
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
        // The engine mounts some volumes itself, each time that a container needs them.
        let on_demand = option("type").is_some_and(|kind| !matches!(kind, "" | "none"));
        // Somebody who cleared the engine's own folder away took the volume along.
        let source = match (line, &place) {
            (Some(_), Some(place)) if driver == "local" && !on_demand => self.source(&target, place, line),
            _ => Source::Present,
        };
        if let (Source::Deleted | Source::Replaced, Some(path)) = (source, &place) {
            return Mount::new(target, name, Backing::HostDir { path: path.clone(), source }, filesystem);
        }
        let anonymous = self.is_anonymous(&name, point.destination.as_deref().unwrap_or_default(), volume);
        let is_memory = filesystem.as_deref().map(Filesystem::of) == Some(Filesystem::Memory);
        let disk = match option("device") {
            Some(device) if device.starts_with('/') && line.is_none() => self.device_in_memory(device),
            _ => place.as_deref().map_or(Some(false), |place| self.in_memory(line, place)),
        };
        // A volume of type tmpfs is emptied with its last container; one in a folder that the host
        // keeps in memory lives as long as the host runs.
        let backing = match &place {
            Some(path) if is_memory && driver == "local" && !on_demand && !anonymous => {
                Backing::HostDir { path: path.clone(), source: Source::Present }
            }
            _ => Backing::Volume { name: name.clone(), anonymous },
        };
        if is_memory && anonymous && !on_demand {
            // As any other of its kind, but for the memory.
            let mount = Mount::new(target, name, backing, None).held_at(place).in_host_memory(disk);
            return Mount { filesystem, ..mount };
        }
        let hidden = is_memory && matches!(backing, Backing::Volume { .. });
        Mount::new(target, name, backing, filesystem).held_at(place.filter(|_| !hidden)).in_host_memory(disk)
    }

    /// Whether a disk that the engine would mount is memory.
    fn device_in_memory(&self, device: &str) -> Option<bool> {
        use std::os::unix::fs::MetadataExt as _;
        let Some(table) = self.machine.as_deref() else { return Some(false) };
        let rdev = std::fs::metadata(device).ok()?.rdev();
        crate::scan::device_in_memory(table, rdev)
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
        let path = path.canonicalize().ok()?;
        let line = mountinfo::holding(self.machine.as_deref()?, &path)?;
        Some(line.filesystem.clone())
    }
}

pub(super) fn memory(target: PathBuf) -> Mount {
    Mount::new(target, "memory".into(), Backing::Memory, Some("tmpfs".into()))
}
