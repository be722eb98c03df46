//! Every habit ticks, does not tick, and says when it cannot be known.

use jiff::ToSpan as _;

use super::*;

fn now() -> jiff::Timestamp {
    jiff::Timestamp::from_second(1_800_000_000).unwrap()
}

fn ago(hours: i64) -> jiff::Timestamp {
    now() - hours.hours()
}

fn dated(path: &str, hours: i64) -> Dated {
    Dated { path: path.into(), modified: ago(hours) }
}

/// A repository in which everything is pushed.
fn in_order() -> GitState {
    GitState {
        branch: Some("main".into()),
        commits: true,
        remotes: Remotes::Away,
        push_to: Some("origin".into()),
        upstream: true,
        untracked: Some(Untracked::default()),
        large: Some(Vec::new()),
        ..GitState::default()
    }
}

/// A workspace with nothing to complain about.
fn model() -> HabitFacts {
    HabitFacts {
        inside: Some("/workspace".into()),
        on_host: Some("/home/u/workspace/p".into()),
        git: Git::Read(in_order()),
        project: FolderFacts {
            checkpoints: 2,
            newest_checkpoint: Some(dated("models/b.pt", 2)),
            trackers: vec!["MLflow"],
            usual: vec!["data", "src"],
            newest: Some(dated("src/a.py", 3)),
            ..FolderFacts::default()
        },
        at_risk: Some(Tally::default()),
        at_risk_complete: true,
        running: true,
        recent_at_risk: Some(0),
        disk: Some((50, 100)),
        last_backup: Some(ago(1)),
        now: now(),
    }
}

fn changed(change: impl FnOnce(&mut HabitFacts)) -> [Habit; 11] {
    let mut facts = model();
    change(&mut facts);
    habits(&facts)
}

fn git(change: impl FnOnce(&mut GitState)) -> Habit {
    let mut state = in_order();
    change(&mut state);
    of("git-push", |facts| facts.git = Git::Read(state))
}

fn of(id: &str, change: impl FnOnce(&mut HabitFacts)) -> Habit {
    changed(change).into_iter().find(|habit| habit.id == id).unwrap()
}

/// The habit's tick and evidence, after a change to a model workspace.
fn found(id: &str, change: impl FnOnce(&mut HabitFacts)) -> (Tick, String) {
    let habit = of(id, change);
    (habit.tick, habit.evidence)
}

fn says(id: &str, tick: Tick, evidence: &str, change: impl FnOnce(&mut HabitFacts)) {
    assert_eq!(found(id, change), (tick, evidence.to_owned()), "{id}");
}

#[test]
fn a_model_workspace_has_eleven_ticks_six_to_do_and_five_to_avoid() {
    let all = habits(&model());
    for habit in &all {
        assert_eq!(habit.tick, Tick::Yes, "{habit:?}");
    }
    let ids: std::collections::BTreeSet<_> = all.iter().map(|habit| habit.id).collect();
    assert_eq!(ids.len(), 11);
    let kinds: Vec<_> = all.iter().map(|habit| habit.kind).collect();
    assert_eq!(kinds, [[HabitKind::Do; 6].as_slice(), [HabitKind::Avoid; 5].as_slice()].concat());
}

#[test]
fn a_workspace_of_which_nothing_is_known_has_no_tick() {
    let all = habits(&HabitFacts { last_backup: Some(ago(1)), ..HabitFacts::not_read(now()) });
    for habit in all {
        assert_eq!(habit.tick, Tick::NotKnown, "{habit:?}");
    }
}

#[test]
fn the_titles_speak_of_the_platforms_own_folder() {
    let titles = |folder: &str| {
        let all = changed(|facts| facts.inside = Some(folder.into()));
        [all[0].title.clone(), all[6].title.clone()]
    };
    let at = ["Save everything to /workspace", "Don't save to /tmp or ~ (outside /workspace)"];
    assert_eq!(titles("/workspace"), at);
    let home = ["Save everything to /root", "Don't save outside /root, such as to /tmp"];
    assert_eq!(titles("/root"), home, "there the home is what is kept");
    assert_eq!(titles("/home/u/p")[1], "Don't save to /tmp or ~ (outside /home/u/p)");
    assert_eq!(titles("/a\x1b[2J")[0], "Save everything to /a\\u{1b}[2J");
}

#[test]
fn files_at_risk_untick_saving_in_the_folder_and_leaving_containers_running() {
    let risk = |facts: &mut HabitFacts| facts.at_risk = Some(Tally { files: 2, bytes: 2048 });
    let evidence = "2 files (2.0K) in a place that does not last";
    says("save-in-folder", Tick::No, evidence, risk);
    says("nothing-unsaved", Tick::No, evidence, risk);
    says("nothing-unsaved", Tick::Yes, "the container does not run", |facts| {
        risk(facts);
        facts.running = false;
    });
    assert_eq!(found("save-in-folder", |facts| facts.at_risk_complete = false).0, Tick::NotKnown);
    assert_eq!(found("nothing-unsaved", |facts| facts.at_risk_complete = false).0, Tick::NotKnown);
}

#[test]
fn what_was_written_lately_elsewhere_unticks() {
    let evidence = "1 file changed lately in a place that does not last";
    says("nowhere-else", Tick::No, evidence, |facts| facts.recent_at_risk = Some(1));
    assert_eq!(found("nowhere-else", |facts| facts.at_risk_complete = false).0, Tick::NotKnown);
}

#[test]
fn code_that_is_nowhere_else_is_not_ticked() {
    let evidence = |change: fn(&mut GitState)| {
        let habit = git(change);
        assert_eq!(habit.tick, Tick::No, "{habit:?}");
        (habit.evidence, habit.command.unwrap_or_default())
    };
    let pair = |evidence: &str, command: &str| (evidence.to_owned(), command.to_owned());
    assert_eq!(evidence(|git| git.unpushed = 3), pair("3 commits are not pushed", "git push --all origin"));
    assert_eq!(
        evidence(|git| (git.unpushed, git.upstream) = (1, false)),
        pair("1 commit is not pushed", "git push -u origin HEAD")
    );
    assert_eq!(
        evidence(|git| (git.unpushed, git.remotes) = (1, Remotes::None)),
        pair("it has no remote to push to", "git remote -v")
    );
    assert_eq!(
        evidence(|git| git.uncommitted = 1),
        pair("1 tracked file changed since the last commit", "git add -A -n")
    );
    assert_eq!(evidence(|git| git.commits = false).0, "nothing is committed yet");
    let untracked = |git: &mut GitState| git.untracked = Some(Untracked { files: 5, code: 2 });
    assert_eq!(git(untracked).evidence, "2 source files are not in git");
    let habit = of("git-push", |facts| facts.git = Git::NotARepository);
    assert_eq!((habit.tick, habit.command.as_deref()), (Tick::No, Some("git init")));
}

#[test]
fn pushed_code_is_ticked_and_says_what_a_push_does_not_send() {
    assert_eq!(git(|_| ()).evidence, "all commits are pushed");
    let here = git(|git| git.remotes = Remotes::Here);
    assert_eq!(here.tick, Tick::Yes);
    assert_eq!(
        here.evidence,
        "all commits are pushed, but only to this machine: the remote would be lost with it"
    );
    let more = git(|git| (git.stashes, git.untracked) = (2, Some(Untracked { files: 1, code: 0 })));
    assert_eq!(more.tick, Tick::Yes);
    let evidence =
        "all commits are pushed; 1 other file is not in git; 2 changes are put aside, which no push sends";
    assert_eq!(more.evidence, evidence);
    assert_eq!(git(|git| git.untracked = None).tick, Tick::NotKnown, "new code may be among them");
    assert_eq!(found("git-push", |facts| facts.git = Git::NotInstalled).0, Tick::NotKnown);
}

#[test]
fn two_of_the_usual_folders_are_an_order() {
    let usual =
        |names: &'static [&'static str]| move |facts: &mut HabitFacts| facts.project.usual = names.to_vec();
    says("organise", Tick::Yes, "it has data, models and src", usual(&["data", "models", "src"]));
    says("organise", Tick::No, "of the usual folders it has only src", usual(&["src"]));
    says("organise", Tick::No, "it has none of the usual folders", usual(&[]));
    let unread = |facts: &mut HabitFacts| {
        (facts.project.usual, facts.project.gaps) = (Vec::new(), vec!["permission denied".into()]);
    };
    says("organise", Tick::NotKnown, "the folder was not read to its end: permission denied", unread);
}

#[test]
fn a_running_container_whose_newest_checkpoint_is_old_is_not_ticked() {
    let evidence = "2 checkpoints, the newest models/b.pt from 2h ago";
    says("checkpoints", Tick::Yes, evidence, |_| ());
    let old = |facts: &mut HabitFacts| facts.project.newest_checkpoint = Some(dated("b.pt", 72));
    assert_eq!(found("checkpoints", old).0, Tick::No);
    let stopped = |facts: &mut HabitFacts| {
        old(facts);
        facts.running = false;
    };
    assert_eq!(found("checkpoints", stopped).0, Tick::Yes, "nothing trains");
    let partly = |facts: &mut HabitFacts| {
        old(facts);
        facts.project.gaps.push("x".into());
    };
    assert_eq!(found("checkpoints", partly).0, Tick::NotKnown);
    let none = |facts: &mut HabitFacts| facts.project.newest_checkpoint = None;
    says("checkpoints", Tick::No, "no checkpoint lies in the folder", none);
}

#[test]
fn old_temporary_files_untick_and_old_checkpoints_are_mentioned() {
    says("clean-up", Tick::Yes, "no temporary file is older than 30 days", |_| ());
    let evidence = "3 temporary files (1.0K) older than 30 days; 1 checkpoint (2.0K) too, keep the best";
    says("clean-up", Tick::No, evidence, |facts| {
        facts.project.old_temporary = Tally { files: 3, bytes: 1024 };
        facts.project.old_checkpoints = Tally { files: 1, bytes: 2048 };
    });
    assert_eq!(found("clean-up", |facts| facts.project.gaps.push("x".into())).0, Tick::NotKnown);
}

#[test]
fn a_trackers_record_ticks() {
    says("tracking", Tick::Yes, "it has records of MLflow", |_| ());
    let none = |facts: &mut HabitFacts| facts.project.trackers.clear();
    says("tracking", Tick::No, "no tracker left a record in the folder", none);
}

#[test]
fn a_large_file_in_git_is_not_ticked_and_one_beside_it_is_mentioned() {
    let id = "no-large-files-in-git";
    let large = || LargeFile { path: "big.bin".into(), bytes: 3 << 30 };
    says(id, Tick::Yes, "the last commit has no file above 100M", |_| ());
    says(id, Tick::No, "1 file of the last commit above 100M: big.bin (3.0G)", |facts| {
        facts.git = Git::Read(GitState { large: Some(vec![large()]), ..in_order() });
    });
    let beside = "the last commit has no file above 100M; see that big.bin (3.0G) is ignored";
    says(id, Tick::Yes, beside, |facts| facts.project.large.push(large()));
    let unlisted = |facts: &mut HabitFacts| facts.git = Git::Read(GitState { large: None, ..in_order() });
    assert_eq!(found(id, unlisted).0, Tick::NotKnown);
    assert_eq!(found(id, |facts| facts.git = Git::NotInstalled).0, Tick::NotKnown);
}

#[test]
fn a_backup_counts_until_something_changes() {
    says("backed-up", Tick::Yes, "backed up 1h ago, and no file changed since", |_| ());
    says("backed-up", Tick::No, "no backup of it is known", |facts| facts.last_backup = None);
    let evidence = "src/a.py was changed after the backup of 5h ago";
    says("backed-up", Tick::No, evidence, |facts| facts.last_backup = Some(ago(5)));
    assert_eq!(found("backed-up", |facts| facts.project.gaps.push("x".into())).0, Tick::NotKnown);
}

#[test]
fn a_disk_four_fifths_full_is_filling() {
    says("room-left", Tick::Yes, "79% of 100 in use", |facts| facts.disk = Some((79, 100)));
    says("room-left", Tick::No, "80% of 100 in use", |facts| facts.disk = Some((80, 100)));
    assert_eq!(found("room-left", |facts| facts.disk = Some((0, 0))).0, Tick::NotKnown);
}

proptest::proptest! {
    #[test]
    fn nothing_that_was_not_read_is_ticked_where_it_matters(files: u64, at_risk_complete: bool, cut: bool) {
        let all = changed(|facts| {
            facts.at_risk = Some(Tally { files, bytes: 0 });
            facts.at_risk_complete = at_risk_complete;
            facts.project.trackers.clear();
            facts.project.gaps.extend(cut.then(|| "x".to_owned()));
        });
        let saved = files == 0 && at_risk_complete;
        proptest::prop_assert_eq!(all[0].tick == Tick::Yes, saved);
        proptest::prop_assert_eq!(all[8].tick == Tick::Yes, saved);
        proptest::prop_assert_eq!(all[5].tick, if cut { Tick::NotKnown } else { Tick::No });
    }
}
