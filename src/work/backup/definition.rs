//! What a workspace is, as a file in its backup: enough to make one like it. No values of variables, no secrets.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;

use crate::core::classify::Grounds;
use crate::core::report::SCHEMA;
use crate::core::storage::StorageKind;
use crate::core::workspace::{Gpu, RestartPolicy, Workspace};

#[derive(Serialize)]
struct Definition<'a> {
    schema: u32,
    made_by: String,
    as_of: Timestamp,
    endpoint: &'a str,
    name: &'a str,
    container: Option<&'a str>,
    client: &'a str,
    image: Option<&'a str>,
    image_id: Option<&'a str>,
    owner: Option<&'a str>,
    project: Option<&'a str>,
    created: Option<Timestamp>,
    profile: &'a str,
    workspace_folder: Option<PathBuf>,
    labels: &'a std::collections::BTreeMap<String, String>,
    user: Option<&'a str>,
    workdir: Option<PathBuf>,
    /// Names only: values may be secrets.
    environment: Vec<&'a str>,
    restart: RestartPolicy,
    gpus: &'a [Gpu],
    mounts: Vec<Mount<'a>>,
}

#[derive(Serialize)]
struct Mount<'a> {
    target: String,
    source: &'a str,
    storage: StorageKind,
    read_only: bool,
    filesystem: Option<&'a str>,
}

/// The text of the file.
pub(super) fn definition(workspace: &Workspace, grounds: &Grounds, now: Timestamp) -> Option<String> {
    let detail = &grounds.detail;
    let mounts = detail.mounts.iter().filter(|mount| mount.holds_files()).map(|mount| Mount {
        target: mount.target.to_string_lossy().into_owned(),
        source: &mount.source,
        storage: mount.storage,
        read_only: mount.read_only,
        filesystem: mount.filesystem.as_deref(),
    });
    let definition = Definition {
        schema: SCHEMA,
        made_by: format!("outlast {}", env!("CARGO_PKG_VERSION")),
        as_of: now,
        endpoint: &workspace.key.endpoint,
        name: &workspace.name,
        container: workspace.container.as_deref(),
        client: workspace.client,
        image: workspace.image.as_deref(),
        image_id: workspace.image_id.as_deref(),
        owner: workspace.owner.name.as_deref(),
        project: workspace.project.as_deref(),
        created: workspace.created,
        profile: &grounds.rules.profile.id,
        workspace_folder: grounds.rules.workspace.clone(),
        labels: &workspace.labels,
        user: detail.user.as_deref(),
        workdir: detail.workdir.clone(),
        environment: detail.env_names.iter().map(String::as_str).collect(),
        restart: detail.restart_policy,
        gpus: &detail.gpus,
        mounts: mounts.collect(),
    };
    serde_json::to_string_pretty(&definition).ok()
}
