//! Small archives, written as the engine reads them (ustar).

use crate::core::error::{Error, Kind, Result};

const BLOCK: usize = 512;
/// The longest name that fits into a header.
const LONGEST: usize = 100;

/// An archive being written.
#[derive(Default)]
pub(super) struct Archive(Vec<u8>);

impl Archive {
    /// Adds an empty folder, by a path without a slash in front.
    pub(super) fn folder(&mut self, path: &str, mode: u32) -> Result<()> {
        self.header(&format!("{path}/"), mode, 0, 0, b'5')
    }

    /// Adds a file that was changed at a time in seconds.
    pub(super) fn file(&mut self, path: &str, content: &[u8], changed: i64) -> Result<()> {
        self.header(path, 0o644, content.len(), changed, b'0')?;
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(BLOCK), 0);
        Ok(())
    }

    /// The whole archive.
    pub(super) fn done(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 2 * BLOCK, 0);
        self.0
    }

    fn header(&mut self, path: &str, mode: u32, length: usize, changed: i64, kind: u8) -> Result<()> {
        if path.len() > LONGEST {
            return Err(Error::new(Kind::NotSupported, format!("{path}: the path is too long")));
        }
        let mut block = [0; BLOCK];
        let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, path.as_bytes());
        put(100, format!("{mode:07o}").as_bytes());
        put(108, b"0000000");
        put(116, b"0000000");
        put(124, format!("{length:011o}").as_bytes());
        put(136, format!("{:011o}", changed.max(0)).as_bytes());
        put(148, b"        ");
        put(156, &[kind]);
        put(257, b"ustar");
        put(263, b"00");
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.0.extend(block);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    #[test]
    fn tar_itself_reads_what_was_written() {
        let mut archive = Archive::default();
        archive.folder("tmp", 0o1777).unwrap();
        archive.file("tmp/notes.txt", b"hello\n", 1_790_000_000).unwrap();
        let mut tar = Command::new("tar")
            .args(["--utc", "-tvf", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        tar.stdin.take().unwrap().write_all(&archive.done()).unwrap();
        let output = tar.wait_with_output().unwrap();
        let listed = String::from_utf8(output.stdout).unwrap();
        let words: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
        assert!(output.status.success(), "{listed}");
        assert_eq!((words[0][0], words[0][5]), ("drwxrwxrwt", "tmp/"), "{listed}");
        assert_eq!((words[1][0], words[1][2], words[1][5]), ("-rw-r--r--", "6", "tmp/notes.txt"), "{listed}");
    }

    #[test]
    fn a_path_that_does_not_fit_is_refused() {
        assert!(Archive::default().folder(&"x".repeat(100), 0o755).is_err());
    }
}
