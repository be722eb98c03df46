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
    driver: &'static str,
}

impl Dockerd {
    /// Starts one. Says why and gives `None` where that is not possible.
    pub(crate) fn start() -> Option<Self> {
        Self::start_below(&std::env::temp_dir())
    }

    /// Starts one with its data in a folder of this machine.
    pub(crate) fn start_below(place: &std::path::Path) -> Option<Self> {
        if !rustix::process::getuid().is_root() {
            return missing("a private dockerd needs root");
        }
        if Command::new("dockerd").arg("--version").output().is_err() {
            return missing("no dockerd on this machine");
        }
        let folder = tempfile::Builder::new().prefix("outlast-test-dockerd-").tempdir_in(place).unwrap();
        let mut dockerd = Self { folder, namespace: unique("engine"), child: None, driver: "vfs" };
        dockerd.restart();
        Some(dockerd)
    }

    /// Starts one on the kernel's own overlay, which is what most engines use.
    pub(crate) fn on_overlay() -> Option<Self> {
        let mut dockerd = Self::start()?;
        dockerd.driver = "overlay2";
        match dockerd.try_restart() {
            Ok(()) => Some(dockerd),
            Err(why) => {
                // Not a missing engine: some machines have no overlay to give.
                eprintln!("skipped: no overlay2 here: {}", why.lines().last().unwrap_or_default());
                None
            }
        }
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
        self.end_of_containerd();
    }

    /// The engine's own containerd dies with it, but not at once; a new engine that still
    /// finds it waits for it in vain.
    fn end_of_containerd(&self) {
        let file = self.folder.path().join("exec/containerd/containerd.pid");
        let Ok(pid) = std::fs::read_to_string(&file) else { return };
        let begun = Instant::now();
        let lives = || {
            let status = std::fs::read_to_string(format!("/proc/{}/status", pid.trim()));
            status.is_ok_and(|status| status.starts_with("Name:\tcontainerd") && !status.contains("State:\tZ"))
        };
        while lives() && begun.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = std::fs::remove_file(file);
    }

    /// Ends everything at once and starts the engine again, as a power cut does.
    pub(crate) fn reboot(&mut self) {
        let running = self.cli().run(&["ps", "-q", "--no-trunc"]);
        let pids = running.lines().map(|id| self.cli().run(&["inspect", "-f", "{{.State.Pid}}", id]));
        let mut pids: Vec<String> = pids.collect();
        self.kill();
        for process in std::fs::read_dir("/proc").unwrap().flatten() {
            let pid = process.file_name().to_string_lossy().into_owned();
            let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            // The engine's shims name its namespace, which no other engine has.
            let words = line.split(|byte| *byte == 0);
            if pid.bytes().all(|byte| byte.is_ascii_digit())
                && words.clone().any(|word| word == b"-namespace")
                && words.clone().any(|word| word == self.namespace.as_bytes())
            {
                pids.push(pid);
            }
        }
        for pid in pids {
            let _ = Command::new("kill").args(["-KILL", &pid]).status();
        }
        self.restart();
    }

    /// Freezes it: it keeps its connections and answers nothing.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, name: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Starts it again with the same data, and waits until it answers.
    pub(crate) fn restart(&mut self) {
        self.try_restart().unwrap_or_else(|why| panic!("the private dockerd did not start: {why}"));
    }

    fn try_restart(&mut self) -> Result<(), String> {
        self.kill();
        let at = |name: &str| self.folder.path().join(name);
        let _ = std::fs::remove_file(at("pid"));
        let log = std::fs::File::create(at("log")).unwrap();
        // The machine's own configuration must not reach in.
        std::fs::write(at("config.json"), "{}").unwrap();
        // In a network of its own: an engine without a bridge removes the machine's as it starts.
        let mut command = Command::new("unshare");
        command
            .args(["--net", "dockerd"])
            .arg("--config-file")
            .arg(at("config.json"))
            .arg("--data-root")
            .arg(at("data"))
            .arg("--exec-root")
            .arg(at("exec"))
            .arg("--pidfile")
            .arg(at("pid"))
            .arg("-H")
            .arg(format!("unix://{}", self.socket().display()))
            .args(["--bridge=none", "--iptables=false", "--ip6tables=false"])
            .args(["--storage-driver", self.driver])
            .args(["--containerd-namespace", &self.namespace])
            .args(["--containerd-plugins-namespace", &format!("{}-plugins", self.namespace)])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        self.child = Some(command.spawn().unwrap());
        let begun = Instant::now();
        while self.cli().try_run(&["version"]).is_err() {
            let log = || std::fs::read_to_string(at("log")).unwrap_or_default();
            let ended = self.child.as_mut().is_some_and(|child| !matches!(child.try_wait(), Ok(None)));
            if ended || begun.elapsed() > Duration::from_mins(1) {
                return Err(log());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
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
        // A killed engine leaves its data mounted on itself, once for every start.
        let data = self.folder.path().join("data");
        while rustix::mount::unmount(&data, rustix::mount::UnmountFlags::DETACH).is_ok() {}
    }
}
