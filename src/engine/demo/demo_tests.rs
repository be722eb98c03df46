//! The demo keeps the port's promises, whatever its shape.

use jiff::Timestamp;

use super::*;
use crate::core::event::Event;
use crate::core::fate::Fate;
use crate::core::plan::Verb;
use crate::core::workspace::RunState;

fn now() -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap_or_default()
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(Fixed(now()))
}

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.unwrap_or_else(|error| unreachable!("{error}")).block_on(future)
}

fn step(demo: &Demo, name: &str, verb: Verb) -> Step {
    let world = demo.world();
    let place = world.places.iter().find(|place| place.workspace.name == name);
    let workspace = place.map_or_else(|| unreachable!("no {name}"), |place| place.workspace.clone());
    Step {
        verb,
        subject: workspace.key,
        name: name.into(),
        call: String::new(),
        bytes: None,
        loses: Vec::new(),
        reversible_by: None,
        files: None,
        job: None,
        deed: None,
    }
}

async fn files(demo: &Demo, key: &WsKey) -> Result<Vec<String>> {
    let detail = Arc::new(demo.detail(key).await?);
    let targets = detail.mounts.iter().map(|mount| mount.target.clone()).collect();
    let request = ScanRequest { key: key.clone(), detail, targets, asked: true };
    let items: Vec<_> = demo.scan(request).collect().await;
    assert!(matches!(items.first(), Some(ScanItem::By(_))), "how it looks is said first");
    let mut paths = Vec::new();
    for item in items {
        if let ScanItem::Files(files) = item {
            paths.extend(files.into_iter().map(|file| file.path.display().to_string()));
        }
    }
    Ok(paths)
}

#[test]
fn stopping_changes_the_state_empties_memory_and_is_told() -> Result<()> {
    block_on(async {
        let demo = Demo::docker_shaped(clock());
        let mut stop = step(&demo, "my-project", Verb::Stop);
        if let Some(place) = demo.world().places.first_mut() {
            let mut file = place.files[0].clone();
            file.path = "/dev/shm/state".into();
            file.storage = StorageKind::Tmpfs;
            place.files.push(file);
        }
        let mut watch = demo.watch();
        assert_eq!(watch.next().await, Some(Tick::Live));
        assert_eq!(files(&demo, &stop.subject).await?.len(), 3);
        demo.run(&stop).await?;
        assert_eq!(watch.next().await, Some(Tick::Changed(Some(stop.subject.clone()))));
        assert_eq!(files(&demo, &stop.subject).await?, ["/tmp/model.pt", "/root/notes.ipynb"]);
        let detail = demo.detail(&stop.subject).await?;
        assert_eq!((detail.state, detail.exit_code), (RunState::Exited, Some(143)));
        assert_eq!(demo.run(&stop).await.map_err(|error| error.kind), Err(Kind::Conflict));
        stop.verb = Verb::Start;
        demo.run(&stop).await?;
        assert_eq!(demo.detail(&stop.subject).await?.state, RunState::Running);
        Ok(())
    })
}

#[test]
fn a_container_that_removes_itself_is_gone_after_a_stop() -> Result<()> {
    block_on(async {
        let demo = Demo::docker_shaped(clock());
        let stop = step(&demo, "quick-look", Verb::Stop);
        demo.run(&stop).await?;
        assert_eq!(demo.detail(&stop.subject).await.map_err(|error| error.kind), Err(Kind::NotFound));
        Ok(())
    })
}

#[test]
fn what_ignores_the_signal_is_killed() -> Result<()> {
    block_on(async {
        let demo = Demo::docker_shaped(clock());
        let stop = step(&demo, "annotator", Verb::Stop);
        demo.run(&stop).await?;
        assert_eq!(demo.detail(&stop.subject).await?.exit_code, Some(137));
        Ok(())
    })
}

#[test]
fn a_crashed_pod_loses_its_layer_and_keeps_its_scratch_space() -> Result<()> {
    block_on(async {
        let demo = Demo::pod_shaped(clock());
        let inventory = demo.inventory().await?;
        let detail = demo.detail(&inventory.workspaces[0].key).await?;
        let crash = |storage: StorageKind| storage.rule(Event::Crash, detail.on_crash, None).fate;
        assert_eq!(crash(StorageKind::WritableLayer), Fate::Lost);
        assert_eq!(crash(StorageKind::EmptyDir), Fate::Kept);
        let kinds: Vec<_> = detail.mounts.iter().map(|mount| mount.storage).collect();
        assert!(kinds.contains(&StorageKind::Claim) && kinds.contains(&StorageKind::RuntimeFile), "{kinds:?}");
        let stop = step(&demo, "vision-train", Verb::Stop);
        assert_eq!(demo.run(&stop).await.map_err(|error| error.kind), Err(Kind::NotSupported));
        Ok(())
    })
}

#[test]
fn a_costly_look_waits_until_somebody_asks() -> Result<()> {
    block_on(async {
        let demo = Demo::docker_shaped(clock());
        let key = step(&demo, "scratch", Verb::Stop).subject;
        let detail = Arc::new(demo.detail(&key).await?);
        let targets = vec!["/".into()];
        let request = ScanRequest { key: key.clone(), detail, targets, asked: false };
        let items: Vec<_> = demo.scan(request).collect().await;
        assert!(matches!(items.as_slice(), [ScanItem::Gap(_)]), "{items:?}");
        assert_eq!(files(&demo, &key).await?.len(), 2);
        Ok(())
    })
}

#[test]
fn paths_are_told_apart_by_where_they_come_from() -> Result<()> {
    block_on(async {
        let demo = Demo::docker_shaped(clock());
        let key = step(&demo, "my-project", Verb::Stop).subject;
        let detail = demo.detail(&key).await?;
        let look = async |path: &str| demo.look(&key, &detail, Path::new(path)).await;
        assert_eq!(look("/tmp/model.pt").await?, Look { kind: PathKind::File, origin: Origin::Layer });
        assert_eq!(look("/etc/passwd").await?, Look { kind: PathKind::File, origin: Origin::Image });
        assert_eq!(look("/nowhere").await?, Look { kind: PathKind::Absent, origin: Origin::Absent });
        assert_eq!(look("/workspace").await?.kind, PathKind::Directory);
        Ok(())
    })
}

#[test]
fn the_playground_shows_both_shapes_and_a_failing_demo_fails() -> Result<()> {
    block_on(async {
        let all = Demo::new(clock()).with_workspaces(5).inventory().await?.workspaces;
        assert!(all.iter().any(|w| w.managed_by.as_deref() == Some("pod")));
        assert!(all.iter().all(|w| w.key.endpoint == "demo"));
        assert!(all.iter().any(|w| w.name == "job-004"));
        let playground = Demo::new(clock());
        let stop = step(&playground, "vision-train", Verb::Stop);
        assert_eq!(playground.run(&stop).await.map_err(|error| error.kind), Err(Kind::NotSupported));
        let error = Error::new(Kind::Unreachable, "no");
        let failing = Demo::empty(clock()).failing(error.clone());
        assert_eq!(failing.probe().await, Err(error.clone()));
        assert_eq!(failing.watch().next().await, Some(Tick::Lost(error)));
        Ok(())
    })
}
