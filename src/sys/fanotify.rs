//! What changes on whole file systems, as the kernel tells it (`fanotify`), and the handles by which
//! it names folders. Which folder a handle belongs to and what follows from a change is `scan::live`'s.

use std::ffi::CStr;
use std::io::{Error, Result};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::time::Duration;

/// Entries that come and go, files that were written and closed, attributes; folders too. Not every
/// single write (`FAN_MODIFY`): that would slow the writers down.
const CHANGES: u64 = libc::FAN_CREATE
    | libc::FAN_DELETE
    | libc::FAN_MOVED_FROM
    | libc::FAN_MOVED_TO
    | libc::FAN_CLOSE_WRITE
    | libc::FAN_ATTRIB
    | libc::FAN_ONDIR;

/// Bytes of the fixed part of an event.
const FIXED: usize = 24;
/// Bytes of the head of a piece of information, with the id of the file system.
const HEAD: usize = 12;
/// Bytes of a handle before the part that is the file system's own.
const HANDLE: usize = 8;
/// The most that a handle's own part may have.
const LONGEST: usize = 128;

/// Tells of changes on the file systems that it was given.
#[derive(Debug)]
pub struct Changes(OwnedFd);

impl Changes {
    /// Begins to listen, to nothing yet.
    ///
    /// # Errors
    /// What the kernel said: `EPERM` without the right to see other people's files.
    pub fn listen() -> Result<Self> {
        let flags = libc::FAN_CLASS_NOTIF | libc::FAN_CLOEXEC | libc::FAN_NONBLOCK | libc::FAN_REPORT_DFID_NAME;
        let events = libc::O_RDONLY | libc::O_CLOEXEC | libc::O_LARGEFILE;
        // SAFETY: fanotify_init takes two numbers and touches no memory of ours.
        let handle = unsafe { libc::fanotify_init(flags, events.cast_unsigned()) };
        if handle < 0 {
            return Err(Error::last_os_error());
        }
        // SAFETY: the call has just made this descriptor, and nobody else knows it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(handle) }))
    }

    /// Listens to the whole file system of an open folder too.
    ///
    /// # Errors
    /// What the kernel said: `EOPNOTSUPP`, `ENODEV` or `EXDEV` where its files cannot be named.
    pub fn add(&self, folder: BorrowedFd<'_>) -> Result<()> {
        let flags = libc::FAN_MARK_ADD | libc::FAN_MARK_FILESYSTEM;
        let (own, folder) = (self.0.as_raw_fd(), folder.as_raw_fd());
        // SAFETY: both descriptors are open for the whole call; no path is given, so no memory is read.
        let answer = unsafe { libc::fanotify_mark(own, flags, CHANGES, folder, ptr::null()) };
        if answer == 0 { Ok(()) } else { Err(Error::last_os_error()) }
    }

    /// What has happened since the last time, so much as fits; 0 bytes where nothing has.
    ///
    /// # Errors
    /// What the kernel said.
    pub fn read(&self, buffer: &mut [u8]) -> Result<usize> {
        // SAFETY: the pointer and the length are those of one buffer that is ours alone.
        let read = unsafe { libc::read(self.0.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
        match usize::try_from(read) {
            Ok(read) => Ok(read),
            Err(_) => match Error::last_os_error() {
                error if error.kind() == std::io::ErrorKind::WouldBlock => Ok(0),
                error => Err(error),
            },
        }
    }
}

impl AsFd for Changes {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Waits until one of two descriptors has something to say, for ever or so long at most; which has.
///
/// # Errors
/// What the kernel said, but not that a signal came.
pub fn either(
    first: Option<BorrowedFd<'_>>,
    second: BorrowedFd<'_>,
    within: Option<Duration>,
) -> Result<(bool, bool)> {
    let ask = |fd: libc::c_int| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // A negative descriptor is not asked.
    let mut both = [ask(first.map_or(-1, |first| first.as_raw_fd())), ask(second.as_raw_fd())];
    let within = within.map_or(-1, |within| i32::try_from(within.as_millis()).unwrap_or(i32::MAX));
    // SAFETY: the pointer is to two records of ours, which is the number that is given.
    let answer = unsafe { libc::poll(both.as_mut_ptr(), 2, within) };
    if answer < 0 {
        let error = Error::last_os_error();
        return if error.kind() == std::io::ErrorKind::Interrupted { Ok((false, false)) } else { Err(error) };
    }
    Ok((both[0].revents != 0, both[1].revents != 0))
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// More happened than the kernel kept; nothing else is known.
    Lost,
    /// A file was written and closed, whatever was done to it before.
    Closed,
    /// An entry came into being, here or from elsewhere.
    Came,
    /// Anything else.
    Other,
}

/// One change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<'b> {
    /// What happened.
    pub deed: Deed,
    /// It is about a folder.
    pub of_folder: bool,
    /// The handle of the folder, as [`handle`] gives it; empty where it is not known.
    pub folder: &'b [u8],
    /// The name of the entry in it; the folder itself where it is a dot.
    pub name: &'b [u8],
}

/// The changes in what was read, one after the other; what makes no sense ends them.
pub fn changes(mut read: &[u8]) -> impl Iterator<Item = Change<'_>> {
    std::iter::from_fn(move || {
        let length = usize::try_from(word(read, 0)?).ok()?;
        if length < FIXED {
            return None;
        }
        let (event, rest) = read.split_at_checked(length)?;
        read = rest;
        change(event)
    })
}

fn change(event: &[u8]) -> Option<Change<'_>> {
    let mask = u64::from_ne_bytes(event.get(8..16)?.try_into().ok()?);
    let fixed = u16::from_ne_bytes(event.get(6..8)?.try_into().ok()?);
    let deeds = [
        (libc::FAN_Q_OVERFLOW, Deed::Lost),
        (libc::FAN_CLOSE_WRITE, Deed::Closed),
        (libc::FAN_CREATE | libc::FAN_MOVED_TO, Deed::Came),
    ];
    let mut found = Change {
        deed: deeds.iter().find(|(bits, _)| mask & bits != 0).map_or(Deed::Other, |(_, deed)| *deed),
        of_folder: mask & libc::FAN_ONDIR != 0,
        folder: &[],
        name: &[],
    };
    let mut rest = event.get(usize::from(fixed).max(FIXED)..).unwrap_or_default();
    while let [kind, _, low, high, ..] = rest {
        let length = usize::from(u16::from_ne_bytes([*low, *high]));
        let Some((piece, after)) = rest.split_at_checked(length).filter(|_| length >= HEAD) else { break };
        rest = after;
        if *kind != libc::FAN_EVENT_INFO_TYPE_DFID_NAME {
            continue;
        }
        let handle = piece.get(HEAD..).unwrap_or_default();
        let own = word(handle, 0).and_then(|own| usize::try_from(own).ok())?;
        let (folder, name) = handle.split_at_checked(own.checked_add(HANDLE)?)?;
        found.folder = folder;
        found.name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    }
    Some(found)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}

/// Room for a handle as the kernel writes it.
#[repr(C, align(8))]
struct Room {
    bytes: [u8; HANDLE + LONGEST],
}

/// The handle of a folder by its name in an open one, following no link; an empty name is the open
/// folder itself. Written over `into`.
///
/// # Errors
/// What the kernel said: `EOPNOTSUPP` where the file system gives none.
pub fn handle(folder: BorrowedFd<'_>, name: &CStr, into: &mut Vec<u8>) -> Result<()> {
    let mut room = Room { bytes: [0; HANDLE + LONGEST] };
    let most = u32::try_from(LONGEST).unwrap_or(u32::MAX);
    room.bytes[..4].copy_from_slice(&most.to_ne_bytes());
    let (mut mount, flags) = (0 as libc::c_int, if name.is_empty() { libc::AT_EMPTY_PATH } else { 0 });
    // SAFETY: the name ends in NUL; the room begins with how much fits after its head, which is what
    // it has, and is aligned for the head; both it and the mount's number outlive the call.
    let answer = unsafe {
        let room: *mut Room = &raw mut room;
        libc::syscall(
            libc::SYS_name_to_handle_at,
            folder.as_raw_fd(),
            name.as_ptr(),
            room,
            &raw mut mount,
            flags,
        )
    };
    if answer != 0 {
        return Err(Error::last_os_error());
    }
    let own = word(&room.bytes, 0).and_then(|own| usize::try_from(own).ok()).unwrap_or_default();
    into.clear();
    into.extend_from_slice(room.bytes.get(..HANDLE + own).unwrap_or_default());
    Ok(())
}

/// Opens the folder that a handle names, on the file system of an open one.
///
/// # Errors
/// What the kernel said: `ESTALE` where it is gone, `EPERM` without the right, `EINVAL` where it is none.
pub fn open(mount: BorrowedFd<'_>, handle: &[u8]) -> Result<OwnedFd> {
    let mut room = Room { bytes: [0; HANDLE + LONGEST] };
    let own = word(handle, 0).and_then(|own| usize::try_from(own).ok());
    let fits = own.is_some_and(|own| own <= LONGEST && own + HANDLE == handle.len());
    let Some(place) = room.bytes.get_mut(..handle.len()).filter(|_| fits) else {
        return Err(Error::from_raw_os_error(libc::EINVAL));
    };
    place.copy_from_slice(handle);
    let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_CLOEXEC;
    // SAFETY: the room holds a whole handle, whose length was checked, and outlives the call.
    let opened = unsafe {
        let room: *mut Room = &raw mut room;
        libc::syscall(libc::SYS_open_by_handle_at, mount.as_raw_fd(), room, flags)
    };
    match i32::try_from(opened) {
        // SAFETY: the call has just made this descriptor, and nobody else knows it.
        Ok(opened) if opened >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(opened) }),
        _ => Err(Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::time::Instant;

    fn own(folder: &std::path::Path) -> (File, Vec<u8>) {
        let (open, mut bytes) = (File::open(folder).expect("folder"), Vec::new());
        handle(open.as_fd(), c"", &mut bytes).expect("a handle");
        (open, bytes)
    }

    #[test]
    fn a_folder_has_one_handle_by_whichever_way_and_another_folder_another() {
        let dir = tempfile::tempdir().expect("temporary directory");
        std::fs::create_dir(dir.path().join("inner")).expect("folder");
        let (outer, first) = own(dir.path());
        let (_, inner) = own(&dir.path().join("inner"));
        let mut by_name = Vec::new();
        handle(outer.as_fd(), c"inner", &mut by_name).expect("a handle");
        assert_eq!(inner, by_name);
        assert_ne!(first, inner);
        assert_eq!(
            handle(outer.as_fd(), c"none", &mut by_name).unwrap_err().raw_os_error(),
            Some(libc::ENOENT)
        );
    }

    #[test]
    fn a_handle_opens_its_folder_and_nothing_once_that_is_gone() {
        let dir = tempfile::tempdir().expect("temporary directory");
        std::fs::create_dir(dir.path().join("inner")).expect("folder");
        let (outer, _) = own(dir.path());
        let (_, inner) = own(&dir.path().join("inner"));
        match open(outer.as_fd(), &inner) {
            Err(error) if error.raw_os_error() == Some(libc::EPERM) => {
                eprintln!("skipped: no right to open by handle");
                return;
            }
            opened => drop(opened.expect("opened")),
        }
        std::fs::remove_dir(dir.path().join("inner")).expect("removed");
        assert_eq!(open(outer.as_fd(), &inner).unwrap_err().raw_os_error(), Some(libc::ESTALE));
        for wrong in [&b""[..], b"\x08\0\0\0", &[255; 20], &[200; 300]] {
            assert_eq!(open(outer.as_fd(), wrong).unwrap_err().raw_os_error(), Some(libc::EINVAL));
        }
    }

    #[test]
    fn the_kernel_tells_which_folder_changed_and_what_it_refuses() {
        let changes_of = match Changes::listen() {
            Err(error) if error.raw_os_error() == Some(libc::EPERM) => {
                eprintln!("skipped: no right to listen to a file system");
                return;
            }
            listening => listening.expect("listening"),
        };
        let pseudo = File::open("/proc/self/fd").expect("folder");
        assert!(changes_of.add(pseudo.as_fd()).is_err(), "a file system whose files have no names");
        let Ok(dir) = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")) else {
            eprintln!("skipped: nothing can be made beside the sources");
            return;
        };
        let (folder, own) = own(dir.path());
        if let Err(error) = changes_of.add(folder.as_fd()) {
            eprintln!("skipped: this file system tells nothing: {error}");
            return;
        }
        std::fs::write(dir.path().join("new"), "x").expect("file");
        let (_writer, quiet) = (std::io::pipe().expect("pipe"), std::io::pipe().expect("pipe"));
        let (mut buffer, end) = (vec![0; 64 * 1024], Instant::now() + Duration::from_secs(10));
        let (mut came, mut closed) = (false, false);
        while !(came && closed) && Instant::now() < end {
            let told = either(Some(changes_of.as_fd()), quiet.0.as_fd(), Some(Duration::from_secs(1)));
            assert!(!told.expect("waited").1);
            let read = changes_of.read(&mut buffer).expect("read");
            for change in changes(&buffer[..read]).filter(|change| change.folder == own) {
                assert_eq!(change.name, b"new");
                // The kernel may tell of both at once.
                came |= matches!(change.deed, Deed::Came | Deed::Closed);
                closed |= change.deed == Deed::Closed;
            }
        }
        assert!(came && closed);
    }

    #[test]
    fn events_that_were_cut_or_made_up_end_the_reading() {
        let mut event = Vec::new();
        event.extend_from_slice(&60_u32.to_ne_bytes());
        event.extend_from_slice(&[3, 0, 24, 0]);
        event.extend_from_slice(&(libc::FAN_CREATE).to_ne_bytes());
        event.extend_from_slice(&[255; 8]);
        event.extend_from_slice(&[libc::FAN_EVENT_INFO_TYPE_DFID_NAME, 0, 36, 0]);
        event.extend_from_slice(&[7; 8]);
        event.extend_from_slice(&8_u32.to_ne_bytes());
        event.extend_from_slice(&1_u32.to_ne_bytes());
        event.extend_from_slice(b"abcdefgh");
        event.extend_from_slice(b"name\0\0\0\0");
        assert_eq!(event.len(), 60);
        let found: Vec<_> = changes(&event).collect();
        assert_eq!((found.len(), found[0].name, found[0].folder.len()), (1, &b"name"[..], 16));
        assert!(found[0].deed == Deed::Came && !found[0].of_folder);
        for length in 0..event.len() {
            assert_eq!(changes(&event[..length]).count(), 0, "{length} bytes");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>, length in 0..200_u32, kind in 0..4_u8) {
            let _ = changes(&bytes).count();
            let mut likely = length.to_ne_bytes().to_vec();
            likely.extend_from_slice(&[3, 0, 24, 0]);
            likely.extend_from_slice(&[1; 16]);
            likely.extend_from_slice(&[kind, 0, 30, 0]);
            likely.extend(bytes);
            let _ = changes(&likely).count();
        }
    }
}
