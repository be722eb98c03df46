//! A small program on the terminal layer alone: this test binary starts itself with a variable
//! set. Every key is counted and shown; some do harm on purpose.

use std::io::IsTerminal;
use std::time::Duration;

use futures_util::StreamExt;
use outlast::model::key::{Key, KeyCode};
use outlast::term::{ColorChoice, Input, Screen, caps, exit_code, guard, inputs};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use crate::support::pty::Start;

const VARIABLE: &str = "OUTLAST_TEST_PROGRAM";

/// The program below on a terminal.
pub(crate) fn start() -> Start {
    let test = "pty::program::the_program_that_the_terminal_tests_drive";
    let binary = std::env::current_exe().unwrap();
    Start::program(&binary, &["--exact", test, "--nocapture", "--test-threads=1"]).env(VARIABLE, "1")
}

#[test]
fn the_program_that_the_terminal_tests_drive() {
    if std::env::var_os(VARIABLE).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        std::process::exit(i32::from(runtime.block_on(run())));
    }
}

async fn run() -> u8 {
    let stdin = std::io::stdin().is_terminal();
    let env = |name: &str| std::env::var(name).ok();
    let caps = match caps::detect(&env, stdin, std::io::stdout().is_terminal(), false, ColorChoice::Auto) {
        Ok(caps) => caps,
        Err(error) => {
            println!("{error}: {}", error.hints.join(" "));
            return error.kind.exit_code();
        }
    };
    guard::install_panic_hook();
    let mut screen = Screen::on_terminal(caps).unwrap();
    screen.enter().unwrap();
    let mut inputs = inputs();
    let mut last = "ready".to_owned();
    let mut count = 0;
    loop {
        let (cols, rows) = screen.size();
        let mark = if caps.unicode { "›" } else { ">" };
        let picture = picture(cols, rows, &format!("{mark} {last} {count} {cols}x{rows}"));
        if screen.draw(picture).is_err() {
            screen.leave();
            return 129;
        }
        match inputs.next().await {
            Some(Input::Key(key)) => {
                count += 1;
                last = format!("key:{key}");
                match key.code {
                    KeyCode::Char('q') => break,
                    KeyCode::Char('p') => panic!("the message of the panic"),
                    KeyCode::Char('b') => std::thread::sleep(Duration::from_mins(10)),
                    KeyCode::Char('c') => screen.copy("outlast ls").unwrap(),
                    KeyCode::Char('f') => flood(&mut screen),
                    _ => {}
                }
                if key == Key::parse("ctrl-c").unwrap() {
                    break;
                }
            }
            Some(Input::Paste(text)) => last = format!("paste:{}", text.len()),
            Some(Input::Resized { cols, rows }) => screen.resize(cols, rows),
            // A dropped line sends SIGCONT behind SIGHUP: by then nothing can be taken again.
            Some(Input::Suspended) if screen.suspend().is_err() => return 129,
            Some(Input::Resumed) if screen.resume().is_err() => return 129,
            Some(Input::Suspended | Input::Resumed) => {}
            Some(Input::Terminate(signal)) => {
                screen.leave();
                return exit_code(signal);
            }
            Some(Input::Gone) | None => {
                screen.leave();
                return exit_code(1);
            }
        }
    }
    screen.leave();
    println!("goodbye");
    0
}

/// Writes whole frames until the line stalls; then the write blocks for good.
fn flood(screen: &mut Screen<Box<dyn std::io::Write>>) {
    loop {
        screen.repaint();
        if screen.draw(picture(200, 60, &"flood".repeat(40))).is_err() {
            return;
        }
    }
}

fn picture(cols: u16, rows: u16, text: &str) -> Buffer {
    let mut picture = Buffer::empty(Rect::new(0, 0, cols, rows));
    for y in 0..rows {
        let style = Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD);
        picture.set_stringn(0, y, text, usize::from(cols), if y == 0 { style } else { Style::new() });
    }
    picture
}
