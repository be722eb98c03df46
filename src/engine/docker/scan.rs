//! Finds files in places that do not last: how deep a look is possible here, and where it begins.
//!
//! The layer's own directory is best; then the container's root through its
//! process; the engine itself comes last, on request only. The walking is `scan`'s.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bollard::models::ContainerInspectResponse;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use jiff::Timestamp;
use tokio::time::timeout;

use crate::core::error::Error;
use crate::core::finding::Method;
use crate::core::mount::{Backing, Mount, Source};
use crate::core::storage::StorageKind;
use crate::core::workspace::RunState;
use crate::port::{ScanItem, ScanRequest, ScanStream, StirStream};
use crate::scan::{self, Below, Job, Rule};

use super::process::Process;
use super::{Link, blocking, changes, detail, failure, mounts};

/// While the engine is waited for, a sign of life is given this often.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);

/// What a look will consist of.
struct Outline {
    method: Method,
    jobs: Vec<Job>,
    /// What is known to be out of reach, and what is worth knowing.
    said: Vec<ScanItem>,
    /// The layer can be read only by asking the engine.
    ask: bool,
}

pub(super) fn stream(link: Arc<Link>, request: ScanRequest) -> ScanStream {
    // Nobody said how it looks: a failure is no look that found nothing.
    patiently(async move {
        begin(link, request).await.unwrap_or_else(|why| items(vec![ScanItem::Gap(why.message)]))
    })
}

/// Says when a look may find something else. Only places of this machine are watched: the engine
/// itself is never asked again and again.
pub(super) fn follow(link: Arc<Link>, request: ScanRequest, since: Timestamp) -> StirStream {
    let begin = async move {
        let session = link.session().await.ok()?;
        let inspected = link.inspect(&session, &request.key.id).await.ok()?;
        let local = session.local;
        let outline = blocking(move || outline(&inspected, local, &request)).await.ok()?;
        (outline.method != Method::Api).then_some(outline.jobs)
    };
    let places = async move { scan::follow(begin.await.unwrap_or_default(), since) };
    places.flatten_stream().boxed()
}

/// Items that come after a wait for the engine; meanwhile a sign of life every now and then.
fn patiently(work: impl Future<Output = ScanStream> + Send + 'static) -> ScanStream {
    enum State {
        Waiting(BoxFuture<'static, ScanStream>),
        Reading(ScanStream),
    }
    let next = async |state| {
        let mut items = match state {
            State::Waiting(mut work) => match timeout(SIGN_OF_LIFE, &mut work).await {
                Ok(items) => items,
                Err(_) => return Some((ScanItem::Looking, State::Waiting(work))),
            },
            State::Reading(items) => items,
        };
        let item = items.next().await?;
        Some((item, State::Reading(items)))
    };
    stream::unfold(State::Waiting(work.boxed()), next).boxed()
}

fn items(items: Vec<ScanItem>) -> ScanStream {
    stream::iter(items).boxed()
}

async fn begin(link: Arc<Link>, request: ScanRequest) -> Result<ScanStream, Error> {
    let session = link.session().await?;
    let inspected = link.inspect(&session, &request.key.id).await?;
    let local = session.local;
    let (asked, id, known) = (request.asked, request.key.id.clone(), Arc::clone(&request.detail));
    let outline = blocking(move || outline(&inspected, local, &request)).await?;

    let (method, said) = (ScanItem::By(outline.method), outline.said);
    let cannot_look = outline.jobs.is_empty() && said.iter().any(|item| matches!(item, ScanItem::Gap(_)));
    if outline.jobs.is_empty() && outline.ask {
        // The engine's answer is the whole look: without one there was none.
        return Ok(patiently(async move {
            match changes::read(&link, &session, &id, &known).await {
                Ok(asked) => items(std::iter::once(method).chain(said).chain(asked).collect()),
                Err(why) => items(vec![not_read(&why)]),
            }
        }));
    }
    if cannot_look {
        return Ok(items(said));
    }
    let first = items(std::iter::once(method).chain(said).collect());
    let walked = first.chain(scan::stream(outline.jobs, !asked));
    if !outline.ask {
        return Ok(walked.boxed());
    }
    let asks = patiently(async move {
        let answer = changes::read(&link, &session, &id, &known).await;
        items(answer.unwrap_or_else(|why| vec![ScanItem::Reading(StorageKind::WritableLayer), not_read(&why)]))
    });
    Ok(walked.chain(asks).boxed())
}

fn not_read(why: &Error) -> ScanItem {
    ScanItem::Gap(format!("the writable layer was not read: {}", why.message))
}

/// Decides where to look. Touches the disk.
fn outline(inspected: &ContainerInspectResponse, local: bool, request: &ScanRequest) -> Outline {
    let process = detail::process(inspected, local);
    let all = &request.detail.mounts;
    let runs = request.detail.state.is_up();
    let mut outline = Outline {
        method: if process.is_some() { Method::Proc } else { Method::Api },
        jobs: Vec::new(),
        said: Vec::new(),
        ask: false,
    };
    if let Some(root) = wanted(all, request).find(|mount| mount.backing == Backing::Layer) {
        let layer = mounts::layer(inspected, process.as_ref()).filter(|_| local);
        outline.layer(root, all, layer, process.as_ref(), request.asked);
    }
    for mount in wanted(all, request).filter(|mount| mount.backing != Backing::Layer) {
        match (&mount.backing, &process) {
            (Backing::Injected | Backing::Pseudo, _) => {}
            (Backing::Memory, _) if !runs => outline.memory_is_gone(mount, request.detail.state),
            (_, Some(process)) => outline.inside(mount, all, process),
            (_, None) => outline.on_host(mount, all, local),
        }
    }
    outline
}

fn wanted<'m>(all: &'m [Mount], request: &'m ScanRequest) -> impl Iterator<Item = &'m Mount> {
    all.iter().filter(|mount| request.targets.contains(&mount.target))
}

impl Outline {
    fn layer(
        &mut self,
        root: &Mount,
        all: &[Mount],
        layer: Option<mounts::Layer>,
        process: Option<&Process>,
        asked: bool,
    ) {
        let told = scan::tells_births(root.filesystem.as_deref());
        if let Some(layer) = layer.filter(|layer| failure::readable(&layer.upper)) {
            self.method = Method::Upper;
            self.jobs.push(Job { below: layer.below, ..job(layer.upper, root, all, Rule::Upper) });
        } else if let Some(process) = process.filter(|process| told && process.readable()) {
            self.method = Method::Proc;
            self.jobs.push(job(process.place(Path::new("/")), root, all, Rule::BornAfterRoot));
        } else {
            self.method = Method::Api;
            self.ask = asked;
            if !asked {
                let gap = "the writable layer was not read: only the engine can, and only on request";
                self.said.push(ScanItem::Gap(gap.into()));
            }
        }
    }

    /// It counts as looked at: what is gone holds no files.
    fn memory_is_gone(&mut self, mount: &Mount, state: RunState) {
        self.said.push(ScanItem::Reading(mount.storage));
        let note = ScanItem::Note("tmpfs content is gone: the container is stopped".into());
        if state != RunState::Created && !self.said.contains(&note) {
            self.said.push(note);
        }
    }

    /// A mount of a running container: through its process, so that it is the mount itself
    /// that is read and not what lies at the same place on the host by now.
    fn inside(&mut self, mount: &Mount, all: &[Mount], process: &Process) {
        if process.readable() {
            self.jobs.push(job(process.place(&mount.target), mount, all, Rule::Everything));
        } else {
            self.on_host(mount, all, true);
        }
    }

    fn on_host(&mut self, mount: &Mount, all: &[Mount], local: bool) {
        let target = mount.target.display();
        match &mount.host_path {
            Some(place) if local && failure::readable(place) => {
                self.jobs.push(job(place.clone(), mount, all, Rule::Everything));
            }
            _ if matches!(mount.backing, Backing::HostDir { source: Source::Deleted, .. }) => {
                self.said.push(ScanItem::Gap(format!("what lay behind {target} was deleted")));
            }
            _ if mount.backing == Backing::Memory => {
                self.said.push(ScanItem::Gap(format!("tmpfs {target} cannot be read through the engine")));
            }
            _ => self.said.push(ScanItem::Gap(format!("{target} may not be read from here"))),
        }
    }
}

/// Other mounts below a place are not part of it.
fn job(root: PathBuf, mount: &Mount, all: &[Mount], rule: Rule) -> Job {
    let below = |other: &&Mount| other.target != mount.target && other.target.starts_with(&mount.target);
    Job {
        root,
        shown_at: mount.target.clone(),
        storage: mount.storage,
        rule,
        skip: all.iter().filter(below).map(|other| other.target.clone()).collect(),
        below: Below::default(),
    }
}
