//! The dashboard of the real binary on a real terminal.

use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::pty::{Pty, Start};

fn demo() -> Pty {
    let pty = Start::outlast(&["demo"]).spawn();
    pty.see("my-project");
    pty
}

fn quits(mut pty: Pty, what: &str) {
    pty.send("q");
    let status = pty.wait();
    assert!(status.success(), "q from {what}: {status:?}");
    pty.assert_restored();
    pty.assert_no_queries();
}

#[test]
fn the_demo_opens_and_q_leaves_from_every_tab() {
    quits(demo(), "the first screen");
    for tab in ["1", "2", "3", "4", "5", "6"] {
        let pty = demo();
        pty.send(tab);
        quits(pty, tab);
    }
}

#[test]
fn q_leaves_from_every_overlay() {
    for overlay in ["?", "!", "w", "\r"] {
        let pty = demo();
        pty.send(overlay);
        quits(pty, overlay);
    }
}

#[test]
fn in_the_filter_q_is_a_letter_and_escape_leads_back() {
    let pty = demo();
    pty.send("/q");
    pty.unsee("my-project");
    pty.send("\x1b");
    pty.see("my-project");
    quits(pty, "after the filter");
}

#[test]
fn any_window_is_drawn_without_a_panic() {
    for (cols, rows) in [(120, 40), (80, 24), (40, 12), (20, 5), (3, 2), (1, 1)] {
        let mut pty = Start::outlast(&["demo"]).size(cols, rows).spawn();
        pty.until("the full screen", vt100::Screen::alternate_screen);
        if cols >= 40 {
            pty.see("my-project");
        }
        pty.send("jk?w!\x1b");
        pty.send("\x1b");
        pty.send("\x03");
        let status = pty.wait();
        // Where too little fits to see it, the engine may not have answered yet: that is 3.
        let known = status.success() || (cols < 40 && status.exit_code() == 3);
        assert!(known && status.signal().is_none(), "{cols}x{rows}: {status:?} {}", pty.text());
        pty.assert_restored();
    }
}

#[test]
fn a_storm_of_resizes_leaves_a_whole_picture() {
    let pty = demo();
    for step in 0..50_u16 {
        pty.resize(1 + step * 7 % 150, 1 + step * 5 % 60);
    }
    pty.resize(100, 30);
    pty.see("my-project");
    quits(pty, "after the storm");
}

#[test]
fn signals_end_the_dashboard_with_their_code_and_a_restored_terminal() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut pty = demo();
        pty.signal(signal);
        assert_eq!(pty.wait().exit_code(), code);
        pty.assert_restored();
    }
}

#[test]
fn a_dropped_line_ends_the_dashboard_without_an_abort() {
    let mut pty = demo();
    pty.hang_up();
    let status = pty.wait();
    assert_eq!((status.exit_code(), status.signal()), (129, None));
}

#[test]
fn the_dashboard_can_be_stopped_and_continued() {
    let pty = demo();
    pty.signal(Signal::TSTP);
    pty.until_state('T');
    pty.until("the normal screen", |screen| !screen.alternate_screen());
    pty.signal(Signal::CONT);
    pty.until("the full screen", vt100::Screen::alternate_screen);
    pty.see("my-project");
    quits(pty, "after a stop");
}

#[test]
fn the_dashboard_is_pure_ascii_in_the_c_locale() {
    let mut pty = Start::outlast(&["demo"]).env("LANG", "C").spawn();
    pty.see("my-project");
    pty.send("jw");
    pty.see("retire");
    pty.send("q");
    assert!(pty.wait().success());
    let raw = pty.raw();
    let beyond: Vec<_> = String::from_utf8_lossy(&raw).chars().filter(|c| !c.is_ascii()).collect();
    assert!(beyond.is_empty(), "{beyond:?}");
}

#[test]
fn without_colour_the_dashboard_still_has_weight() {
    let mut pty = Start::outlast(&["demo"]).env("NO_COLOR", "1").spawn();
    pty.see("my-project");
    let any = |wanted: fn(&vt100::Cell) -> bool| {
        move |screen: &vt100::Screen| {
            let cells = (0..24).flat_map(|row| (0..80).map(move |col| (row, col)));
            cells.filter_map(|(row, col)| screen.cell(row, col)).any(wanted)
        }
    };
    pty.until("bold", any(vt100::Cell::bold));
    let colored =
        |cell: &vt100::Cell| cell.fgcolor() != vt100::Color::Default || cell.bgcolor() != vt100::Color::Default;
    pty.until("no colour", |screen| !any(colored)(screen));
    pty.send("q");
    assert!(pty.wait().success());
}

#[test]
fn an_unknown_terminal_shows_the_dashboard() {
    for term in ["xterm-ghostty", "vt100", "screen", "linux"] {
        let pty = Start::outlast(&["demo"]).env("TERM", term).spawn();
        pty.see("my-project");
        quits(pty, term);
    }
}

#[test]
fn the_first_frame_is_there_before_the_engine_answers_and_q_leaves_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    // Accepts by its backlog, and never answers.
    let _listener = UnixListener::bind(&socket).unwrap();
    let host = format!("unix://{}", socket.display());
    let mut pty = Start::outlast(&[]).env("DOCKER_HOST", &host).spawn();
    pty.until("that it is connecting", |screen| screen.contents().to_lowercase().contains("connecting to"));
    pty.send("?");
    pty.send("\x1b");
    pty.see("2 s");
    let asked = Instant::now();
    pty.send("q");
    let status = pty.wait();
    let took = asked.elapsed();
    assert!(status.success() || status.exit_code() == 3, "{status:?}");
    assert!(took < Duration::from_millis(200), "{took:?}");
    pty.assert_restored();
}
