//! The second round: further names of files, and the rights and times of folders, which writing
//! into them would have changed.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustic_core::repofile::Node;
use rustix::fs::{AtFlags, Mode, OFlags, linkat, openat};
use rustix::io::Errno;

use super::super::tree::{Then, Visitor};
use super::metadata::{self, Owners};
use super::stage::Staging;
use super::{Chosen, Wanted, Written, identity};
use crate::core::error::{Error, Kind, Result};
use crate::port::Meter;

/// The second round over what was written.
pub(super) struct Finish<'a> {
    chosen: &'a Chosen,
    staging: &'a Staging,
    meter: &'a Meter,
    written: &'a mut Written,
    /// The folders that lead to where it is, open.
    folders: Vec<OwnedFd>,
    /// The first name of each file that has several, from the top.
    first: HashMap<(u64, u64), PathBuf>,
    owners: Owners,
}

impl<'a> Finish<'a> {
    pub(super) fn new(
        chosen: &'a Chosen,
        staging: &'a Staging,
        owners: Owners,
        meter: &'a Meter,
        written: &'a mut Written,
    ) -> Result<Self> {
        let top = rustix::io::fcntl_dupfd_cloexec(staging.handle(), 0).map_err(|errno| {
            Error::new(Kind::Failed, format!("could not go on: {}", io::Error::from(errno)))
        })?;
        Ok(Self { chosen, staging, meter, written, folders: vec![top], first: HashMap::new(), owners })
    }

    /// The top folder itself: as the workspace's folder was, where it becomes one.
    pub(super) fn top(&mut self, node: Option<&Node>) {
        let handle: &File = self.staging.handle();
        if !self.staging.is_whole() {
            return;
        }
        match node {
            Some(node) => {
                let missing = metadata::of_file(handle, node, self.owners);
                for why in missing {
                    self.written.skipped.add(Path::new("/"), why);
                }
            }
            None => metadata::usual_rights(handle),
        }
    }

    /// Another name of a file that is there by now.
    fn link(&mut self, first: &Path, node: &Node, path: &Path) {
        let (Some(top), Some(folder)) = (self.folders.first(), self.folders.last()) else { return };
        match linkat(top, first, folder, &*node.name(), AtFlags::empty()) {
            Ok(()) => self.meter.files(1),
            // Its first name was not written, and why is said already.
            Err(Errno::NOENT) => {
                self.written.damaged.add(path, "the file that it is another name of was not restored");
            }
            Err(errno) => {
                self.written.skipped.add(path, format!("it could not be linked: {}", io::Error::from(errno)));
            }
        }
    }
}

impl Visitor for Finish<'_> {
    fn entry(&mut self, path: &Path, node: &Node) -> Result<Then> {
        self.meter.go_on()?;
        let wanted = self.chosen.wants(path);
        if wanted == Wanted::No || (wanted == Wanted::OnTheWay && !node.is_dir()) {
            return Ok(Then::Skip);
        }
        if node.is_dir() {
            let Some(parent) = self.folders.last() else { return Ok(Then::Skip) };
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            // One that could not be made was named when it was tried.
            let Ok(handle) = openat(parent, &*node.name(), flags, Mode::empty()) else {
                return Ok(Then::Skip);
            };
            self.folders.push(handle);
            return Ok(Then::GoOn);
        }
        if let Some(identity) = identity(node) {
            match self.first.get(&identity) {
                Some(first) => {
                    let first = first.clone();
                    self.link(&first, node, path);
                }
                None => drop(self.first.insert(identity, path.to_path_buf())),
            }
        }
        Ok(Then::GoOn)
    }

    fn leave(&mut self, path: &Path, node: &Node) -> Result<()> {
        let Some(handle) = self.folders.pop() else { return Ok(()) };
        for why in metadata::of_file(&handle, node, self.owners) {
            self.written.skipped.add(path, why);
        }
        Ok(())
    }

    /// Named in the first round.
    fn damaged(&mut self, _path: &Path, _why: &str) {}
}
