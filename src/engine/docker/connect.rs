//! Where the engine's socket is: environment, the command line's contexts, the usual places.
//!
//! Nothing is connected to here. Only unix sockets are spoken to so far.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::core::error::{Error, Kind, Result};

/// The engine's socket, and which fact named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The unix socket.
    pub socket: PathBuf,
    /// Which fact named it, for people: `DOCKER_HOST`, `context lab`, `found there`.
    pub from: String,
}

impl Address {
    /// A socket that was asked for.
    pub fn new(socket: impl Into<PathBuf>, from: impl Into<String>) -> Self {
        Self { socket: socket.into(), from: from.into() }
    }

    /// The address as the engine's own tools write it.
    pub fn url(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// The product that the socket's name promises, until the engine itself was asked.
    pub fn title(&self) -> &'static str {
        if self.socket.to_string_lossy().contains("podman") { "Podman" } else { "Docker" }
    }
}

/// The part of the command line's `config.json` that counts here.
#[derive(Deserialize)]
struct Config {
    #[serde(rename = "currentContext")]
    current_context: Option<String>,
}

/// A context's `meta.json`.
#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "Endpoints", default)]
    endpoints: Endpoints,
}

#[derive(Default, Deserialize)]
struct Endpoints {
    docker: Option<DockerEndpoint>,
}

#[derive(Deserialize)]
struct DockerEndpoint {
    #[serde(rename = "Host", default)]
    host: String,
}

/// Finds the engine's socket the way its own command line does: `DOCKER_HOST`,
/// `DOCKER_CONTEXT`, the current context, then the usual places.
///
/// `env` reads an environment variable. `None` means that nothing was asked for
/// and no socket lies in the usual places.
pub fn find(env: &dyn Fn(&str) -> Option<String>) -> Result<Option<Address>> {
    let env = |name: &str| env(name).filter(|value| !value.is_empty());
    if let Some(host) = env("DOCKER_HOST") {
        return parse(&host, "DOCKER_HOST").map(Some);
    }
    let folder = env("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| env("HOME").map(|home| Path::new(&home).join(".docker")));
    let context = match (env("DOCKER_CONTEXT"), &folder) {
        (Some(name), _) => Some(name),
        (None, Some(folder)) => current_context(&folder.join("config.json"))?,
        (None, None) => None,
    };
    if let Some(name) = context.filter(|name| name != "default") {
        let host = context_host(folder.as_deref(), &name)?;
        return parse(&host, &format!("context {name}")).map(Some);
    }
    let runtime = env("XDG_RUNTIME_DIR").map(PathBuf::from);
    let usual = [
        Some(PathBuf::from("/var/run/docker.sock")),
        runtime.as_ref().map(|folder| folder.join("docker.sock")),
        runtime.as_ref().map(|folder| folder.join("podman/podman.sock")),
        Some(PathBuf::from("/run/podman/podman.sock")),
    ];
    // One that may not be looked at counts as there: the first call says what is missing.
    let is_there = |path: &PathBuf| path.try_exists().unwrap_or(true);
    Ok(usual.into_iter().flatten().find(is_there).map(|socket| Address::new(socket, "found there")))
}

fn parse(host: &str, from: &str) -> Result<Address> {
    if let Some(path) = host.strip_prefix("unix://") {
        if path.starts_with('/') {
            return Ok(Address::new(path, from));
        }
        return Err(Error::new(Kind::Config, format!("{from} names “{host}”, which is not an absolute path"))
            .hint("write it as unix:///var/run/docker.sock"));
    }
    let Some((scheme, rest)) = host.split_once("://") else {
        return Err(Error::new(Kind::Config, format!("{from} is not an address: “{host}”"))
            .hint("write a socket as unix:///var/run/docker.sock"));
    };
    let error = Error::new(
        Kind::Config,
        format!("{from} names “{host}”: only unix sockets can be reached so far, not {scheme}"),
    );
    Err(match scheme {
        "ssh" => error
            .hint(format!("forward the socket: ssh -N -L /tmp/engine.sock:/var/run/docker.sock {rest}"))
            .hint("then set DOCKER_HOST=unix:///tmp/engine.sock"),
        _ => error.hint("set DOCKER_HOST to a unix:// address, or run outlast on that host"),
    })
}

fn current_context(file: &Path) -> Result<Option<String>> {
    let Ok(text) = std::fs::read(file) else { return Ok(None) };
    let config: Config = serde_json::from_slice(&text).map_err(|why| {
        Error::new(Kind::Config, format!("{}: {why}", file.display()))
            .hint("correct the file, or set DOCKER_HOST to go around it")
    })?;
    Ok(config.current_context.filter(|name| !name.is_empty()))
}

/// Contexts are filed under a digest of their names; reading them all spares the digest.
fn context_host(folder: Option<&Path>, name: &str) -> Result<String> {
    let entries = folder.and_then(|folder| std::fs::read_dir(folder.join("contexts/meta")).ok());
    let mut known = Vec::new();
    for entry in entries.into_iter().flatten().flatten() {
        let file = entry.path().join("meta.json");
        let Ok(text) = std::fs::read(&file) else { continue };
        let Ok(meta) = serde_json::from_slice::<Meta>(&text) else { continue };
        if meta.name == name {
            return meta.endpoints.docker.map(|endpoint| endpoint.host).ok_or_else(|| {
                Error::new(Kind::Config, format!("{}: the context names no docker endpoint", file.display()))
                    .hint(format!("docker context update {name} --docker host=unix:///var/run/docker.sock"))
            });
        }
        known.push(meta.name);
    }
    known.sort();
    let error = Error::new(Kind::Config, format!("the docker context “{name}” does not exist"));
    Err(if known.is_empty() {
        error.hint("docker context use default")
    } else {
        error.hint(format!("known contexts: default, {}", known.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find_with(pairs: &[(&str, &str)]) -> Result<Option<Address>> {
        find(&|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_string()))
    }

    fn socket(pairs: &[(&str, &str)]) -> Option<String> {
        find_with(pairs).ok().flatten().map(|address| address.socket.display().to_string())
    }

    fn failure(pairs: &[(&str, &str)]) -> Option<Error> {
        find_with(pairs).err()
    }

    /// A configuration folder with one context, `lab`.
    fn folder(current: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap_or_else(|why| unreachable!("{why}"));
        let meta = folder.path().join("contexts/meta/0a1b");
        let _ = std::fs::create_dir_all(&meta);
        let lab = r#"{"Name":"lab","Metadata":{},"Endpoints":{"docker":{"Host":"unix:///run/lab.sock"}}}"#;
        let _ = std::fs::write(meta.join("meta.json"), lab);
        let _ =
            std::fs::write(folder.path().join("config.json"), format!(r#"{{"currentContext":"{current}"}}"#));
        folder
    }

    #[test]
    fn docker_host_wins_over_every_context() {
        let folder = folder("lab");
        let config = folder.path().to_string_lossy();
        let host = ("DOCKER_HOST", "unix:///tmp/x.sock");
        assert_eq!(socket(&[host, ("DOCKER_CONFIG", &config)]).as_deref(), Some("/tmp/x.sock"));
    }

    #[test]
    fn the_current_context_is_honoured_and_the_environment_overrides_it() {
        let folder = folder("lab");
        let config = folder.path().to_string_lossy();
        assert_eq!(socket(&[("DOCKER_CONFIG", &config)]).as_deref(), Some("/run/lab.sock"));
        let unknown = failure(&[("DOCKER_CONFIG", &config), ("DOCKER_CONTEXT", "gone")]);
        let unknown = unknown.unwrap_or_else(|| unreachable!("an unknown context is never skipped"));
        assert_eq!(unknown.kind, Kind::Config);
        assert!(unknown.hints.join(" ").contains("lab"), "{:?}", unknown.hints);
    }

    #[test]
    fn other_schemes_are_refused_with_the_way_around() {
        for host in ["tcp://10.0.0.1:2376", "ssh://alice@lab01", "http://lab01", "run/docker.sock"] {
            let error = failure(&[("DOCKER_HOST", host)]).unwrap_or_else(|| unreachable!("{host}"));
            assert_eq!(error.kind, Kind::Config, "{host}");
            assert!(error.message.contains(host) && !error.hints.is_empty(), "{error:?}");
            assert_eq!(error.message.contains("not an address"), host == "run/docker.sock", "{error}");
        }
        assert_eq!(failure(&[("DOCKER_HOST", "unix://x")]).map(|error| error.kind), Some(Kind::Config));
    }

    #[test]
    fn a_damaged_configuration_names_the_file_and_the_line() {
        let folder = folder("lab");
        let _ = std::fs::write(folder.path().join("config.json"), "{\n  nonsense");
        let error = failure(&[("DOCKER_CONFIG", &folder.path().to_string_lossy())]);
        let error = error.unwrap_or_else(|| unreachable!("the file is damaged"));
        assert_eq!(error.kind, Kind::Config);
        assert!(error.message.contains("config.json") && error.message.contains("line 2"), "{error}");
    }

    #[test]
    fn a_rootless_socket_is_found_where_no_other_is() {
        if Path::new("/var/run/docker.sock").exists() {
            return;
        }
        let runtime = tempfile::tempdir().unwrap_or_else(|why| unreachable!("{why}"));
        let _ = std::fs::write(runtime.path().join("docker.sock"), "");
        let found = socket(&[("XDG_RUNTIME_DIR", &runtime.path().to_string_lossy())]);
        assert!(found.is_some_and(|socket| socket.ends_with("docker.sock")));
    }
}
