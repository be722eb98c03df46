//! The habits that the repository tells of: pushing, and no large files.

use std::fmt::Write as _;

use super::{
    FolderFacts, Found, Git, GitState, Habit, HabitFacts, HabitKind, LARGE, LargeFile, Remotes, Tick, count,
    count_is, habit,
};
use crate::text;

pub(super) fn push(facts: &HabitFacts) -> Habit {
    let (found, how, command) = pushed(&facts.git);
    let habit = habit("git-push", HabitKind::Do, "Use Git for code (push regularly)".into(), found, how);
    Habit { command, ..habit }
}

fn pushed(git: &Git) -> (Found, &'static str, Option<String>) {
    const HOST: &str = "add a remote on another machine with `git remote add origin URL`, then push";
    let state = match git {
        Git::Read(state) => state,
        Git::NotARepository => {
            let how = "put the project under git, commit, add a remote, then push";
            return ((Tick::No, "the folder is not a git repository".into()), how, Some("git init".into()));
        }
        Git::NotInstalled => {
            let found = (Tick::NotKnown, "git is not installed here".into());
            return (found, "install git, or look from where it is installed", None);
        }
        Git::NotRead(why) => {
            let found = (Tick::NotKnown, format!("the repository could not be read: {}", text::printable(why)));
            return (found, "see what git itself says about the folder", Some("git status".into()));
        }
    };
    let mut lacks: Vec<String> = Vec::new();
    if !state.commits {
        lacks.push("nothing is committed yet".into());
    }
    if state.uncommitted > 0 {
        lacks.push(format!("{} changed since the last commit", count(state.uncommitted, "tracked file")));
    }
    let new = state.untracked.unwrap_or_default();
    if new.code > 0 {
        lacks.push(format!("{} not in git", count_is(new.code, "source file")));
    }
    if state.remotes == Remotes::None {
        lacks.push("it has no remote to push to".into());
    } else if state.unpushed > 0 {
        lacks.push(format!("{} not pushed", count_is(state.unpushed, "commit")));
    }
    if !lacks.is_empty() {
        if state.stashes > 0 {
            lacks.push(stashed(state.stashes));
        }
        let saved = state.commits && state.uncommitted == 0 && new.code == 0;
        let to = state.push_to.as_deref();
        let (how, command) = match (saved, state.remotes, state.upstream) {
            (false, ..) => ("commit what is worth keeping, then push", Some("git add -A -n".into())),
            (true, Remotes::None, _) => (HOST, Some("git remote -v".into())),
            (true, _, true) if state.branch.is_some() => {
                ("push every branch", to.map(|name| format!("git push --all {name}")))
            }
            (true, ..) => (
                "push the branch and remember where it goes",
                to.map(|name| format!("git push -u {name} HEAD")),
            ),
        };
        return ((Tick::No, lacks.join("; ")), how, command);
    }
    if state.untracked.is_none() {
        let evidence = "all commits are pushed; files new to git could not be counted in time";
        return ((Tick::NotKnown, evidence.into()), "see what is not in git yet", Some("git status".into()));
    }
    let mut evidence = String::from("all commits are pushed");
    if state.remotes == Remotes::Here {
        evidence.push_str(", but only to this machine: the remote would be lost with it");
    }
    if new.files > 0 {
        // Writing to a String cannot fail.
        let _ = write!(evidence, "; {} not in git", count_is(new.files, "other file"));
    }
    if state.stashes > 0 {
        let _ = write!(evidence, "; {}", stashed(state.stashes));
    }
    let how = if state.remotes == Remotes::Here { HOST } else { "push after every piece of work" };
    ((Tick::Yes, evidence), how, None)
}

fn stashed(stashes: u64) -> String {
    format!("{} put aside, which no push sends", count_is(stashes, "change"))
}

pub(super) fn keep_large_files_out_of_git(facts: &HabitFacts) -> Habit {
    let limit = text::size(LARGE);
    let how = "leave large files to data storage or Git LFS; those committed stay in the history";
    let found = match &facts.git {
        Git::NotARepository => (Tick::Yes, "nothing is committed: the folder is not a git repository".into()),
        Git::NotInstalled => (Tick::NotKnown, "git is not installed here".into()),
        Git::NotRead(why) => {
            (Tick::NotKnown, format!("the repository could not be read: {}", text::printable(why)))
        }
        Git::Read(GitState { large: None, .. }) => {
            (Tick::NotKnown, "the files of the last commit could not be listed".into())
        }
        Git::Read(GitState { large: Some(large), .. }) => match large.first() {
            Some(file) => (
                Tick::No,
                format!(
                    "{} of the last commit above {limit}: {}",
                    count(large.len() as u64, "file"),
                    sized(file)
                ),
            ),
            None => {
                (Tick::Yes, format!("the last commit has no file above {limit}{}", candidate(&facts.project)))
            }
        },
    };
    habit("no-large-files-in-git", HabitKind::Avoid, "Don't commit large files to Git".into(), found, how)
        .command("git ls-tree -r -l HEAD")
}

/// A large file that `git add` might take in.
fn candidate(project: &FolderFacts) -> String {
    project.large.first().map(|file| format!("; see that {} is ignored", sized(file))).unwrap_or_default()
}

fn sized(file: &LargeFile) -> String {
    format!("{} ({})", text::printable_path(&file.path), text::size(file.bytes))
}
