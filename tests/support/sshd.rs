//! An ssh server of our own on this machine.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server of our own on this machine, for one key, ended with the test.
pub(crate) struct Sshd {
    child: Child,
    /// Where its keys are.
    folder: PathBuf,
    port: u16,
}

impl Sshd {
    /// Starts it with keys in a new folder.
    pub(crate) fn start(folder: &Path) -> Option<Self> {
        if !rustix::process::geteuid().is_root() || !Path::new("/usr/sbin/sshd").exists() {
            eprintln!("skipped: needs root and openssh-server");
            return None;
        }
        fs::create_dir(folder).unwrap();
        fs::create_dir_all("/run/sshd").unwrap();
        for key in ["host", "person"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f", key])
                .current_dir(folder)
                .status();
            assert!(made.unwrap().success(), "a key");
        }
        fs::copy(folder.join("person.pub"), folder.join("authorized")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let at = |name: &str| folder.join(name).display().to_string();
        let settings = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\n\
             PermitRootLogin yes\nPidFile none\n",
            at("host"),
            at("authorized")
        );
        fs::write(folder.join("settings"), settings).unwrap();
        let child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f", &at("settings")])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { child, folder: folder.to_path_buf(), port };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if started.elapsed() > Duration::from_secs(10) {
                eprintln!("skipped: sshd does not start here");
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    /// The command that reaches it.
    pub(crate) fn shell(&self) -> String {
        format!(
            "ssh -p {} -i {} -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
            self.port,
            self.folder.join("person").display()
        )
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
