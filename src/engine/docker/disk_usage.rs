//! How much a mount holds: read from disk where that is allowed, else asked from the engine.
//!
//! The engine's disk usage is costly and comes in two shapes: flat lists below API
//! 1.52, usage sections from there on. The library decodes only the second and
//! reports nothing, without a failure, for the first.

use std::time::Duration;

use bollard::models::ContainerInspectResponse;
use serde::Deserialize;

use crate::core::error::{Kind, Result};
use crate::core::mount::{Backing, Measure, Mount, Source};
use crate::engine::deadline;
use crate::scan;

use super::process::Process;
use super::{Link, detail, failure};

/// The engine's disk usage, either shape; sections that were not asked for are empty.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DiskUsage {
    containers: Option<Vec<Container>>,
    volumes: Option<Vec<Volume>>,
    container_usage: Option<Section<Container>>,
    volume_usage: Option<Section<Volume>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Section<T> {
    items: Option<Vec<T>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Container {
    id: String,
    size_rw: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Volume {
    name: String,
    usage_data: Option<Usage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Usage {
    /// In bytes; -1 where the engine does not know.
    size: Option<i64>,
}

pub(super) async fn measure(link: &Link, id: &str, mount: &Mount, budget: Duration) -> Measure {
    match on_disk(link, id, mount, budget).await {
        Ok(Some(measure)) => measure,
        Ok(None) => match ask(link, id, mount, budget).await {
            Ok(measure) => measure,
            Err(why) if why.kind == Kind::NotPermitted => Measure::NotPermitted,
            Err(why) => Measure::Failed(why.message),
        },
        Err(why) if why.kind == Kind::NotPermitted => Measure::NotPermitted,
        Err(why) => Measure::Failed(why.message),
    }
}

/// Reads the disk; `None` where that is not possible from here.
async fn on_disk(link: &Link, id: &str, mount: &Mount, budget: Duration) -> Result<Option<Measure>> {
    let session = link.session().await?;
    if !session.local && mount.backing != Backing::Memory {
        return Ok(None);
    }
    let inspected = link.inspect(&session, id).await?;
    if let Some(gone) = gone(&inspected, mount) {
        return Ok(Some(gone));
    }
    if !session.local {
        return Ok(None);
    }
    let mount = mount.clone();
    // The walk keeps to its budget unless the kernel itself does not answer.
    deadline::within(budget.saturating_add(deadline::AT_ONCE), "a measure", move || {
        let process = detail::process(&inspected, true);
        match &mount.host_path {
            Some(place) if failure::readable(place) => Some(scan::measure(place, budget)),
            _ => inside(&process?, &mount, budget),
        }
    })
    .await
}

/// Why there is nothing to measure any more.
fn gone(inspected: &ContainerInspectResponse, mount: &Mount) -> Option<Measure> {
    let up = inspected.state.as_ref().and_then(|state| state.running) == Some(true);
    let why = match &mount.backing {
        _ if up => return None,
        Backing::Memory => "gone: the container is stopped",
        Backing::HostDir { source: Source::Deleted, .. } => "gone: it was deleted on the host",
        _ => return None,
    };
    Some(Measure::Failed(why.into()))
}

fn inside(process: &Process, mount: &Mount, budget: Duration) -> Option<Measure> {
    // The merged root also shows the image, which is not what the layer holds.
    if mount.backing == Backing::Layer {
        return None;
    }
    process.readable().then(|| scan::measure(&process.place(&mount.target), budget))
}

async fn ask(link: &Link, id: &str, mount: &Mount, budget: Duration) -> Result<Measure> {
    let section = match &mount.backing {
        Backing::Layer => "container",
        Backing::Volume { .. } => "volume",
        Backing::HostDir { .. } | Backing::Memory => return Ok(Measure::NotPermitted),
        _ => return Ok(Measure::NotSupported),
    };
    let path = format!("/system/df?type={section}&verbose=1");
    let usage: DiskUsage = link.socket.json("its disk usage", &path, budget).await?;
    let bytes = match &mount.backing {
        Backing::Volume { name, .. } => usage.volume(name),
        _ => usage.container(id),
    };
    Ok(bytes.map_or(Measure::NotSupported, Measure::Bytes))
}

impl DiskUsage {
    fn container(self, id: &str) -> Option<u64> {
        let sections = self.container_usage.and_then(|section| section.items);
        let mut all = self.containers.into_iter().chain(sections).flatten();
        all.find(|container| container.id == id)?.size_rw.and_then(|size| u64::try_from(size).ok())
    }

    fn volume(self, name: &str) -> Option<u64> {
        let sections = self.volume_usage.and_then(|section| section.items);
        let mut all = self.volumes.into_iter().chain(sections).flatten();
        let usage = all.find(|volume| volume.name == name)?.usage_data?;
        usage.size.and_then(|size| u64::try_from(size).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> DiskUsage {
        serde_json::from_str(text).unwrap_or_else(|why| unreachable!("{why}"))
    }

    #[test]
    fn both_shapes_of_disk_usage_are_read() {
        let flat = r#"{"LayersSize":9,"Images":null,"Containers":[{"Id":"c1","SizeRw":7}],
            "Volumes":[{"Name":"v","UsageData":{"Size":42,"RefCount":1}}],"BuildCache":[]}"#;
        let sections = r#"{"ContainerUsage":{"TotalCount":1,"Items":[{"Id":"c1","SizeRw":7}]},
            "VolumeUsage":{"TotalSize":42,"Items":[{"Name":"v","UsageData":{"Size":42,"RefCount":1}}]}}"#;
        for text in [flat, sections] {
            assert_eq!(parse(text).volume("v"), Some(42), "{text}");
            assert_eq!(parse(text).container("c1"), Some(7), "{text}");
        }
    }

    #[test]
    fn what_the_engine_does_not_know_is_unknown_and_not_zero() {
        let unknown = r#"{"Volumes":[{"Name":"v","UsageData":{"Size":-1,"RefCount":-1}}]}"#;
        assert_eq!(parse(unknown).volume("v"), None);
        assert_eq!(parse("{}").volume("v"), None);
        assert_eq!(parse(r#"{"VolumeUsage":{"TotalSize":5}}"#).volume("v"), None);
    }
}
