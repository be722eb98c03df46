//! The command line, as a person or a script meets it: the real binary, the real engine.

mod archive;
mod archive_odd;
pub(crate) mod change;
mod check;
mod du;
mod events;
mod files;
mod find;
mod git;
mod harm;
mod help;
mod layers;
mod learn;
mod lifecycle;
mod list;
mod mirror;
mod packages;
mod paths;
mod places;
mod quota;
mod quota_live;
mod remembered;
mod risk;
mod schedule;
mod tour;

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The binary with a home of its own and nothing else in its environment.
pub(crate) struct Outlast {
    home: TempDir,
    env: Vec<(String, String)>,
}

/// What one command left.
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Outlast {
    pub(crate) fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), env: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let home = self.home.path();
        let mut command = Command::new(env!("CARGO_BIN_EXE_outlast"));
        command
            .args(args)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", home)
            .env("XDG_STATE_HOME", home.join("state"))
            .env("XDG_CONFIG_HOME", home.join("config"))
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Answer {
        let output = self.command(args).output().unwrap();
        Answer {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs a command that must succeed, and reads its JSON.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let answer = self.run(args);
        assert_eq!(answer.code, 0, "{args:?}: {}\n{}", answer.err, answer.out);
        answer.json()
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// The lines of the activity log.
    pub(crate) fn log(&self) -> Vec<Value> {
        self.json(&["log", "--json"])["changes"].as_array().unwrap().clone()
    }

    /// The state directory of this machine, once something was written there.
    pub(crate) fn state(&self) -> std::path::PathBuf {
        let mut folders = std::fs::read_dir(self.home().join("state/outlast")).unwrap();
        folders.next().unwrap().unwrap().path()
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        let value: Value = serde_json::from_str(&self.out).unwrap_or_else(|why| panic!("{why}: {}", self.out));
        assert_eq!(value["schema"], 1);
        assert!(value["complete"].is_boolean() && value["as_of"].is_string() && value["errors"].is_array());
        value
    }
}

/// The entry of a list whose field has this value.
fn one<'v>(list: &'v Value, field: &str, value: &str) -> &'v Value {
    let list = list.as_array().unwrap();
    list.iter().find(|entry| entry[field] == value).unwrap_or_else(|| panic!("no {field} {value} in {list:#?}"))
}

/// The paths of findings, in their order.
fn finding_paths(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["path"].as_str().unwrap().to_string()).collect()
}
