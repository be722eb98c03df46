//! What a file of a project folder is, by its name: checkpoint, tracker's record, temporary.

use std::ffi::OsStr;
use std::path::Path;

use super::OLD_DAYS;
use crate::core::value::Value;

/// Folders that tools fill, at any depth: nothing in them is somebody's work.
pub const TOOLS: [&str; 8] =
    [".git", ".venv", "venv", ".conda", ".tox", "site-packages", "dist-packages", "node_modules"];
/// Folders by which a project is put in order, at its top.
const USUAL: [&str; 12] = [
    "data",
    "datasets",
    "notebooks",
    "src",
    "models",
    "checkpoints",
    "results",
    "outputs",
    "tests",
    "scripts",
    "configs",
    "docs",
];
/// Folders of temporary files, at any depth.
const TEMPORARY: [&str; 3] = ["tmp", "__pycache__", ".ipynb_checkpoints"];
/// Folders whose large files do not belong in git anyway, at the top.
const BULK: [&str; 4] = ["data", "datasets", "models", "checkpoints"];

/// Whether a path lies in a folder that a tool fills.
pub fn is_a_tools(path: &Path) -> bool {
    folders(path).any(|name| TOOLS.iter().any(|known| name == *known))
}

/// The usual folder of this name.
pub fn usual(name: &OsStr) -> Option<&'static str> {
    USUAL.into_iter().find(|known| name == *known)
}

/// Whether a file is a saved training state of one's own, not a downloaded one in a cache.
pub fn is_checkpoint(path: &Path) -> bool {
    let cached = folders(path).any(|name| name == ".cache");
    let numbered = |name: &OsStr| name.to_str().is_some_and(|name| name.starts_with("checkpoint-"));
    let tensorflow = path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.contains(".ckpt-"));
    let trained = matches!(Value::of(path), Value::Checkpoint | Value::Weights);
    !cached && (trained || tensorflow || folders(path).any(numbered))
}

/// The experiment tracker that a file is a record of.
pub fn tracker(path: &Path) -> Option<&'static str> {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    if name.starts_with("events.out.tfevents.") {
        return Some("TensorBoard");
    }
    if name == "mlflow.db" {
        return Some("MLflow");
    }
    folders(path).find_map(|folder| match folder.to_str()? {
        "wandb" => Some("Weights & Biases"),
        "mlruns" => Some("MLflow"),
        ".aim" => Some("Aim"),
        ".neptune" => Some("Neptune"),
        "dvclive" => Some("DVCLive"),
        _ => None,
    })
}

/// Whether a file was only made for a while.
pub fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    name.strip_suffix(".tmp").is_some()
        || name.ends_with('~')
        || folders(path).any(|folder| TEMPORARY.iter().any(|known| folder == *known))
}

/// Whether a file lies in a folder meant for large files.
pub fn is_bulk(path: &Path) -> bool {
    folders(path).next().is_some_and(|first| BULK.iter().any(|known| first == *known) || first == ".cache")
}

/// The command that lists the temporary files that are old, and no others. It deletes nothing.
pub(super) fn list_old_temporary() -> String {
    let names = |names: &[&str]| names.iter().map(|name| format!("-name {name}")).collect::<Vec<_>>();
    let below = TEMPORARY.iter().map(|name| format!("-path '*/{name}/*'"));
    let tests: Vec<String> =
        ["-name '*.tmp'".to_owned(), "-name '*~'".to_owned()].into_iter().chain(below).collect();
    format!(
        r"find . -type d \( {} \) -prune -o -type f \( {} \) -mtime +{OLD_DAYS} -print",
        names(&TOOLS).join(" -o "),
        tests.join(" -o ")
    )
}

fn folders(path: &Path) -> impl Iterator<Item = &OsStr> {
    path.parent().into_iter().flat_map(Path::iter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_are_ones_own_and_not_downloaded() {
        let is = |path: &str| is_checkpoint(Path::new(path));
        assert!(is("models/best.pt") && is("out/checkpoint-500/config.json") && is("m/model.ckpt-100.index"));
        assert!(
            !is(".cache/huggingface/model.safetensors") && !is("src/train.py") && !is("checkpoint-list.txt")
        );
    }

    #[test]
    fn trackers_are_known_by_what_they_leave() {
        let of = |path: &str| tracker(Path::new(path));
        assert_eq!(of("wandb/run-1/files/config.yaml"), Some("Weights & Biases"));
        assert_eq!(of("mlruns/0/meta.yaml"), Some("MLflow"));
        assert_eq!(of("runs/a/events.out.tfevents.1.host"), Some("TensorBoard"));
        assert_eq!(of("runs/a/notes.txt"), None);
        assert_eq!(of("wandb"), None, "a file of that name is no record");
    }

    #[test]
    fn temporary_files_are_known_by_name_or_folder() {
        let is = |path: &str| is_temporary(Path::new(path));
        assert!(is("a.tmp") && is(".tmp") && is("tmp/x") && is("src/__pycache__/m.pyc") && is("notes.txt~"));
        assert!(!is("tmp.txt") && !is("tmp") && !is("data/raw.csv"));
        assert!(is_a_tools(Path::new("venv/lib/x.py")) && !is_a_tools(Path::new("venv")));
        assert!(is_bulk(Path::new("data/raw/x.bin")) && !is_bulk(Path::new("src/data/x.bin")));
    }
}
