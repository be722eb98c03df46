//! What the platforms' guides warn about, on real containers: folders that are not mounted, links,
//! dot folders, sessions; and what gives a platform away.

use std::path::Path;
use std::sync::Arc;

use outlast::core::aftermath::Aftermath;
use outlast::core::classify::Grounds;
use outlast::core::event::Event;
use outlast::core::fate::Verdict;
use outlast::core::profile::Violation;
use outlast::core::recognise::Profiles;
use outlast::core::storage::StorageKind;
use outlast::core::workspace::RestartPolicy;
use outlast::engine::docker::Docker;
use outlast::work::explain::{Explained, explain};
use outlast::work::ground;

use super::{in_folder, listed, real, real_as_root, wait};
use crate::support::docker::{Cli, Container, unique};
use crate::support::model::profiles;

fn look_with(docker: &Docker, container: &Container, profiles: &Profiles) -> Grounds {
    wait(ground::look(docker, profiles, &listed(docker, container))).unwrap()
}

fn look(docker: &Docker, container: &Container) -> Grounds {
    look_with(docker, container, &profiles())
}

fn explained(docker: &Docker, container: &Container, path: &str) -> Explained {
    let grounds = look(docker, container);
    wait(explain(docker, &listed(docker, container), &grounds, Path::new(path))).unwrap()
}

/// A container that is made and not started: what is asked for is enough to be recognised.
fn dressed(cli: &Cli, args: &[&str]) -> Container {
    cli.container("dressed").args(args.iter().copied()).create()
}

#[test]
fn every_platform_is_recognised_by_each_of_its_signs_and_what_is_unknown_is_docker() {
    let Some((cli, docker)) = real() else { return };
    let cases: [(&str, &[&str]); 11] = [
        ("docker", &[]),
        ("docker", &["--label=com.docker.compose.project=web", "-v/home/work/x"]),
        ("ds01", &["--label=ds01.user=1001"]),
        ("ds01", &["--label=aime.mlc.USER=alice"]),
        ("vessl", &["--env=VESSL_DEFAULT_ORGANIZATION=lab"]),
        ("vessl", &["-v/home/vessl"]),
        ("backendai", &["--label=ai.backend.kernel-id=77"]),
        ("backendai", &["--label=ai.backend.session-id=5f", "--env=LOCAL_USER_ID=1"]),
        ("deeporigin", &["-v/home/bench-user"]),
        ("deeporigin", &["--label=outlast.profile=deeporigin", "--label=ds01.user=1001"]),
        ("vessl", &["--label=outlast.profile=vessl", "-v/home/bench-user"]),
    ];
    for (expected, args) in cases {
        let rules = look(&docker, &dressed(&cli, args)).rules;
        assert_eq!(rules.profile.id, expected, "{args:?}: {:?}", rules.recognised);
    }
    let named = cli.container("name").name(format!("{}._.1001", unique("p"))).create();
    assert_eq!(look(&docker, &named).rules.profile.id, "ds01");
}

#[test]
fn a_profile_that_was_asked_for_beats_every_sign() {
    let Some((cli, docker)) = real() else { return };
    let container = dressed(&cli, &["--label=ds01.user=1001"]);
    let all = profiles();
    let forced = all.named("vessl").map(Arc::clone);
    let rules = look_with(&docker, &container, &Profiles { forced, ..all }).rules;
    assert_eq!((rules.profile.id.as_str(), rules.recognised.words().as_str()), ("vessl", "asked for"));
    let matched: Vec<_> = rules.recognised.matches.iter().map(|one| one.profile.as_str()).collect();
    assert_eq!(matched, ["ds01"], "what was recognised is still said");
}

#[test]
fn platforms_that_match_alike_are_all_named_and_none_is_taken() {
    let Some((cli, docker)) = real() else { return };
    let container = dressed(&cli, &["--label=ds01.user=1001", "--env=VESSL_ACCESS_TOKEN=x"]);
    let rules = look(&docker, &container).rules;
    assert!(rules.recognised.tie);
    assert_eq!(rules.profile.id, "docker");
    let words = rules.recognised.words();
    assert!(words.contains("ds01 (label ds01.user)") && words.contains("vessl (variable VESSL"), "{words}");
}

#[test]
fn what_the_image_says_counts_as_well_and_odd_bytes_are_no_harm() {
    let Some((cli, docker)) = real() else { return };
    let plain = cli.container("plain").create();
    let image = format!("{}:1", unique("signs"));
    cli.run(&["commit", "--change", "LABEL ai.backend.kernelspec=1", &plain.id, &image]);
    let from_image = cli.container("from-image").image(&image).create();
    assert_eq!(look(&docker, &from_image).rules.profile.id, "backendai");
    drop(from_image);
    cli.run(&["rmi", "-f", &image]);

    let odd = "--label=ds01.\u{1b}[2Jünïx\u{202e}=\u{7f}\u{1}x\ny";
    let container = dressed(&cli, &[odd, "--env=VESSL\u{1b}]0;x=1", "--label=ds01."]);
    let rules = look(&docker, &container).rules;
    assert_eq!(rules.profile.id, "ds01");
    let long = format!("--label=outlast.profile={}", "x".repeat(60_000));
    assert_eq!(look(&docker, &dressed(&cli, &[&long])).rules.profile.id, "docker");
}

#[test]
fn a_session_is_shown_with_its_number_and_its_owner() {
    let Some((cli, docker)) = real() else { return };
    let labels = ["--label=ai.backend.session-id=5f-77", "--label=ai.backend.owner-user-id=u-1"];
    let session = listed(&docker, &dressed(&cli, &labels));
    assert_eq!(session.managed_by.as_deref(), Some("session 5f-77 of user u-1"));
    assert_eq!(session.owner.name, None, "who that is on this host is not known");
}

#[test]
fn a_platforms_folder_that_is_not_mounted_is_a_violation() {
    let Some((cli, docker)) = real() else { return };
    let volume = cli.volume("folder", &[]);
    for (sign, folder) in [
        ("--label=ds01.user=1001", "/workspace"),
        ("--env=VESSL_ACCESS_TOKEN=x", "/home/vessl"),
        ("--label=outlast.profile=deeporigin", "/home/bench-user"),
    ] {
        let grounds = look(&docker, &dressed(&cli, &[sign]));
        let violation = grounds.classifier().violation();
        assert_eq!(violation, Some((Path::new(folder), Violation::WorkspaceNotMounted)), "{sign}");
        let mounted = look(&docker, &dressed(&cli, &[sign, &format!("-v{}:{folder}", volume.name)]));
        assert_eq!(mounted.classifier().violation(), None, "{sign}");
    }
}

#[test]
fn a_bind_of_a_sessions_directory_or_behind_a_link_to_the_hosts_tmp_is_no_proof() {
    let Some((cli, docker)) = real_as_root() else { return };
    let (root, temp) = (in_folder("/srv"), in_folder("/var/tmp"));
    std::fs::create_dir_all(root.path().join("scratches/77/work")).unwrap();
    std::os::unix::fs::symlink(temp.path(), root.path().join("link")).unwrap();
    let session = format!("-v{}:/workspace", root.path().join("scratches/77/work").display());
    let link = format!("-v{}:/link", root.path().join("link").display());
    let container = cli.container("proof").args([session.as_str(), &link]).run();
    for _ in ["running", "stopped"] {
        let of = |path: &str| explained(&docker, &container, path);
        assert_eq!(of("/workspace/x").storage, StorageKind::BindScratch);
        assert_eq!(of("/workspace/x").fates.verdict(Event::Retire), Verdict::Lost);
        assert_eq!(of("/link/x").storage, StorageKind::BindTemp);
        container.stop();
    }
}

#[test]
fn links_lead_to_where_a_file_really_is() {
    let Some((cli, docker)) = real_as_root() else { return };
    let folder = in_folder("/srv");
    let mount = format!("-v{}:/workspace", folder.path().display());
    let container = cli.container("links").args(["--label=ds01.user=1001", &mount]).run();
    container.exec(
        "mkdir -p /tmp/out /workspace/m && ln -s /tmp/out /workspace/out && ln -s /workspace/m /home/u/m",
    );
    let lost = explained(&docker, &container, "/workspace/out/x");
    assert_eq!((lost.rule.as_deref(), lost.fates.verdict(Event::Retire)), (Some("tmp"), Verdict::Lost));
    let kept = explained(&docker, &container, "/home/u/m/x");
    assert_eq!((kept.rule.as_deref(), kept.fates.verdict(Event::Retire)), (Some("workspace"), Verdict::Kept));
}

#[test]
fn a_dot_folder_is_kept_only_where_it_is_really_mounted() {
    let Some((cli, docker)) = real_as_root() else { return };
    let root = in_folder("/srv");
    for folder in ["scratches/77/work", "vf/local", "vf/brew"] {
        std::fs::create_dir_all(root.path().join(folder)).unwrap();
    }
    let at = |folder: &str, target: &str| format!("-v{}:{target}", root.path().join(folder).display());
    for (brew, other) in [
        ("/home/work/.linuxbrew", "/home/linuxbrew/.linuxbrew"),
        ("/home/linuxbrew/.linuxbrew", "/home/work/.linuxbrew"),
    ] {
        let mounts =
            [at("scratches/77/work", "/home/work"), at("vf/local", "/home/work/.local"), at("vf/brew", brew)];
        let args = mounts.iter().map(String::as_str).chain(["--label=ai.backend.session-id=5f"]);
        let container = cli.container("dots").args(args).create();
        let of = |path: &str| explained(&docker, &container, path);
        for path in ["/home/work/.local", brew] {
            assert_eq!(of(&format!("{path}/x")).fates.verdict(Event::Stop), Verdict::Kept, "{path}");
            assert_eq!(of(&format!("{path}/x")).violation, None, "{path}");
        }
        for path in ["/home/work/.conda", other] {
            let answer = of(&format!("{path}/x"));
            assert_eq!(answer.fates.verdict(Event::Retire), Verdict::Lost, "{path}");
            assert_eq!(answer.violation, Some(Violation::DotFolderWithoutVfolder), "{path}");
        }
    }
}

#[test]
fn folders_outlive_a_session_and_a_plain_file_beside_them_does_not() {
    let Some((cli, docker)) = real_as_root() else { return };
    let root = in_folder("/srv");
    let scratch = root.path().join("scratches/77");
    for folder in ["scratches/77/work", "one", "two"] {
        std::fs::create_dir_all(root.path().join(folder)).unwrap();
    }
    let at = |folder: &str, target: &str| format!("-v{}:{target}", root.path().join(folder).display());
    let mounts =
        [at("scratches/77/work", "/home/work"), at("one", "/home/work/one"), at("two", "/home/work/two")];
    let args = mounts.iter().map(String::as_str).chain(["--label=ai.backend.session-id=5f"]);
    let session = cli.container("guide").args(args).run();
    session.exec("cd /home/work && echo x | tee one/test_file two/test_file > plain.txt");
    let of = |path: &str| explained(&docker, &session, path).fates.verdict(Event::Retire);
    assert_eq!(of("/home/work/one/test_file"), Verdict::Kept);
    assert_eq!(of("/home/work/two/test_file"), Verdict::Kept);
    assert_eq!(of("/home/work/plain.txt"), Verdict::Lost);
    cli.run(&["rm", "-f", "-v", &session.id]);
    std::fs::remove_dir_all(scratch).unwrap();
    assert!(root.path().join("one/test_file").exists() && root.path().join("two/test_file").exists());
}

#[test]
fn a_read_only_folder_is_kept_and_cannot_be_saved_to() {
    let Some((cli, docker)) = real_as_root() else { return };
    let root = in_folder("/srv");
    let folder = format!("-v{}:/home/work/lent:ro", root.path().display());
    let args = ["--label=ai.backend.session-id=5f", folder.as_str()];
    let container = cli.container("lent").args(args).run();
    let answer = explained(&docker, &container, "/home/work/lent/x");
    assert_eq!(answer.read_only, Some(true));
    assert_eq!(answer.fates.verdict(Event::Retire), Verdict::Kept);
    assert!(!container.succeeds("echo x > /home/work/lent/x"));
}

#[test]
fn a_swarms_task_is_made_anew_and_compose_and_restart_policies_change_nothing() {
    let Some((cli, docker)) = real() else { return };
    let task = look(&docker, &dressed(&cli, &["--label=com.docker.swarm.task.id=t1"]));
    for event in [Event::Crash, Event::Stop, Event::Reboot] {
        assert_eq!(task.classifier().after(event), Aftermath::Recreated, "{event:?}");
    }
    let root = |grounds: &Grounds| {
        let answer = grounds.classifier().explain(Path::new("/root/x"), outlast::core::classify::Origin::Layer);
        answer.fates
    };
    assert_eq!(root(&task).verdict(Event::Stop), Verdict::Lost);
    let plain = root(&look(&docker, &dressed(&cli, &[])));
    let compose = dressed(&cli, &["--label=com.docker.compose.project=web", "--restart=always"]);
    let compose = look(&docker, &compose);
    assert_eq!(root(&compose), plain);
    assert_eq!(compose.detail.restart_policy, RestartPolicy::Always);
}

#[test]
fn a_volume_without_a_name_that_another_container_lends_goes_with_the_last_of_them() {
    let Some((cli, docker)) = real() else { return };
    let owner = cli.container("owner").args(["-v", "/anon"]).create();
    let borrower = cli.container("borrower").args(["--volumes-from", &owner.name, "--rm"]).run();
    let storage = explained(&docker, &borrower, "/anon/x");
    assert_eq!(storage.storage, StorageKind::AnonymousVolume);
    assert_eq!(storage.fates.verdict(Event::Stop), Verdict::Lost);
    let name = borrower.inspect("{{range .Mounts}}{{.Name}}{{end}}");
    owner.rm();
    borrower.stop();
    let begun = std::time::Instant::now();
    let volume = crate::support::docker::Volume::left_behind(&cli, &name);
    while volume.place().is_some() && begun.elapsed().as_secs() < 10 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(volume.place(), None);
}
