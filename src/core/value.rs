//! What kind of thing a file is, by its name, and how much its loss would hurt.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::surroundings::Surroundings;

/// The kind of a file, most valuable first: this order is the order of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// A saved training state.
    Checkpoint,
    /// The weights of a model.
    Weights,
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
    /// A file of installed packages.
    Package,
    /// Installed packages as a whole: an environment that a tool filled.
    Environment,
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
            Self::Weights => "model weights",
            Self::Notebook => "notebook",
            Self::Data => "data set",
            Self::Source => "source",
            Self::Result => "result",
            Self::Other => "file",
            Self::Package => "package",
            Self::Environment => "environment",
            Self::Log => "log",
            Self::Cache => "cache",
        }
    }

    /// A word of at most ten columns, for narrow lists.
    pub const fn short(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Weights => "weights",
            Self::Data => "data",
            Self::Environment => "packages",
            other => other.label(),
        }
    }

    /// Sorts a path by its extension and the folders it lies in. Case does not count.
    pub fn of(path: &Path) -> Self {
        let folder = path.parent().unwrap_or(Path::new(""));
        Surroundings::of(folder).value(path.file_name().unwrap_or_default())
    }

    /// Sorts a name by its extension alone.
    pub(super) fn by_name(name: &str) -> Self {
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        match extension {
            "pt" | "pth" | "ckpt" | "h5" | "keras" | "pdparams" | "joblib" => Self::Checkpoint,
            "safetensors" | "onnx" | "gguf" | "ggml" | "tflite" => Self::Weights,
            "bin" if name.starts_with("pytorch_model") || name.starts_with("model-") || name == "model.bin" => {
                Self::Weights
            }
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
        }
    }

    /// What took long to make: no tool makes it again, wherever somebody put it.
    pub const fn is_precious(self) -> bool {
        matches!(self, Self::Checkpoint | Self::Weights | Self::Notebook)
    }
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
        assert_eq!(of("/tmp/MODEL.SafeTensors"), Value::Weights);
        assert_eq!(of("/tmp/checkpoint-500/model.safetensors"), Value::Checkpoint);
        assert_eq!(of("/root/notes.ipynb"), Value::Notebook);
        assert_eq!(of("/tmp/train.csv"), Value::Data);
        assert_eq!(of("/root/train.py"), Value::Source);
        assert_eq!(of("/tmp/a.log"), Value::Log);
        assert_eq!(of("/tmp/a"), Value::Other);
        assert!(Value::Checkpoint < Value::Weights && Value::Weights < Value::Notebook);
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
