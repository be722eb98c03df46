//! A socket in front of the engine that counts the requests that pass.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The methods a request line begins with.
const METHODS: [&str; 5] = ["GET /", "HEAD /", "POST /", "PUT /", "DELETE /"];

/// A counting socket; its threads end with the connections they serve.
pub(crate) struct Proxy {
    folder: tempfile::TempDir,
    requests: Arc<AtomicUsize>,
}

impl Proxy {
    /// Listens, and passes everything on to the engine.
    pub(crate) fn start(engine: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let listener = UnixListener::bind(folder.path().join("docker.sock")).unwrap();
        let (engine, count) = (engine.to_owned(), Arc::clone(&requests));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = UnixStream::connect(&engine) else { continue };
                let (from_client, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let count = Arc::clone(&count);
                thread::spawn(move || pass(from_client, to_server, Some(&count)));
                thread::spawn(move || pass(server, client, None));
            }
        });
        Self { folder, requests }
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("docker.sock")
    }

    /// Requests that passed so far.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn pass(mut from: UnixStream, mut to: UnixStream, count: Option<&AtomicUsize>) {
    let mut chunk = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut chunk) {
        let Some(bytes) = chunk.get(..length) else { break };
        if let Some(count) = count {
            // Clients send a request in one write; a body never begins like a request line.
            let text = String::from_utf8_lossy(bytes);
            let lines = text.lines().filter(|line| line.ends_with("HTTP/1.1"));
            let requests = lines.filter(|line| METHODS.iter().any(|method| line.starts_with(method)));
            count.fetch_add(requests.count(), Ordering::SeqCst);
        }
        if to.write_all(bytes).is_err() {
            break;
        }
    }
    let _closed = to.shutdown(Shutdown::Write);
}
