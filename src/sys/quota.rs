//! Quota questions to the kernel: `quotactl_fd`, by device where the kernel is older; project and subvolume ids.
//!
//! Answers stay bytes as the kernel wrote them. What they mean is said in `platform`.

use std::ffi::CStr;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use rustix::io::Errno;

/// Whose use is counted, as the kernel numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// A user's.
    User = 0,
    /// A group's.
    Group = 1,
    /// A project's: of folders that carry its number.
    Project = 2,
}

/// A question. None of them changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `Q_GETINFO`: how long writes go on above a soft limit.
    Info,
    /// `Q_GETQUOTA`: use and limits of one id.
    Quota,
    /// `Q_GETNEXTQUOTA`: the same of the first id that has any, from the given one on.
    NextQuota,
    /// `Q_XGETQSTATV`: what is counted and what is enforced.
    State,
    /// `Q_XGETQUOTA`: use and limits of one id, as XFS counts.
    XfsQuota,
    /// `Q_XGETNEXTQUOTA`: the same of the first id that has any.
    XfsNextQuota,
}

impl Call {
    /// The command's number in `linux/quota.h` and `linux/dqblk_xfs.h`.
    const fn number(self) -> u32 {
        const XFS: u32 = (b'X' as u32) << 8;
        match self {
            Self::Info => 0x80_0005,
            Self::Quota => 0x80_0007,
            Self::NextQuota => 0x80_0009,
            Self::XfsQuota => XFS + 3,
            Self::State => XFS + 8,
            Self::XfsNextQuota => XFS + 9,
        }
    }

    /// How many bytes the kernel writes.
    const fn length(self) -> usize {
        match self {
            Self::Info => 24,
            Self::Quota | Self::NextQuota => 72,
            Self::State => 160,
            Self::XfsQuota | Self::XfsNextQuota => 112,
        }
    }
}

/// Room for the longest answer, aligned for all of its fields.
type Room = [u64; 20];

/// Asks the file system that `on` lies on. The device is for kernels before 5.14, which know no other way.
///
/// # Errors
/// What the kernel said. `ENOSYS` is the file system's own: it has no quotas. `ENODEV` means that
/// nobody could ask: an old kernel, and its device cannot be named from here.
pub fn ask(
    on: BorrowedFd<'_>,
    device: Option<&CStr>,
    call: Call,
    counter: Counter,
    id: u32,
) -> Result<Vec<u8>, Errno> {
    let mut room: Room = [0; 20];
    if call == Call::State {
        // The version of the structure that is expected, in its first byte.
        room[0] = u64::from_ne_bytes([1, 0, 0, 0, 0, 0, 0, 0]);
    }
    let command = (call.number() << 8) | counter as u32;
    match by_handle(on.as_raw_fd(), command, id, &mut room) {
        Err(Errno::NOSYS) if !handles_are_known() => by_device(device, command, id, &mut room)?,
        answer => answer?,
    }
    Ok(room.iter().flat_map(|word| word.to_ne_bytes()).take(call.length()).collect())
}

fn by_handle(on: libc::c_int, command: u32, id: u32, room: &mut Room) -> Result<(), Errno> {
    // SAFETY: the kernel writes at most 160 bytes, the length of the longest answer, and `room` is
    // that long, ours alone and alive for the whole call; a number that is no handle is refused.
    let answer = unsafe { libc::syscall(libc::SYS_quotactl_fd, on, command, id, room.as_mut_ptr()) };
    if answer == 0 { Ok(()) } else { Err(last()) }
}

/// Whether this kernel has the call at all: one that has it looks at the handle first.
fn handles_are_known() -> bool {
    by_handle(-1, Call::Quota.number() << 8, 0, &mut [0; 20]) != Err(Errno::NOSYS)
}

fn by_device(device: Option<&CStr>, command: u32, id: u32, room: &mut Room) -> Result<(), Errno> {
    let device = device.ok_or(Errno::NODEV)?;
    if rustix::fs::stat(device).is_err() {
        return Err(Errno::NODEV);
    }
    // SAFETY: the device's name ends in NUL; the kernel writes at most 160 bytes into `room`, which
    // is that long, ours alone and alive for the whole call. The casts only rename the same bits.
    let answer = unsafe {
        libc::quotactl(
            command.cast_signed(),
            device.as_ptr(),
            id.cast_signed(),
            room.as_mut_ptr().cast::<libc::c_char>(),
        )
    };
    match answer {
        0 => Ok(()),
        _ if last() == Errno::NOTBLK => Err(Errno::NODEV),
        _ => Err(last()),
    }
}

/// The project that a file or folder counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its number; 0 is none.
    pub id: u32,
    /// Whether what is made in the folder counts for it too.
    pub inherited: bool,
}

/// `FS_IOC_FSGETXATTR`.
const GET_ATTRIBUTES: u32 = 0x801c_581f;
/// `FS_XFLAG_PROJINHERIT`.
const INHERITS: u32 = 0x200;

/// Asks for the project of an open file or folder.
///
/// # Errors
/// What the kernel said; `ENOTTY` where the file system has no projects.
pub fn project(of: BorrowedFd<'_>) -> Result<Project, Errno> {
    // struct fsxattr: flags, extent size, extents, project, two more and padding.
    let mut attributes = [0_u32; 7];
    // SAFETY: the call writes the 28 bytes of a struct fsxattr, and `attributes` is that long, ours
    // alone and alive for the whole call.
    let answer =
        unsafe { libc::ioctl(of.as_raw_fd(), libc::Ioctl::from(GET_ATTRIBUTES), attributes.as_mut_ptr()) };
    if answer != 0 {
        return Err(last());
    }
    let [flags, _, _, id, ..] = attributes;
    Ok(Project { id, inherited: flags & INHERITS != 0 })
}

/// `BTRFS_IOC_INO_LOOKUP`, which takes and gives 4096 bytes.
const LOOK_UP: u32 = 0xd000_9412;
/// The number of every subvolume's first folder: asked about it, anybody is told the subvolume.
const FIRST_FOLDER: u64 = 256;

/// Asks for the btrfs subvolume that an open file or folder lies in.
///
/// # Errors
/// What the kernel said; `ENOTTY` on every other file system.
pub fn subvolume(of: BorrowedFd<'_>) -> Result<u64, Errno> {
    // struct btrfs_ioctl_ino_lookup_args: subvolume, object, name.
    let mut arguments = [0_u64; 512];
    arguments[1] = FIRST_FOLDER;
    // SAFETY: the call reads and writes the 4096 bytes of its argument, and `arguments` is that
    // long, ours alone and alive for the whole call.
    let answer = unsafe { libc::ioctl(of.as_raw_fd(), libc::Ioctl::from(LOOK_UP), arguments.as_mut_ptr()) };
    if answer == 0 { Ok(arguments[0]) } else { Err(last()) }
}

fn last() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::fd::AsFd as _;

    const CALLS: [Call; 6] =
        [Call::Info, Call::Quota, Call::NextQuota, Call::State, Call::XfsQuota, Call::XfsNextQuota];

    #[test]
    fn a_file_system_without_quotas_refuses_every_question() {
        let pseudo = File::open("/proc/self").unwrap();
        for call in CALLS {
            for counter in [Counter::User, Counter::Group, Counter::Project] {
                let refused = ask(pseudo.as_fd(), None, call, counter, 0).unwrap_err();
                let known = [Errno::NOSYS, Errno::PERM, Errno::NODEV, Errno::INVAL];
                assert!(known.contains(&refused), "{call:?} {counter:?}: {refused}");
            }
        }
    }

    #[test]
    fn a_handle_that_is_none_and_a_device_that_is_none_are_errors() {
        let refused = by_handle(-1, Call::Quota.number() << 8, 0, &mut [0; 20]).unwrap_err();
        assert!([Errno::BADF, Errno::NOSYS, Errno::PERM].contains(&refused), "{refused}");
        let by = |device| by_device(device, Call::Quota.number() << 8, 0, &mut [0; 20]).unwrap_err();
        assert_eq!(by(None), Errno::NODEV);
        assert_eq!(by(Some(c"/nowhere/at/all")), Errno::NODEV);
        let refused = by(Some(c"/dev/null"));
        assert!([Errno::NODEV, Errno::PERM, Errno::NOSYS].contains(&refused), "{refused}");
    }

    #[test]
    fn no_answer_is_longer_than_the_room_for_it() {
        assert!(CALLS.iter().all(|call| call.length() <= size_of::<Room>()));
        assert_eq!((Call::XfsQuota.number(), Call::State.number()), (0x5803, 0x5808));
    }

    #[test]
    fn what_has_no_project_and_no_subvolume_says_so() {
        let pseudo = File::open("/proc/self/stat").unwrap();
        assert_eq!(project(pseudo.as_fd()), Err(Errno::NOTTY));
        assert_eq!(subvolume(pseudo.as_fd()), Err(Errno::NOTTY));
    }
}
