//! A program on a terminal of 120 by 40, with the time at which each of its bytes arrived.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::proxy::Proxy;

/// The window everything is measured in.
const SIZE: PtySize = PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 };

/// A program to be measured.
pub(crate) struct Subject {
    /// Its name in the table.
    pub(crate) label: &'static str,
    /// Its executable.
    pub(crate) program: PathBuf,
}

/// What arrived: when, and what.
type Chunks = Vec<(Instant, Vec<u8>)>;

/// A running program.
pub(crate) struct Running {
    child: Box<dyn Child + Send + Sync>,
    writer: Arc<Mutex<Box<dyn Write + Send>>>,
    chunks: Arc<Mutex<Chunks>>,
    started: Instant,
    _master: Box<dyn MasterPty + Send>,
    _home: tempfile::TempDir,
}

impl Running {
    /// Starts a program whose engine is the counting socket.
    pub(crate) fn start(subject: &Subject, proxy: &Proxy) -> Self {
        let home = tempfile::tempdir().unwrap();
        let pair = native_pty_system().openpty(SIZE).unwrap();
        let mut command = CommandBuilder::new(&subject.program);
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", home.path());
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("DOCKER_HOST", format!("unix://{}", proxy.socket().display()));
        command.cwd(home.path());
        let writer = Arc::new(Mutex::new(pair.master.take_writer().unwrap()));
        let from = pair.master.try_clone_reader().unwrap();
        let chunks = Arc::new(Mutex::new(Chunks::new()));
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let (keep, answer) = (Arc::clone(&chunks), Arc::clone(&writer));
        thread::spawn(move || read_all(from, &keep, &answer));
        Self { child, writer, chunks, started, _master: pair.master, _home: home }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.process_id().unwrap_or(0)
    }

    /// Presses a key and says when.
    pub(crate) fn press(&self, key: &str) -> Instant {
        let pressed = Instant::now();
        self.writer.lock().unwrap().write_all(key.as_bytes()).unwrap();
        pressed
    }

    /// Bytes that arrived so far.
    pub(crate) fn bytes(&self) -> usize {
        self.chunks.lock().unwrap().iter().map(|(_, chunk)| chunk.len()).sum()
    }

    /// Milliseconds from a moment to the first byte after it, and the bytes in a span from there.
    pub(crate) fn since(&self, moment: Instant, from: Duration, to: Duration) -> (Option<f64>, usize) {
        let chunks = self.chunks.lock().unwrap();
        let after = || chunks.iter().filter(|(at, _)| *at >= moment);
        let first = after().next().map(|(at, _)| milliseconds(*at - moment));
        let within = |at: Instant| (from..to).contains(&(at - moment));
        (first, after().filter(|(at, _)| within(*at)).map(|(_, chunk)| chunk.len()).sum())
    }

    /// Waits until a name is on the screen: milliseconds to the first byte and to the name.
    pub(crate) fn until_name(&self, prefix: &str, patience: Duration) -> (Option<f64>, Option<f64>) {
        let mut screen = vt100::Parser::new(SIZE.rows.try_into().unwrap(), SIZE.cols.try_into().unwrap(), 0);
        let (mut next, mut first) = (0, None);
        while self.started.elapsed() < patience {
            let arrived: Chunks = self.chunks.lock().unwrap().get(next..).unwrap_or_default().to_vec();
            for (at, chunk) in &arrived {
                first = first.or(Some(milliseconds(*at - self.started)));
                screen.process(chunk);
                if screen.screen().contents().contains(prefix) {
                    return (first, Some(milliseconds(*at - self.started)));
                }
            }
            next += arrived.len();
            thread::sleep(Duration::from_micros(500));
        }
        (first, None)
    }

    /// Rows of the screen as it is now that show a name.
    pub(crate) fn rows_with(&self, prefix: &str) -> usize {
        let mut screen = vt100::Parser::new(SIZE.rows.try_into().unwrap(), SIZE.cols.try_into().unwrap(), 0);
        for (_, chunk) in self.chunks.lock().unwrap().iter() {
            screen.process(chunk);
        }
        screen.screen().contents().lines().filter(|line| line.contains(prefix)).count()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.writer.lock().unwrap().write_all(b"q");
        for _ in 0..100 {
            if self.child.try_wait().is_ok_and(|status| status.is_some()) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// Keeps what arrives and answers the one question that programs wait for: where the cursor is.
fn read_all(mut from: Box<dyn Read + Send>, chunks: &Mutex<Chunks>, writer: &Mutex<Box<dyn Write + Send>>) {
    let mut chunk = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut chunk) {
        let bytes = chunk.get(..length).unwrap_or_default().to_vec();
        let at = Instant::now();
        if bytes.windows(4).any(|four| four == b"\x1b[6n") {
            let _ended = writer.lock().unwrap().write_all(b"\x1b[1;1R");
        }
        chunks.lock().unwrap().push((at, bytes));
    }
}

fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}
