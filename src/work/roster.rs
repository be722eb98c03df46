//! Who is there: containers with their details, project folders without one, and
//! the three layers a workspace is made of.

use std::path::{Path, PathBuf};

use futures_util::stream::{self, Stream, StreamExt as _};

use super::ground;
use crate::core::aftermath::Aftermath;
use crate::core::classify::Grounds;
use crate::core::error::Result;
use crate::core::mount::{Backing, Mount, Source};
use crate::core::recognise::Profiles;
use crate::core::report::{Layer, Layers};
use crate::core::rules::Rules;
use crate::core::storage::StorageKind;
use crate::core::workspace::{Detail, Owner, RunState, Workspace, WsKey};
use crate::platform::folders;
use crate::port::{Engine, Host, Image};

/// How many closer looks are under way at one engine at a time.
const LOOKS: usize = 4;

/// Our own note on a retired workspace: the number of the user the folder belongs to.
/// Image names carry the number where the owner is shown by name.
const FOLDER_UID: &str = "outlast.folder.uid";

/// One workspace with what a closer look said, if there was one yet.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The cheap facts.
    pub workspace: Workspace,
    /// The closer look, or why it failed; `None` while nobody looked.
    pub grounds: Option<Result<Grounds>>,
}

impl Entry {
    /// The detail, where there is one.
    pub fn known(&self) -> Option<&Detail> {
        self.stands_on().map(|grounds| &*grounds.detail)
    }

    /// What its answers stand on, where somebody looked closer.
    pub fn stands_on(&self) -> Option<&Grounds> {
        match &self.grounds {
            Some(Ok(grounds)) => Some(grounds),
            _ => None,
        }
    }
}

/// Looks at workspaces more closely, four at a time; answers come in the order in which they arrive.
pub fn grounds<'e>(
    engine: &'e dyn Engine,
    profiles: &'e Profiles,
    workspaces: Vec<Workspace>,
) -> impl Stream<Item = (WsKey, Result<Grounds>)> + 'e {
    stream::iter(workspaces)
        .map(move |workspace| async move {
            let grounds = ground::look(engine, profiles, &workspace).await;
            (workspace.key, grounds)
        })
        .buffer_unordered(LOOKS)
}

/// Project folders that no container mounts, as retired workspaces.
///
/// `roots` are folder roots, whose direct sub-folders are projects; `known` are
/// the host paths of all mounts. A mount of the whole root or of a folder below
/// a project counts for it; a mount of something far above, such as `/home`, is
/// somebody else's business and does not. Owners are named where `host` knows them.
pub fn retired(roots: &[PathBuf], known: &[PathBuf], endpoint: &str, host: &Host) -> Vec<Workspace> {
    let mut found = Vec::new();
    for root in roots {
        for project in folders::projects(root) {
            let mounted = known.iter().any(|path| {
                path.starts_with(&project.path) || (project.path.starts_with(path) && path.starts_with(root))
            });
            if !mounted {
                found.push(folder_workspace(project, endpoint));
            }
        }
    }
    name_owners(&mut found, host);
    found
}

fn folder_workspace(project: folders::Project, endpoint: &str) -> Workspace {
    let uid = project.uid.to_string();
    Workspace {
        key: WsKey { endpoint: endpoint.into(), id: project.path.to_string_lossy().into_owned() },
        container: None,
        name: project.name.clone(),
        owner: Owner { name: Some(uid.clone()), from: Some("the folder's owner".into()) },
        project: Some(project.name),
        image: None,
        image_id: None,
        state: RunState::Retired,
        created: project.created,
        labels: [(FOLDER_UID.to_string(), uid)].into(),
        managed_by: None,
        protected: false,
        client: crate::core::workspace::CLIENT,
    }
}

/// Turns owners that are bare numbers into names, where this machine knows them.
pub fn name_owners(workspaces: &mut [Workspace], host: &Host) {
    for workspace in workspaces {
        let name = workspace.owner.name.as_deref().and_then(|name| name.parse().ok());
        if let Some(name) = name.and_then(|uid| host.user_name(uid)) {
            workspace.owner.name = Some(name);
        }
    }
}

/// The mount that brings the project folder in: the profile's folder, else one
/// under a folder root, else the one the container starts in, else the only one it can write to.
pub fn folder<'d>(detail: &'d Detail, rules: &Rules, roots: &[PathBuf]) -> Option<&'d Mount> {
    let from_host = || {
        detail.mounts.iter().filter(|mount| {
            mount.host_path.is_some()
                && matches!(mount.backing, Backing::HostDir { .. })
                && mount.storage != StorageKind::BindScratch
                && !mount.read_only
        })
    };
    let preferred = rules.workspace.as_deref();
    from_host()
        .find(|mount| Some(mount.target.as_path()) == preferred)
        .or_else(|| {
            from_host().find(|mount| {
                let path = mount.host_path.as_deref();
                path.is_some_and(|path| roots.iter().any(|root| path.starts_with(root)))
            })
        })
        .or_else(|| from_host().find(|mount| Some(&mount.target) == detail.workdir.as_ref()))
        .or_else(|| {
            // The only folder it can write to is where its work is.
            let on_disk = [StorageKind::BindMount, StorageKind::BindNetwork];
            let mut all = from_host().filter(|mount| on_disk.contains(&mount.storage));
            all.next().filter(|_| all.next().is_none())
        })
}

/// Image, container and folder of a workspace, whether each exists and how long it lives.
///
/// `images` is `None` where the engine could not list them; `folder` is the
/// project folder on the host, where there is one.
pub fn layers(
    workspace: &Workspace,
    detail: Option<&Detail>,
    images: Option<&[Image]>,
    folder: Option<&Path>,
) -> Layers {
    let removes_itself = detail.is_some_and(|detail| detail.on_stop == Aftermath::Removed);
    Layers {
        image: image_layer(workspace, images),
        container: Layer {
            name: workspace.container.clone(),
            exists: container_exists(workspace, detail),
            lifetime: if removes_itself { "until it stops (--rm)" } else { "until removed" },
        },
        workspace: Layer {
            name: folder.map(|folder| folder.to_string_lossy().into_owned()),
            exists: folder_exists(workspace, detail, folder),
            lifetime: "until deleted",
        },
    }
}

/// A retired workspace has no container; this machine may be one itself, which its layer gives away.
fn container_exists(workspace: &Workspace, detail: Option<&Detail>) -> Option<bool> {
    if workspace.container.is_some() {
        return Some(true);
    }
    if workspace.state == RunState::Retired {
        return Some(false);
    }
    let mounts = detail.map(|detail| detail.mounts.as_slice()).unwrap_or_default();
    mounts.iter().any(|mount| mount.storage == StorageKind::WritableLayer).then_some(true)
}

fn image_layer(workspace: &Workspace, images: Option<&[Image]>) -> Layer {
    let lifetime = "until removed";
    if workspace.state == RunState::Retired {
        let names = image_names(workspace);
        let found = images.map(|images| {
            names.iter().find(|name| images.iter().any(|image| image.tags.contains(name))).cloned()
        });
        return match found {
            Some(Some(name)) => Layer { name: Some(name), exists: Some(true), lifetime },
            Some(None) => Layer { name: None, exists: Some(false), lifetime },
            None => Layer { name: None, exists: None, lifetime },
        };
    }
    let exists = images.and_then(|images| {
        let id = workspace.image_id.as_ref()?;
        Some(images.iter().any(|image| &image.id == id))
    });
    Layer { name: workspace.image.clone(), exists, lifetime }
}

/// The names an image of a retired project may go by, the most specific first.
fn image_names(workspace: &Workspace) -> Vec<String> {
    let project = &workspace.name;
    let uid = workspace.labels.get(FOLDER_UID);
    let user = workspace.owner.name.as_ref();
    let mut names: Vec<_> =
        uid.into_iter().chain(user).map(|owner| format!("ds01-{owner}/{project}:latest")).collect();
    names.dedup();
    names.push(format!("{project}:latest"));
    names
}

fn folder_exists(workspace: &Workspace, detail: Option<&Detail>, folder: Option<&Path>) -> Option<bool> {
    if workspace.state == RunState::Retired {
        return Some(true);
    }
    let folder = folder?;
    let mount = detail?.mounts.iter().find(|mount| mount.host_path.as_deref() == Some(folder))?;
    match (&mount.backing, mount.storage) {
        (_, StorageKind::BindDeleted) => Some(false),
        (Backing::HostDir { source: Source::Present | Source::Scratch, .. }, _) => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::fake;

    #[test]
    fn a_folder_that_nothing_mounts_is_a_retired_workspace() {
        let root = tempfile::tempdir().unwrap();
        for name in ["p", "q", "r", ".hidden"] {
            std::fs::create_dir(root.path().join(name)).unwrap();
        }
        std::fs::write(root.path().join("file"), "").unwrap();
        std::os::unix::fs::symlink("/etc", root.path().join("link")).unwrap();
        let roots = [root.path().to_path_buf()];
        let names = |known: &[PathBuf]| -> Vec<String> {
            retired(&roots, known, "docker", &Host::default())
                .into_iter()
                .map(|workspace| workspace.name)
                .collect()
        };
        assert_eq!(names(&[root.path().join("q/data")]), ["p", "r"]);
        assert_eq!(names(&["/".into()]), ["p", "q", "r"], "a mount of the whole host says nothing");
        assert!(names(&roots).is_empty(), "a container that mounts the root works in all of them");
    }

    #[test]
    fn all_three_layers_are_named_and_only_the_container_ends_with_it() {
        let images = [Image { id: "sha256:1".into(), tags: vec!["ds01-1001/p:latest".into()] }];
        let mut workspace = fake::workspace("p");
        workspace.image_id = Some("sha256:1".into());
        let detail = fake::detail(RunState::Running);
        let here = layers(&workspace, Some(&detail), Some(&images), Some(Path::new("/home/u/workspace/p")));
        assert_eq!(
            [here.image.exists, here.container.exists, here.workspace.exists],
            [Some(true), Some(true), Some(true)]
        );

        workspace.state = RunState::Retired;
        workspace.container = None;
        workspace.owner.name = Some("alice".into());
        workspace.labels.insert(FOLDER_UID.into(), "1001".into());
        let gone = layers(&workspace, None, Some(&images), Some(Path::new("/home/u/p")));
        assert_eq!(
            [gone.image.exists, gone.container.exists, gone.workspace.exists],
            [Some(true), Some(false), Some(true)]
        );
        assert_eq!(gone.image.name.as_deref(), Some("ds01-1001/p:latest"));
    }

    #[test]
    fn this_machine_may_be_a_container_and_is_never_said_to_have_none() {
        let mut workspace = fake::workspace("p");
        workspace.container = None;
        let mut detail = fake::detail(RunState::Running);
        let exists = |detail: &Detail| layers(&workspace, Some(detail), None, None).container.exists;
        assert_eq!(exists(&detail), Some(true));
        detail.mounts.retain(|mount| mount.storage != StorageKind::WritableLayer);
        assert_eq!(exists(&detail), None);
    }

    #[test]
    fn a_folder_in_memory_or_below_tmp_is_not_where_the_work_is() {
        let mut detail = fake::detail(RunState::Running);
        let only = |detail: &Detail| folder(detail, &fake::profiles().without_workspace(), &[]).is_some();
        let at = detail.mounts.iter().position(|mount| mount.target == Path::new("/workspace")).unwrap();
        detail.mounts[at].target = "/elsewhere".into();
        assert!(only(&detail));
        let backing = Backing::HostDir { path: "/tmp/p".into(), source: Source::Scratch };
        detail.mounts[at] = Mount::new("/elsewhere".into(), "/tmp/p".into(), backing, Some("ext4".into()));
        assert!(!only(&detail));
    }

    #[test]
    fn images_that_could_not_be_listed_are_unknown_and_not_absent() {
        let workspace = fake::workspace("p");
        assert_eq!(layers(&workspace, None, None, None).image.exists, None);
    }

    #[test]
    fn numbers_become_names_where_they_are_known() {
        let host = Host { users: [(1001, "alice".to_string())].into(), ..Host::default() };
        let mut all = [fake::workspace("a"), fake::workspace("b")];
        all[0].owner.name = Some("1001".into());
        all[1].owner.name = Some("4242".into());
        name_owners(&mut all, &host);
        assert_eq!(all[0].owner.name.as_deref(), Some("alice"));
        assert_eq!(all[1].owner.name.as_deref(), Some("4242"));
    }
}
