//! A closer look at one container: how it runs, how it ended, what it holds.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use bollard::models::{
    ContainerInspectResponse, ContainerState, DeviceRequest, HostConfig, RestartPolicyNameEnum, Volume,
};
use jiff::Timestamp;

use crate::core::aftermath::Aftermath;
use crate::core::error::Result;
use crate::core::identity;
use crate::core::workspace::{Detail, Gpu, RestartPolicy, RunState};

use crate::scan;

use super::process::Process;
use super::{LIMIT, Link, Session, blocking, inventory, mounts};

/// The variable that the runtime reads to hand out graphics processors.
const VISIBLE_DEVICES: &str = "NVIDIA_VISIBLE_DEVICES";

/// Labels that the engine puts on the containers of swarm services.
const SWARM_LABELS: [&str; 2] = ["com.docker.swarm.task.id", "com.docker.swarm.service.name"];

pub(super) async fn read(link: &Link, id: &str) -> Result<Detail> {
    let session = link.session().await?;
    let inspected = link.inspect(&session, id).await?;
    let volumes = volumes(link, &session, &inspected).await;
    let local = session.local;
    let landmarks = Arc::clone(&link.landmarks);
    blocking(move || {
        let process = process(&inspected, local);
        let mounts = mounts::read(&inspected, &volumes, process.as_ref(), &session);
        let root = process.map(|process| process.place(Path::new("/")));
        let mut detail = detail(inspected, mounts);
        detail.landmarks = root.map(|root| scan::landmarks(&root, &landmarks)).unwrap_or_default();
        detail
    })
    .await
}

/// The container's main process, where it runs on this machine and may be read.
pub(super) fn process(inspected: &ContainerInspectResponse, local: bool) -> Option<Process> {
    let pid = inspected.state.as_ref().and_then(|state| state.pid)?;
    if local { Process::find(pid, inspected.id.as_deref()?) } else { None }
}

/// The volumes it uses. One that cannot be looked at is left out; its name says enough.
async fn volumes(
    link: &Link,
    session: &Session,
    inspected: &ContainerInspectResponse,
) -> HashMap<String, Volume> {
    let names = inspected.mounts.iter().flatten().filter_map(|mount| {
        let is_volume = mount.typ.as_deref() == Some("volume");
        mount.name.as_deref().filter(|name| is_volume && !name.is_empty())
    });
    let looks = names.map(|name| async move {
        let call = session.client.inspect_volume(name);
        let volume = link.within("a look at a volume", LIMIT, call).await.ok()?;
        Some((name.to_string(), volume))
    });
    futures_util::future::join_all(looks).await.into_iter().flatten().collect()
}

fn detail(inspected: ContainerInspectResponse, mounts: Vec<crate::core::mount::Mount>) -> Detail {
    let run = inspected.state.unwrap_or_default();
    let host = inspected.host_config.unwrap_or_default();
    let config = inspected.config.unwrap_or_default();
    let state = run.status.map_or(RunState::Unknown, |status| inventory::state(status.as_ref()));
    let env = config.env.unwrap_or_default();
    let labels: BTreeMap<String, String> = config.labels.unwrap_or_default().into_iter().collect();
    let after = aftermath(host.auto_remove == Some(true), &labels);
    Detail {
        state,
        started: time(run.started_at.as_deref()),
        finished: if state.is_up() { None } else { time(run.finished_at.as_deref()) },
        exit_code: exit_code(&run, state),
        oom: run.oom_killed == Some(true),
        restarts: inspected.restart_count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0),
        restart_policy: restart_policy(&host),
        gpus: gpus(&labels, host.device_requests.as_deref(), Some(&env)),
        mounts_missing: inspected
            .mounts
            .is_none()
            .then(|| "the engine does not say what is mounted into it".to_string()),
        mounts,
        on_crash: after,
        on_stop: after,
        on_reboot: after,
        workdir: config.working_dir.filter(|dir| !dir.is_empty()).map(Into::into),
        user: config.user.filter(|user| !user.is_empty()),
        error: run.error.filter(|error| !error.is_empty()),
        env_names: env.iter().filter_map(|line| Some(line.split_once('=')?.0.to_string())).collect(),
        landmarks: BTreeSet::new(),
    }
}

/// What the engine does to the container when it ends. A swarm never starts an ended task again:
/// it makes a new container for it. Compose, and restart policies, go on with the same one.
fn aftermath(removes_itself: bool, labels: &BTreeMap<String, String>) -> Aftermath {
    if removes_itself {
        Aftermath::Removed
    } else if SWARM_LABELS.iter().any(|label| labels.contains_key(*label)) {
        Aftermath::Recreated
    } else {
        Aftermath::Stays
    }
}

/// The engine writes the year 1 for "never".
pub(super) fn time(text: Option<&str>) -> Option<Timestamp> {
    let text = text?;
    if text.starts_with("0001-") { None } else { text.parse().ok() }
}

/// While it runs and before it ran the engine says 0, which means nothing.
fn exit_code(run: &ContainerState, state: RunState) -> Option<i64> {
    let code = run.exit_code?;
    match state {
        RunState::Running | RunState::Paused => None,
        RunState::Created if code == 0 => None,
        _ => Some(code),
    }
}

fn restart_policy(host: &HostConfig) -> RestartPolicy {
    match host.restart_policy.as_ref().and_then(|policy| policy.name) {
        Some(RestartPolicyNameEnum::ALWAYS) => RestartPolicy::Always,
        Some(RestartPolicyNameEnum::UNLESS_STOPPED) => RestartPolicy::UnlessStopped,
        Some(RestartPolicyNameEnum::ON_FAILURE) => RestartPolicy::OnFailure,
        Some(RestartPolicyNameEnum::NO | RestartPolicyNameEnum::EMPTY) | None => RestartPolicy::No,
    }
}

/// Graphics processors by label, by request and by environment, each with the fact that says so.
fn gpus(
    labels: &BTreeMap<String, String>,
    requests: Option<&[DeviceRequest]>,
    env: Option<&[String]>,
) -> Vec<Gpu> {
    let mut all: Vec<Gpu> =
        identity::gpu_labels(labels).into_iter().map(|(name, from)| Gpu { name, from }).collect();
    for request in requests.unwrap_or_default() {
        if !asks_for_gpus(request) {
            continue;
        }
        let mut add = |name: String| all.push(Gpu { name, from: "device request".into() });
        match (request.device_ids.as_deref(), request.count) {
            (Some(ids), _) if !ids.is_empty() => ids.iter().cloned().for_each(&mut add),
            (_, Some(-1)) => add("all".into()),
            (_, Some(count)) if count > 0 => add(format!("{count} of any")),
            _ => {}
        }
    }
    let visible = env.unwrap_or_default().iter().rev().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name == VISIBLE_DEVICES).then_some(value)
    });
    for name in visible.unwrap_or_default().split(',').map(str::trim) {
        if !matches!(name, "" | "none" | "void") {
            all.push(Gpu { name: name.into(), from: VISIBLE_DEVICES.into() });
        }
    }
    all
}

fn asks_for_gpus(request: &DeviceRequest) -> bool {
    let capabilities = request.capabilities.iter().flatten().flatten();
    capabilities.into_iter().any(|capability| capability == "gpu")
        || matches!(request.driver.as_deref(), Some("nvidia" | "cdi"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_year_one_means_never() {
        assert_eq!(time(Some("0001-01-01T00:00:00Z")), None);
        assert!(time(Some("2026-11-21T02:39:43.770560336Z")).is_some());
        assert_eq!(time(Some("yesterday")), None);
    }

    #[test]
    fn a_swarms_task_is_made_anew_and_a_compose_service_is_not() {
        let after = |removes_itself, label: &str| {
            aftermath(removes_itself, &[(label.to_string(), String::new())].into())
        };
        assert_eq!(after(false, "com.docker.swarm.task.id"), Aftermath::Recreated);
        assert_eq!(after(false, "com.docker.swarm.service.name"), Aftermath::Recreated);
        assert_eq!(after(false, "com.docker.compose.project"), Aftermath::Stays);
        assert_eq!(after(true, "com.docker.swarm.task.id"), Aftermath::Removed);
    }

    #[test]
    fn a_graphics_processor_is_named_together_with_the_fact_that_says_so() {
        let labels = [("ds01.gpu.allocated".to_string(), "1".to_string())].into();
        let request = |count, ids: Option<&str>| DeviceRequest {
            count: Some(count),
            device_ids: ids.map(|id| vec![id.to_string()]),
            capabilities: Some(vec![vec!["gpu".into()]]),
            ..Default::default()
        };
        let requests = [request(-1, None), request(2, None), request(0, Some("GPU-5f"))];
        let env = ["PATH=/bin".to_string(), "NVIDIA_VISIBLE_DEVICES=0,1".to_string()];
        let all = gpus(&labels, Some(&requests), Some(&env));
        let said: Vec<_> = all.iter().map(|gpu| format!("{} ({})", gpu.name, gpu.from)).collect();
        assert_eq!(
            said,
            [
                "1 (label ds01.gpu.allocated)",
                "all (device request)",
                "2 of any (device request)",
                "GPU-5f (device request)",
                "0 (NVIDIA_VISIBLE_DEVICES)",
                "1 (NVIDIA_VISIBLE_DEVICES)",
            ]
        );
        assert!(gpus(&BTreeMap::new(), None, Some(&["NVIDIA_VISIBLE_DEVICES=void".into()])).is_empty());
    }
}
