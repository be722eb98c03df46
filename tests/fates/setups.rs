//! Whole workspaces: nested mounts, mounts that are missing, `--rm`, swarm tasks; and that a place
//! has one answer, asked for by its path in the container or on the host.

use std::fmt::Write as _;
use std::path::Path;

use outlast::core::aftermath::Aftermath;
use outlast::core::classify::{Grounds, Origin};
use outlast::core::mount::paths_inside;
use outlast::core::storage::StorageKind;
use outlast::core::workspace::{Detail, RunState};
use outlast::work::explain::host_path;

use super::{bare, grounds, letters, mount_of};

const SETUPS: &str = include_str!("setups.txt");

/// One workspace of the file with its paths.
struct Setup<'s> {
    title: &'s str,
    grounds: Grounds,
    lines: Vec<&'s str>,
}

fn setups() -> Vec<Setup<'static>> {
    let blocks = SETUPS.split("\n= ").skip(1);
    let setup = |block: &'static str| {
        let mut lines = block.lines().filter(|line| !line.is_empty());
        let title = lines.next().unwrap();
        let mut parts = title.split("; ");
        let profile = parts.next().unwrap();
        let mut detail = Detail { mounts: bare(), ..Detail::new(RunState::Running) };
        for part in parts {
            let words: Vec<&str> = part.split(' ').collect();
            let after = match words[..] {
                ["--rm"] => Aftermath::Removed,
                ["swarm"] => Aftermath::Recreated,
                [target, kind] => {
                    detail.mounts.push(mount_of(kind, target, None));
                    continue;
                }
                [target, kind, source] => {
                    detail.mounts.push(mount_of(kind, target, Some(source)));
                    continue;
                }
                _ => panic!("{part}: not understood"),
            };
            (detail.on_crash, detail.on_stop, detail.on_reboot) = (after, after, after);
        }
        Setup { title, grounds: grounds(profile, detail), lines: lines.collect() }
    };
    blocks.map(setup).collect()
}

/// The path of a line, where its file came from, and what is expected of it.
fn taken_apart(line: &str) -> (&str, Origin, Vec<&str>) {
    let mut words = line.split_whitespace();
    let path = words.next().unwrap();
    let (path, origin) = match path.split_once(':') {
        Some(("image", path)) => (path, Origin::Image),
        Some(("package", path)) => (path, Origin::Package),
        _ => (path, Origin::Layer),
    };
    (path, origin, words.collect())
}

#[test]
fn every_path_of_every_setup_has_its_fates_its_rule_and_what_is_wrong() {
    let (mut cases, mut wrong) = (0, String::new());
    for Setup { title, grounds, lines } in setups() {
        for line in lines {
            let (path, origin, expected) = taken_apart(line);
            let answer = grounds.classifier().explain(Path::new(path), origin);
            let letters = letters(&grounds, path, origin);
            let mut ours = vec![letters.as_str(), answer.rule.map_or("-", |rule| rule.id.as_str())];
            ours.extend(answer.violation.map(outlast::core::profile::Violation::key));
            cases += 1;
            if ours != expected {
                writeln!(wrong, "{title}\n    {path}: {ours:?}, not {expected:?}").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(cases > 100, "only {cases} cases");
}

#[test]
fn a_place_has_one_answer_by_its_path_in_the_container_and_on_the_host() {
    let mut asked = 0;
    for Setup { title, grounds, lines } in setups() {
        for line in lines {
            let (path, origin, _) = taken_apart(line);
            let Some(host) = host_path(&grounds.detail, Path::new(path)) else { continue };
            let inside = paths_inside(&grounds.detail.mounts, &host);
            let answer = grounds.classifier().explain(Path::new(path), origin);
            for other in &inside {
                let again = grounds.classifier().explain(other, origin);
                if other == Path::new(path) {
                    assert_eq!(answer.fates, again.fates, "{title}: {path}");
                }
            }
            // A part of the host that another mount shows as well is seen through both.
            assert!(inside.iter().any(|inside| inside == Path::new(path)), "{title}: {path} {inside:?}");
            asked += 1;
        }
    }
    assert!(asked > 40, "only {asked} paths");
}

#[test]
fn what_is_called_kept_in_a_retire_is_on_storage_that_keeps_it_whatever_is_said_to_be_wrong() {
    for Setup { title, grounds, lines } in setups() {
        for line in lines {
            let (path, origin, expected) = taken_apart(line);
            let answer = grounds.classifier().explain(Path::new(path), origin);
            if answer.violation.is_some() && expected[0].as_bytes()[2] == b'k' {
                let keeps = matches!(answer.storage, StorageKind::BindTemp | StorageKind::BindMemory);
                assert!(keeps, "{title}: {path} is kept on {:?}", answer.storage);
            }
        }
    }
}
