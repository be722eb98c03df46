//! A real container's backup: its folder, what it was, and on request the files of its writable layer.

use serde_json::Value;

use super::write;
use crate::cli::Outlast;
use crate::support::docker;

#[test]
fn the_folder_what_it_was_and_the_files_of_the_layer_come_back() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    write(&outlast.home().join("work/notes"), "text");
    write(&outlast.home().join("key"), "secret\n");
    let bind = format!("{}:/workspace", outlast.home().join("work").display());
    let key = outlast.home().join("key").to_str().unwrap().to_owned();
    let repository = outlast.home().join("repository").to_str().unwrap().to_owned();
    let outlast = outlast.with("OUTLAST_PASSWORD_FILE", &key).with("OUTLAST_REPOSITORY", &repository);
    let arguments = ["-v", &bind, "-w", "/workspace", "-e", "TOKEN=hidden-word", "--label", "course=ml"];
    let container = engine.container("layer").args(arguments).run();
    container.exec("mkdir -p /root/deep && echo mine > /root/deep/model.pt && echo changed >> /opt/from-image");
    let saved = outlast.run(&["backup", &container.name, "--layer", "--yes", "--json"]);
    if saved.code == 3 {
        eprintln!("skipped: {}", saved.err);
        return;
    }
    assert_eq!(saved.code, 0, "{}{}", saved.err, saved.out);

    let new = outlast.home().join("new");
    let restored = outlast.run(&["restore", "latest", new.to_str().unwrap(), "--what", "all", "--yes"]);
    assert_eq!(restored.code, 0, "{}", restored.err);
    let text = |path: &str| std::fs::read_to_string(new.join(path)).unwrap();
    assert_eq!(text("workspace/notes"), "text");
    assert_eq!(text("layer/root/deep/model.pt"), "mine\n");
    assert_eq!(text("layer/opt/from-image"), "of the image\nchanged\n");
    let definition: Value = serde_json::from_str(&text("definition.json")).unwrap();
    assert_eq!(
        (&definition["container"], &definition["labels"]["course"]),
        (&container.name.clone().into(), &"ml".into())
    );
    assert!(definition["image"].as_str().unwrap().starts_with("outlast-test-base"));
    assert!(definition["environment"].as_array().unwrap().contains(&"TOKEN".into()));
    assert!(!text("definition.json").contains("hidden-word"), "values may be secrets");

    // The folder alone is what a plain restore gives.
    let folder = outlast.home().join("folder");
    let restored = outlast.run(&["restore", "latest", folder.to_str().unwrap(), "--yes"]);
    assert_eq!(restored.code, 0, "{}", restored.err);
    assert!(folder.join("notes").exists() && !folder.join("definition.json").exists());
}

#[test]
fn from_inside_a_container_its_folder_is_saved_without_an_engine() {
    let Some(engine) = docker::engine() else { return };
    let home = tempfile::tempdir().unwrap();
    write(&home.path().join("work/notes"), "text");
    let work = format!("{}:/workspace", home.path().join("work").display());
    let kept = format!("{}:/kept", home.path().join("kept").display());
    let program = format!("{}:/bin/outlast:ro", env!("CARGO_BIN_EXE_outlast"));
    let container =
        engine.container("inside").args(["-v", &work, "-v", &kept, "-v", &program, "-w", "/workspace"]).run();
    let refused = container.succeeds("HOME=/root outlast backup /workspace --yes");
    assert!(!refused, "a repository in the writable layer would go with it");
    container.exec("echo secret > /kept/key");
    container.exec(
        "HOME=/root OUTLAST_PASSWORD_FILE=/kept/key outlast backup /workspace --yes --verify --repository /kept/repository",
    );
    container.exec("OUTLAST_PASSWORD_FILE=/kept/key HOME=/root outlast restore latest /kept/new --yes --repository /kept/repository");
    assert_eq!(std::fs::read_to_string(home.path().join("kept/new/notes")).unwrap(), "text");
}
