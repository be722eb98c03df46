//! A look at one path inside a container, and whether it is the image's or the layer's.

use std::path::{Path, PathBuf};

use bollard::errors::Error as Client;
use bollard::query_parameters::ContainerArchiveInfoOptionsBuilder;

use crate::core::classify::Origin;
use crate::core::error::{Error, Kind, Result};
use crate::core::mount::{self, Backing, Mount};
use crate::core::workspace::Detail;
use crate::port::{Look, PathKind};
use crate::scan;

use super::{LIMIT, Link, Session, blocking, detail, failure};

/// Bits of the file mode as the engine's language has them.
const MODE_DIRECTORY: u32 = 1 << 31;
const MODE_LINK: u32 = 1 << 27;
const MODE_SPECIAL: u32 = 1 << 26 | 1 << 25 | 1 << 24 | 1 << 21 | 1 << 19;

/// What the engine says of one path.
pub(super) struct Stat {
    pub(super) kind: PathKind,
    /// A device, pipe or socket: nothing that could be lost.
    pub(super) special: bool,
    /// Its length in bytes.
    pub(super) bytes: u64,
    pub(super) modified: Option<jiff::Timestamp>,
}

pub(super) async fn look(link: &Link, id: &str, detail: &Detail, path: &Path) -> Result<Look> {
    let session = link.session().await?;
    let mut kind = PathKind::Unknown;
    if session.local && detail.state.is_up() {
        let inspected = link.inspect(&session, id).await?;
        let path = path.to_path_buf();
        kind = blocking(move || match detail::process(&inspected, true) {
            Some(process) => scan::look(&process.place(Path::new("/")), &path),
            None => PathKind::Unknown,
        })
        .await?;
    }
    if kind == PathKind::Unknown && path.to_str().is_none() && session.local {
        kind = on_host(detail, path).await?;
    }
    if kind == PathKind::Unknown {
        kind = stat(link, &session, id, path).await?.map_or(PathKind::Absent, |stat| stat.kind);
    }
    let origin = match mount::holding(&detail.mounts, path) {
        Some(mount) if mount.backing == Backing::Injected && kind == PathKind::File => {
            written_since(link, &session, id, detail, mount, path).await
        }
        _ => origin(&session, detail, path, &kind).await?,
    };
    Ok(Look { kind, origin })
}

/// Whether a file of the runtime was changed after the start, at which the runtime wrote it.
async fn written_since(
    link: &Link,
    session: &Session,
    id: &str,
    detail: &Detail,
    mount: &Mount,
    path: &Path,
) -> Origin {
    if mount.read_only {
        return Origin::Image;
    }
    let found = stat(link, session, id, path).await.ok().flatten();
    match (found.and_then(|found| found.modified), detail.started) {
        (Some(modified), Some(started)) if modified > started => Origin::Layer,
        (Some(_), Some(_)) => Origin::Image,
        _ => Origin::Unknown,
    }
}

/// What lies at the place of a path on this machine; a layer's own folder tells only of what was written.
async fn on_host(detail: &Detail, path: &Path) -> Result<PathKind> {
    let Some(mount) = mount::holding(&detail.mounts, path) else { return Ok(PathKind::Unknown) };
    let (Some(place), Ok(rest)) = (mount.host_path.clone(), path.strip_prefix(&mount.target)) else {
        return Ok(PathKind::Unknown);
    };
    let (rest, layer) = (rest.to_path_buf(), mount.backing == Backing::Layer);
    blocking(move || match scan::look(&place, &rest) {
        PathKind::Absent if layer => PathKind::Unknown,
        kind => kind,
    })
    .await
}

/// Asks the engine about one path, following no link in its last component; `None` where nothing is.
pub(super) async fn stat(link: &Link, session: &Session, id: &str, path: &Path) -> Result<Option<Stat>> {
    let Some(named) = path.to_str() else {
        // Asked for with other bytes in it, the engine would truthfully find nothing.
        return Err(Error::new(Kind::NotSupported, "the engine takes no path that is not text"));
    };
    let options = ContainerArchiveInfoOptionsBuilder::default().path(named).build();
    let call = async {
        match session.client.get_container_archive_info(id, Some(options)).await {
            Ok(stat) => Ok(Some(stat)),
            // A failing answer to this kind of question carries no words; the next call tells
            // whether the container is gone.
            Err(Client::DockerResponseServerError { status_code: 404, message })
                if !failure::container_is_gone(&message) =>
            {
                Ok(None)
            }
            Err(why) => Err(why),
        }
    };
    let Some(stat) = link.within("a look at a path", LIMIT, call).await? else {
        link.inspect(session, id).await?;
        return Ok(None);
    };
    let kind = match stat.file_mode {
        mode if mode & MODE_DIRECTORY != 0 => PathKind::Directory,
        mode if mode & MODE_LINK != 0 => PathKind::Link(PathBuf::from(&stat.link_target)),
        _ => PathKind::File,
    };
    Ok(Some(Stat {
        kind,
        special: stat.file_mode & MODE_SPECIAL != 0,
        bytes: u64::try_from(stat.size).unwrap_or(0),
        modified: stat.modification_time.and_then(|time| time.parse().ok()),
    }))
}

/// The layer's own directory holds what was written; what is not there comes from the image.
async fn origin(session: &Session, detail: &Detail, path: &Path, kind: &PathKind) -> Result<Origin> {
    let root = match mount::holding(&detail.mounts, path) {
        Some(root) if root.backing == Backing::Layer => root,
        _ => return Ok(Origin::Unknown),
    };
    match kind {
        PathKind::Absent => return Ok(Origin::Absent),
        PathKind::Unknown => return Ok(Origin::Unknown),
        PathKind::Link(_) | PathKind::Directory | PathKind::File => {}
    }
    let Some(upper) = root.host_path.clone().filter(|_| session.local) else { return Ok(Origin::Unknown) };
    let path = path.to_path_buf();
    blocking(move || {
        if !failure::readable(&upper) {
            return Origin::Unknown;
        }
        match scan::look(&upper, &path) {
            PathKind::Absent => Origin::Image,
            PathKind::Unknown => Origin::Unknown,
            PathKind::Link(_) | PathKind::Directory | PathKind::File => Origin::Layer,
        }
    })
    .await
}
