//! The tasks behind the page Browse: folders read, files looked into, plans made. None may wait for
//! ever: a disk that does not answer is said.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::Ports;
use super::msg::{Browsed, Msg, Wish};
use crate::core::classify::Grounds;
use crate::core::error::{Error, Kind, Result};
use crate::core::plan::Plan;
use crate::core::preview::{MOST, preview};
use crate::core::spot::Identity;
use crate::core::workspace::Workspace;
use crate::model::{FileEntry, FileOrder};
use crate::port::{Entry, EntryKind, Host};
use crate::text::printable_path;
use crate::work::browse::plans::Maker;
use crate::work::browse::{
    Follow, Reach, Written, beginning, below, entry, goal_here, here, host_path, list, reach,
};

/// How long a folder or a file may take.
const WITHIN: Duration = Duration::from_secs(20);
/// How long counting what a plan is about may take.
const COUNTED_WITHIN: Duration = Duration::from_mins(1);
/// Entries that are read at most.
const ENTRIES: usize = 200_000;
/// Bytes of a file that is neither notebook nor weights.
const LITTLE: usize = 128 * 1024;

/// Whose folder it is, and what is known of it.
pub(super) struct Whose {
    pub(super) workspace: Workspace,
    pub(super) grounds: Option<Grounds>,
}

/// Reads a folder; where a file is in its place, looks into that.
pub(super) async fn folder(ports: &Ports, whose: &Whose, number: u64, path: &Path, order: FileOrder) -> Msg {
    match timeout(WITHIN, read(ports, whose, path, order)).await {
        Ok(Ok(Read::Folder(read))) => Msg::Browsed(number, Ok(read)),
        Ok(Ok(Read::File(path))) => file(ports, whose, number, &path).await,
        Ok(Err(error)) => Msg::Browsed(number, Err(error)),
        Err(_) => Msg::Browsed(number, Err(late(path, WITHIN))),
    }
}

enum Read {
    Folder(Browsed),
    File(PathBuf),
}

async fn read(ports: &Ports, whose: &Whose, path: &Path, order: FileOrder) -> Result<Read> {
    let found = find(ports, whose, path, Follow::All).await?;
    if let Ok(Some(there)) = entry(&ports.files, &found).await
        && there.kind != EntryKind::Folder
    {
        return Ok(Read::File(found.path));
    }
    let (listing, written) = list(&ports.files, &found, ENTRIES).await?;
    let (listed, above) = (listing.entries, found.path.parent().is_some());
    let host = Arc::clone(&ports.host);
    // Names of owners may come from a server, and a long list takes a moment to put in order.
    let entries = away(move || described(listed, written.as_ref(), above, order, &host)).await?;
    let more = listing.more.then(|| format!("there are more than {ENTRIES} entries"));
    let partial = found.at.as_ref().ok().and_then(|at| at.partial.clone()).or(more);
    Ok(Read::Folder(Browsed { path: found.path, entries, fixed: listing.fixed, partial }))
}

fn described(
    listed: Vec<Entry>,
    written: Option<&Written>,
    above: bool,
    order: FileOrder,
    host: &Host,
) -> Vec<FileEntry> {
    let owners: BTreeSet<u32> = listed.iter().map(|entry| entry.owner).collect();
    let names: BTreeMap<u32, Option<String>> =
        owners.into_iter().map(|uid| (uid, host.user_name(uid))).collect();
    let describe = |entry: Entry| FileEntry {
        written: written.map(|names| names.contains(&entry.name)),
        owner: names.get(&entry.owner).cloned().flatten(),
        entry,
    };
    let mut entries: Vec<FileEntry> = listed.into_iter().map(describe).chain(above.then(up)).collect();
    order.sort(&mut entries);
    entries
}

/// Runs what takes a moment where it stops nothing else.
async fn away<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let broken = |why| Error::new(Kind::Failed, format!("it broke off: {why}"));
    tokio::task::spawn_blocking(work).await.map_err(broken)
}

/// The way to the folder above.
fn up() -> FileEntry {
    let entry = Entry {
        name: OsString::from(".."),
        kind: EntryKind::Folder,
        bytes: 0,
        allocated: 0,
        modified: None,
        owner: 0,
        mode: 0,
        target: None,
        identity: Identity::default(),
        mount: false,
    };
    FileEntry { entry, written: None, owner: None }
}

/// Looks into a file.
pub(super) async fn file(ports: &Ports, whose: &Whose, number: u64, path: &Path) -> Msg {
    let look = async {
        let found = find(ports, whose, path, Follow::All).await?;
        let bytes = match entry(&ports.files, &found).await {
            Ok(Some(entry)) => Some(entry.bytes),
            _ => None,
        };
        let large = path.extension().is_some_and(|end| end == "ipynb" || end == "safetensors");
        let most = if large { MOST } else { LITTLE };
        let begun = beginning(ports.engine.as_ref(), &ports.files, &found, most + 1).await?;
        let bytes = bytes.unwrap_or(begun.len() as u64);
        let (name, bytes) = (path.to_path_buf(), bytes.max(begun.len() as u64));
        away(move || preview(&name, begun.get(..most).unwrap_or(&begun), bytes)).await
    };
    let looked = timeout(WITHIN, look).await.unwrap_or_else(|_| Err(late(path, WITHIN)));
    Msg::Previewed(number, path.into(), looked)
}

/// Makes the plan for what somebody wants done.
pub(super) async fn plan(ports: &Ports, whose: &Whose, number: u64, path: &Path, wish: Wish) -> Msg {
    let plan = timeout(COUNTED_WITHIN, make(ports, whose, path, wish)).await;
    let plan = plan.unwrap_or_else(|_| Err(late(path, COUNTED_WITHIN)));
    Msg::FilePlanned(number, Box::new(plan))
}

async fn make(ports: &Ports, whose: &Whose, path: &Path, wish: Wish) -> Result<Plan> {
    let maker = Maker {
        files: &ports.files,
        host: &ports.host,
        clock: ports.clock.as_ref(),
        endpoint: &ports.engine.endpoint().id,
    };
    let at = find(ports, whose, path, Follow::Parents).await?;
    let home = ports.host.home.as_deref();
    match wish {
        Wish::Trash { mounted } => maker.trash(&at, &mounted).await,
        Wish::Rename(name) => maker.rename(&at, &name).await,
        Wish::Out(typed) => {
            let to = goal_here(&ports.files, &host_path(&typed, home)?, at.path.file_name()).await?;
            maker.copy(&at, &to).await
        }
        Wish::In(typed) => {
            let from = here(&host_path(&typed, home)?, Follow::All).await?;
            let name = from.path.file_name().ok_or_else(|| {
                Error::new(Kind::Usage, format!("{} has no name", printable_path(&from.path)))
            })?;
            let folder = find(ports, whose, path, Follow::All).await?;
            maker.copy(&from, &below(&folder, name)?).await
        }
    }
}

async fn find(ports: &Ports, whose: &Whose, path: &Path, follow: Follow) -> Result<Reach> {
    reach(ports.engine.as_ref(), &whose.workspace, whose.grounds.as_ref(), path, follow).await
}

fn late(path: &Path, within: Duration) -> Error {
    let seconds = within.as_secs();
    Error::new(Kind::TimedOut, format!("{} timed out: no answer in {seconds} s", printable_path(path)))
        .hint("its disk may hang; `r` tries again")
}
