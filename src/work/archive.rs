//! Archives of a folder: what must be true first, the plan that is shown, and the work itself.

use std::fmt::Write as _;
use std::future::Future;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::act::one_step;
use super::explain::quote;
use super::watched::watched;
use crate::core::archive::{Excludes, Packing, name, packing, too_large};
use crate::core::error::{Error, Kind, Result};
use crate::core::plan::{Plan, Verb};
pub use crate::port::archive::{ArchiveFile, Condition, Missed, RestoreOrder, Restored, Verified, Written};
use crate::port::archive::{Meter, WriteOrder};
use crate::port::{Archives, Clock, Disk, Pace};
use crate::text::{printable_path, size};

/// How often a walk is looked at.
const LOOKED_AT: Duration = Duration::from_millis(100);
/// How long a list may take to read archives through.
const LISTED_WITHIN: Duration = Duration::from_secs(5);
/// The folder beside the others that an archive over the limit goes to.
const SIDE: &str = "workspace-backup";

/// What is asked for an archive.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The folder.
    pub folder: PathBuf,
    /// Where the archive is to lie.
    pub to: PathBuf,
    /// The most that is backed up, in bytes.
    pub limit: Option<u64>,
    /// What is left out.
    pub excludes: Excludes,
    /// The machine's name, for whoever finds the archive.
    pub host: String,
}

/// An archive that can be written.
#[derive(Debug)]
pub struct Prepared {
    /// What will be done.
    pub plan: Plan,
    /// The same for whoever does it.
    pub order: WriteOrder,
}

/// Looks whether an archive can be written, and plans it. Measures the folder against the limit, which
/// may take long.
pub async fn prepare(
    asked: Asked,
    disk: &Arc<dyn Disk>,
    clock: &dyn Clock,
    stop: impl Future<Output = ()>,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<Prepared> {
    let folder = real(&asked.folder)?;
    let to = real(&asked.to)
        .map_err(|error| error.hint("make the folder first: outlast makes none for archives"))?;
    if to.starts_with(&folder) {
        let (to, folder) = (printable_path(&to), printable_path(&folder));
        return Err(Error::new(
            Kind::Usage,
            format!("{to} is in {folder} itself: the archive would go with it"),
        )
        .hint("choose a folder elsewhere: `--to DIR`"));
    }
    let meter = Arc::new(Meter::default());
    let (measured, disk) = (folder.clone(), Arc::clone(disk));
    let measure = move |meter: &Meter| measure(disk.as_ref(), &measured, meter);
    let measured = watched(&meter, measure, stop, tell).await?;
    if let Some(limit) = asked.limit.filter(|limit| measured.bytes > *limit) {
        return Err(too_large("the folder", &folder, measured.bytes, limit)
            .hint("`outlast du` says what takes the space; move data elsewhere, or set another --limit SIZE"));
    }
    let random = std::array::from_fn(|_| random_byte());
    let file = to.join(name(clock.now(), random));
    let quoted = |path: &Path| quote(path).unwrap_or_else(|| printable_path(path).into_owned());
    let call = format!("outlast archive {} --to {}", quoted(&folder), quoted(&to));
    let mut plan = one_step(Verb::Archive, &folder, call, Some(format!("rm {}", quoted(&file))), clock);
    plan.notes.push(format!("writes {}, from {} on the disk", printable_path(&file), size(measured.bytes)));
    plan.notes.push(format!("left out: {}", asked.excludes.patterns().join(", ")));
    if measured.mounts > 0 {
        plan.notes
            .push(format!("{} folders on other disks are mounted there and are not in it", measured.mounts));
    }
    if measured.unread > 0 {
        plan.notes.push(format!("{} entries cannot be read and will not be in it", measured.unread));
    }
    if same_disk(&folder, &to) {
        plan.notes.push(
            "it lies on the same disk: it helps after a deletion, not after the loss of this host".into(),
        );
    }
    for step in &mut plan.steps {
        step.bytes = Some(measured.bytes);
    }
    let from = source(&asked.host, &folder);
    Ok(Prepared {
        plan,
        order: WriteOrder { source: folder, file, limit: asked.limit, excludes: asked.excludes, from },
    })
}

/// A byte of what the standard library draws for its hash tables: names need no more than to differ.
fn random_byte() -> u8 {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    RandomState::new().build_hasher().finish().to_le_bytes()[0]
}

/// A folder that is there, with all links followed: a person named it.
fn real(folder: &Path) -> Result<PathBuf> {
    let error = |why: &std::io::Error| {
        let kind = match why.kind() {
            std::io::ErrorKind::PermissionDenied => Kind::NotPermitted,
            _ => Kind::NotFound,
        };
        Error::new(kind, format!("{} could not be read: {why}", printable_path(folder)))
    };
    let real = folder.canonicalize().map_err(|why| error(&why))?;
    if real.is_dir() {
        return Ok(real);
    }
    Err(Error::new(Kind::Usage, format!("{} is no folder", printable_path(folder))))
}

fn same_disk(one: &Path, other: &Path) -> bool {
    let device = |path: &Path| path.metadata().ok().map(|metadata| metadata.dev());
    device(one).is_some_and(|one| Some(one) == device(other))
}

/// What a folder holds, as `du` counts it.
struct Measured {
    bytes: u64,
    mounts: u64,
    unread: u64,
}

fn measure(disk: &dyn Disk, folder: &Path, meter: &Meter) -> Result<Measured> {
    let walk = disk.walk(folder, Pace::Full)?;
    while !walk.ended(LOOKED_AT) {
        if meter.stopped() {
            walk.stop();
            return Err(Error::new(Kind::Cancelled, "stopped; nothing was written"));
        }
    }
    let found = walk.progress();
    if !found.finished {
        return Err(Error::new(
            Kind::Incomplete,
            format!("{} was not read to its end", printable_path(folder)),
        ));
    }
    Ok(Measured { bytes: found.total.allocated, mounts: found.mounts, unread: found.total.errors })
}

/// Writes the archive.
pub async fn write(
    archives: &Arc<dyn Archives>,
    order: WriteOrder,
    stop: impl Future<Output = ()>,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<Written> {
    let archives = Arc::clone(archives);
    watched(&Arc::default(), move |meter| archives.write(&order, meter), stop, tell).await
}

/// The archives of a folder; each is read through as far as the time allows, unless all of them are to be.
pub async fn list(
    archives: &Arc<dyn Archives>,
    folder: &Path,
    all: bool,
    stop: impl Future<Output = ()>,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<Vec<ArchiveFile>> {
    let (archives, folder) = (Arc::clone(archives), folder.to_path_buf());
    let within = (!all).then_some(LISTED_WITHIN);
    watched(&Arc::default(), move |meter| archives.list(&folder, within, meter), stop, tell).await
}

/// When each of these folders was archived last, as far as the archives of one place tell. None is read
/// through for it.
pub async fn last(
    archives: &Arc<dyn Archives>,
    place: &Path,
    folders: &[PathBuf],
    host: &str,
) -> Result<Vec<Option<Timestamp>>> {
    let (archives, place) = (Arc::clone(archives), place.to_path_buf());
    let listing = move |meter: &Meter| archives.list(&place, Some(Duration::ZERO), meter);
    let found = watched(&Arc::default(), listing, std::future::pending(), &mut |_, _| {}).await?;
    let of = |folder: &PathBuf| {
        let from = source(host, &folder.canonicalize().unwrap_or_else(|_| folder.clone()));
        let mut all = found.iter().filter(|one| one.from.as_deref() == Some(from.as_str()));
        all.find_map(|one| one.made)
    };
    Ok(folders.iter().map(of).collect())
}

/// Where an archive is from, for whoever finds it.
fn source(host: &str, folder: &Path) -> String {
    format!("{host}:{}", printable_path(folder))
}

/// Reads an archive to its end.
pub async fn verify(
    archives: &Arc<dyn Archives>,
    file: &Path,
    stop: impl Future<Output = ()>,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<Verified> {
    let (archives, file) = (Arc::clone(archives), file.to_path_buf());
    watched(&Arc::default(), move |meter| archives.verify(&file, meter), stop, tell).await
}

/// Plans to put an archive into a folder.
pub fn plan_restore(
    order: &mut RestoreOrder,
    limit: Option<u64>,
    viewer: u32,
    clock: &dyn Clock,
) -> Result<Plan> {
    let metadata = order.file.metadata().map_err(|why| {
        Error::new(Kind::NotFound, format!("{} could not be read: {why}", printable_path(&order.file)))
    })?;
    if let Some((uid, _)) = order.owner.filter(|(uid, _)| viewer != 0 && *uid != viewer) {
        return Err(Error::new(Kind::NotPermitted, format!("only root can give files to user {uid}"))
            .hint("leave --owner out: the files will be yours"));
    }
    let quoted = |path: &Path| quote(path).unwrap_or_else(|| printable_path(path).into_owned());
    let mut call = format!("outlast archive restore {} {}", quoted(&order.file), quoted(&order.target));
    call.push_str(if order.merge { " --merge" } else { "" });
    if let Some((uid, gid)) = order.owner {
        // Writing to a String cannot fail.
        let _ = write!(call, " --owner {uid}:{gid}");
    }
    let mut notes = Vec::new();
    // As the platform does: what could not have been backed up today does not go over the home.
    let over = limit.filter(|limit| packing(&order.file) == Packing::Zip && metadata.len() > *limit);
    if let Some(limit) = over {
        order.target = order.target.join(SIDE);
        notes.push(format!(
            "the archive is larger than the limit of {}, so its files go to {}: move what you need from there",
            size(limit),
            printable_path(&order.target)
        ));
    }
    let there = order.target.exists();
    let undo = match (there, order.merge) {
        (false, _) => Some(format!("rm -r {}", quoted(&order.target))),
        (true, false) => {
            let keep = "! -name .vessl ! -name lost+found";
            Some(format!("find {} -mindepth 1 -maxdepth 1 {keep} -exec rm -r {{}} +", quoted(&order.target)))
        }
        (true, true) => None,
    };
    notes.push(format!(
        "{} is read to its end first: nothing is restored from a damaged archive",
        size(metadata.len())
    ));
    if order.merge {
        notes.push("files that are newer stay; older ones are moved to .outlast-replaced-* there".into());
    }
    let mut plan = one_step(Verb::Unpack, &order.target, call, undo, clock);
    plan.notes = notes;
    Ok(plan)
}

/// Puts an archive into a folder.
pub async fn restore(
    archives: &Arc<dyn Archives>,
    order: RestoreOrder,
    stop: impl Future<Output = ()>,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<Restored> {
    let archives = Arc::clone(archives);
    watched(&Arc::default(), move |meter| archives.restore(&order, meter), stop, tell).await
}
