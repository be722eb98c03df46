//! A program on a real pseudo-terminal, its screen read by a terminal emulator.
//!
//! Nothing here sleeps and looks: `until` waits for what is expected and fails with the whole
//! screen printed. Absence is asserted only after something else has appeared.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a plain terminal answers, and what the emulator did not understand.
#[derive(Default)]
struct Answers {
    replies: Vec<u8>,
    queries: usize,
}

impl vt100::Callbacks for Answers {
    fn unhandled_csi(
        &mut self,
        screen: &mut vt100::Screen,
        _: Option<u8>,
        _: Option<u8>,
        _: &[&[u16]],
        end: char,
    ) {
        if end == 'n' {
            let (row, col) = screen.cursor_position();
            self.replies.extend(format!("\x1b[{};{}R", row + 1, col + 1).bytes());
            self.queries += 1;
        }
    }
}

/// What arrived so far.
struct Seen {
    parser: vt100::Parser<Answers>,
    raw: Vec<u8>,
}

/// How a program is started on a terminal.
pub(crate) struct Start {
    command: CommandBuilder,
    size: (u16, u16),
    home: tempfile::TempDir,
}

impl Start {
    /// The product with these arguments.
    pub(crate) fn outlast(args: &[&str]) -> Self {
        Self::program(Path::new(env!("CARGO_BIN_EXE_outlast")), args)
    }

    /// Any program: a clean environment with a home of its own, 80 by 24.
    pub(crate) fn program(program: &Path, args: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env_clear();
        command.cwd(home.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", home.path());
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        Self { command, size: (80, 24), home }
    }

    /// Sets a variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Columns and rows.
    pub(crate) fn size(mut self, cols: u16, rows: u16) -> Self {
        self.size = (cols, rows);
        self
    }

    /// Starts it.
    pub(crate) fn spawn(self) -> Pty {
        let (cols, rows) = self.size;
        let pair = native_pty_system().openpty(pty_size(cols, rows)).unwrap();
        let modes_before = modes(pair.master.as_ref());
        let child = pair.slave.spawn_command(self.command).unwrap();
        drop(pair.slave);
        let parser = vt100::Parser::new_with_callbacks(
            rows.try_into().unwrap(),
            cols.try_into().unwrap(),
            0,
            Answers::default(),
        );
        let seen = Arc::new(Mutex::new(Seen { parser, raw: Vec::new() }));
        let writer = Arc::new(Mutex::new(Some(pair.master.take_writer().unwrap())));
        let reading = Arc::new(AtomicBool::new(true));
        let from = pair.master.try_clone_reader().unwrap();
        let reader = {
            let (seen, writer, reading) = (Arc::clone(&seen), Arc::clone(&writer), Arc::clone(&reading));
            thread::spawn(move || read_all(from, &seen, &writer, &reading))
        };
        Pty {
            master: Some(pair.master),
            child,
            seen,
            writer,
            reading,
            reader: Some(reader),
            modes_before,
            _home: self.home,
        }
    }
}

/// A running program and its terminal.
pub(crate) struct Pty {
    master: Option<Box<dyn MasterPty + Send>>,
    child: Box<dyn Child + Send + Sync>,
    seen: Arc<Mutex<Seen>>,
    writer: Arc<Mutex<Option<Box<dyn Write + Send>>>>,
    reading: Arc<AtomicBool>,
    reader: Option<thread::JoinHandle<()>>,
    modes_before: String,
    _home: tempfile::TempDir,
}

impl Pty {
    /// Types, as bytes arrive from a keyboard.
    pub(crate) fn send(&self, keys: &str) {
        let mut writer = self.writer.lock().unwrap();
        // A program that just ended does not read any more; what is expected fails later.
        let _ended = writer.as_mut().unwrap().write_all(keys.as_bytes());
    }

    /// Changes the window's size.
    pub(crate) fn resize(&self, cols: u16, rows: u16) {
        self.seen().parser.set_size(rows.try_into().unwrap(), cols.try_into().unwrap());
        self.master.as_ref().unwrap().resize(pty_size(cols, rows)).unwrap();
    }

    /// Sends a signal to the program.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Stops or starts reading: a line that stalls.
    pub(crate) fn read(&self, on: bool) {
        self.reading.store(on, Ordering::SeqCst);
    }

    /// Closes the terminal as a dropped line does.
    pub(crate) fn hang_up(&mut self) {
        self.reading.store(false, Ordering::SeqCst);
        *self.writer.lock().unwrap() = None;
        // The reader holds a descriptor of its own and blocks on it: a byte wakes it, it closes.
        let name = self.master.as_ref().unwrap().tty_name().unwrap();
        let no_owner = i32::try_from(rustix::fs::OFlags::NOCTTY.bits()).unwrap();
        let mut line = OpenOptions::new().write(true).custom_flags(no_owner).open(name).unwrap();
        line.write_all(b"\0").unwrap();
        self.reader.take().unwrap().join().unwrap();
        drop(line);
        self.master = None;
    }

    /// Waits until the screen is as described.
    pub(crate) fn until(&self, what: &str, expected: impl Fn(&vt100::Screen) -> bool) {
        let start = Instant::now();
        while !expected(self.seen().parser.screen()) {
            assert!(start.elapsed() < PATIENCE, "not seen: {what}\n{}", self.picture());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until a text is on the screen.
    pub(crate) fn see(&self, text: &str) {
        self.until(text, |screen| screen.contents().contains(text));
    }

    /// Waits until a text is off the screen.
    pub(crate) fn unsee(&self, text: &str) {
        self.until(&format!("{text} gone"), |screen| !screen.contents().contains(text));
    }

    /// The state of the process as the kernel writes it: `S`, `T` for stopped.
    pub(crate) fn until_state(&self, state: char) {
        let begin = Instant::now();
        let file = format!("/proc/{}/stat", self.pid().as_raw_nonzero());
        loop {
            let stat = std::fs::read_to_string(&file).unwrap_or_default();
            if stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with(state)) {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "never in state {state}: {stat}\n{}", self.picture());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for the program to end and for all it wrote.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < PATIENCE, "it does not end\n{}", self.picture());
            thread::sleep(Duration::from_millis(2));
        };
        if let Some(reader) = self.reader.take() {
            self.read(true);
            reader.join().unwrap();
        }
        status
    }

    /// Asserts that the terminal is as it was before the program started.
    pub(crate) fn assert_restored(&self) {
        let seen = self.seen();
        let screen = seen.parser.screen();
        let mouse = screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None;
        let state = [
            ("alternate screen", screen.alternate_screen()),
            ("hidden cursor", screen.hide_cursor()),
            ("bracketed paste", screen.bracketed_paste()),
            ("mouse", mouse),
            ("bold", screen.bold()),
            ("colour", screen.fgcolor() != vt100::Color::Default),
        ];
        let left: Vec<_> = state.iter().filter(|(_, on)| *on).map(|(name, _)| name).collect();
        drop(seen);
        assert!(left.is_empty(), "left on: {left:?}\n{}", self.picture());
        if let Some(master) = &self.master {
            assert_eq!(modes(master.as_ref()), self.modes_before, "terminal modes");
        }
    }

    /// Asserts that the program asked the terminal nothing.
    pub(crate) fn assert_no_queries(&self) {
        assert_eq!(self.seen().parser.callbacks().queries, 0, "queries race with keys");
    }

    /// All bytes that arrived so far.
    pub(crate) fn raw(&self) -> Vec<u8> {
        self.seen().raw.clone()
    }

    /// The text on the screen.
    pub(crate) fn text(&self) -> String {
        self.seen().parser.screen().contents()
    }

    /// The screen with its state, for a failure.
    fn picture(&self) -> String {
        let seen = self.seen();
        let screen = seen.parser.screen();
        let mut out = String::new();
        let (rows, cols) = screen.size();
        writeln!(out, "screen {cols}x{rows}, alternate {}:", screen.alternate_screen()).unwrap();
        for line in screen.rows(0, cols.get()) {
            writeln!(out, "|{line}").unwrap();
        }
        let tail = seen.raw.len().saturating_sub(300);
        writeln!(out, "last bytes: {:?}", String::from_utf8_lossy(&seen.raw[tail..])).unwrap();
        out
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.process_id().unwrap()).unwrap()).unwrap()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn read_all(
    mut from: Box<dyn Read + Send>,
    seen: &Mutex<Seen>,
    writer: &Mutex<Option<Box<dyn Write + Send>>>,
    reading: &AtomicBool,
) {
    let mut chunk = [0; 8192];
    loop {
        while !reading.load(Ordering::SeqCst) {
            if writer.lock().unwrap().is_none() {
                return;
            }
            thread::sleep(Duration::from_millis(2));
        }
        // The end of a terminal is an error on Linux, not an end of file.
        let Ok(count @ 1..) = from.read(&mut chunk) else { return };
        let replies = {
            let mut seen = seen.lock().unwrap();
            seen.raw.extend_from_slice(&chunk[..count]);
            seen.parser.process(&chunk[..count]);
            std::mem::take(&mut seen.parser.callbacks_mut().replies)
        };
        if let (false, Some(writer)) = (replies.is_empty(), writer.lock().unwrap().as_mut()) {
            let _ended = writer.write_all(&replies);
        }
    }
}

fn pty_size(cols: u16, rows: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios())
}
