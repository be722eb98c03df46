//! Backups as a person meets them: the real program, real repositories, restic's own program as judge.

mod automatic;
mod called_off;
mod clone;
mod covers;
mod due;
mod faults;
mod interop;
mod jobs;
pub(crate) mod nasty;
mod password;
pub(crate) mod verbs;
mod workspace;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::cli::{Answer, Outlast};

/// A place with a folder of work and a repository beside it, both on the same disk.
pub(crate) struct Place {
    pub(crate) outlast: Outlast,
    repository: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let outlast = Outlast::new();
        let repository = outlast.home().join("repository");
        let key = outlast.home().join("key");
        std::fs::write(&key, "secret\n").unwrap();
        std::fs::create_dir(outlast.home().join("work")).unwrap();
        let outlast =
            outlast.with("OUTLAST_PASSWORD_FILE", key.to_str().unwrap()).with("OUTLAST_ENGINE", "machine");
        Self { outlast, repository }
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.outlast.home().join("work")
    }

    pub(crate) fn repository(&self) -> &str {
        self.repository.to_str().unwrap()
    }

    /// Arguments with the repository and the folder of work put in.
    fn args<'a>(&'a self, args: &[&'a str]) -> Vec<String> {
        let put = |arg: &&str| match *arg {
            "WORK" => self.work().to_str().unwrap().to_owned(),
            arg => arg
                .strip_prefix("HERE/")
                .map_or(arg.to_owned(), |rest| self.outlast.home().join(rest).to_str().unwrap().to_owned()),
        };
        let mut all: Vec<String> = args.iter().map(put).collect();
        all.extend(["--repository".into(), self.repository().into()]);
        all
    }

    pub(crate) fn run(&self, args: &[&str]) -> Answer {
        let args = self.args(args);
        self.outlast.run(&args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let args = self.args(args);
        self.outlast.command(&args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Runs a command that must end with a code, and reads its JSON.
    pub(crate) fn json(&self, code: i32, args: &[&str]) -> Value {
        let answer = self.run(&[args, &["--json"]].concat());
        assert_eq!(answer.code, code, "{args:?}: {}\n{}", answer.err, answer.out);
        answer.json()
    }

    pub(crate) fn backup(&self) -> Value {
        self.json(0, &["backup", "WORK", "--yes"])
    }

    pub(crate) fn restic(&self, args: &[&str]) -> Option<Output> {
        restic(self.repository(), &self.outlast.home().join("key"), args)
    }

    /// That restic's own check, which reads all data, finds nothing wrong.
    pub(crate) fn restic_checks(&self) {
        if let Some(output) = self.restic(&["check", "--read-data"]) {
            assert!(output.status.success(), "{}", said(&output));
        }
    }
}

/// Runs restic on a repository. Without one says why and gives `None`.
pub(crate) fn restic(repository: &str, key: &Path, args: &[&str]) -> Option<Output> {
    let output = Command::new("restic")
        .args(["--no-cache", "-r", repository, "--password-file"])
        .arg(key)
        .args(args)
        .output();
    match output {
        Ok(output) => Some(output),
        Err(why) => crate::support::docker::missing(&format!("no restic: {why}")),
    }
}

pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// Bytes that do not compress and of which no two files have the same.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
