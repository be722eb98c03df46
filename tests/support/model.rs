//! Models for tests: read from the demo with a clock that stands still, or made by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use outlast::core::event::Event;
use outlast::core::finding::{Finding, Method, Risk, Tally};
use outlast::core::profile::Profile;
use outlast::core::report::{Layer, Layers};
use outlast::core::storage::StorageKind;
use outlast::core::value::Value;
use outlast::core::workspace::Detail;
use outlast::engine::demo::{Demo, Fixed};
use outlast::model::{Fact, FileRef, LinkState, Model, Row};
use outlast::port::{Endpoint, Engine, ScanItem, ScanRequest};

/// The time in every test: a Monday afternoon.
pub(crate) fn now() -> Timestamp {
    "2026-11-23T14:02:00Z".parse().unwrap()
}

/// A clock that stands still at [`now`].
pub(crate) fn clock() -> Arc<Fixed> {
    Arc::new(Fixed(now()))
}

/// Plain Docker's profile.
pub(crate) fn docker() -> Profile {
    toml::from_str(include_str!("../../assets/profiles/docker.toml")).unwrap()
}

/// A screen before anything answered.
pub(crate) fn connecting(columns: u16, rows: u16) -> Model {
    let endpoint =
        Endpoint { id: "docker".into(), title: "Docker".into(), address: "unix:///var/run/docker.sock".into() };
    let mut model = Model::new(endpoint, Arc::new(docker()), now());
    model.size = (columns, rows);
    model.user = "alice".into();
    model.hostname = "lab01".into();
    model.endpoint.state = LinkState::Connecting { seconds: 3 };
    model
}

/// A screen on an endpoint that answered, without workspaces.
pub(crate) fn live(columns: u16, rows: u16) -> Model {
    let mut model = connecting(columns, rows);
    model.endpoint.state = LinkState::Live;
    model
}

/// The demo on the screen, everything read that is read unasked.
pub(crate) fn demo(columns: u16, rows: u16) -> Model {
    of(&Demo::new(clock()), columns, rows)
}

/// What an engine holds, on the screen.
pub(crate) fn of(engine: &dyn Engine, columns: u16, rows: u16) -> Model {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let found = runtime.block_on(read(engine));
    with_rows(found, columns, rows)
}

/// These workspaces on the screen, the first selected.
pub(crate) fn with_rows(rows_of: Vec<Row>, columns: u16, rows: u16) -> Model {
    let mut model = live(columns, rows);
    model.workspaces.shown = (0..rows_of.len()).collect();
    model.detail = rows_of.first().map(|row| row.workspace.key.clone());
    model.rows = rows_of;
    let mut files: Vec<FileRef> = Vec::new();
    for row in &model.rows {
        let findings = row.risk.known.as_ref().map_or(0, |risk| risk.findings.len());
        files.extend((0..findings).map(|index| FileRef { key: row.workspace.key.clone(), index }));
    }
    files.sort_by_key(|file| file.find(&model.rows).unwrap().1.rank());
    model.at_risk.shown = (0..files.len()).collect();
    model.files = files;
    model
}

async fn read(engine: &dyn Engine) -> Vec<Row> {
    let mut rows = Vec::new();
    for workspace in engine.inventory().await.unwrap().workspaces {
        let detail = Arc::new(engine.detail(&workspace.key).await.unwrap());
        let mut row = Row::new(workspace);
        let profile = docker();
        let targets = unread(&detail, &profile);
        let request =
            ScanRequest { key: row.workspace.key.clone(), detail: detail.clone(), targets, asked: false };
        let items: Vec<ScanItem> = engine.scan(request).collect().await;
        match risk(&items) {
            Some(risk) => row.risk.known = Some(Arc::new(risk)),
            None => {
                row.risk.not_read = items.iter().find_map(|item| match item {
                    ScanItem::Gap(why) => Some(why.clone()),
                    _ => None,
                });
            }
        }
        row.layers = Some(layers(&row));
        row.detail = Fact::Known(detail);
        rows.push(row);
    }
    rows
}

/// The mounts that do not outlast every event.
fn unread(detail: &Detail, profile: &Profile) -> Vec<std::path::PathBuf> {
    let classifier = outlast::core::classify::Classifier {
        detail,
        profile,
        facts: outlast::core::classify::Facts::default(),
    };
    let lost = |mount: &&outlast::core::mount::Mount| {
        let fates = classifier.mount(mount).fates;
        [Event::Crash, Event::Stop, Event::Retire, Event::Reboot]
            .into_iter()
            .any(|event| fates.verdict(event) != outlast::core::fate::Verdict::Kept)
            && !matches!(mount.storage, StorageKind::RuntimeFile | StorageKind::Pseudo)
    };
    detail.mounts.iter().filter(lost).map(|mount| mount.target.clone()).collect()
}

/// What a scan amounts to; `None` where nothing was read.
fn risk(items: &[ScanItem]) -> Option<Risk> {
    let mut method: Option<Method> = None;
    let mut tallies: BTreeMap<StorageKind, Tally> = BTreeMap::new();
    let (mut findings, mut gaps, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for item in items {
        match item {
            ScanItem::By(by) => method = Some(*by),
            ScanItem::Reading(storage) => {
                tallies.entry(*storage).or_default();
            }
            ScanItem::Files(files) => {
                for file in files {
                    tallies.entry(file.storage).or_default().add(file.bytes.unwrap_or(0));
                    findings.push(Finding {
                        path: file.path.clone(),
                        bytes: file.bytes,
                        storage: file.storage,
                        value: Value::of(&file.path),
                        modified: file.modified,
                        changed: file.changed,
                    });
                }
            }
            ScanItem::Gap(why) => gaps.push(why.clone()),
            ScanItem::Note(note) => notes.push(note.clone()),
        }
    }
    findings.sort_by_key(Finding::rank);
    Some(Risk { method: method?, tallies: tallies.into_iter().collect(), findings, gaps, notes, as_of: now() })
}

fn layers(row: &Row) -> Layers {
    let layer =
        |name: Option<String>, lifetime| Layer { exists: name.is_some().then_some(true), name, lifetime };
    let folder = row.workspace.project.as_ref().map(|project| format!("~/workspace/{project}"));
    Layers {
        image: layer(row.workspace.image.clone(), "until somebody removes it"),
        container: layer(row.workspace.container.clone(), "until it is retired"),
        workspace: layer(folder, "until somebody deletes it"),
    }
}
