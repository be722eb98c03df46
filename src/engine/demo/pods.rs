//! Pods as a cluster describes them: claims, scratch space of the pod, and containers that are replaced.

use jiff::Timestamp;

use super::build::{DAY, HOUR, MINUTE, Make};
use super::world::{Place, Reading};
use crate::core::aftermath::Aftermath;
use crate::core::finding::Method;
use crate::core::mount::{Backing, OnRelease};
use crate::core::workspace::{Gpu, RestartPolicy};

const K: u64 = 1 << 10;
const M: u64 = 1 << 20;

pub(super) fn places(endpoint: &str, now: Timestamp) -> Vec<Place> {
    vec![
        // A local disk: the claim ties the pod to its node.
        pod(endpoint, "vision-train", "registry.local/vision:0.9", "dana", now)
            .since(6 * DAY, 7 * HOUR)
            .with(|_, detail| {
                detail.restarts = 3;
                detail.gpus = vec![Gpu { name: "1 of any".into(), from: "resource nvidia.com/gpu".into() }];
            })
            .mount("/workspace", "claim vision-data", claim(OnRelease::Erase, Some(true)), Some("ext4"))
            .mount("/scratch", "emptyDir", Backing::PodScratch { memory: false }, Some("ext4"))
            .mount("/dev/shm", "memory", Backing::PodScratch { memory: true }, Some("tmpfs"))
            .mount("/etc/vision", "configMap vision", Backing::Injected, None)
            .read_only()
            .file("/scratch/epoch-12.ckpt", 870 * M, 50 * MINUTE)
            .file("/root/.bash_history", 3 * K, 6 * HOUR)
            .done(),
        // A workspace of VESSL on a network disk: it follows the pod anywhere.
        pod(endpoint, "notebook-dana", "quay.io/vessl-ai/torch:2.3.1", "dana", now)
            .since(2 * DAY, 2 * DAY)
            .with(|_, detail| {
                detail.env_names.insert("VESSL_WORKSPACE_NAME".into());
            })
            .mount("/home/vessl", "claim home-dana", claim(OnRelease::Keep, Some(false)), Some("nfs4"))
            .mount("/dev/shm", "memory", Backing::PodScratch { memory: true }, Some("tmpfs"))
            .reading(Reading::Whole(Method::Proc))
            .done(),
    ]
}

/// A pod: its container is replaced by a fresh one whenever it ends.
fn pod(endpoint: &str, name: &str, image: &str, owner: &str, now: Timestamp) -> Make {
    Make::new(endpoint, name, image, now).of(owner, name).reading(Reading::Whole(Method::Proc)).with(
        |workspace, detail| {
            workspace.container = Some(format!("{name}-0/main"));
            workspace.managed_by = Some("pod".into());
            workspace.owner.from = Some("the namespace".into());
            detail.restart_policy = RestartPolicy::Always;
            // Its layer is on some node of the cluster.
            for mount in &mut detail.mounts {
                mount.host_path = None;
            }
            detail.on_crash = Aftermath::Recreated;
            detail.on_stop = Aftermath::Recreated;
            detail.on_reboot = Aftermath::Recreated;
        },
    )
}

const fn claim(on_release: OnRelease, pinned: Option<bool>) -> Backing {
    Backing::Claim { on_release, pinned }
}
