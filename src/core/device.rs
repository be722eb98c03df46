//! Which names below `/dev` are devices: anything else there is a file in memory that somebody made.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::pattern::is_below;

/// Where devices are.
pub(super) const FOLDER: &str = "/dev";

/// Names that every container has, or that are links and folders for the system's own use.
const NAMES: [&str; 48] = [
    "autofs",
    "block",
    "bsg",
    "btrfs-control",
    "bus",
    "char",
    "console",
    "core",
    "cpu",
    "cpu_dma_latency",
    "disk",
    "dma_heap",
    "dri",
    "fd",
    "full",
    "fuse",
    "hugepages",
    "infiniband",
    "initctl",
    "input",
    "kfd",
    "kmsg",
    "kvm",
    "log",
    "loop-control",
    "mapper",
    "mem",
    "mqueue",
    "net",
    "null",
    "nvidia-caps",
    "nvidia-caps-imex-channels",
    "nvidia-modeset",
    "nvidia-uvm",
    "nvidia-uvm-tools",
    "nvidiactl",
    "port",
    "ppp",
    "ptmx",
    "pts",
    "random",
    "snd",
    "stderr",
    "stdin",
    "stdout",
    "urandom",
    "vfio",
    "zero",
];

/// Beginnings of names that are numbered.
const BEGINNINGS: [&str; 11] = ["dm-", "hpet", "loop", "nvidia", "nvme", "ram", "rtc", "sd", "tty", "vc", "vd"];

/// Whether a path is the folder of devices itself, or is one or below one by its name.
pub(super) fn is(path: &Path) -> bool {
    let path = path.as_os_str().as_bytes();
    let Some(rest) = path.strip_prefix(FOLDER.as_bytes()) else { return false };
    let Some(rest) = rest.strip_prefix(b"/") else { return rest.is_empty() };
    rest.is_empty()
        || NAMES.iter().any(|name| is_below(rest, name.as_bytes()))
        || BEGINNINGS.iter().any(|begin| numbered(rest, begin.as_bytes()))
}

/// Whether a name goes on as those of devices do: `nvidia0`, `nvme0n1p2`, `sda1`, `ttyS0`; not
/// `sdata`, `loop.txt` or `ram_model2`.
fn numbered(rest: &[u8], begin: &[u8]) -> bool {
    let Some(tail) = rest.strip_prefix(begin) else { return false };
    let letters = tail.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    tail.iter().all(u8::is_ascii_alphanumeric) && letters <= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_told_from_files_that_somebody_put_among_them() {
        let is = |path: &str| is(Path::new(path));
        for device in [
            "/dev",
            "/dev/null",
            "/dev/pts/0",
            "/dev/nvidia0",
            "/dev/nvidia-uvm",
            "/dev/nvidiactl",
            "/dev/sda1",
            "/dev/nvme0n1p2",
            "/dev/tty",
            "/dev/ttyS0",
            "/dev/fd/3",
            "/dev/loop7",
            "/dev/dm-3",
            "/dev/ptmx",
        ] {
            assert!(is(device), "{device}");
        }
        for file in [
            "/dev/model.pt",
            "/dev/nullx",
            "/dev/sdata",
            "/dev/loop.txt",
            "/dev/x/y",
            "/dev/sd_model_v2",
            "/dev/nvidia-x.pt",
            "/devices",
            "/etc",
        ] {
            assert!(!is(file), "{file}");
        }
    }
}
