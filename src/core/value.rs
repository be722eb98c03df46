//! What kind of thing a file is, by its name, and how much its loss would hurt.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// The kind of a file, most valuable first: this order is the order of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Trained weights, a saved training state.
    Checkpoint,
    /// A notebook.
    Notebook,
    /// A data set.
    Data,
    /// Source code and text somebody wrote.
    Source,
    /// Figures, tables, reports.
    Result,
    /// Anything else.
    Other,
    /// Installed packages.
    Package,
    /// A log.
    Log,
    /// Made again by itself.
    Cache,
}

impl Value {
    /// The word shown to people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Checkpoint => "model checkpoint",
            Self::Notebook => "notebook",
            Self::Data => "data set",
            Self::Source => "source",
            Self::Result => "result",
            Self::Other => "file",
            Self::Package => "package",
            Self::Log => "log",
            Self::Cache => "cache",
        }
    }

    /// A word of at most ten columns, for narrow lists.
    pub const fn short(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Data => "data",
            other => other.label(),
        }
    }

    /// Sorts a path by its extension and the folders it lies in. Case does not count.
    pub fn of(path: &Path) -> Self {
        let cached = path.components().any(|c| is_cache_folder(&c.as_os_str().to_string_lossy()));
        let kept_by_tool = path.components().any(|c| c.as_os_str() == ".ipynb_checkpoints");
        let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let by_extension = match extension {
            "pt" | "pth" | "ckpt" | "safetensors" | "h5" | "keras" | "onnx" | "gguf" | "tflite"
            | "pdparams" | "joblib" => Self::Checkpoint,
            "ipynb" => Self::Notebook,
            "csv" | "tsv" | "parquet" | "feather" | "arrow" | "npy" | "npz" | "hdf5" | "mat" | "db"
            | "sqlite" | "sqlite3" | "jsonl" | "tfrecord" | "lmdb" | "zarr" | "nc" | "fits" | "fasta"
            | "fastq" | "bam" | "pkl" | "pickle" | "rds" | "rdata" | "zip" | "tar" | "gz" | "tgz" | "zst"
            | "xz" | "bz2" | "7z" => Self::Data,
            "py" | "r" | "jl" | "sh" | "c" | "h" | "cc" | "cpp" | "hpp" | "cu" | "rs" | "go" | "java"
            | "js" | "ts" | "m" | "f90" | "tex" | "bib" | "md" | "rst" | "txt" | "yaml" | "yml" | "toml"
            | "json" | "cfg" | "ini" | "sql" | "rmd" | "qmd" => Self::Source,
            "png" | "jpg" | "jpeg" | "svg" | "pdf" | "html" | "gif" | "mp4" | "xlsx" | "docx" | "pptx"
            | "wav" => Self::Result,
            "log" | "out" | "err" => Self::Log,
            "swp" | "pyc" | "pyo" => Self::Cache,
            _ => Self::Other,
        };
        // What took long to make is no cache, wherever somebody put it; a tool's own copies are.
        let precious = matches!(by_extension, Self::Checkpoint | Self::Notebook | Self::Data);
        if cached && (kept_by_tool || !precious) {
            return Self::Cache;
        }
        if by_extension != Self::Checkpoint && by_extension != Self::Notebook {
            if is_package(path) {
                return Self::Package;
            }
            if path.starts_with("/var/log") {
                return Self::Log;
            }
        }
        by_extension
    }
}

fn is_cache_folder(name: &str) -> bool {
    matches!(
        name,
        "__pycache__"
            | ".cache"
            | ".ipynb_checkpoints"
            | ".pytest_cache"
            | ".mypy_cache"
            | ".ruff_cache"
            | ".npm"
    )
}

/// Folders that package managers fill.
fn is_package(path: &Path) -> bool {
    const PLACES: [&str; 9] =
        ["/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc", "/opt/conda", "/var/lib/dpkg", "/var/lib/apt"];
    let user_made = ["/usr/local/src", "/usr/src"].iter().any(|place| path.starts_with(place));
    (!user_made && PLACES.iter().any(|place| path.starts_with(place)))
        || path
            .components()
            .any(|c| matches!(c.as_os_str().to_str(), Some("site-packages" | "dist-packages" | "node_modules")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> Value {
        Value::of(Path::new(path))
    }

    #[test]
    fn files_are_sorted_by_what_their_loss_would_cost() {
        assert_eq!(of("/tmp/model.pt"), Value::Checkpoint);
        assert_eq!(of("/tmp/MODEL.SafeTensors"), Value::Checkpoint);
        assert_eq!(of("/root/notes.ipynb"), Value::Notebook);
        assert_eq!(of("/tmp/train.csv"), Value::Data);
        assert_eq!(of("/root/train.py"), Value::Source);
        assert_eq!(of("/tmp/a.log"), Value::Log);
        assert_eq!(of("/tmp/a"), Value::Other);
        assert!(Value::Checkpoint < Value::Log, "the most valuable comes first");
    }

    #[test]
    fn what_is_made_again_by_itself_is_a_cache() {
        assert_eq!(of("/root/.cache/pip/x.py"), Value::Cache);
        assert_eq!(of("/root/proj/__pycache__/m.pyc"), Value::Cache);
        assert_eq!(of("/root/.ipynb_checkpoints/a.ipynb"), Value::Cache);
        assert_eq!(of("/root/.cache/best.ckpt"), Value::Checkpoint, "whatever folder it lies in");
        assert_eq!(of("/root/.cache/train.parquet"), Value::Data);
    }

    #[test]
    fn installed_packages_are_told_from_work() {
        assert_eq!(of("/opt/conda/lib/python3.11/site-packages/numpy/core.py"), Value::Package);
        assert_eq!(of("/usr/bin/jq"), Value::Package);
        assert_eq!(of("/usr/local/src/mine/model.c"), Value::Source);
        assert_eq!(of("/home/u/venv/lib/python3/site-packages/model.pt"), Value::Checkpoint);
    }
}
