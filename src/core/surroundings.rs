//! What the folders above a file say about it: a cache, an environment that a tool filled, something
//! that can be fetched again. Looked up once a folder; the name decides the rest.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::value::Value;

/// Folders of which everything is made again by itself.
pub const CACHES: [&str; 7] =
    ["__pycache__", ".cache", ".ipynb_checkpoints", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".npm"];
/// Pairs of folders that say the same.
const CACHES_IN: [(&str, &str); 7] = [
    (".cargo", "registry"),
    (".cargo", "git"),
    (".m2", "repository"),
    (".gradle", "caches"),
    (".yarn", "cache"),
    (".nv", "ComputeCache"),
    (".triton", "cache"),
];
/// Folders that a tool fills with what somebody asked it to install.
const TOOLS_IN: [(&str, &str); 4] =
    [(".rustup", "toolchains"), (".nvm", "versions"), (".pyenv", "versions"), (".julia", "packages")];
/// Names of Python environments.
const ENVIRONMENTS: [&str; 4] = ["venv", ".venv", "virtualenv", ".conda"];
/// Names of whole conda installations.
const CONDAS: [&str; 7] =
    ["conda", "miniconda3", "miniconda", "anaconda3", "miniforge3", "mambaforge", "micromamba"];
/// What an environment consists of; anything else in its folder is somebody's own.
const PARTS: [&str; 10] =
    ["bin", "lib", "lib64", "include", "share", "etc", "conda-meta", "ssl", "sbin", "man"];
/// Folders that package managers of the system fill.
const SYSTEM: [&str; 9] =
    ["/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc", "/opt/conda", "/var/lib/dpkg", "/var/lib/apt"];
/// Those in them that people fill.
const OWN: [&str; 2] = ["/usr/local/src", "/usr/src"];

/// What the folder of a file says about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Surroundings {
    cached: bool,
    /// In a folder of which nothing is precious, not even what looks like it.
    copied: bool,
    package: bool,
    log: bool,
    checkpoint: bool,
    /// The environment, or whatever else is one thing, that it is a part of.
    pub whole: Option<Whole>,
    /// Where it can be had again; without it this may be the only copy.
    pub again: Option<String>,
}

/// Many files that are one thing to a person.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Whole {
    /// The folder that holds it.
    pub root: PathBuf,
    /// What it is.
    pub value: Value,
}

impl Surroundings {
    /// What a folder, by its absolute path, says about the files directly in it.
    pub fn of(folder: &Path) -> Self {
        let names: Vec<&str> =
            folder.components().map(|name| name.as_os_str().to_str().unwrap_or_default()).collect();
        let pair = |pairs: &[(&str, &str)]| {
            names.windows(2).position(|two| pairs.iter().any(|pair| two == [pair.0, pair.1]))
        };
        let root = |many: usize| folder.components().take(many).collect::<PathBuf>();
        let again = again(&names);
        let copied = names.contains(&".ipynb_checkpoints");
        let packed = |two: &[&str]| matches!(two, [conda, "pkgs"] if CONDAS.contains(conda));
        let cached = names.iter().any(|name| CACHES.contains(name))
            || pair(&CACHES_IN).is_some()
            || names.windows(2).any(packed);
        let is_system = |places: &[&str]| places.iter().any(|place| folder.starts_with(place));
        let environment = environment(&names).or_else(|| pair(&TOOLS_IN).map(|at| at + 2));
        let whole = match (&again, environment) {
            (Some((at, value, _)), _) => value.map(|value| Whole { root: root(*at), value }),
            (None, Some(at)) => Some(Whole { root: root(at), value: Value::Environment }),
            (None, None) => None,
        };
        let filled = ["site-packages", "dist-packages", "node_modules"];
        Self {
            copied: copied || again.is_some(),
            cached,
            package: (is_system(&SYSTEM) && !is_system(&OWN))
                || names.iter().any(|name| filled.contains(name))
                || environment.is_some(),
            log: folder.starts_with("/var/log"),
            checkpoint: names.iter().any(|name| {
                let name = name.to_ascii_lowercase();
                name.starts_with("checkpoint-") || name == "checkpoints" || name.starts_with("ckpt")
            }),
            whole: whole.filter(|_| !cached),
            again: again.map(|(_, _, words)| words),
        }
    }

    /// The kind of a file of this name in the folder.
    pub fn value(&self, name: &OsStr) -> Value {
        let value = Value::by_name(&name.to_string_lossy().to_ascii_lowercase());
        let kept = value.is_precious() || value == Value::Data;
        if self.cached && (self.copied || !kept) {
            return Value::Cache;
        }
        match value {
            Value::Cache => Value::Cache,
            Value::Weights if self.checkpoint => Value::Checkpoint,
            precious if precious.is_precious() => precious,
            _ if self.package => Value::Package,
            _ if self.log => Value::Log,
            other => other,
        }
    }

    /// Whether an environment keeps its own under this name directly in its folder.
    pub fn is_a_part(name: &str) -> bool {
        PARTS.contains(&name) || name == "pyvenv.cfg"
    }

    /// Whether a file of that kind is no more than a part of the whole.
    pub const fn is_part(&self, value: Value) -> bool {
        self.whole.is_some() && (self.again.is_some() || !value.is_precious())
    }
}

/// How many names lead to the environment that a folder belongs to.
fn environment(names: &[&str]) -> Option<usize> {
    if let Some(at) = names.iter().position(|name| *name == "node_modules") {
        return Some(at + 1);
    }
    for (at, name) in names.iter().enumerate() {
        let next = names.get(at + 1).copied().unwrap_or_default();
        if ENVIRONMENTS.contains(name) && PARTS.contains(&next) {
            return Some(at + 1);
        }
        if CONDAS.contains(name) && next == "envs" && names.len() > at + 2 {
            return Some(at + 3);
        }
        if CONDAS.contains(name) && PARTS.contains(&next) {
            return Some(at + 1);
        }
        if matches!(*name, "site-packages" | "dist-packages") {
            // `ENVIRONMENT/lib/python3.11/site-packages`; what the system and a home share is none.
            let above = at.checked_sub(3).map(|above| names.get(above).copied().unwrap_or_default());
            let in_lib = at >= 2
                && names.get(at - 1).is_some_and(|name| name.starts_with("python"))
                && matches!(names.get(at - 2), Some(&"lib" | &"lib64"));
            let shared = above.is_none_or(|above| matches!(above, "/" | "usr" | "local" | ".local" | ""));
            return Some(if in_lib && !shared { at - 2 } else { at + 1 });
        }
    }
    None
}

/// Where something can be fetched again: how many names lead to it as a whole, what it is as such,
/// and from where, in words (untrusted text).
fn again(names: &[&str]) -> Option<(usize, Option<Value>, String)> {
    for (at, name) in names.iter().enumerate() {
        let next = names.get(at + 1).copied().unwrap_or_default();
        let repository = |prefix: &str| name.strip_prefix(prefix).map(|name| name.replace("--", "/"));
        if matches!(next, "blobs" | "snapshots" | "refs" | ".no_exist") {
            for (prefix, value) in
                [("models--", Value::Weights), ("datasets--", Value::Data), ("spaces--", Value::Source)]
            {
                if let Some(name) = repository(prefix) {
                    return Some((at + 1, Some(value), format!("Hugging Face: {name}")));
                }
            }
        }
        let from = match (*name, next) {
            ("torch", "hub") => Some("torch hub"),
            (".keras", "models" | "datasets") => Some("Keras"),
            _ => None,
        };
        if let Some(from) = from {
            return Some((at + 2, None, from.into()));
        }
        if *name == "nltk_data" {
            return Some((at + 1, Some(Value::Data), "NLTK".into()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(path: &str) -> Option<(String, Value)> {
        let whole = Surroundings::of(Path::new(path).parent().unwrap()).whole?;
        Some((whole.root.display().to_string(), whole.value))
    }

    #[test]
    fn an_environment_is_one_thing_wherever_it_is() {
        for (path, root) in [
            ("/root/web/node_modules/a/node_modules/b/index.js", "/root/web/node_modules"),
            ("/root/p/.venv/lib/python3.11/site-packages/numpy/core.py", "/root/p/.venv"),
            ("/root/p/.venv/bin/activate", "/root/p/.venv"),
            ("/root/mine/lib/python3.11/site-packages/x/y.py", "/root/mine"),
            ("/usr/local/lib/python3.11/dist-packages/x/y.py", "/usr/local/lib/python3.11/dist-packages"),
            ("/root/.local/lib/python3.11/site-packages/x.py", "/root/.local/lib/python3.11/site-packages"),
            ("/opt/conda/envs/torch/lib/libx.so", "/opt/conda/envs/torch"),
            ("/opt/conda/bin/python", "/opt/conda"),
            ("/home/u/.rustup/toolchains/stable/bin/rustc", "/home/u/.rustup/toolchains"),
        ] {
            assert_eq!(whole(path), Some((root.into(), Value::Environment)), "{path}");
        }
        for path in ["/root/venv/train.py", "/root/lib/python/x.py", "/tmp/x", "/usr/bin/jq"] {
            assert_eq!(whole(path), None, "{path}");
        }
    }

    #[test]
    fn what_can_be_fetched_again_says_from_where() {
        let of = |path: &str| Surroundings::of(Path::new(path).parent().unwrap());
        let blob = of("/opt/hf/hub/models--meta--llama/blobs/0123abcd");
        assert_eq!(blob.again.as_deref(), Some("Hugging Face: meta/llama"));
        let whole = Some(("/opt/hf/hub/models--meta--llama".into(), Value::Weights));
        assert_eq!(super::tests::whole("/opt/hf/hub/models--meta--llama/blobs/0123abcd"), whole);
        assert!(blob.is_part(Value::Checkpoint), "even what looks precious");
        assert_eq!(of("/opt/torch/hub/checkpoints/resnet50.pth").again.as_deref(), Some("torch hub"));
        assert_eq!(of("/root/models--mine/best.pt").again, None);
    }

    #[test]
    fn a_copy_in_a_cache_is_a_cache_and_a_file_that_somebody_put_there_is_not() {
        let of = |path: &str| Value::of(Path::new(path));
        let hub = "/root/.cache/huggingface/hub/models--a--b/snapshots/0a1b/model.safetensors";
        assert_eq!(of(hub), Value::Cache);
        assert_eq!(of("/root/.cache/torch/hub/checkpoints/resnet50.pth"), Value::Cache);
        assert_eq!(of("/root/.cache/mine.safetensors"), Value::Weights);
        assert_eq!(of("/opt/conda/pkgs/numpy/lib/x.so"), Value::Cache);
        assert_eq!(of("/home/u/.cargo/registry/src/x/lib.rs"), Value::Cache);
        assert_eq!(whole("/root/.cache/node_modules/x/y.js"), None);
    }
}
