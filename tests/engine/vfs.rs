//! An engine that copies the image for every container (vfs): there the birth of a file says nothing.

use std::path::Path;
use std::sync::Arc;

use futures_util::StreamExt;
use outlast::core::finding::Method;
use outlast::port::{Engine, ScanItem, ScanRequest};

use super::scan::scan;
use super::{adapter_at, detail, key, wait};
use crate::support::dockerd::Dockerd;

#[test]
fn files_of_a_copied_image_are_not_taken_for_the_containers_own() {
    let Some(dockerd) = Dockerd::start() else { return };
    let docker = adapter_at(&dockerd.socket());
    let container = dockerd.cli().container("vfs").args(["--tmpfs", "/scratch"]).run();
    let fresh = scan(&docker, &container);
    assert!(fresh.findings().is_empty(), "{:?}", fresh.findings());
    container.exec("echo weights > /root/model.pt; echo more >> /opt/from-image; echo m > /scratch/m");
    let found = scan(&docker, &container);
    assert_eq!(found.by, [Method::Api], "only the engine can tell");
    let own = ["/opt/from-image", "/root/model.pt", "/scratch/m"].map(Path::new);
    assert_eq!(found.findings(), own.iter().collect::<Vec<_>>());
    assert!(found.gaps.is_empty(), "{:?}", found.gaps);
    container.stop();
    assert_eq!(scan(&docker, &container).findings(), own[..2].iter().collect::<Vec<_>>());
}

#[test]
fn unasked_a_copied_image_is_a_gap_and_no_result() {
    let Some(dockerd) = Dockerd::start() else { return };
    let docker = adapter_at(&dockerd.socket());
    let container = dockerd.cli().container("vfs").create();
    let request = ScanRequest {
        key: key(&container),
        detail: Arc::new(detail(&docker, &container)),
        targets: vec!["/".into()],
        asked: false,
    };
    let items: Vec<_> = wait(docker.scan(request).collect());
    assert!(matches!(items.as_slice(), [ScanItem::Gap(why)] if why.contains("on request")), "{items:?}");
}
