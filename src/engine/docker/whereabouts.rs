//! Where the bytes at a path of a container can be opened on this machine: in the folder that is
//! mounted there, through its process, or in its layer's own directory.

use std::path::Path;

use bollard::models::ContainerInspectResponse;

use crate::core::error::{Error, Kind, Result};
use crate::core::mount::{self, Backing, Mount, READ_ONLY};
use crate::core::spot::Spot;
use crate::core::workspace::Detail;
use crate::port::Whereabouts;
use crate::text::printable_path;

use super::{Link, blocking, detail, failure, mounts};

/// Why nothing is changed where only the container's own processes should.
const INSIDE: &str = "it is the container's own: change it from a shell inside";
/// What the directory of a layer tells.
const WRITTEN: &str = "the container is stopped: only what was written in it is listed, not its image's files";

pub(super) async fn find(link: &Link, id: &str, detail: &Detail, path: &Path) -> Result<Whereabouts> {
    let session = link.session().await?;
    if !session.local {
        return Err(Error::new(Kind::NotSupported, "the engine runs on another machine"));
    }
    let inspected = link.inspect(&session, id).await?;
    let (detail, path) = (detail.clone(), path.to_path_buf());
    blocking(move || here(&inspected, &detail, &path)).await?
}

/// Touches the disk.
fn here(inspected: &ContainerInspectResponse, known: &Detail, path: &Path) -> Result<Whereabouts> {
    let process = detail::process(inspected, true).filter(super::process::Process::readable);
    let on = mount::holding(&known.mounts, path);
    if let Some(found) = on.and_then(|mount| in_its_folder(mount, path)) {
        return Ok(found);
    }
    let upper = mounts::layer(inspected, process.as_ref())
        .map(|layer| layer.upper)
        .filter(|upper| failure::readable(upper));
    let layer = on.is_some_and(|mount| mount.backing == Backing::Layer);
    if let Some(process) = process {
        let spot = spot(&process.place(Path::new("/")), path)?;
        let written = if layer { upper.and_then(|upper| Spot::new(upper, path)) } else { None };
        return Ok(Whereabouts { spot, fixed: Some(INSIDE.into()), partial: None, written });
    }
    match upper {
        Some(upper) if layer => Ok(Whereabouts {
            spot: spot(&upper, path)?,
            fixed: Some(INSIDE.into()),
            partial: Some(WRITTEN.into()),
            written: None,
        }),
        _ => {
            Err(Error::new(Kind::NotPermitted, format!("{} cannot be opened from here", printable_path(path)))
                .hint("root sees the files of every container; `outlast cat` reads single files all the same"))
        }
    }
}

/// A mount's own folder on this machine, or the file that is mounted.
fn in_its_folder(mount: &Mount, path: &Path) -> Option<Whereabouts> {
    if mount.backing == Backing::Layer {
        return None;
    }
    let place = mount.host_path.as_deref().filter(|place| failure::readable(place))?;
    let rest = path.strip_prefix(&mount.target).ok()?;
    let spot = if std::fs::metadata(place).ok()?.is_dir() {
        Spot::new(place, rest)?
    } else {
        Spot::new(place.parent()?, Path::new(place.file_name()?))?
    };
    let fixed = mount.read_only.then(|| READ_ONLY.to_owned());
    Some(Whereabouts { spot, fixed, partial: None, written: None })
}

fn spot(root: &Path, path: &Path) -> Result<Spot> {
    Spot::new(root, path)
        .ok_or_else(|| Error::new(Kind::Usage, format!("{} is no path inside", printable_path(path))))
}
