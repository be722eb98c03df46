//! File system types as the kernel names them, sorted by where their bytes are.

/// What a file system type says about where its bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filesystem {
    /// In memory.
    Memory,
    /// On another machine.
    Network,
    /// Not data at all.
    Pseudo,
    /// A user-space or shared file system behind which could be anything.
    Unclear,
    /// On a disk of this host.
    Disk,
}

impl Filesystem {
    /// Sorts a file system type as the kernel names it.
    pub fn of(name: &str) -> Self {
        match name {
            "tmpfs" | "ramfs" | "shm" => Self::Memory,
            "nfs" | "nfs4" | "cifs" | "smb3" | "smbfs" | "lustre" | "beegfs" | "gpfs" | "wekafs" | "ceph"
            | "fuse.ceph" | "fuse.juicefs" | "fuse.glusterfs" | "glusterfs" | "afs" => Self::Network,
            "proc" | "sysfs" | "devpts" | "mqueue" | "devtmpfs" | "securityfs" | "debugfs" | "bpf" | "nsfs"
            | "tracefs" | "hugetlbfs" | "configfs" | "pstore" | "efivarfs" | "binfmt_misc" | "autofs"
            | "fusectl" | "rpc_pipefs" | "selinuxfs" => Self::Pseudo,
            name if name.starts_with("cgroup") => Self::Pseudo,
            // Shared folders of a virtual machine and remote shells lead anywhere, memory included.
            "9p" | "virtiofs" => Self::Unclear,
            name if name.starts_with("fuse") => Self::Unclear,
            _ => Self::Disk,
        }
    }
}
