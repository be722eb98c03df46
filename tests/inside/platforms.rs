//! From inside, without an engine: each platform gives itself away, and its paths get its answers.
//!
//! The mount tables are written after the paths that the platforms document; see `fixtures/README.md`.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use outlast::core::classify::{Grounds, Origin};
use outlast::core::event::Event;
use outlast::core::profile::Violation;
use outlast::engine::machine::{Clues, Machine};
use outlast::port::{Engine, Host};
use outlast::work::ground;

use crate::support::model::profiles;

/// A container of this table with these variables and files, as it looks to itself.
fn inside(hostname: &str, table: &str, env: &[&str], files: &[&str]) -> Grounds {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    std::fs::create_dir(&root).unwrap();
    for file in files {
        let file = root.join(file.trim_start_matches('/'));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, "").unwrap();
    }
    std::fs::write(dir.path().join("table"), table).unwrap();
    let clues = Clues {
        init: Some("sleep".into()),
        kubernetes: env.contains(&"KUBERNETES_SERVICE_HOST"),
        env_names: env.iter().map(ToString::to_string).collect(),
        ..Clues::default()
    };
    let host = Arc::new(Host { hostname: hostname.into(), ..Host::default() });
    let clock = Arc::new(Timestamp::UNIX_EPOCH);
    let machine = Machine::of(host, clock, root, dir.path().join("table"), clues);
    let profiles = profiles();
    let machine = machine.looking_for(profiles.landmarks());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let workspace = machine.inventory().await.unwrap().workspaces.remove(0);
        ground::look(&machine, &profiles, &workspace).await.unwrap()
    })
}

/// The seven fates by their first letters: crash, stop, retire, image removal, reboot, host loss, deletion.
fn fates(grounds: &Grounds, path: &str) -> String {
    let fates = grounds.classifier().explain(Path::new(path), Origin::Layer).fates;
    Event::ALL.iter().map(|event| fates.of(*event).fate.key().chars().next().unwrap()).collect()
}

const OVERLAY: &str = "1 0 0:75 / / rw - overlay overlay rw,upperdir=/u,workdir=/w\n\
    2 1 0:83 / /dev/shm rw - tmpfs shm rw\n";

const POD: &str = "3 1 259:1 /var/lib/kubelet/pods/7d5c1f0e-3b7a-4c51-9a86-0f2f6c1d9e44/etc-hosts \
    /etc/hosts rw - ext4 /dev/nvme0n1p1 rw\n";

#[test]
fn a_vessl_pod_on_local_storage_keeps_its_home_and_nothing_else() {
    let home = "4 1 259:1 /opt/local-path-provisioner/pvc-1b0a7c52-9f5e-4e0c-8b55-2f4f2c8c5d10_ns_home \
        /home/vessl rw - ext4 /dev/nvme0n1p1 rw\n";
    let table = format!("{OVERLAY}{POD}{home}");
    let grounds =
        inside("workspace-abcdefghij12-0", &table, &["KUBERNETES_SERVICE_HOST", "VESSL_ACCESS_TOKEN"], &[]);
    assert_eq!(grounds.rules.profile.id, "vessl");
    assert_eq!(fates(&grounds, "/home/vessl/model.pt"), "kkkkkcl");
    let system = grounds.classifier().explain(Path::new("/tmp/model.pt"), Origin::Layer).fates;
    for event in [Event::Crash, Event::Stop, Event::Retire, Event::Reboot, Event::HostLoss] {
        assert_eq!(system.verdict(event).words(), "lost", "{event:?}: a pod starts with a fresh layer");
    }
}

#[test]
fn a_vessl_home_may_be_roots_and_on_a_network_volume() {
    let home = "4 1 0:97 / /root rw - nfs4 127.0.0.1:/ rw,vers=4.1,port=20049\n";
    let table = format!("{OVERLAY}{POD}{home}");
    let grounds = inside("box", &table, &[], &["/opt/vessl/access_token"]);
    assert_eq!(grounds.rules.profile.id, "vessl");
    assert_eq!(
        grounds.rules.workspace.as_deref(),
        Some(Path::new("/root")),
        "the mounted one of the candidates"
    );
    assert_eq!(fates(&grounds, "/root/model.pt"), "kkkkkcl");
    let home = grounds.classifier().explain(Path::new("/root/model.pt"), Origin::Layer).fates;
    assert_eq!(home.verdict(Event::HostLoss).words(), "kept", "a network volume is not tied to one machine");
    assert_eq!(fates(&grounds, "/home/vessl/x").chars().nth(2), Some('l'));
}

#[test]
fn a_vessl_workspace_without_its_home_is_a_violation() {
    let grounds = inside("box", OVERLAY, &["VESSL_DEFAULT_ORGANIZATION"], &[]);
    let (folder, violation) = grounds.classifier().violation().unwrap();
    assert_eq!((folder, violation), (Path::new("/home/vessl"), Violation::WorkspaceNotMounted));
}

#[test]
fn a_backend_ai_session_knows_its_scratch_directory_from_a_storage_folder() {
    let kernel = "/scratches/123e4567-e89b-12d3-a456-426614174000";
    let table = format!(
        "{OVERLAY}4 1 259:1 {kernel}/work /home/work rw - ext4 /dev/sdb rw\n\
         5 4 0:97 /user/42/ab/cd/rest /home/work/user2-vfolder rw - nfs4 10.0.0.5:/vf rw\n\
         6 4 0:97 /user/42/ef/01/rest /home/work/.local rw - nfs4 10.0.0.5:/vf rw\n\
         7 1 259:1 {kernel}/config /home/config ro - ext4 /dev/sdb rw\n"
    );
    let grounds = inside("main1", &table, &[], &["/home/work/DO_NOT_STORE_PERSISTENT_FILES_HERE.md"]);
    assert_eq!(grounds.rules.profile.id, "backendai");
    assert_eq!(fates(&grounds, "/home/work/plain.txt"), "cclkclu");
    assert_eq!(fates(&grounds, "/home/work/user2-vfolder/test_file"), "kkkkkcc");
    assert_eq!(fates(&grounds, "/home/work/.local/lib/x"), "kkkkkcc");
    assert_eq!(fates(&grounds, "/home/work/.bashrc"), "rrrkrrr");
    let folder = grounds.classifier().explain(Path::new("/home/work/.local/x"), Origin::Layer).fates;
    assert_eq!(folder.verdict(Event::HostLoss).words(), "kept", "its folder is on the network");
    let conda = grounds.classifier().explain(Path::new("/home/work/.conda/x"), Origin::Layer);
    assert_eq!(conda.violation, Some(Violation::DotFolderWithoutVfolder));
    let local = grounds.classifier().explain(Path::new("/home/work/.local/x"), Origin::Layer);
    assert_eq!(local.violation, None);
}

#[test]
fn a_deep_origin_workstation_keeps_its_volume_and_installs_packages_again() {
    let table = format!("{OVERLAY}4 1 259:5 / /home/bench-user rw - ext4 /dev/nvme1n1 rw\n");
    let grounds = inside("average-possum-3x3", &table, &[], &[]);
    assert_eq!(grounds.rules.profile.id, "deeporigin");
    assert_eq!(fates(&grounds, "/home/bench-user/notes.ipynb"), "kkkkkcl");
    assert_eq!(fates(&grounds, "/usr/local/bin/mytool"), "cllklll");
    assert_eq!(fates(&grounds, "/etc/apt/sources.list.d/redis.list"), "crrkrrl");
    let package = grounds.classifier().explain(Path::new("/usr/bin/jq"), Origin::Package).fates;
    assert_eq!(package.verdict(Event::Stop).words(), "rebuilt");
}

#[test]
fn a_ds01_container_knows_its_server_by_what_is_mounted_into_it() {
    let table = format!(
        "{OVERLAY}4 1 254:0 /home/alice/workspace/p /workspace rw - ext4 /dev/vda rw\n\
         5 1 254:0 /srv/data /data rw - ext4 /dev/vda rw\n"
    );
    let grounds = inside("p", &table, &[], &["/etc/ds01/container-aliases.sh"]);
    assert_eq!(grounds.rules.profile.id, "ds01");
    assert_eq!(fates(&grounds, "/workspace/data/x"), "kkkkkcl");
    assert_eq!(fates(&grounds, "/data/x"), "kkkkkck");
    assert_eq!(fates(&grounds, "/home/alice/x"), "kclkclu");
}
