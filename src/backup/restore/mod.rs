//! Restoring, in bounded memory: into a new folder that gets its name when all is written. A file
//! whose saved data is damaged is named, and every other one is written.

mod files;
mod finish;
mod metadata;
mod stage;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rustic_core::repofile::{BlobType, Node};
use rustic_core::{BlobId, TreeId};

use super::entry::free_bytes;
use super::failure::failed;
use super::tree::{Readable, Then, Visitor, visit};
use super::vault::{Open, described};
use crate::core::backup::{DEFINITION, FOLDER, Restore, Skips, Stage};
use crate::core::error::{Error, Kind, Result};
use crate::port::{Meter, Restored};
use crate::text::{printable_path, size};
use files::Files;
use finish::Finish;
use metadata::Owners;
use stage::Staging;

/// A definition longer than this is none that this program wrote.
const LONGEST_DEFINITION: u64 = 1 << 20;

/// Writes the files of a snapshot to a new or empty folder.
pub(super) fn restore(open: Open, what: &Restore) -> Result<Restored> {
    let file = open.find(&what.snapshot)?;
    let Open { repository, meter, .. } = open;
    let repository =
        repository.to_indexed().map_err(|error| failed("read the index of the repository", &error))?;
    let (root, top) = root(&repository, file.tree, what.part.as_deref())?;
    let owners = owners(&repository, file.tree, what.remap)?;
    let definition = definition(&repository, file.tree);
    let chosen = Chosen(what.include.as_deref().map(relative));

    let mut sum = Sum::new(&repository, &chosen, &meter);
    visit(&repository, root, &mut sum)?;
    let (count, bytes, needed) = (sum.files, sum.bytes, sum.needed);
    // Of a place that was empty nothing comes back, and that is right.
    if let Some(path) = what.include.as_deref().filter(|_| !sum.any) {
        return Err(Error::new(Kind::NotFound, format!("the snapshot holds no {}", printable_path(path)))
            .hint("the path is counted from the top of what is restored"));
    }
    if let Some(free) = free_bytes(&what.to).filter(|free| *free < needed) {
        let to = printable_path(&what.to);
        return Err(Error::new(
            Kind::Refused,
            format!("{} does not fit where {to} is to be: {} is free there", size(needed), size(free)),
        )
        .hint("make room, or restore to another place"));
    }

    let staging = Staging::begin(&what.to)?;
    meter.begin(Stage::Restoring);
    meter.of(count, bytes);
    let written = write(&repository, root, top.as_ref(), &chosen, &staging, owners, &meter);
    match written {
        Ok(mut written) => {
            written.notes.extend(given(owners));
            meter.begin(Stage::Finishing);
            staging.publish()?;
            Ok(Restored {
                snapshot: described(&file),
                definition,
                skipped: written.skipped,
                damaged: written.damaged,
                notes: written.notes,
            })
        }
        Err(error) => {
            staging.discard();
            Err(error)
        }
    }
}

/// What writing left.
#[derive(Debug, Default)]
struct Written {
    skipped: Skips,
    damaged: Skips,
    notes: Vec<String>,
}

fn write(
    repository: &Readable,
    root: TreeId,
    top: Option<&Node>,
    chosen: &Chosen,
    staging: &Staging,
    owners: Owners,
    meter: &Meter,
) -> Result<Written> {
    let mut written = files::write(repository, staging, owners, meter, |files: &mut Files<'_>| {
        files.choose(chosen.clone());
        visit(repository, root, files)
    })?;
    let mut finish = Finish::new(chosen, staging, owners, meter, &mut written)?;
    visit(repository, root, &mut finish)?;
    finish.top(top);
    Ok(written)
}

/// Where what is restored begins: the top of the snapshot, or of one part of it.
fn root(repository: &Readable, tree: TreeId, part: Option<&str>) -> Result<(TreeId, Option<Node>)> {
    let Some(part) = part else { return Ok((tree, None)) };
    let top = repository.get_tree(&tree).map_err(|error| failed("read the snapshot", &error))?;
    let node = top.nodes.into_iter().find(|node| *node.name() == *part);
    match node.and_then(|node| Some((node.subtree?, node))) {
        Some((subtree, node)) => Ok((subtree, Some(node))),
        None => Err(Error::new(Kind::NotFound, format!("the snapshot holds no {part}"))
            .hint("`--what all` restores whatever it holds")),
    }
}

/// Something at the top of a snapshot.
fn at_the_top(repository: &Readable, tree: TreeId, name: &str) -> Option<Node> {
    let top = repository.get_tree(&tree).ok()?;
    top.nodes.into_iter().find(|node| *node.name() == *name)
}

/// To whom what is restored is given: the owner is whose the workspace's folder is.
fn owners(repository: &Readable, tree: TreeId, to: Option<(u32, u32)>) -> Result<Owners> {
    let may_give_away = rustix::process::geteuid().is_root();
    let Some(to) = to else { return Ok(Owners { may_give_away, remap: None }) };
    let folder = at_the_top(repository, tree, FOLDER);
    match folder.and_then(|folder| Some((folder.meta.uid?, folder.meta.gid?))) {
        Some(owner) if owner.0 != 0 => Ok(Owners { may_give_away, remap: Some((owner, to)) }),
        Some(_) => Err(Error::new(Kind::Refused, "the saved folder is root's, and what is root's stays so")
            .hint("leave --remap out, and give away what you want with `chown` afterwards")),
        None => Err(Error::new(Kind::NotFound, "the snapshot does not say whose the folder was")
            .hint("leave --remap out")),
    }
}

/// What was given to whom, in a sentence.
fn given(owners: Owners) -> Option<String> {
    let ((user, group), (to, to_group)) = owners.remap?;
    Some(format!(
        "what was {user}:{group}'s is {to}:{to_group}'s now; what is root's or others' stayed theirs, and so did \
         names in access lists"
    ))
}

/// What the workspace was, in the snapshot's own words. One that cannot be read is none: the files count.
fn definition(repository: &Readable, tree: TreeId) -> Option<String> {
    let node = at_the_top(repository, tree, DEFINITION).filter(|node| node.meta.size <= LONGEST_DEFINITION)?;
    let mut text = Vec::new();
    for id in node.content.iter().flatten() {
        text.extend_from_slice(&repository.get_blob_cached(&BlobId::from(*id), BlobType::Data).ok()?);
    }
    String::from_utf8(text).ok()
}

/// A path from the top, without what would lead elsewhere.
fn relative(path: &Path) -> PathBuf {
    crate::core::path::normal(&Path::new("/").join(path))
        .strip_prefix("/")
        .unwrap_or(Path::new(""))
        .to_path_buf()
}

/// Which paths are wanted.
#[derive(Clone, Debug)]
struct Chosen(Option<PathBuf>);

/// How an entry stands to what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// It is wanted.
    Yes,
    /// It only leads to what is wanted.
    OnTheWay,
    /// It is not.
    No,
}

impl Chosen {
    fn wants(&self, path: &Path) -> Wanted {
        match &self.0 {
            None => Wanted::Yes,
            Some(chosen) if path.starts_with(chosen) => Wanted::Yes,
            Some(chosen) if chosen.starts_with(path) => Wanted::OnTheWay,
            Some(_) => Wanted::No,
        }
    }
}

/// The identity of a file with several names.
fn identity(node: &Node) -> Option<(u64, u64)> {
    (node.meta.links > 1 && !node.is_dir() && node.meta.inode != 0)
        .then_some((node.meta.device_id, node.meta.inode))
}

/// Counts what is to be written.
struct Sum<'a> {
    repository: &'a Readable,
    chosen: &'a Chosen,
    meter: &'a Meter,
    files: u64,
    bytes: u64,
    needed: u64,
    any: bool,
    linked: HashSet<(u64, u64)>,
}

impl<'a> Sum<'a> {
    fn new(repository: &'a Readable, chosen: &'a Chosen, meter: &'a Meter) -> Self {
        Self { repository, chosen, meter, files: 0, bytes: 0, needed: 0, any: false, linked: HashSet::new() }
    }
}

impl Visitor for Sum<'_> {
    fn entry(&mut self, path: &Path, node: &Node) -> Result<Then> {
        self.meter.go_on()?;
        match self.chosen.wants(path) {
            Wanted::No => return Ok(Then::Skip),
            Wanted::OnTheWay => return Ok(Then::GoOn),
            Wanted::Yes => self.any = true,
        }
        if node.is_dir() {
            return Ok(Then::GoOn);
        }
        self.files += 1;
        if identity(node).is_some_and(|identity| !self.linked.insert(identity)) {
            return Ok(Then::GoOn);
        }
        // The same piece twice in a file is nearly always nothing but zeros, which take no room.
        let mut pieces = HashSet::new();
        for id in node.content.iter().flatten() {
            let length = self.repository.get_index_entry(id).map_or(0, |entry| u64::from(entry.data_length()));
            self.bytes += length;
            if pieces.insert(*id) {
                self.needed += length;
            }
        }
        Ok(Then::GoOn)
    }

    fn leave(&mut self, _path: &Path, _node: &Node) -> Result<()> {
        Ok(())
    }

    fn damaged(&mut self, _path: &Path, _why: &str) {
        self.any = true;
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn what_is_wanted_what_leads_there_and_what_not() {
        let chosen = Chosen(Some(relative(Path::new("/a/./b/../c"))));
        let of = |path: &str| chosen.wants(Path::new(path));
        assert_eq!((of("a"), of("a/c"), of("a/c/d")), (Wanted::OnTheWay, Wanted::Yes, Wanted::Yes));
        assert_eq!((of("a/b"), of("ab"), of("x")), (Wanted::No, Wanted::No, Wanted::No));
        assert_eq!(relative(Path::new("../../etc")), Path::new("etc"));
        assert_eq!(Chosen(None).wants(Path::new("x")), Wanted::Yes);
    }
}
