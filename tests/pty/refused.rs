//! Where the product refuses the full screen, or cannot reach its engine: said on the normal
//! screen, with the way out.

use std::process::{Command, Stdio};

use crate::support::pty::Start;

fn plain(program: &mut Command) -> (Option<i32>, String) {
    let home = tempfile::tempdir().unwrap();
    let output = program.env("HOME", home.path()).env_remove("DOCKER_HOST").output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn without_a_terminal_the_full_screen_is_refused_with_its_twins_named() {
    let binary = env!("CARGO_BIN_EXE_outlast");
    let (code, message) = plain(Command::new(binary).arg("demo").stdin(Stdio::null()).env("TERM", "xterm"));
    assert_eq!(code, Some(2), "{message}");
    assert!(message.contains("not a terminal") && message.contains("outlast ls"), "{message}");
}

#[test]
fn a_dumb_terminal_is_refused_before_it_is_touched() {
    for term in ["dumb", ""] {
        let mut pty = Start::outlast(&["demo"]).env("TERM", term).spawn();
        assert_eq!(pty.wait().exit_code(), 2, "{}", pty.text());
        assert!(pty.text().contains("outlast ls"), "{}", pty.text());
        assert!(!pty.raw().contains(&0x1b), "not one escape sequence");
    }
}

#[test]
fn an_absent_engine_that_was_asked_for_leaves_its_message_and_the_fix() {
    let mut pty =
        Start::outlast(&["--engine", "docker"]).env("DOCKER_HOST", "unix:///nonexistent/docker.sock").spawn();
    assert_eq!(pty.wait().exit_code(), 3, "{}", pty.text());
    pty.assert_restored();
    let text = pty.text();
    assert!(text.contains("/nonexistent/docker.sock"), "which socket: {text}");
    assert!(text.contains("DOCKER_HOST") || text.contains("systemctl start docker"), "the fix: {text}");
}

#[test]
fn who_may_not_use_the_socket_sees_this_machine_and_how_to_get_in() {
    if !rustix::process::getuid().is_root() {
        eprintln!("skipped: only root can make a socket that somebody else may not use");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), readable).unwrap();
    let socket = folder.path().join("docker.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    std::fs::set_permissions(&socket, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let binary = folder.path().join("outlast");
    std::fs::copy(env!("CARGO_BIN_EXE_outlast"), &binary).unwrap();
    let binary = binary.display().to_string();
    let args = ["--reuid", "65534", "--regid", "65534", "--clear-groups", &binary];
    let host = format!("unix://{}", socket.display());
    let mut pty =
        Start::program(std::path::Path::new("/usr/bin/setpriv"), &args).env("DOCKER_HOST", &host).spawn();
    pty.see("may not use the socket");
    pty.see("disk of this machine");
    pty.send("q");
    assert!(pty.wait().success(), "{}", pty.text());
    pty.assert_restored();
}
