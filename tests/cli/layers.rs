//! Image, container and folder: three layers that end at different times.

use super::{Outlast, one};
use crate::support::docker;

#[test]
fn after_the_container_is_removed_only_the_container_is_absent() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let project = docker::unique("project");
    let folder = outlast.home().join("workspace").join(&project);
    std::fs::create_dir_all(&folder).unwrap();
    let tag = format!("{project}:latest");
    engine.run(&["tag", &engine.base(), &tag]);
    let bind = format!("{}:/workspace", folder.display());
    let container = engine.container("layers").image(&tag).args(["-v", &bind]).run();

    let exists = |report: &serde_json::Value, field: &str, value: &str| {
        let layers = one(&report["workspaces"], field, value)["layers"].clone();
        ["image", "container", "workspace"].map(|layer| layers[layer]["exists"].clone())
    };
    let report = outlast.run(&["ls", "--all", "--no-risk", "--json"]).json();
    assert_eq!(exists(&report, "container", &container.name), [true, true, true]);

    container.rm();
    let report = outlast.run(&["ls", "--all", "--no-risk", "--json"]).json();
    let after = exists(&report, "name", &project);
    engine.run(&["rmi", &tag]);
    assert_eq!(after, [true, false, true]);
    assert_eq!(one(&report["workspaces"], "name", &project)["state"], "retired");
    let report = outlast.run(&["ls", "--all", "--no-risk", "--json"]).json();
    assert_eq!(exists(&report, "name", &project), [false, false, true]);
}
