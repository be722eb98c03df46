//! Containers as Docker describes them: what a shared GPU server looks like on an ordinary day.

use jiff::Timestamp;

use super::build::{DAY, HOUR, MINUTE, Make, ago};
use super::world::{Place, Reading};
use crate::core::aftermath::Aftermath;
use crate::core::finding::Method;
use crate::core::mount::{Backing, Source};
use crate::core::workspace::{Gpu, Owner, RestartPolicy, RunState};

const K: u64 = 1 << 10;
const M: u64 = 1 << 20;
const TORCH: &str = "pytorch/pytorch:2.4.1-cuda12.1";

pub(super) fn places(endpoint: &str, now: Timestamp) -> Vec<Place> {
    let mut places = projects(endpoint, now);
    places.extend(others(endpoint, now));
    places
}

/// Containers that hold a project folder each.
fn projects(endpoint: &str, now: Timestamp) -> Vec<Place> {
    let make = |name: &str, image: &str| Make::new(endpoint, name, image, now);
    let gpu = |name: &str| Gpu { name: name.into(), from: "label ds01.gpu.allocated".into() };
    vec![
        make("my-project", TORCH)
            .of("alice", "my-project")
            .since(3 * DAY, 3 * HOUR)
            .with(|_, detail| detail.gpus = vec![gpu("1")])
            .bind("/workspace", "/home/alice/workspace/my-project", "ext4")
            .holding("/workspace", 18 * 1024 * M)
            .bind("/data", "/srv/data", "nfs4")
            .read_only()
            .memory("/dev/shm")
            .file("/tmp/model.pt", 2_254_857_830, 4 * MINUTE)
            .file("/root/notes.ipynb", 14 * K, 2 * DAY)
            .done(),
        make("thesis", TORCH)
            .of("alice", "thesis")
            .since(9 * DAY, 5 * HOUR)
            .ended(12 * MINUTE, 1)
            .with(|_, detail| detail.restarts = 2)
            .bind("/workspace", "/home/alice/workspace/thesis", "ext4")
            .memory("/dev/shm")
            .file("/opt/results/eval.csv", 12 * M, 20 * MINUTE)
            .done(),
        make("playground", "jupyter/scipy-notebook:2024-10-07")
            .of("alice", "playground")
            .since(2 * DAY, 2 * DAY)
            .bind("/workspace", "/home/alice/workspace/playground", "ext4")
            .memory("/dev/shm")
            .done(),
        make("scratch", "ubuntu:24.04")
            .of("bob", "scratch")
            .since(5 * DAY, 5 * DAY)
            .bind("/workspace", "/home/bob/workspace/scratch", "ext4")
            .reading(Reading::OnRequest(Method::Api, "the engine takes long to list what changed; r asks it"))
            .file("/root/run.sh", 2 * K, 4 * DAY)
            .file("/root/sweep/results.parquet", 340 * M, DAY)
            .done(),
        make("llm-finetune", "nvcr.io/nvidia/pytorch:24.09-py3")
            .of("carol", "llm-finetune")
            .since(DAY, 20 * HOUR)
            .ended(40 * MINUTE, 137)
            .with(|_, detail| {
                detail.oom = true;
                detail.gpus = vec![gpu("2"), gpu("3")];
            })
            .bind("/workspace", "/home/carol/workspace/llm-finetune", "ext4")
            .volume("/models", "3f1c9be0a7d24c55b3e1f0d2", true)
            .memory("/dev/shm")
            .file("/models/checkpoint-1200.safetensors", 13_529_146_982, 45 * MINUTE)
            .file("/root/trainer_state.json", 96 * K, 45 * MINUTE)
            .file("/tmp/wandb/run.log", 3 * M, 41 * MINUTE)
            .done(),
    ]
}

/// Services, throw-away containers and one whose names mean harm.
fn others(endpoint: &str, now: Timestamp) -> Vec<Place> {
    let make = |name: &str, image: &str| Make::new(endpoint, name, image, now);
    vec![
        make("annotator", "labelstudio/label-studio:1.13")
            .of("bob", "annotator")
            .since(30 * DAY, 6 * DAY)
            .with(|workspace, detail| {
                workspace.managed_by = Some("compose labels".into());
                workspace.labels.insert("demo.ignores-term".into(), "true".into());
                detail.restart_policy = RestartPolicy::UnlessStopped;
            })
            .volume("/label-studio/data", "labels_data", false)
            .holding("/label-studio/data", 4_831_838_208)
            .bind("/import", "/tmp/import", "ext4")
            .reading(Reading::InPart(Method::Proc, "/root/.config: permission denied"))
            .file("/root/export.jsonl", 88 * M, 3 * HOUR)
            .done(),
        make("quick-look", "python:3.12")
            .of("carol", "quick-look")
            .since(25 * MINUTE, 25 * MINUTE)
            .with(|_, detail| {
                detail.on_crash = Aftermath::Removed;
                detail.on_stop = Aftermath::Removed;
                detail.on_reboot = Aftermath::Removed;
            })
            .mount(
                "/mnt/old",
                "/home/carol/old",
                Backing::HostDir { path: "/home/carol/old".into(), source: Source::Deleted },
                Some("ext4"),
            )
            .file("/root/plot.py", 6 * K, 5 * MINUTE)
            .file("/root/figure.png", 410 * K, 3 * MINUTE)
            .done(),
        // A session of Backend.AI: its own home is scratch space, a storage folder is mounted below it.
        make("bert-session", "cr.backend.ai/stable/python-pytorch:2.4-py312")
            .since(8 * HOUR, 8 * HOUR)
            .with(|workspace, _| {
                workspace.owner =
                    Owner { name: Some("erin".into()), from: Some("label ai.backend.owner".into()) };
                workspace.labels.insert("ai.backend.owner".into(), "erin".into());
            })
            .mount(
                "/home/work",
                "/var/lib/backend.ai/scratches/bert/work",
                Backing::HostDir {
                    path: "/var/lib/backend.ai/scratches/bert/work".into(),
                    source: Source::Scratch,
                },
                Some("ext4"),
            )
            .bind("/home/work/corpus", "/vfroot/local/erin/corpus", "nfs4")
            .holding("/home/work/corpus", 212 * 1024 * M)
            .file("/home/work/bert-base.safetensors", 438 * M, 35 * MINUTE)
            .file("/home/work/eval.ipynb", 52 * K, HOUR)
            .done(),
        make("web\u{202e}gnp.exe\u{1b}[31m", "caddy:2")
            .since(40 * DAY, 11 * DAY)
            .with(|_, detail| detail.restart_policy = RestartPolicy::Always)
            .bind("/srv", "/srv/www", "ext4")
            .read_only()
            .file("/config/\u{1b}]0;owned\u{7}autosave.json", 2 * K, 8 * DAY)
            .done(),
        make("new-idea", "ubuntu:24.04")
            .of("alice", "new-idea")
            .since(2 * MINUTE, 2 * MINUTE)
            .with(|workspace, detail| {
                workspace.state = RunState::Created;
                detail.state = RunState::Created;
                detail.started = None;
            })
            .bind("/workspace", "/home/alice/workspace/new-idea", "ext4")
            .done(),
    ]
}

/// One of many: for lists that must stay fast.
pub(super) fn numbered(endpoint: &str, number: usize, now: Timestamp) -> Place {
    let minutes = i64::try_from(number).unwrap_or(0) % 600 + 1;
    let owner = ["alice", "bob", "carol"].get(number % 3).copied().unwrap_or("alice");
    Make::new(endpoint, &format!("job-{number:03}"), "python:3.12", now)
        .of(owner, &format!("job-{number:03}"))
        .with(|workspace, detail| {
            workspace.created = Some(ago(now, minutes * MINUTE));
            detail.started = workspace.created;
        })
        .bind("/workspace", &format!("/home/{owner}/workspace/job-{number:03}"), "ext4")
        .memory("/dev/shm")
        .file("/tmp/checkpoint.pt", (1 + number as u64) * M, minutes * MINUTE / 2)
        .done()
}
