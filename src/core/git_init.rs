//! Which files of a project its first commit has: what somebody wrote, never data, models, or secrets.

use std::path::Path;

use super::secrets;
use super::value::Value;

/// Files above this many bytes are never put under git.
pub const LARGEST: u64 = 50 * 1024 * 1024;

/// Folders at the top whose files are taken in.
const FOLDERS: [&str; 6] = ["src", "notebooks", "configs", "config", "scripts", "tests"];

/// Files at the top that are taken in, by their beginnings in small letters.
const FILES: [&str; 12] = [
    "readme",
    "requirements",
    "licence",
    "license",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "environment.y",
    "makefile",
    "dockerfile",
    ".gitignore",
    "config.y",
];

/// Endings of code that people keep at the top.
const CODE: [&str; 8] = ["py", "ipynb", "r", "jl", "sh", "rmd", "qmd", "sql"];

/// What new repositories leave out.
pub const IGNORE: &str = "\
# data and models: too large for git; see `outlast archive` and Git LFS or DVC
/data/
/datasets/
/models/
/checkpoints/
/outputs/
/results/
*.pt
*.pth
*.ckpt
*.safetensors
*.h5
*.onnx
*.gguf
*.npy
*.npz
*.parquet
*.pkl

# what programs make again
__pycache__/
*.py[co]
.ipynb_checkpoints/
.cache/
.venv/
venv/
node_modules/
wandb/
mlruns/
*.log
.vessl/

# what nobody else is to see
.env
.netrc
*.pem
id_rsa*
id_ed25519*
";

/// Whether a file is taken into the first commit, by its path in the project and its size.
pub fn takes(path: &Path, bytes: u64) -> bool {
    let hidden = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(b".") && name != ".gitignore";
    if bytes > LARGEST || path.iter().any(hidden) || secrets::kind(path).is_some() {
        return false;
    }
    let written = matches!(Value::of(path), Value::Notebook | Value::Source | Value::Other);
    let text = |name: Option<&std::ffi::OsStr>| {
        name.map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default()
    };
    let mut names = path.iter();
    let first = text(names.next());
    if names.next().is_some() {
        return written && FOLDERS.contains(&first.as_str());
    }
    let extension = text(path.extension());
    FILES.iter().any(|known| first.starts_with(known)) || (written && CODE.contains(&extension.as_str()))
}

/// What is wrong with an address to push to; `None` where nothing is. Addresses that run a program to get
/// anywhere are not taken, nor what git would read as an option.
pub fn wrong_address(url: &str) -> Option<&'static str> {
    if url.is_empty() || url.chars().any(char::is_control) {
        return Some("it is no address");
    }
    if url.starts_with('-') {
        return Some("it begins like an option");
    }
    let scheme = url.split(['/', ':']).next().unwrap_or_default();
    // A host written as a number, as in `[::1]:path`, is no program's name.
    let named = !scheme.starts_with('[');
    let runs = named && url.get(scheme.len()..).is_some_and(|rest| rest.starts_with("::"));
    runs.then_some("it names a program to run")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(path: &str) -> bool {
        takes(Path::new(path), 100)
    }

    #[test]
    fn what_somebody_wrote_is_taken_in() {
        for path in [
            "src/train.py",
            "src/deep/er/model.py",
            "notebooks/a.ipynb",
            "README.md",
            "requirements-dev.txt",
            "configs/a.yaml",
            ".gitignore",
            "train.py",
            "Dockerfile",
        ] {
            assert!(taken(path), "{path}");
        }
    }

    #[test]
    fn data_models_secrets_and_what_is_large_never_are() {
        for path in [
            "data/a.py",
            "src/model.pt",
            "src/table.csv",
            "src/__pycache__/a.pyc",
            "notebooks/.ipynb_checkpoints/a.ipynb",
            "src/.env",
            "configs/id/.ssh/id_rsa",
            "configs/server.pem",
            "models/a.py",
            "notes.txt",
            ".bashrc",
            "src/node_modules/x.js",
        ] {
            assert!(!taken(path), "{path}");
        }
        assert!(takes(Path::new("src/a.py"), LARGEST) && !takes(Path::new("src/a.py"), LARGEST + 1));
    }

    #[test]
    fn addresses_that_run_programs_are_refused() {
        for url in ["ext::sh -c x", "-u", "", "a\nb", "fd::17"] {
            assert!(wrong_address(url).is_some(), "{url}");
        }
        for url in ["git@host:me/p.git", "https://host/p.git", "/srv/git/p.git", "ssh://host:22/p", "[::1]:p"] {
            assert_eq!(wrong_address(url), None, "{url}");
        }
    }
}
