//! The password of a repository that no file holds: asked for on a terminal, never shown, never written down.

use std::io::{Read as _, Write as _};
use std::process::Command;

use super::{Place, write};
use crate::cli::Outlast;

/// A repository whose password no variable, no setting and no file of outlast's own tells.
fn locked() -> (Place, Outlast) {
    let place = Place::new();
    write(&place.outlast.home().join("key"), "hidden-word\n");
    write(&place.work().join("notes"), "text");
    place.backup();
    let plain = Outlast::new().with("OUTLAST_ENGINE", "machine").with("OUTLAST_REPOSITORY", place.repository());
    (place, plain)
}

/// Runs a command on a terminal and types an answer once it is asked for; gives the exit code and what was shown.
fn typed(outlast: &Outlast, args: &[&str], answer: &str) -> (u32, String) {
    let pty = portable_pty::native_pty_system().openpty(portable_pty::PtySize::default()).unwrap();
    let mut command = portable_pty::CommandBuilder::new(env!("CARGO_BIN_EXE_outlast"));
    command.args(args);
    command.env_clear();
    let same = outlast.command(args);
    for (name, value) in same.get_envs() {
        command.env(name, value.unwrap());
    }
    let mut child = pty.slave.spawn_command(command).unwrap();
    drop(pty.slave);
    let mut reader = pty.master.try_clone_reader().unwrap();
    let mut keys = pty.master.take_writer().unwrap();
    let (mut shown, mut part) = (Vec::new(), [0_u8; 4096]);
    let mut asked = false;
    // The end of a terminal is an error, not an end of file.
    while let Ok(length @ 1..) = reader.read(&mut part) {
        shown.extend_from_slice(&part[..length]);
        if !asked && String::from_utf8_lossy(&shown).contains("password of the repository") {
            asked = true;
            keys.write_all(answer.as_bytes()).unwrap();
        }
    }
    let code = child.wait().unwrap().exit_code();
    (code, String::from_utf8_lossy(&shown).into_owned())
}

#[test]
fn on_a_terminal_it_is_asked_for_and_never_shown() {
    let (place, plain) = locked();
    let (code, shown) = typed(&plain, &["backups"], "hidden-word\r");
    assert!(code == 0 && shown.contains("work") && !shown.contains("hidden-word"), "{code}: {shown}");

    // A job of its own gets it too, and nobody else.
    let new = place.outlast.home().join("new");
    let (code, shown) =
        typed(&plain, &["restore", "latest", new.to_str().unwrap(), "--yes"], "hidden-wordx\u{7f}\r");
    assert!(code == 0 && !shown.contains("hidden-word"), "{code}: {shown}");
    assert_eq!(std::fs::read_to_string(new.join("notes")).unwrap(), "text");
    let found = Command::new("grep").args(["-rl", "hidden-word"]).arg(plain.home()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "", "it is written down nowhere");
}

#[test]
fn a_wrong_one_and_none_are_told_and_the_terminal_stays_as_it_was() {
    let (_place, plain) = locked();
    let (code, shown) = typed(&plain, &["backups"], "wrong\r");
    assert!(code == 2 && shown.contains("password is wrong"), "{code}: {shown}");
    for no in ["\u{3}", "\r"] {
        let (code, shown) = typed(&plain, &["backups"], no);
        assert!(code == 130 && shown.contains("no password was typed"), "{code}: {shown}");
    }
}

#[test]
fn elsewhere_nobody_is_asked_and_the_error_says_what_to_set() {
    let (_place, plain) = locked();
    let answer = plain.run(&["backups"]);
    assert_eq!(answer.code, 2, "{}", answer.err);
    for text in ["needs a password", "OUTLAST_PASSWORD_FILE", "--password-file", "password_file"] {
        assert!(answer.err.contains(text), "{text}: {}", answer.err);
    }
    let json = plain.run(&["backups", "--json"]);
    assert!(json.json()["errors"][0]["message"].as_str().unwrap().contains("needs a password"));
}
