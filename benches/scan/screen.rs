//! A walk on the screen: how soon the first numbers are there, how soon keys answer while a million
//! entries are read, how soon Esc ends it.

use std::io::{Read as _, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// The smallest window that everything is made for.
const SIZE: PtySize = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
/// Keys that are pressed while the walk goes on.
const KEYS: usize = 30;
/// Whatever takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Opens the disk tab on a tree that is the home of whoever looks, and measures.
pub(crate) fn measured(program: &Path, tree: &Path) -> String {
    let screen = Screen::start(program, tree);
    screen.until("the first frame", |text| text.contains("Disk"));
    let opened = screen.press("3");
    // Home is listed, and read, without being asked for.
    let number = screen.until("the first number", |text| {
        let counted =
            |line: &str| line.split("reading").nth(1).is_some_and(|rest| rest.contains(char::is_numeric));
        text.lines().any(|line| line.contains("home ") && counted(line))
    });
    let first = milliseconds(number - opened);
    screen.press("/home\r");
    screen.until("home alone", |text| text.contains("/home: 1 of "));
    screen.press("\r");
    screen.until("the tree", |text| text.contains("NAME"));
    let mut keys = Vec::new();
    for number in 0..KEYS {
        let before = screen.bytes();
        let pressed = screen.press(if number % 2 == 0 { "j" } else { "k" });
        let answered = screen.until_bytes(before);
        keys.push(milliseconds(answered - pressed));
        thread::sleep(Duration::from_millis(15));
    }
    keys.sort_by(f64::total_cmp);
    let (median, worst) = (keys[keys.len() / 2], keys[keys.len() - 1]);
    let ended = if screen.text().contains("Esc stop") {
        let pressed = screen.press("\x1b");
        let ended = screen.until("the end", |text| text.contains("stopped"));
        format!("Esc ended the walk after {:.0} ms", milliseconds(ended - pressed))
    } else {
        "the walk had ended before".to_owned()
    };
    format!(
        "on the screen: first numbers after {first:.0} ms; {KEYS} keys meanwhile answered in {median:.1} ms, \
         {worst:.1} ms at most; {ended}"
    )
}

/// The program on a terminal.
struct Screen {
    child: Box<dyn Child + Send + Sync>,
    writer: Mutex<Box<dyn Write + Send>>,
    shown: Arc<Mutex<(vt100::Parser, usize)>>,
    _master: Box<dyn MasterPty + Send>,
    _state: tempfile::TempDir,
}

impl Screen {
    fn start(program: &Path, home: &Path) -> Self {
        let state = tempfile::tempdir().unwrap();
        let pair = native_pty_system().openpty(SIZE).unwrap();
        let mut command = CommandBuilder::new(program);
        command.env_clear();
        command.args(["--engine", "machine"]);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", std::path::absolute(home).unwrap());
        for name in ["XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
            command.env(name, state.path().join(name));
        }
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.cwd(state.path());
        let writer = Mutex::new(pair.master.take_writer().unwrap());
        let mut from = pair.master.try_clone_reader().unwrap();
        let (rows, columns) = (SIZE.rows.try_into().unwrap(), SIZE.cols.try_into().unwrap());
        let shown = Arc::new(Mutex::new((vt100::Parser::new(rows, columns, 0), 0)));
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let keep = Arc::clone(&shown);
        thread::spawn(move || {
            let mut chunk = vec![0; 64 * 1024];
            while let Ok(length @ 1..) = from.read(&mut chunk) {
                let mut shown = keep.lock().unwrap();
                shown.0.process(&chunk[..length]);
                shown.1 += length;
            }
        });
        Self { child, writer, shown, _master: pair.master, _state: state }
    }

    fn press(&self, key: &str) -> Instant {
        let pressed = Instant::now();
        self.writer.lock().unwrap().write_all(key.as_bytes()).unwrap();
        pressed
    }

    fn text(&self) -> String {
        self.shown.lock().unwrap().0.screen().contents()
    }

    fn bytes(&self) -> usize {
        self.shown.lock().unwrap().1
    }

    fn until(&self, what: &str, come: impl Fn(&str) -> bool) -> Instant {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if come(&self.text()) {
                return Instant::now();
            }
            thread::sleep(Duration::from_micros(500));
        }
        panic!("{what} never came:\n{}", self.text());
    }

    fn until_bytes(&self, before: usize) -> Instant {
        let begun = Instant::now();
        while self.bytes() == before && begun.elapsed() < PATIENCE {
            thread::sleep(Duration::from_micros(200));
        }
        Instant::now()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}
