//! Files that a package brought: those of them that come back with it, wherever packages are installed again.
//!
//! Only what apt itself installed after the container was made, from a source that is no folder, and
//! only files whose content still has the package's sum. In doubt a file is the person's own.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use md5::{Digest as _, Md5};

use crate::core::classify::{Grounds, Origin};
use crate::core::mount;
use crate::core::path::normal;
use crate::core::storage::StorageKind;
use crate::core::workspace::{Workspace, WsKey};
use crate::port::{Engine, PathKind};

const HISTORY: &str = "/var/log/apt/history.log";
const LOG: &str = "/var/log/dpkg.log";
const STATUS: &str = "/var/lib/dpkg/status";
const INFO: &str = "/var/lib/dpkg/info";

/// The longest log or list that is read.
const MOST: usize = 32 << 20;
/// The largest file whose content is compared.
const LARGEST: usize = 64 << 20;
/// How long all of it may take; later answers are doubts.
const WITHIN: Duration = Duration::from_secs(10);
/// Logs are in local time, and nobody says which: clocks are at most this far behind and ahead.
const ZONES: i64 = 12;

/// Where a path comes from, once packages are asked: [`Origin::Package`], or what a look said before.
///
/// Asks only where the rules make a difference between packages and other files.
pub async fn origin(
    engine: &dyn Engine,
    workspace: &Workspace,
    grounds: &Grounds,
    path: &Path,
    looked: Origin,
) -> Origin {
    let detail = &grounds.detail;
    let on_layer =
        mount::holding(&detail.mounts, path).is_some_and(|mount| mount.storage == StorageKind::WritableLayer);
    let ruling = grounds.rules.inside(path, StorageKind::WritableLayer, Origin::Package);
    let matters = ruling.rule.is_some_and(|rule| rule.packages);
    if !on_layer || !matters || !matches!(looked, Origin::Layer | Origin::Unknown) {
        return looked;
    }
    let dpkg = Dpkg { engine, key: &workspace.key, grounds };
    match tokio::time::timeout(WITHIN, dpkg.brought(path, workspace.created)).await {
        Ok(Some(true)) => Origin::Package,
        _ => looked,
    }
}

/// The packages that apt installed since a container was made, by name and version; `None` where its
/// history cannot be read.
pub async fn installed_since(
    engine: &dyn Engine,
    workspace: &Workspace,
    grounds: &Grounds,
) -> Option<Vec<(String, String)>> {
    let dpkg = Dpkg { engine, key: &workspace.key, grounds };
    let history = tokio::time::timeout(WITHIN, dpkg.text(HISTORY)).await.ok()??;
    let since = asked_for(&history, workspace.created);
    Some(since.into_iter().map(|change| (change.name.to_owned(), change.version.to_owned())).collect())
}

/// A container's package database.
struct Dpkg<'e> {
    engine: &'e dyn Engine,
    key: &'e WsKey,
    grounds: &'e Grounds,
}

impl Dpkg<'_> {
    /// Whether a package from a repository brought a file as it is; `None` where that is in doubt.
    async fn brought(&self, path: &Path, made: Option<Timestamp>) -> Option<bool> {
        let history = self.text(HISTORY).await?;
        let candidates = asked_for(&history, made);
        if candidates.is_empty() || self.has_folders_as_sources().await? {
            return Some(false);
        }
        let (status, log) = (self.text(STATUS).await?, self.text(LOG).await?);
        let mut sum = None;
        for package in installed(&status) {
            let Some(change) = candidates.iter().find(|change| change.is_of(&package)) else { continue };
            if !change.was_the_last(&log) {
                continue;
            }
            let Some((listed, info)) = self.listed(&package, path).await? else { continue };
            let Some(expected) = self.sum(&package, &listed, &info).await? else { continue };
            if sum.is_none() {
                sum = Some(self.sum_of(path).await?);
            }
            if sum.as_deref() == Some(&expected) {
                return Some(true);
            }
        }
        Some(false)
    }

    /// The name under which a package lists a path, and the package's files in the database.
    async fn listed(&self, package: &Package<'_>, path: &Path) -> Option<Option<(PathBuf, String)>> {
        for info in package.info() {
            let list = format!("{info}.list");
            let text = self.text(&list).await?;
            let Some(line) = text.lines().find(|line| merged(Path::new(line)) == merged(path)) else {
                continue;
            };
            let same = Path::new(line) == path || self.is_link_into_usr(Path::new(line)).await;
            // What the image already listed was not installed since.
            let look = self.engine.look(self.key, &self.grounds.detail, Path::new(&list)).await.ok()?;
            return Some((same && look.origin != Origin::Image).then(|| (line.into(), info)));
        }
        Some(None)
    }

    /// Whether `/bin` or the like, where a listed path begins, is a link into `/usr`.
    async fn is_link_into_usr(&self, listed: &Path) -> bool {
        let Some(first) = listed.components().nth(1) else { return false };
        let top = Path::new("/").join(first);
        let look = self.engine.look(self.key, &self.grounds.detail, &top).await;
        look.is_ok_and(|look| match look.kind {
            PathKind::Link(to) => normal(&to) == merged(&top),
            _ => false,
        })
    }

    /// The sum that a package gives for a path: among its sums, else among its settings files.
    async fn sum(&self, package: &Package<'_>, listed: &Path, info: &str) -> Option<Option<String>> {
        let sums = self.text(&format!("{info}.md5sums")).await?;
        let relative = listed.strip_prefix("/").ok()?;
        let of_file = sums.lines().find_map(|line| {
            let (sum, name) = line.split_once("  ")?;
            (Path::new(name) == relative).then(|| sum.to_string())
        });
        let of_setting = package.settings.iter().find(|(name, _)| Path::new(name) == listed);
        Some(of_file.or_else(|| of_setting.map(|(_, sum)| (*sum).to_string())))
    }

    /// The sum of what is at a path now.
    async fn sum_of(&self, path: &Path) -> Option<String> {
        let files = self.engine.read(self.key, &self.grounds.detail, path, LARGEST).await.ok()?;
        let [(name, content)] = files.as_slice() else { return None };
        let digest = (path.file_name() == Some(name)).then(|| Md5::digest(content))?;
        let mut hex = String::new();
        for byte in digest {
            write!(hex, "{byte:02x}").ok()?;
        }
        Some(hex)
    }

    /// Whether packages may have come from a folder of the container: such a source goes with it.
    async fn has_folders_as_sources(&self) -> Option<bool> {
        let detail = &self.grounds.detail;
        for place in ["/etc/apt/sources.list", "/etc/apt/sources.list.d"] {
            let files = self.engine.read(self.key, detail, Path::new(place), MOST).await.ok()?;
            for (_, content) in files {
                let text = String::from_utf8_lossy(&content);
                let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
                let local = |word: &str| ["file:", "copy:", "cdrom:"].iter().any(|kind| word.starts_with(kind));
                if lines.flat_map(str::split_whitespace).any(local) {
                    return Some(true);
                }
            }
        }
        Some(false)
    }

    /// A text of the database; empty where there is none.
    async fn text(&self, path: &str) -> Option<String> {
        let path = Path::new(path);
        let files = self.engine.read(self.key, &self.grounds.detail, path, MOST).await.ok()?;
        let content =
            files.into_iter().find(|(name, _)| path.file_name() == Some(name)).map(|(_, content)| content);
        Some(String::from_utf8_lossy(&content.unwrap_or_default()).into_owned())
    }
}

/// One change that apt made to one package.
#[derive(Debug, PartialEq, Eq)]
struct Change<'t> {
    name: &'t str,
    version: &'t str,
    /// Local time, as the logs write it.
    from: String,
    to: String,
}

impl Change<'_> {
    fn is_of(&self, package: &Package<'_>) -> bool {
        self.name == package.name && self.version == package.version
    }

    /// Whether nobody unpacked another file of the package since: that leaves a line in the log alone.
    fn was_the_last(&self, log: &str) -> bool {
        let last = log.lines().rev().find_map(|line| {
            let mut words = line.split_whitespace();
            let (day, time, verb, name) = (words.next()?, words.next()?, words.next()?, words.next()?);
            let unpacked = matches!(verb, "install" | "upgrade") && bare(name) == self.name;
            unpacked.then(|| format!("{day} {time}"))
        });
        last.is_none_or(|at| self.from <= at && at <= self.to)
    }
}

/// The packages that apt installed since the container was made, each with the last that apt did to it.
fn asked_for(history: &str, made: Option<Timestamp>) -> Vec<Change<'_>> {
    let mut known: Vec<Change<'_>> = Vec::new();
    for stanza in history.split("\n\n") {
        let field = |name: &str| stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let date = |name| Some(field(name)?.split_whitespace().collect::<Vec<_>>().join(" "));
        let (Some(from), Some(to)) = (date("Start-Date"), date("End-Date")) else {
            // Cut off: whatever it began is in doubt.
            let all = ["Install", "Upgrade", "Reinstall", "Downgrade", "Remove", "Purge"].into_iter();
            let names: Vec<_> = all.filter_map(field).flat_map(entries).map(|(name, _)| name).collect();
            known.retain(|change| !names.contains(&change.name));
            continue;
        };
        let from_files = field("Commandline").is_none_or(names_files);
        let ours = !from_files && !is_before(&to, made);
        for verb in ["Install", "Upgrade", "Reinstall", "Downgrade", "Remove", "Purge"] {
            for (name, version) in field(verb).into_iter().flat_map(entries) {
                let was_known = known.iter().position(|change| change.name == name);
                let was_known = was_known.map(|at| known.swap_remove(at)).is_some();
                let again =
                    verb == "Install" || (was_known && matches!(verb, "Upgrade" | "Reinstall" | "Downgrade"));
                if ours && again {
                    known.push(Change { name, version, from: from.clone(), to: to.clone() });
                }
            }
        }
    }
    known
}

/// Whether a command line names files: then nothing of what it did came surely from a repository.
fn names_files(line: &str) -> bool {
    line.split_whitespace().skip(1).any(|word| {
        word.starts_with(['/', '.', '~'])
            || word.contains("file:")
            || [".deb", ".changes", ".dsc"].iter().any(|end| word.ends_with(end))
    })
}

/// `a:amd64 (1.0, automatic), b:amd64 (1.0, 2.0)`: names and the version that is there afterwards.
fn entries(list: &str) -> impl Iterator<Item = (&str, &str)> {
    list.split("),").filter_map(|entry| {
        let (name, versions) = entry.trim().split_once(" (")?;
        let versions = versions.trim_end_matches(')');
        let version = versions.split(", ").filter(|version| *version != "automatic").last()?;
        Some((bare(name), version))
    })
}

/// A package's name without its architecture.
fn bare(name: &str) -> &str {
    name.split_once(':').map_or(name, |(name, _)| name)
}

/// Whether a local time surely lies before the container was made, wherever its clock stands.
fn is_before(local: &str, made: Option<Timestamp>) -> bool {
    let Some(made) = made else { return false };
    let read = DateTime::strptime("%Y-%m-%d %H:%M:%S", local);
    let latest = read.and_then(|at| at.checked_add(Span::new().hours(ZONES))?.to_zoned(TimeZone::UTC));
    latest.map_or(true, |latest| latest.timestamp() < made)
}

/// One installed package.
#[derive(Debug, PartialEq, Eq)]
struct Package<'t> {
    name: &'t str,
    version: &'t str,
    architecture: &'t str,
    /// Files that a person may change, with their sums.
    settings: Vec<(&'t str, &'t str)>,
}

impl Package<'_> {
    /// Where its lists may lie: packages that may be there in several architectures carry theirs.
    fn info(&self) -> [String; 2] {
        // A name is a file's name: nothing in it leads elsewhere.
        let plain = |text: &str| text.replace('/', "_");
        let (name, architecture) = (plain(self.name), plain(self.architecture));
        [format!("{INFO}/{name}.list"), format!("{INFO}/{name}:{architecture}.list")]
            .map(|list| list.trim_end_matches(".list").to_string())
    }
}

/// The packages that are wholly installed.
fn installed(status: &str) -> impl Iterator<Item = Package<'_>> {
    status.split("\n\n").filter_map(|stanza| {
        let field = |name: &str| stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let is_installed = field("Status")?.ends_with(" installed");
        let settings = stanza.lines().skip_while(|line| *line != "Conffiles:").skip(1);
        let settings = settings.take_while(|line| line.starts_with(' ')).filter_map(|line| {
            let mut words = line.split_whitespace();
            words.next().zip(words.next())
        });
        is_installed.then_some(Package {
            name: field("Package")?,
            version: field("Version")?,
            architecture: field("Architecture").unwrap_or("all"),
            settings: settings.collect(),
        })
    })
}

/// A path as it is where `/bin`, `/sbin` and `/lib` are links into `/usr`.
fn merged(path: &Path) -> PathBuf {
    let first = path.components().nth(1).and_then(|name| name.as_os_str().to_str()).unwrap_or_default();
    match (matches!(first, "bin" | "sbin" | "lib" | "lib32" | "lib64" | "libx32"), path.strip_prefix("/")) {
        (true, Ok(rest)) => Path::new("/usr").join(rest),
        _ => path.to_path_buf(),
    }
}

#[cfg(test)]
#[path = "packages_tests.rs"]
mod tests;
