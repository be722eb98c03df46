//! An engine of the tests' own, which may be killed: the machine's engine is left alone.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::docker::{Cli, missing, unique};

/// A private engine with its own data; stopped and erased when this goes.
#[derive(Debug)]
pub(crate) struct Dockerd {
    folder: tempfile::TempDir,
    namespace: String,
    child: Option<Child>,
}

impl Dockerd {
    /// Starts one. Says why and gives `None` where that is not possible.
    pub(crate) fn start() -> Option<Self> {
        if !rustix::process::getuid().is_root() {
            return missing("a private dockerd needs root");
        }
        if Command::new("dockerd").arg("--version").output().is_err() {
            return missing("no dockerd on this machine");
        }
        let folder = tempfile::Builder::new().prefix("outlast-test-dockerd-").tempdir().unwrap();
        let mut dockerd = Self { folder, namespace: unique("engine"), child: None };
        dockerd.restart();
        Some(dockerd)
    }

    /// Its socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("engine.sock")
    }

    /// Its command line.
    pub(crate) fn cli(&self) -> Cli {
        Cli::at(&self.socket())
    }

    /// Kills it, as a crash of the engine does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts it again with the same data, and waits until it answers.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let at = |name: &str| self.folder.path().join(name);
        let _ = std::fs::remove_file(at("pid"));
        let log = std::fs::File::create(at("log")).unwrap();
        let mut command = Command::new("dockerd");
        command
            .arg("--data-root")
            .arg(at("data"))
            .arg("--exec-root")
            .arg(at("exec"))
            .arg("--pidfile")
            .arg(at("pid"))
            .arg("-H")
            .arg(format!("unix://{}", self.socket().display()))
            .args(["--bridge=none", "--iptables=false", "--ip6tables=false", "--storage-driver=vfs"])
            .args(["--containerd-namespace", &self.namespace])
            .args(["--containerd-plugins-namespace", &format!("{}-plugins", self.namespace)])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        self.child = Some(command.spawn().unwrap());
        let begun = Instant::now();
        while self.cli().try_run(&["version"]).is_err() {
            let log = || std::fs::read_to_string(at("log")).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_secs(60), "the private dockerd did not start: {}", log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Dockerd {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // Asked to end it unmounts what it mounted and ends its own children.
            let pid = child.id().to_string();
            let _ = Command::new("kill").args(["-TERM", &pid]).status();
            let begun = Instant::now();
            while matches!(child.try_wait(), Ok(None)) && begun.elapsed() < Duration::from_secs(15) {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        self.kill();
    }
}
