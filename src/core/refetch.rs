//! Data that can be had again from elsewhere: told from the only copy by what lies beside it.
//!
//! A pointer is proof that the content was given to a store; whether that store still has it is not
//! known here, so the answer says where to ask.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::pattern::Pattern;

/// Where a file's content can be had again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refetch {
    /// A DVC pointer lies beside it, or beside the folder it is in.
    Dvc,
    /// It is a pointer of Git LFS itself: the content is not even here.
    Lfs,
    /// It lies in a folder of data that others keep.
    SharedData,
}

/// What every pointer of Git LFS begins with.
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";
/// Bytes that a pointer of Git LFS has at most.
pub const LFS_LARGEST: u64 = 1024;

impl Refetch {
    /// How a file's content can be had again; `None` where this is the only copy that is known.
    ///
    /// `shared` are the platform's folders of shared data; `is_there` answers whether a file is at a
    /// path, `begins` how a small file begins, nothing for a large one.
    pub fn of(
        path: &Path,
        shared: &[Pattern],
        is_there: impl Fn(&Path) -> bool,
        begins: impl Fn(&Path) -> Option<Vec<u8>>,
    ) -> Option<Self> {
        if shared.iter().any(|folder| folder.covers(path)) {
            return Some(Self::SharedData);
        }
        if path.ancestors().take_while(|above| above.parent().is_some()).any(|above| is_there(&pointer(above)))
        {
            return Some(Self::Dvc);
        }
        begins(path).is_some_and(|text| text.starts_with(LFS)).then_some(Self::Lfs)
    }

    /// The words for it, which follow "can be fetched again".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Dvc => "its DVC pointer is here: `dvc pull` fetches it, as far as `dvc push` sent it",
            Self::Lfs => "it is a pointer of Git LFS: `git lfs pull` fetches the content",
            Self::SharedData => "it is shared data that others keep",
        }
    }
}

/// The words for what is nowhere else.
pub const ONLY_COPY: &str = "the only copy that is known";

/// The pointer that DVC puts beside a file or folder.
fn pointer(path: &Path) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(".dvc");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, there: &[&str], begins: Option<&[u8]>) -> Option<Refetch> {
        let shared = [Pattern::new("/shared"), Pattern::new("/input")];
        let is_there = |path: &Path| there.iter().any(|known| Path::new(known) == path);
        Refetch::of(Path::new(path), &shared, is_there, |_| begins.map(<[u8]>::to_vec))
    }

    #[test]
    fn i20_a_file_with_its_dvc_pointer_can_be_fetched_and_the_same_file_without_is_the_only_copy() {
        assert_eq!(of("/p/data/raw.csv", &["/p/data/raw.csv.dvc"], None), Some(Refetch::Dvc));
        assert_eq!(of("/p/data/raw.csv", &["/p/data/other.csv.dvc"], None), None);
        assert_eq!(of("/p/data/a/b.csv", &["/p/data.dvc"], None), Some(Refetch::Dvc), "a whole folder");
        assert_eq!(of("/p/data2/b.csv", &["/p/data.dvc"], None), None);
    }

    #[test]
    fn i20_a_pointer_of_git_lfs_and_shared_data_are_no_only_copies() {
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n";
        assert_eq!(of("/p/model.pt", &[], Some(pointer)), Some(Refetch::Lfs));
        assert_eq!(of("/p/model.pt", &[], Some(b"version https://elsewhere")), None);
        assert_eq!(of("/shared/imagenet/x", &[], None), Some(Refetch::SharedData));
        assert_eq!(of("/shareds/x", &[], None), None);
    }
}
