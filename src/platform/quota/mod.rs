//! The file systems of this machine, as the port wants them: each asked by a worker of its own, none for ever.

mod btrfs;
mod count;
mod mounted;
mod table;
mod worker;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::core::error::{Error, Kind, Result};
use crate::core::quota::{Answer, FileSystem};
use crate::port::{FileSystems, SpaceQuestion};
use crate::scan::mountinfo::{self, Line};
use crate::text::printable_path;
use mounted::{Heard, Visit};

/// How long a file system may take to answer.
const WITHIN: Duration = Duration::from_secs(2);
/// How long it may take where every user is asked for.
const ALL_WITHIN: Duration = Duration::from_secs(20);

/// The file systems of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalFileSystems;

impl FileSystems for LocalFileSystems {
    fn look(&self, question: &SpaceQuestion) -> Result<Vec<FileSystem>> {
        let table = std::fs::read("/proc/self/mountinfo").map_err(|why| {
            Error::new(Kind::Failed, format!("what is mounted is not known: {why}"))
                .hint("outlast reads /proc/self/mountinfo: is /proc mounted here?")
        })?;
        let lines = mountinfo::parse(&table);
        let (wanted, places) = match &question.only {
            Some(path) => {
                let (line, place) = only(&lines, path)?;
                (vec![line], place)
            }
            None => (lines.iter().filter(|line| table::holds_files(line)).collect(), Vec::new()),
        };
        let mut places_of = on_their_mounts(&lines, &question.places);
        for (id, place) in places {
            // The path that was asked for comes first.
            places_of.entry(id).or_default().insert(0, place);
        }
        let visit = |line: &&Line| Visit {
            line: (*line).clone(),
            places: places_of.get(&line.id).cloned().unwrap_or_default(),
            whose: question.whose.clone(),
            siblings: lines
                .iter()
                .filter(|other| other.id != line.id && siblings(other, line))
                .map(|other| other.target.clone())
                .collect(),
        };
        let visits: Vec<Visit> = wanted.iter().map(visit).collect();
        let everybody = question.whose.as_ref().is_some_and(|whose| whose.everybody);
        let limit = if everybody { ALL_WITHIN } else { WITHIN };
        let heard = worker::all_within(limit, visits.clone(), mounted::visit);
        Ok(merged(visits, heard, question.only.is_some()))
    }
}

/// Whether another mount may show the whole of the file system that a limit narrows on this one. A
/// container's own files lie where its layer does.
fn siblings(other: &Line, line: &Line) -> bool {
    let injected = ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"];
    if line.filesystem == "overlay" {
        return injected.iter().any(|file| other.target == Path::new(file));
    }
    table::is_same(other, line)
}

/// The mount that one path lies on, and the folder to ask there.
fn only<'l>(lines: &'l [Line], path: &Path) -> Result<(&'l Line, Vec<(u64, PathBuf)>)> {
    let resolved =
        worker::all_within(WITHIN, vec![path.to_path_buf()], |path| mounted::resolve(path)).pop().flatten();
    let shown = printable_path(path);
    let line = match resolved {
        Some(Ok((mount, folder))) => {
            let by_id = |id| lines.iter().find(|line| line.id == id);
            let line = mount.and_then(by_id).or_else(|| table::holding(lines, &folder));
            line.map(|line| (line, vec![(line.id, folder)]))
        }
        Some(Err(why)) => {
            let (kind, words) = match why.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory => (Kind::NotFound, "it is not there".into()),
                ErrorKind::PermissionDenied => (Kind::NotPermitted, "permission denied".into()),
                _ => (Kind::Failed, why.to_string()),
            };
            return Err(Error::new(kind, format!("{shown} could not be looked at: {words}")));
        }
        None => table::holding(lines, path).map(|line| (line, Vec::new())),
    };
    let (line, place) =
        line.ok_or_else(|| Error::new(Kind::Failed, format!("{shown} lies on no mount that is known")))?;
    if crate::core::filesystem::Filesystem::of(&line.filesystem) == crate::core::filesystem::Filesystem::Pseudo
    {
        let message = format!("{shown} is on {}, which holds no files of anybody", line.filesystem);
        return Err(Error::new(Kind::Usage, message).hint("`outlast df` lists the file systems that do"));
    }
    Ok((line, place))
}

/// The places by the mount that each lies on, links followed; one that is not there lies on none.
fn on_their_mounts(lines: &[Line], places: &[PathBuf]) -> BTreeMap<u64, Vec<PathBuf>> {
    let resolved = worker::all_within(WITHIN, places.to_vec(), |path| mounted::resolve(path));
    let mut found: BTreeMap<u64, Vec<PathBuf>> = BTreeMap::new();
    for (place, resolved) in places.iter().zip(resolved) {
        let mount = match resolved {
            Some(Ok((Some(mount), _))) => Some(mount),
            Some(Ok((None, folder))) => table::holding(lines, &folder).map(|line| line.id),
            Some(Err(_)) => None,
            None => table::holding(lines, place).map(|line| line.id),
        };
        if let Some(mount) = mount {
            found.entry(mount).or_default().push(place.clone());
        }
    }
    found
}

/// A file system with its device and size, by which it is known again, and whether its own root is mounted.
type Merged = (Option<(String, u64)>, bool, FileSystem);

/// One entry for each file system: what is mounted several times with the same size is told once,
/// another size on the same device is a limit and stays.
fn merged(visits: Vec<Visit>, heard: Vec<Option<Heard>>, asked_for: bool) -> Vec<FileSystem> {
    let mut found: Vec<Merged> = Vec::new();
    for (visit, heard) in visits.into_iter().zip(heard) {
        let Visit { line, places, .. } = visit;
        let (key, answer) = match heard {
            Some(Heard::Told(device, told)) => {
                let key =
                    if table::is_device(&line.source) { line.source.display().to_string() } else { device };
                (Some((key, told.space.total)), Answer::Told(told))
            }
            Some(Heard::Nothing) if !asked_for => continue,
            // Nobody who may not enter it keeps files there.
            Some(Heard::Failed(why)) if why.kind == Kind::NotPermitted && places.is_empty() => continue,
            Some(Heard::Failed(why)) => (None, Answer::Failed(why)),
            Some(Heard::Nothing) => {
                (None, Answer::Failed(Error::new(Kind::NotFound, "another mount hides it")))
            }
            None => (None, Answer::Silent),
        };
        let whole = line.root == Path::new("/");
        let next = FileSystem {
            target: line.target,
            also: Vec::new(),
            source: line.source.to_string_lossy().into_owned(),
            kind: line.filesystem,
            read_only: line.read_only,
            places,
            answer,
        };
        match found.iter_mut().find(|(known, ..)| key.is_some() && *known == key) {
            Some((_, was_whole, known)) => {
                // What can be written says more than a folder that was mounted to be read.
                let rank = |read_only, whole: bool, at: &Path| (read_only, !whole, at.as_os_str().len());
                let nearer = rank(next.read_only, whole, &next.target)
                    < rank(known.read_only, *was_whole, &known.target);
                if nearer {
                    *was_whole = whole;
                    let before = std::mem::replace(known, next);
                    join(known, before);
                } else {
                    join(known, next);
                }
            }
            None => found.push((key, whole, next)),
        }
    }
    found.into_iter().map(|(_, _, file_system)| file_system).collect()
}

/// Takes over what another mount of the same file system was asked for.
fn join(into: &mut FileSystem, other: FileSystem) {
    into.also.push(other.target);
    into.also.extend(other.also);
    into.also.sort();
    into.places.extend(other.places);
    into.read_only &= other.read_only;
    if let (Answer::Told(told), Answer::Told(others)) = (&mut into.answer, other.answer) {
        for quota in others.quotas {
            if !told.quotas.iter().any(|known| (known.kind, known.id) == (quota.kind, quota.id)) {
                told.quotas.push(quota);
            }
        }
        told.gap = told.gap.take().or(others.gap);
    }
}

#[cfg(test)]
mod tests;
