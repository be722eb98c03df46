//! Retiring and bringing back on a real engine: nothing is lost, and what comes back is the same.

mod bulk;
mod comes_back;
mod hostile;
mod killed;
mod preflight;
mod refused;
mod rescued;

use serde_json::Value;

use crate::cli::Outlast;
use crate::support::docker::{self, Cli, Container};

/// The program with a repository of its own, and an engine. Saving layers needs root.
pub(crate) struct Bench {
    pub(crate) outlast: Outlast,
    pub(crate) engine: Cli,
}

impl Bench {
    pub(crate) fn new() -> Option<Self> {
        let engine = docker::engine()?;
        if !rustix::process::getuid().is_root() {
            return docker::missing("saving layers needs root");
        }
        let outlast = Outlast::new();
        let key = outlast.home().join("key");
        std::fs::write(&key, "secret\n").unwrap();
        std::fs::create_dir(outlast.home().join("work")).unwrap();
        let repository = outlast.home().join("repository");
        let outlast = outlast
            .with("OUTLAST_PASSWORD_FILE", key.to_str().unwrap())
            .with("OUTLAST_REPOSITORY", repository.to_str().unwrap());
        Some(Self { outlast, engine })
    }

    /// The argument that mounts the folder of work.
    pub(crate) fn bind(&self) -> String {
        format!("{}:/workspace", self.outlast.home().join("work").display())
    }

    /// Retires a container; gives what it printed.
    pub(crate) fn retire(&self, container: &Container) -> Value {
        self.outlast.json(&["retire", &container.name, "--yes", "--json"])
    }

    /// Brings it back.
    pub(crate) fn undo(&self, container: &Container) -> Value {
        self.outlast.json(&["undo", &container.name, "--yes", "--json"])
    }

    /// Whether a container of this name is there.
    pub(crate) fn is_there(&self, name: &str) -> bool {
        self.engine.try_run(&["inspect", "-f", "{{.Id}}", name]).is_ok()
    }

    /// Names that keep images for what was retired here.
    pub(crate) fn pins(&self) -> usize {
        let listed = self.outlast.json(&["undo", "--list", "--json"]);
        let undos = listed["undos"].as_array().unwrap();
        let pins = undos.iter().filter_map(|undo| undo["pin"].as_str());
        pins.filter(|pin| self.engine.try_run(&["image", "inspect", pin]).is_ok()).count()
    }

    /// Everything of a container that was chosen for it, without what the engine gives out anew.
    pub(crate) fn chosen(&self, name: &str) -> Value {
        let text = self.engine.run(&["inspect", name]);
        let mut all: Value = serde_json::from_str(&text).unwrap();
        let said = all[0].take();
        let mut host = said["HostConfig"].clone();
        // A volume without a name is mounted by the one that the engine gave it.
        host["Binds"] = Value::Null;
        let mut mounts: Vec<Value> = said["Mounts"].as_array().unwrap().clone();
        for mount in &mut mounts {
            mount["Mode"] = Value::Null;
        }
        mounts.sort_by_key(|mount| mount["Destination"].as_str().unwrap_or_default().to_owned());
        let networks: Vec<String> =
            said["NetworkSettings"]["Networks"].as_object().unwrap().keys().cloned().collect();
        serde_json::json!({
            "name": said["Name"], "image": said["Image"], "config": said["Config"], "host": host,
            "mounts": mounts, "networks": networks,
            "state": said["State"]["Status"], "restarts": said["RestartCount"],
        })
    }

    /// Where the writable layer of a container is on this machine.
    pub(crate) fn layer(&self, name: &str) -> Option<std::path::PathBuf> {
        let place = self.engine.run(&["inspect", "-f", "{{.GraphDriver.Data.UpperDir}}", name]);
        let place = std::path::PathBuf::from(place);
        if place.is_absolute() { Some(place) } else { docker::missing("its layer has no folder of its own") }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let listed = self.outlast.run(&["undo", "--list", "--json"]);
        let listed: Value = serde_json::from_str(&listed.out).unwrap_or_default();
        for undo in listed["undos"].as_array().into_iter().flatten() {
            if let Some(pin) = undo["pin"].as_str() {
                let _ = self.engine.try_run(&["rmi", pin]);
            }
        }
    }
}
