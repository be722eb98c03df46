//! Throw-away containers for the tour: an image of empty folders, a folder of the host, a container from both.
//!
//! Nothing is pulled and nothing is started. Removing is by id, never by force and never with volumes.

use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use bollard::models::{ContainerCreateBody, HostConfig, Mount, MountType};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, CreateImageOptionsBuilder, RemoveContainerOptionsBuilder,
    RemoveImageOptions, UploadToContainerOptionsBuilder,
};
use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use serde::Deserialize;

use crate::core::error::{Error, Kind, Result};
use crate::port::{Blueprint, Part, PartKind, Reply, Sandbox};

use super::tar::Archive;
use super::{Docker, LIMIT, Link, RUN_LIMIT, blocking, http};

/// Folders of the image, beside the one that is mounted over.
const FOLDERS: [(&str, u32); 3] = [("etc", 0o755), ("root", 0o700), ("tmp", 0o1777)];

/// One entry of the list of containers or images, as far as the tour's own are told by it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    id: String,
    names: Option<Vec<String>>,
    repo_tags: Option<Vec<String>>,
    created: Option<i64>,
    labels: Option<BTreeMap<String, String>>,
}

impl Sandbox for Docker {
    fn make<'a>(&'a self, part: PartKind, wanted: &'a Blueprint) -> Reply<'a, ()> {
        Box::pin(async move {
            match part {
                PartKind::Image => import(&self.link, wanted).await,
                PartKind::Folder => {
                    let folder = wanted.folder();
                    blocking(move || make_folder(&folder)).await?
                }
                PartKind::Workspace => create(&self.link, wanted).await,
            }
        })
    }

    fn save<'a>(&'a self, wanted: &'a Blueprint, path: &'a Path, text: &'a str) -> Reply<'a, ()> {
        Box::pin(upload(&self.link, wanted, path, text, self.clock.now()))
    }

    fn parts<'a>(&'a self, folders: &'a Path) -> Reply<'a, Vec<Part>> {
        Box::pin(async move {
            let mut all = list(&self.link).await?;
            let folders = folders.to_path_buf();
            all.extend(blocking(move || list_folders(&folders)).await?);
            Ok(all)
        })
    }

    fn discard<'a>(&'a self, folders: &'a Path, part: &'a Part) -> Reply<'a, ()> {
        Box::pin(async move {
            let gone = match part.kind {
                PartKind::Folder => {
                    let (folders, name) = (folders.to_path_buf(), part.id.clone());
                    return blocking(move || remove_folder(&folders, &name)).await?;
                }
                PartKind::Workspace => {
                    let session = self.link.session().await?;
                    let options = RemoveContainerOptionsBuilder::default().v(false).force(false).build();
                    let call = session.client.remove_container(&part.id, Some(options));
                    self.link.within("removing the container", RUN_LIMIT, call).await
                }
                PartKind::Image => {
                    let session = self.link.session().await?;
                    let call = session.client.remove_image(&part.id, None::<RemoveImageOptions>, None);
                    self.link.within("removing the image", RUN_LIMIT, call).await.map(drop)
                }
            };
            match gone {
                Err(error) if error.kind == Kind::NotFound => Ok(()),
                gone => gone,
            }
        })
    }
}

/// Imports an image from an archive made here.
async fn import(link: &Link, wanted: &Blueprint) -> Result<()> {
    let session = link.session().await?;
    let label = |key: &str, value: &str| format!("LABEL {key}={value}");
    let options = CreateImageOptionsBuilder::default()
        .from_src("-")
        .repo(Blueprint::IMAGE)
        .tag(&wanted.owner)
        .changes(vec![label(Blueprint::LABEL, "1"), label(Blueprint::OWNER_LABEL, &wanted.owner)])
        .build();
    let body = bollard::body_full(root(&wanted.target)?.into());
    let call = session.client.create_image(Some(options), Some(body), None).try_collect::<Vec<_>>();
    link.within("importing the image", RUN_LIMIT, call).await.map(drop)
}

/// The image's folders as an archive: a few that every system has, and the one to mount over.
fn root(target: &Path) -> Result<Vec<u8>> {
    let mut archive = Archive::default();
    for (folder, mode) in FOLDERS {
        archive.folder(folder, mode)?;
    }
    let mut above: Vec<&Path> = target.ancestors().filter(|path| path.parent().is_some()).collect();
    above.reverse();
    for path in above {
        let path = text(path)?.trim_start_matches('/');
        if !FOLDERS.iter().any(|(folder, _)| *folder == path) {
            archive.folder(path, 0o755)?;
        }
    }
    Ok(archive.done())
}

async fn create(link: &Link, wanted: &Blueprint) -> Result<()> {
    let session = link.session().await?;
    // As a mount and not as a bind: a folder that the engine's machine lacks is an error and not made.
    let mount = Mount {
        typ: Some(MountType::BIND),
        source: Some(text(&wanted.folder())?.into()),
        target: Some(text(&wanted.target)?.into()),
        ..Mount::default()
    };
    let body = ContainerCreateBody {
        image: Some(wanted.image()),
        cmd: Some(vec!["true".into()]),
        labels: Some(HashMap::from([
            (Blueprint::LABEL.into(), "1".into()),
            (Blueprint::OWNER_LABEL.into(), wanted.owner.clone()),
        ])),
        host_config: Some(HostConfig { mounts: Some(vec![mount]), ..HostConfig::default() }),
        ..ContainerCreateBody::default()
    };
    let options = CreateContainerOptionsBuilder::default().name(&wanted.name()).build();
    let call = session.client.create_container(Some(options), body);
    let made = link.within("making the container", RUN_LIMIT, call).await;
    made.map(drop).map_err(|error| {
        if session.local {
            return error;
        }
        error.hint("the tour needs an engine on this machine: it mounts a folder of it")
    })
}

async fn upload(link: &Link, wanted: &Blueprint, path: &Path, said: &str, now: Timestamp) -> Result<()> {
    let session = link.session().await?;
    let (folder, name) = path.parent().zip(path.file_name()).unwrap_or((path, path.as_os_str()));
    let mut archive = Archive::default();
    archive.file(text(Path::new(name))?, said.as_bytes(), now.as_second())?;
    let options = UploadToContainerOptionsBuilder::default().path(text(folder)?).build();
    let name = wanted.name();
    let body = bollard::body_full(archive.done().into());
    let call = session.client.upload_to_container(&name, Some(options), body);
    link.within("saving a file", RUN_LIMIT, call).await
}

/// Containers and images that carry the tour's label and its name as well.
async fn list(link: &Link) -> Result<Vec<Part>> {
    let filter = http::encoded(format!(r#"{{"label":["{}=1"]}}"#, Blueprint::LABEL));
    let (containers, images) =
        (format!("/containers/json?all=1&filters={filter}"), format!("/images/json?filters={filter}"));
    let (containers, images) = futures_util::join!(
        link.socket.json::<Vec<Listed>>("the list of the tour's containers", &containers, LIMIT),
        link.socket.json::<Vec<Listed>>("the list of the tour's images", &images, LIMIT),
    );
    let containers = containers?.into_iter().filter_map(container);
    Ok(containers.chain(images?.into_iter().filter_map(image)).collect())
}

/// A label alone may have come from the image that somebody made a container of their own from.
fn container(listed: Listed) -> Option<Part> {
    let owner = owner(&listed)?;
    let name = Blueprint::name_of(&owner);
    let named = listed.names.iter().flatten().any(|known| known.trim_start_matches('/') == name);
    named.then(|| part(PartKind::Workspace, listed, owner, name))
}

/// An import that was cut off has no name yet; an image with any other name is somebody's own.
fn image(listed: Listed) -> Option<Part> {
    let owner = owner(&listed)?;
    let name = format!("{}:{owner}", Blueprint::IMAGE);
    let own = |tag: &String| tag == "<none>:<none>" || tag.rsplit('/').next() == Some(&name);
    let only_own = listed.repo_tags.iter().flatten().all(own);
    only_own.then(|| part(PartKind::Image, listed, owner, name))
}

fn owner(listed: &Listed) -> Option<String> {
    listed.labels.as_ref()?.get(Blueprint::OWNER_LABEL).cloned()
}

fn part(kind: PartKind, listed: Listed, owner: String, name: String) -> Part {
    let made = listed.created.and_then(|seconds| Timestamp::from_second(seconds).ok());
    Part { kind, id: listed.id, name, owner, made }
}

fn make_folder(folder: &Path) -> Result<()> {
    let failed = |error| Error::new(Kind::Failed, format!("could not make {}: {error}", folder.display()));
    let build = |recursive| {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(recursive).mode(0o700);
        builder
    };
    if let Some(above) = folder.parent() {
        build(true).create(above).map_err(failed)?;
    }
    // Not one that is there already: what lies in it is somebody's.
    build(false).create(folder).map_err(failed)
}

fn list_folders(folders: &Path) -> Vec<Part> {
    let entries = std::fs::read_dir(folders).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_dir)?;
            let owner = entry.file_name().into_string().ok()?;
            let made = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
            let name = entry.path().to_string_lossy().into_owned();
            Some(Part { kind: PartKind::Folder, id: owner.clone(), name, owner, made })
        })
        .collect()
}

fn remove_folder(folders: &Path, name: &str) -> Result<()> {
    let folder = folders.join(name);
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Error::new(Kind::Failed, format!("could not remove {}: {error}", folder.display())));
        }
        _ => {}
    }
    // The last one takes the place of them all along.
    let _ = std::fs::remove_dir(folders);
    Ok(())
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| {
        Error::new(Kind::NotSupported, format!("the engine takes no path that is not text: {}", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(json: &str) -> Listed {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn only_what_has_both_the_label_and_the_name_is_the_tours_own() {
        let labels = r#""Labels":{"outlast.tour":"1","outlast.tour.owner":"4-x"}"#;
        let name = |json: &str| container(listed(&format!(r#"{{"Id":"a",{labels},{json}}}"#))).map(|p| p.name);
        assert_eq!(name(r#""Names":["/outlast-tour-4-x"]"#).as_deref(), Some("outlast-tour-4-x"));
        assert_eq!(name(r#""Names":["/thesis"]"#), None);
        let name = |json: &str| image(listed(&format!(r#"{{"Id":"a",{labels},{json}}}"#))).map(|p| p.name);
        assert!(name(r#""RepoTags":["localhost/outlast-tour:4-x"]"#).is_some());
        assert!(name(r#""RepoTags":null"#).is_some() && name(r#""RepoTags":["<none>:<none>"]"#).is_some());
        assert_eq!(name(r#""RepoTags":["outlast-tour:4-x","mine:1"]"#), None);
        assert!(container(listed(r#"{"Id":"a","Labels":{"outlast.tour":"1"}}"#)).is_none());
    }

    #[test]
    fn a_folder_that_is_there_already_is_not_taken_and_a_link_is_not_followed() {
        let place = tempfile::tempdir().unwrap();
        let folders = place.path().join("tour");
        make_folder(&folders.join("1")).unwrap();
        assert!(make_folder(&folders.join("1")).is_err());
        let outside = place.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("x"), "").unwrap();
        std::os::unix::fs::symlink(&outside, folders.join("2")).unwrap();
        std::os::unix::fs::symlink(&outside, folders.join("1/link")).unwrap();
        let names: Vec<_> = list_folders(&folders).into_iter().map(|part| part.id).collect();
        assert_eq!(names, ["1"]);
        remove_folder(&folders, "1").unwrap();
        remove_folder(&folders, "1").unwrap();
        assert!(outside.join("x").exists() && !folders.join("1").exists());
    }
}
