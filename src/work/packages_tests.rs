//! A package database laid out in memory.

use super::*;
use crate::core::recognise::Recognised;
use crate::core::workspace::RunState;
use crate::work::fake::{self, Fake, block_on};
use std::sync::Arc;

const COWSAY: &str = "Start-Date: 2026-11-20  10:00:00\nCommandline: apt-get install -y cowsay\n\
    Install: libcow:amd64 (1.0, automatic), cowsay:amd64 (3.03)\nEnd-Date: 2026-11-20  10:00:09\n";

fn history(command: &str) -> String {
    format!("\n{}", COWSAY.replace("apt-get install -y cowsay", command))
}

/// A container in which cowsay was installed.
fn cowsay() -> Fake {
    let sum = "5eb63bbbe01eeed093cb22bb8f5acdc3"; // hello world
    let files = [
        (HISTORY, history("apt-get install -y cowsay")),
        (LOG, "2026-11-20 10:00:05 install cowsay:all <none> 3.03\n".into()),
        (
            STATUS,
            format!(
                "Package: cowsay\nStatus: install ok installed\nArchitecture: all\nVersion: 3.03\n\
                 Conffiles:\n /etc/cowsay.conf {sum}\nDescription: cow\n\nPackage: old\n\
                 Status: deinstall ok config-files\nVersion: 1\n"
            ),
        ),
        (
            "/var/lib/dpkg/info/cowsay.list",
            "/.\n/usr\n/usr/bin\n/usr/bin/cowsay\n/lib/cow\n/etc/cowsay.conf\n".into(),
        ),
        ("/var/lib/dpkg/info/cowsay.md5sums", format!("{sum}  usr/bin/cowsay\n{sum}  lib/cow\n")),
        ("/usr/bin/cowsay", "hello world".into()),
        ("/usr/lib/cow", "hello world".into()),
        ("/etc/cowsay.conf", "hello world".into()),
        ("/usr/bin/mine", "hello world".into()),
    ];
    Fake { contents: files.map(|(path, text)| (path.into(), text)).into(), ..Fake::default() }
}

fn of(engine: &Fake, profile: &str, path: &str) -> Origin {
    let grounds = fake::grounds(fake::detail(RunState::Running));
    let rules = fake::profiles().rules_of(profile, Recognised::default(), Some(&grounds.detail)).unwrap();
    let grounds = Grounds { rules: Arc::new(rules), ..grounds };
    let mut workspace = fake::workspace("p");
    workspace.created = "2026-11-20T09:00:00Z".parse().ok();
    block_on(origin(engine, &workspace, &grounds, Path::new(path), Origin::Layer))
}

fn change(engine: &mut Fake, path: &str, edit: impl Fn(&str) -> String) {
    let text = engine.contents.get_mut(Path::new(path)).unwrap();
    *text = edit(text);
}

#[test]
fn an_unchanged_file_of_a_package_from_a_repository_is_the_packages() {
    let mut engine = cowsay();
    assert_eq!(of(&engine, "deeporigin", "/usr/bin/cowsay"), Origin::Package);
    assert_eq!(of(&engine, "deeporigin", "/etc/cowsay.conf"), Origin::Package, "a settings file as it came");
    assert_eq!(of(&engine, "docker", "/usr/bin/cowsay"), Origin::Layer, "no rule asks for it");
    assert_eq!(of(&engine, "deeporigin", "/usr/bin/mine"), Origin::Layer, "nobody's");
    change(&mut engine, "/usr/bin/cowsay", |_| "changed".into());
    assert_eq!(of(&engine, "deeporigin", "/usr/bin/cowsay"), Origin::Layer);
}

#[test]
fn a_listed_path_below_a_link_into_usr_is_the_file_itself() {
    let mut engine = cowsay();
    assert_eq!(of(&engine, "deeporigin", "/usr/lib/cow"), Origin::Layer, "/lib is a folder of its own");
    engine.links.insert("/lib".into(), "usr/lib".into());
    assert_eq!(of(&engine, "deeporigin", "/usr/lib/cow"), Origin::Package);
}

#[test]
fn what_did_not_surely_come_from_a_repository_is_not_the_packages() {
    let doubts: [(&str, &str, &str); 9] = [
        (HISTORY, "install -y cowsay", "install ./cowsay.deb"),
        (HISTORY, "install -y cowsay", "install /tmp/debs/cowsay_3.03_all.deb"),
        (HISTORY, "Commandline: apt-get install -y cowsay\n", ""),
        (HISTORY, "cowsay:amd64 (3.03)", "other:amd64 (3.03)"),
        (HISTORY, "End-Date", "Error"),
        (HISTORY, "2026-11-20", "2026-11-18"),
        (STATUS, "Version: 3.03", "Version: 3.04"),
        (STATUS, "install ok installed", "install ok half-configured"),
        (LOG, "10:00:05", "11:00:00"),
    ];
    for (file, from, to) in doubts {
        let mut engine = cowsay();
        change(&mut engine, file, |text| text.replace(from, to));
        assert_eq!(of(&engine, "deeporigin", "/usr/bin/cowsay"), Origin::Layer, "{file}: {from} -> {to}");
    }
    let mut engine = cowsay();
    engine
        .contents
        .insert("/etc/apt/sources.list.d/own.list".into(), "deb [trusted=yes] file:/opt/debs ./\n".into());
    assert_eq!(of(&engine, "deeporigin", "/usr/bin/cowsay"), Origin::Layer, "a folder is no repository");
    let mut engine = cowsay();
    change(&mut engine, HISTORY, |text| {
        format!(
            "{text}\nStart-Date: 2026-11-20  10:01:00\nCommandline: apt remove cowsay\nRemove: cowsay:amd64 (3.03)\nEnd-Date: 2026-11-20  10:01:01\n"
        )
    });
    assert_eq!(of(&engine, "deeporigin", "/usr/bin/cowsay"), Origin::Layer, "it came back by other ways");
}

#[test]
fn without_a_log_of_dpkg_the_history_of_apt_is_enough() {
    let mut engine = cowsay();
    engine.contents.remove(Path::new(LOG));
    assert_eq!(of(&engine, "deeporigin", "/usr/bin/cowsay"), Origin::Package);
    engine.contents.remove(Path::new(HISTORY));
    assert_eq!(of(&engine, "deeporigin", "/usr/bin/cowsay"), Origin::Layer);
}

#[test]
fn a_history_is_read_entry_by_entry() {
    let listed: Vec<_> = entries("a:amd64 (1.0, automatic), b:i386 (1:2-3, 1:2-4), c (0)").collect();
    assert_eq!(listed, [("a", "1.0"), ("b", "1:2-4"), ("c", "0")]);
    assert!(names_files("apt install ./x.deb") && names_files("apt install ~/x"));
    assert!(!names_files("/usr/bin/apt-get install -y htop=1.0 jq/stable"));
}
