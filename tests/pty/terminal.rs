//! The terminal layer: taken whole, given back whole, however the program ends.

use rustix::process::Signal;

use super::program::start;

#[test]
fn start_and_quit_give_the_terminal_back_as_it_was() {
    let mut pty = start().spawn();
    pty.see("ready");
    pty.until("the full screen", |screen| {
        screen.alternate_screen() && screen.hide_cursor() && screen.bracketed_paste()
    });
    pty.send("q");
    let status = pty.wait();
    assert!(status.success(), "{status:?}");
    pty.assert_restored();
    pty.assert_no_queries();
    assert!(pty.text().contains("goodbye"));
}

#[test]
fn keys_and_pastes_arrive_as_what_they_are() {
    let mut pty = start().spawn();
    for (bytes, shown) in [
        ("j", "key:j"),
        ("\x1b[A", "key:Up"),
        ("\x1b[Z", "key:BackTab"),
        ("\x04", "key:^D"),
        ("\r", "key:Enter"),
        ("\x7f", "key:Backspace"),
        ("\x1b[5~", "key:PgUp"),
        ("漢", "key:漢"),
        ("\x1b[200~rm -rf\r\x1b[201~", "paste:7"),
    ] {
        pty.send(bytes);
        pty.see(shown);
    }
    pty.send("\x1bq");
    assert!(pty.wait().success(), "Esc and a key in one packet are two keys");
}

#[test]
fn a_storm_of_resizes_ends_at_the_last_size() {
    let mut pty = start().spawn();
    pty.see("ready");
    for step in 0..60_u16 {
        pty.resize(20 + step * 7 % 130, 1 + step * 5 % 50);
    }
    pty.resize(100, 30);
    pty.see("100x30");
    pty.send("q");
    assert!(pty.wait().success());
    pty.assert_restored();
    pty.assert_no_queries();
}

#[test]
fn any_size_is_drawn_without_a_panic() {
    for (cols, rows) in [(80, 24), (40, 12), (2, 1), (1, 1)] {
        let mut pty = start().size(cols, rows).spawn();
        pty.until("the full screen", vt100::Screen::alternate_screen);
        pty.send("jq");
        assert!(pty.wait().success(), "{cols}x{rows}");
        pty.assert_restored();
    }
}

#[test]
fn a_signal_to_end_restores_and_exits_with_its_code() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::QUIT, 131), (Signal::HUP, 129)] {
        let mut pty = start().spawn();
        pty.see("ready");
        pty.signal(signal);
        let status = pty.wait();
        assert_eq!((status.exit_code(), status.signal()), (code, None), "{signal:?}");
        pty.assert_restored();
    }
}

#[test]
fn a_dropped_line_ends_the_program_without_an_abort() {
    for stuck in [false, true] {
        let mut pty = start().spawn();
        pty.see("ready");
        if stuck {
            pty.send("jb");
            pty.see("key:j");
        }
        pty.hang_up();
        let status = pty.wait();
        assert_eq!((status.exit_code(), status.signal()), (129, None), "stuck: {stuck}");
    }
}

#[test]
fn a_loop_that_is_stuck_is_ended_by_the_watchdog_and_the_terminal_restored() {
    let mut pty = start().spawn();
    pty.see("ready");
    pty.send("jb");
    pty.see("key:j");
    pty.signal(Signal::TERM);
    assert_eq!(pty.wait().exit_code(), 143);
    pty.assert_restored();
}

#[test]
fn a_stalled_line_does_not_keep_the_program_alive() {
    let mut pty = start().spawn();
    pty.see("ready");
    pty.send("f");
    pty.see("flood");
    pty.read(false);
    // Room for what is on its way; then the write blocks.
    std::thread::sleep(std::time::Duration::from_millis(300));
    let asked = std::time::Instant::now();
    pty.signal(Signal::TERM);
    assert_eq!(pty.wait().exit_code(), 143);
    assert!(asked.elapsed() < std::time::Duration::from_secs(5), "{:?}", asked.elapsed());
}

#[test]
fn a_stop_gives_the_terminal_back_and_continuing_repaints_it() {
    for by_key in [false, true] {
        let mut pty = start().spawn();
        pty.see("ready");
        if by_key {
            pty.send("\x1a");
        } else {
            pty.signal(Signal::TSTP);
        }
        pty.until_state('T');
        pty.until("the normal screen", |screen| !screen.alternate_screen());
        pty.assert_restored();
        pty.signal(Signal::CONT);
        pty.until("the full screen", vt100::Screen::alternate_screen);
        pty.see("ready");
        pty.send("q");
        assert!(pty.wait().success());
        pty.assert_restored();
    }
}

#[test]
fn a_panic_gives_the_terminal_back_first_and_its_message_is_readable() {
    let mut pty = start().spawn();
    pty.see("ready");
    pty.send("p");
    let status = pty.wait();
    assert!(!status.success());
    assert_eq!(status.signal(), None, "no abort");
    pty.assert_restored();
    assert!(pty.text().contains("the message of the panic"), "{}", pty.text());
}

#[test]
fn an_unknown_terminal_works_and_a_dumb_one_is_refused() {
    let mut pty = start().env("TERM", "xterm-ghostty").spawn();
    pty.see("ready");
    pty.send("q");
    assert!(pty.wait().success());
    for term in ["dumb", ""] {
        let mut pty = start().env("TERM", term).spawn();
        assert_eq!(pty.wait().exit_code(), 2);
        assert!(pty.text().contains("outlast ls"), "{}", pty.text());
        assert!(!pty.raw().windows(8).any(|bytes| bytes == b"\x1b[?1049h"), "the terminal was not touched");
    }
}

#[test]
fn without_a_utf8_locale_every_byte_is_ascii() {
    let mut pty = start().env("LANG", "C").spawn();
    pty.see("> ready");
    pty.send("q");
    assert!(pty.wait().success());
    assert!(pty.raw().is_ascii());
}

#[test]
fn no_color_takes_the_colours_and_leaves_the_weight() {
    let mut pty = start().env("NO_COLOR", "1").spawn();
    pty.see("ready");
    pty.until("a bold title", |screen| screen.cell(0, 2).is_some_and(vt100::Cell::bold));
    pty.until("no colour", |screen| {
        screen.cell(0, 2).is_some_and(|cell| cell.fgcolor() == vt100::Color::Default)
    });
    pty.send("q");
    assert!(pty.wait().success());
}

#[test]
fn the_linux_console_gets_no_synchronized_output_and_others_do() {
    for (term, expected) in [("linux", false), ("xterm", true)] {
        let mut pty = start().env("TERM", term).spawn();
        pty.see("ready");
        pty.send("q");
        assert!(pty.wait().success());
        let marked = pty.raw().windows(8).any(|bytes| bytes == b"\x1b[?2026h");
        assert_eq!(marked, expected, "{term}");
    }
}

#[test]
fn a_copy_travels_through_the_terminal() {
    let mut pty = start().spawn();
    pty.see("ready");
    pty.send("c");
    pty.see("key:c");
    pty.send("q");
    assert!(pty.wait().success());
    let copy = b"\x1b]52;c;b3V0bGFzdCBscw==\x07";
    assert!(pty.raw().windows(copy.len()).any(|bytes| bytes == copy));
}
