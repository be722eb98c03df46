//! A workspace once more, under another name: where its folder goes, and the command that makes its container.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::core::archive::COUNT_AS_EMPTY;
use crate::core::backup::Snapshot;
use crate::core::error::{Error, Kind, Result};
use crate::core::storage::StorageKind;
use crate::core::workspace::RestartPolicy;
use crate::port::Host;
use crate::text::{printable, printable_path};
use crate::work::explain::quote;

/// Where the folder of a new workspace goes: beside the old one, else into the folder where the platform
/// has its projects.
pub fn place(name: &str, old: Option<&Path>, roots: &[PathBuf]) -> Result<PathBuf> {
    let plain = Path::new(name).components().count() == 1 && Path::new(name).file_name() == Some(name.as_ref());
    if !plain || name.starts_with(['-', '.']) || printable(name) != name {
        return Err(Error::new(Kind::Usage, format!("“{}” is no name of a workspace", printable(name)))
            .hint("a name is one word without slashes, and begins with a letter or a digit"));
    }
    let beside = old.and_then(|old| {
        let parent = old.parent().filter(|parent| parent.is_dir() && *parent != Path::new("/"))?;
        // A volume's folder is the engine's business, and beside all projects is no place for one.
        let ends_in_a_volume = old.ends_with("_data");
        let is_a_root = roots.iter().any(|root| root == old);
        let is_place = old.is_dir() || roots.iter().any(|root| root == parent);
        (is_place && !ends_in_a_volume && !is_a_root).then(|| parent.join(name))
    });
    let in_a_root = || roots.iter().find(|root| root.is_dir()).map(|root| root.join(name));
    let place = beside.or_else(in_a_root).ok_or_else(|| {
        Error::new(Kind::NotFound, "nobody knows in which folder workspaces lie here")
            .hint("name the folder: `outlast restore ID FOLDER`")
            .hint("for good: folder_roots = [\"DIR\"] in the settings")
    })?;
    if place.symlink_metadata().is_ok() {
        return Err(Error::new(Kind::Refused, format!("{} is there already", printable_path(&place)))
            .hint("choose another name"));
    }
    Ok(place)
}

/// The folder that a snapshot is of, where it was made on this machine; elsewhere a path means another folder.
pub fn folder_here(snapshot: &Snapshot, host: &Host) -> Option<PathBuf> {
    let folder = snapshot.folders.first().map(PathBuf::from)?;
    (snapshot.host == host.hostname).then_some(folder)
}

/// Whether a snapshot is of a workspace: by its folder, by its name, by the name of its folder.
pub fn is_of(snapshot: &Snapshot, name: &str, folder: Option<&Path>) -> bool {
    let mut folders = snapshot.folders.iter().map(Path::new);
    snapshot.workspace == name
        || folders.any(|saved| Some(saved) == folder || saved.file_name() == Some(name.as_ref()))
}

/// Whether a folder holds nothing, or is not there; one that cannot be read may hold something.
pub fn is_empty(folder: &Path) -> bool {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => entries
            .all(|entry| entry.is_ok_and(|entry| COUNT_AS_EMPTY.iter().any(|name| entry.file_name() == *name))),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// What a snapshot says of its workspace, as far as a new one is made of it. All of it is untrusted text.
#[derive(Deserialize)]
struct Definition {
    image: Option<String>,
    client: Option<String>,
    container: Option<String>,
    user: Option<String>,
    workdir: Option<PathBuf>,
    #[serde(default)]
    restart: RestartPolicy,
    #[serde(default)]
    environment: Vec<String>,
    #[serde(default)]
    gpus: Vec<Gpu>,
    #[serde(default)]
    mounts: Vec<Mount>,
}

#[derive(Deserialize)]
struct Gpu {
    name: String,
}

#[derive(Deserialize)]
struct Mount {
    target: String,
    source: String,
    storage: StorageKind,
    #[serde(default)]
    read_only: bool,
}

/// How a workspace's container is made once more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Again {
    /// The command to copy; `None` where there was no container, or it cannot be written safely.
    pub command: Option<String>,
    /// What it leaves open (may hold untrusted text).
    pub notes: Vec<String>,
}

/// The command that makes a container like the one of a snapshot, with the new folder in the old one's place.
pub fn again(definition: &str, old: &Path, name: &str, new: &Path) -> Again {
    let Ok(definition) = serde_json::from_str::<Definition>(definition) else {
        return Again { command: None, notes: vec!["what the workspace was cannot be read".into()] };
    };
    if definition.container.is_none() {
        return Again::default();
    }
    let mut notes = Vec::new();
    let command = command(&definition, old, name, new, &mut notes);
    if command.is_none() {
        notes.push(
            "its container cannot be written as a command: mount the folder into one of your choice".into(),
        );
    }
    if !definition.environment.is_empty() {
        let mut names = definition.environment.clone();
        names.sort();
        notes.push(format!("values of variables are not saved; it had {}", names.join(", ")));
    }
    notes.push(
        "labels are not in it: where a platform makes the containers, make it with the platform's own tool"
            .into(),
    );
    Again { command, notes }
}

fn command(
    definition: &Definition,
    old: &Path,
    name: &str,
    new: &Path,
    notes: &mut Vec<String>,
) -> Option<String> {
    let said = |text: &str| quote(Path::new(text));
    let client = definition.client.as_deref().filter(|client| *client == "podman").unwrap_or("docker");
    let mut words = vec![format!("{client} run -dit --name {}", said(name)?)];
    if let Some(user) = definition.user.as_deref().filter(|user| !user.is_empty()) {
        words.push(format!("--user {}", said(user)?));
    }
    if let Some(workdir) = &definition.workdir {
        words.push(format!("--workdir {}", quote(workdir)?));
    }
    words.extend(match definition.restart {
        RestartPolicy::No => None,
        RestartPolicy::OnFailure => Some("--restart on-failure".into()),
        RestartPolicy::Always => Some("--restart always".into()),
        RestartPolicy::UnlessStopped => Some("--restart unless-stopped".into()),
    });
    for gpu in &definition.gpus {
        match gpu.name.strip_suffix(" of any").map_or(gpu.name.as_str(), |count| count) {
            "all" => words.push("--gpus all".into()),
            count if count.parse::<u32>().is_ok() && count != gpu.name => words.push(format!("--gpus {count}")),
            _ => notes.push(format!("it had the GPU {}: add --gpus as this host gives them out", gpu.name)),
        }
    }
    for mount in definition.mounts.iter().filter(|mount| mount.is_a_persons()) {
        words.push(format!("--mount {}", said(&mount.options(old, new, notes)?)?));
    }
    words.push(said(definition.image.as_deref()?)?);
    Some(words.join(" "))
}

impl Mount {
    /// Whether a person asked for it, and the engine does not make it by itself.
    fn is_a_persons(&self) -> bool {
        let is_volume = matches!(
            self.storage,
            StorageKind::NamedVolume | StorageKind::NetworkVolume | StorageKind::AnonymousVolume
        );
        let is_memory = self.storage == StorageKind::Tmpfs && self.target != "/dev/shm";
        self.is_bind() || is_volume || is_memory
    }

    const fn is_bind(&self) -> bool {
        matches!(
            self.storage,
            StorageKind::BindMount
                | StorageKind::BindNetwork
                | StorageKind::BindMemory
                | StorageKind::BindTemp
                | StorageKind::BindScratch
                | StorageKind::BindDeleted
        )
    }

    /// It as an option, with the new folder in the old one's place; `None` where it cannot be written safely.
    fn options(&self, old: &Path, new: &Path, notes: &mut Vec<String>) -> Option<String> {
        let read_only = if self.read_only { ",readonly" } else { "" };
        let target = plain(&self.target)?;
        if self.is_bind() {
            let source = Path::new(&self.source);
            let source = match source.strip_prefix(old) {
                Ok(below) if below.as_os_str().is_empty() => new.to_path_buf(),
                Ok(below) => new.join(below),
                Err(_) => {
                    notes.push(format!("{} is the same folder for both", self.source));
                    source.to_path_buf()
                }
            };
            return Some(format!("type=bind,src={},dst={target}{read_only}", plain(source.to_str()?)?));
        }
        match self.storage {
            StorageKind::AnonymousVolume => {
                notes.push(format!("{} begins empty: it was a volume without a name", self.target));
                Some(format!("type=volume,dst={target}"))
            }
            StorageKind::Tmpfs => Some(format!("type=tmpfs,dst={target}")),
            _ => {
                notes.push(format!("{} is the same volume for both", self.source));
                Some(format!("type=volume,src={},dst={target}{read_only}", plain(&self.source)?))
            }
        }
    }
}

/// A value of an option: a comma would begin the next one.
fn plain(value: &str) -> Option<&str> {
    (!value.contains([',', '"'])).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(extra: &str) -> String {
        format!(
            r#"{{"schema":1,"container":"p","image":"base:1","user":"1000:100","workdir":"/workspace",
            "restart":"unless_stopped","gpus":[{{"name":"2 of any","from":"x"}}],"environment":["B","A"],
            "mounts":[{{"target":"/workspace","source":"/home/u/p","storage":"bind_mount","read_only":false}},
            {{"target":"/data","source":"/srv/data","storage":"bind_mount","read_only":true}},
            {{"target":"/","source":"","storage":"writable_layer","read_only":false}}{extra}]}}"#
        )
    }

    #[test]
    fn the_new_folder_takes_the_old_ones_place_and_the_rest_stays() {
        let made = again(&definition(""), Path::new("/home/u/p"), "q", Path::new("/home/u/q"));
        assert_eq!(
            made.command.as_deref(),
            Some(
                "docker run -dit --name q --user 1000:100 --workdir /workspace --restart unless-stopped --gpus 2 \
                 --mount type=bind,src=/home/u/q,dst=/workspace \
                 --mount type=bind,src=/srv/data,dst=/data,readonly base:1"
            )
        );
        assert!(made.notes.iter().any(|note| note == "/srv/data is the same folder for both"), "{made:?}");
        assert!(made.notes.iter().any(|note| note.ends_with("it had A, B")), "{made:?}");
    }

    #[test]
    fn nothing_in_a_snapshot_becomes_more_than_one_word() {
        let evil = r#",{"target":"/x'; reboot; '","source":"$(reboot)","storage":"named_volume"}"#;
        let made = again(&definition(evil), Path::new("/home/u/p"), "q; reboot", Path::new("/home/u/q"));
        let command = made.command.unwrap();
        assert!(command.contains("--name 'q; reboot'"), "{command}");
        assert!(command.contains(r"'type=volume,src=$(reboot),dst=/x'\''; reboot; '\'''"), "{command}");
        let comma = r#",{"target":"/a,src=/etc","source":"/b","storage":"bind_mount"}"#;
        assert_eq!(again(&definition(comma), Path::new("/p"), "q", Path::new("/q")).command, None);
        assert_eq!(again("{", Path::new("/p"), "q", Path::new("/q")).command, None);
    }

    #[test]
    fn it_goes_beside_the_old_one_or_to_where_projects_are() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("projects");
        let old = root.join("p");
        std::fs::create_dir_all(&old).unwrap();
        let roots = [root.clone()];
        assert_eq!(place("q", Some(&old), &[]), Ok(root.join("q")));
        assert_eq!(place("q", Some(&root.join("gone")), &roots), Ok(root.join("q")));
        assert_eq!(place("q", Some(Path::new("/elsewhere/p")), &roots), Ok(root.join("q")));
        assert_eq!(place("q", Some(&root), &roots), Ok(root.join("q")), "not beside all projects");
        assert_eq!(place("p", Some(&old), &roots).unwrap_err().kind, Kind::Refused);
        assert_eq!(place("q", Some(Path::new("/elsewhere/p")), &[]).unwrap_err().kind, Kind::NotFound);
        for name in ["", "..", ".x", "-x", "a/b", "a\n", "/"] {
            assert_eq!(place(name, Some(&old), &roots).unwrap_err().kind, Kind::Usage, "{name:?}");
        }
    }
}
