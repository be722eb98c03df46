//! What `--help` says, of every verb.

use super::Outlast;

#[test]
fn help_of_every_verb() {
    let outlast = Outlast::new();
    let verbs = [
        "",
        "ls",
        "mounts",
        "explain",
        "risk",
        "du",
        "files",
        "cat",
        "copy",
        "rename",
        "trash",
        "df",
        "quota",
        "start",
        "stop",
        "restart",
        "pause",
        "unpause",
        "retire",
        "undo",
        "rescue",
        "keep-alive",
        "archive",
        "mirror",
        "git",
        "git-init",
        "clone",
        "schedule",
        "backup",
        "backups",
        "restore",
        "verify",
        "forget",
        "jobs",
        "log",
        "profiles",
        "guide",
        "habits",
        "demo",
        "tour",
        "completions",
        "man",
    ];
    let mut all = String::new();
    for verb in verbs {
        let args: Vec<&str> = [verb, "-h"].into_iter().filter(|arg| !arg.is_empty()).collect();
        let answer = outlast.run(&args);
        assert_eq!(answer.code, 0, "{}", answer.err);
        all.extend(["$ outlast ", &args.join(" "), "\n", &answer.out, "\n"]);
    }
    insta::assert_snapshot!(all);
}

#[test]
fn completions_are_made_for_every_shell_and_the_manual_has_the_keys() {
    let outlast = Outlast::new();
    for shell in ["bash", "zsh", "fish"] {
        let answer = outlast.run(&["completions", shell]);
        assert!(answer.code == 0 && answer.out.contains("explain"), "{shell}");
    }
    assert!(outlast.run(&["man"]).out.contains(".SH KEYS"));
    assert!(outlast.run(&["profiles"]).out.contains("docker"));
}
