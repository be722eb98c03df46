//! Which lines of the mount table are file systems that people's files lie on.

use std::path::Path;

use crate::core::filesystem::Filesystem;
use crate::scan::mountinfo::Line;

/// Types that hold an image of something and are always full.
const IMAGES: [&str; 5] = ["squashfs", "erofs", "iso9660", "cramfs", "udf"];

/// Whether people's files can lie on a mount: not on what the kernel, the boot loader, an
/// engine or a cluster mounts for itself.
pub(super) fn holds_files(line: &Line) -> bool {
    let target = line.target.as_path();
    let below = |folder: &str| target.starts_with(folder);
    match Filesystem::of(&line.filesystem) {
        Filesystem::Pseudo => false,
        Filesystem::Memory if line.read_only => false,
        Filesystem::Memory if below("/run") => below("/run/user") || below("/run/media"),
        _ if IMAGES.contains(&line.filesystem.as_str()) => false,
        _ if below("/dev") => below("/dev/shm"),
        _ => {
            !["/proc", "/sys", "/boot", "/efi", "/snap"].into_iter().any(below)
                && !line.is_deleted()
                && !is_of_an_engine(target)
        }
    }
}

/// What an engine or a cluster mounts for its containers: they look at it from inside.
fn is_of_an_engine(target: &Path) -> bool {
    let text = target.to_string_lossy();
    let inner = [
        "/overlay2/",
        "/overlay/",
        "/fuse-overlayfs/",
        "/vfs/dir/",
        "/rootfs",
        "/overlay-containers/",
        "/kubelet/pods/",
        "/kubelet/plugins/",
        "/run/containerd/",
        "/netns/",
    ];
    inner.iter().any(|part| text.contains(part)) || (text.contains("/containers/") && text.ends_with("/shm"))
}

/// Whether two lines show the same file system.
pub(super) fn is_same(line: &Line, other: &Line) -> bool {
    line.filesystem == other.filesystem && line.source == other.source && is_device(&line.source)
}

/// Whether a source is a device, and so names its file system.
pub(super) fn is_device(source: &Path) -> bool {
    source.starts_with("/dev")
}

/// Whether the file system's own options name one of these.
pub(super) fn has_option(line: &Line, names: &[&str]) -> bool {
    line.super_options.split(|byte| *byte == b',').any(|option| {
        // `usrjquota=aquota.user` names a file too.
        let name = option.split(|byte| *byte == b'=').next().unwrap_or_default();
        names.iter().any(|wanted| wanted.as_bytes() == name)
    })
}

/// The mount that a path lies on by its name alone; a later one hides an earlier one.
pub(super) fn holding<'l>(lines: &'l [Line], path: &Path) -> Option<&'l Line> {
    let holds = lines.iter().filter(|line| path.starts_with(&line.target));
    holds.max_by_key(|line| line.target.components().count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::mountinfo::parse;

    fn shown(table: &str) -> Vec<String> {
        let lines = parse(table.as_bytes());
        lines.iter().filter(|line| holds_files(line)).map(|line| line.target.display().to_string()).collect()
    }

    #[test]
    fn on_a_host_with_an_engine_its_own_mounts_are_left_out() {
        let table = "\
            1 0 254:0 / / rw - ext4 /dev/vda rw\n\
            2 1 0:5 / /proc rw - proc proc rw\n\
            3 1 0:6 / /sys rw - sysfs sysfs rw\n\
            4 1 0:7 / /dev rw - devtmpfs dev rw\n\
            5 4 0:8 / /dev/shm rw - tmpfs tmpfs rw\n\
            6 1 0:9 / /run rw - tmpfs tmpfs rw\n\
            7 6 0:10 / /run/user/1000 rw - tmpfs tmpfs rw\n\
            8 1 7:1 / /snap/core/1 ro - squashfs /dev/loop1 ro\n\
            9 1 8:1 / /boot/efi rw - vfat /dev/sda1 rw\n\
            10 1 0:30 / /var/lib/docker/overlay2/2d/merged rw - overlay overlay rw\n\
            11 1 0:31 / /var/lib/docker/fuse-overlayfs/2d/merged rw - fuse.fuse-overlayfs x rw\n\
            12 1 0:32 / /var/lib/docker/containers/2d/mounts/shm rw - tmpfs shm rw\n\
            13 1 0:33 / /var/lib/kubelet/pods/1/volumes/x rw - tmpfs tmpfs rw\n\
            14 1 0:34 / /run/docker/netns/1 rw - nsfs nsfs rw\n\
            15 1 0:35 / /home rw - nfs4 server:/home rw\n\
            16 1 8:2 / /mnt/cd rw - iso9660 /dev/sr0 ro\n\
            17 1 8:3 / /data rw - xfs /dev/sdb rw,usrquota\n";
        assert_eq!(shown(table), ["/", "/dev/shm", "/run/user/1000", "/home", "/data"]);
    }

    #[test]
    fn in_a_container_its_layer_its_binds_and_its_memory_stay() {
        let table = "\
            199 96 0:75 / / rw - overlay overlay rw,upperdir=/u,workdir=/w\n\
            201 199 0:79 / /dev rw - tmpfs tmpfs rw\n\
            215 201 0:83 / /dev/shm rw - tmpfs shm rw\n\
            217 199 254:0 /home/alice/workspace/proj /workspace rw - ext4 /dev/vda rw\n\
            223 199 0:85 / /scratch rw - tmpfs tmpfs rw,size=10240k\n\
            225 199 0:86 / /run/secrets ro - tmpfs tmpfs rw\n\
            226 199 254:0 /srv/gone//deleted /w rw - ext4 /dev/vda rw\n";
        assert_eq!(shown(table), ["/", "/dev/shm", "/workspace", "/scratch"]);
    }

    #[test]
    fn options_and_places_are_found_by_whole_names() {
        let lines = parse(
            b"1 0 8:1 / / rw - ext4 /dev/a rw,usrjquota=aquota.user,noprjquota\n\
              2 1 8:2 / /home rw - xfs /dev/b rw,prjquota\n3 1 8:2 /x /x rw - xfs /dev/b rw\n\
              4 1 0:4 / /home rw - tmpfs t rw\n",
        );
        assert!(has_option(&lines[0], &["usrquota", "usrjquota"]) && !has_option(&lines[0], &["prjquota"]));
        assert_eq!(holding(&lines, Path::new("/home/me")).map(|line| line.id), Some(4), "the last hides");
        assert_eq!(holding(&lines, Path::new("/homes")).map(|line| line.id), Some(1));
        assert!(is_same(&lines[1], &lines[2]) && !is_same(&lines[0], &lines[1]));
    }
}
