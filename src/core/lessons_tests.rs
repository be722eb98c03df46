//! What is taught is what the rules say: every example and every place is judged like a path.

use super::*;
use crate::core::error::Kind;
use crate::core::recognise::{Profiles, Recognised};

fn profiles() -> Profiles {
    let all = crate::platform::profiles::built_in().unwrap();
    Profiles { all, ..Profiles::default() }
}

fn rules(id: &str) -> Rules {
    profiles().rules_of(id, Recognised::default(), None).unwrap()
}

fn detail(mounts: &[(&str, Backing)]) -> Detail {
    let mut detail = Detail::new(RunState::Running);
    detail.mounts.push(Mount::new("/".into(), String::new(), Backing::Layer, None));
    let mounts = mounts
        .iter()
        .map(|(path, backing)| Mount::new(path.into(), String::new(), backing.clone(), Some("ext4".into())));
    detail.mounts.extend(mounts);
    detail
}

fn folder(path: &str) -> Backing {
    Backing::HostDir { path: path.into(), source: Source::Present }
}

fn verdict(lessons: &Lessons, path: &str, event: Event) -> Option<Verdict> {
    let place = lessons.places.iter().find(|place| place.paths.iter().any(|one| one == path))?;
    place.verdicts.iter().find(|(of, _)| *of == event).map(|(_, verdict)| *verdict)
}

#[test]
fn every_platform_teaches_its_rule_its_examples_and_who_helps_with_its_own_folder() {
    for profile in profiles().all {
        let lessons = of_platform(&rules(&profile.id));
        let texts = [std::slice::from_ref(&lessons.rule), &lessons.good, &lessons.bad].concat();
        assert!(texts.iter().all(|text| !text.is_empty() && !text.contains("${")), "{texts:?}");
        assert!(lessons.good.len() >= 2 && lessons.bad.len() >= 2 && !lessons.contacts.is_empty());
        let own = rules(&profile.id).workspace.map(|folder| folder.to_string_lossy().into_owned());
        let own = own.unwrap_or_else(|| SOME_FOLDER.into());
        assert!(lessons.good.iter().any(|line| line.contains(&own)), "{}: {own}", profile.id);
        assert!(profile.id == "docker" || lessons.rule.contains(&own), "{}: {}", profile.id, lessons.rule);
    }
}

#[test]
fn good_examples_are_kept_and_bad_ones_are_lost_by_the_rules_themselves() {
    for profile in profiles().all {
        let rules = rules(&profile.id);
        let detail = as_meant(&rules);
        let classifier = Classifier { detail: &detail, rules: &rules, facts: Facts::default(), covers: &[] };
        let first = profile.default_event();
        let lessons = of_platform(&rules);
        let of = |line: &String| {
            // A storage folder of one's own is mounted below the home.
            let line = line
                .replace("/home/work/<storage folder>", SOME_FOLDER)
                .replace("/home/work/.local", SOME_FOLDER);
            path_of(&line).map(|path| classifier.explain(path, Origin::Layer).fates.verdict(first))
        };
        for line in &lessons.good {
            assert!(of(line).is_none_or(|verdict| verdict != Verdict::Lost), "{}: {line}", profile.id);
        }
        let judged: Vec<_> = lessons.bad.iter().filter_map(of).collect();
        assert!(!judged.is_empty(), "{} shows no path", profile.id);
        assert!(judged.iter().all(|verdict| *verdict == Verdict::Lost), "{}: {judged:?}", profile.id);
    }
}

#[test]
fn a_platform_without_a_workspace_teaches_what_it_means_to_keep() {
    let ds01 = of_platform(&rules("ds01"));
    assert_eq!(verdict(&ds01, "/workspace", Event::Retire), Some(Verdict::Kept));
    assert_eq!(verdict(&ds01, "everything else", Event::Retire), Some(Verdict::Lost));
    let vessl = of_platform(&rules("vessl"));
    assert_eq!(verdict(&vessl, "/home/vessl", Event::Stop), Some(Verdict::Kept));
    assert_eq!(verdict(&vessl, "/home/vessl", Event::WorkspaceDeletion), Some(Verdict::Lost));
    assert_eq!(verdict(&vessl, "everything else", Event::Stop), Some(Verdict::Lost));
    let word = vessl.events.iter().find(|word| word.event == Event::WorkspaceDeletion).unwrap();
    assert_eq!(word.word.as_deref(), Some("terminate"));
    let backendai = of_platform(&rules("backendai"));
    assert_eq!(verdict(&backendai, "/home/work", Event::Retire), Some(Verdict::Lost));
    assert_eq!(verdict(&backendai, SOME_FOLDER, Event::Retire), Some(Verdict::Kept));
}

#[test]
fn the_lesson_follows_the_mounts_of_the_workspace() {
    let rules = rules("docker");
    let with = detail(&[("/proj", folder("/srv/proj")), ("/tmp", folder("/srv/tmp"))]);
    let of = |detail: &Detail| {
        of_workspace("p", &Classifier { detail, rules: &rules, facts: Facts::default(), covers: &[] })
    };
    let lessons = of(&with);
    assert!(lessons.good[0].contains("'/proj/models/model.pt'"), "{:?}", lessons.good);
    assert!(!lessons.bad.iter().any(|line| line.contains("/tmp/")), "/tmp is mounted: {:?}", lessons.bad);
    assert_eq!(lessons.warning, None);
    assert_eq!(verdict(&lessons, "/tmp", Event::Retire), Some(Verdict::Kept));
    let mut machine = detail(&[]);
    machine.mounts = vec![Mount::new("/".into(), String::new(), Backing::Disk, Some("ext4".into()))];
    assert_eq!(of(&machine).warning, None, "on the machine itself nothing goes with a container");
    let without = of(&detail(&[]));
    assert!(without.warning.is_some() && without.good.is_empty(), "{:?}", without.good);
}

#[test]
fn a_workspace_whose_folder_is_not_mounted_is_warned_and_given_no_false_example() {
    let rules = rules("ds01");
    let detail = detail(&[]);
    let lessons =
        of_workspace("p", &Classifier { detail: &detail, rules: &rules, facts: Facts::default(), covers: &[] });
    assert!(lessons.warning.is_some_and(|warning| warning.starts_with("Not so for /workspace")));
    assert_eq!(lessons.good, Vec::<String>::new());
}

#[test]
fn who_helps_is_named_once_and_only_where_an_administrator_is_needed() {
    let contacts = ["the admins".to_string(), "a tracker".to_string()];
    let error = with_help(Error::new(Kind::NotPermitted, "no right"), &contacts);
    assert_eq!(error.hints, ["who helps: the admins, a tracker"]);
    assert_eq!(with_help(error.clone(), &["others".into()]), error);
    assert!(with_help(Error::new(Kind::Usage, "typo"), &contacts).hints.is_empty());
    assert!(!with_help(Error::new(Kind::Protected, "locked"), &contacts).hints.is_empty());
}

#[test]
fn the_first_absolute_path_of_a_line_is_found() {
    let of = |line| path_of(line).map(|path| path.display().to_string());
    assert_eq!(of("save('/tmp/m.pt')   # lost").as_deref(), Some("/tmp/m.pt"));
    assert_eq!(of("./configure --prefix=/home/u/.local && make").as_deref(), Some("/home/u/.local"));
    assert_eq!(of("apt-get install jq"), None);
    assert_eq!(of("save('~/m.pt')"), None);
}
