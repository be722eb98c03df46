//! Users and groups, as the C library knows them: files, LDAP and whatever else is configured.

use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::ptr;

/// A record larger than this is somebody's mistake.
const LARGEST: usize = 1 << 20;

/// The name of a user id; `None` where the number has none here, or its name is not UTF-8.
/// May ask a directory server, so never on the way to a frame.
pub fn user_name(uid: u32) -> Option<String> {
    look_up(uid, 1024)
}

fn look_up(uid: u32, first_size: usize) -> Option<String> {
    growing(first_size, |buffer| {
        let mut record = MaybeUninit::<libc::passwd>::uninit();
        let mut found: *mut libc::passwd = ptr::null_mut();
        // SAFETY: every pointer is to memory of ours that outlives the call, and the length is the buffer's own.
        let code = unsafe {
            libc::getpwuid_r(uid, record.as_mut_ptr(), buffer.as_mut_ptr(), buffer.len(), &raw mut found)
        };
        if code != 0 || found.is_null() {
            return (code, None);
        }
        // SAFETY: on success with a result `found` points to `record`, which the call has filled.
        let name = unsafe { (*found).pw_name };
        if name.is_null() {
            return (code, None);
        }
        // SAFETY: `pw_name` is a NUL-terminated string within `buffer`, which is still alive.
        let name = unsafe { CStr::from_ptr(name) };
        (code, name.to_str().ok().map(str::to_owned))
    })
}

/// The number of a user; `None` where there is none of this name here.
/// May ask a directory server, so never on the way to a frame.
pub fn user_id(name: &str) -> Option<u32> {
    let name = CString::new(name).ok()?;
    growing(1024, |buffer| {
        let mut record = MaybeUninit::<libc::passwd>::uninit();
        let mut found: *mut libc::passwd = ptr::null_mut();
        // SAFETY: every pointer is to memory of ours that outlives the call, the name ends in NUL, and
        // the length is the buffer's own.
        let code = unsafe {
            libc::getpwnam_r(
                name.as_ptr(),
                record.as_mut_ptr(),
                buffer.as_mut_ptr(),
                buffer.len(),
                &raw mut found,
            )
        };
        if code != 0 || found.is_null() {
            return (code, None);
        }
        // SAFETY: on success with a result `found` points to `record`, which the call has filled.
        (code, Some(unsafe { (*found).pw_uid }))
    })
}

/// The number of a group; `None` where there is none of this name here.
/// May ask a directory server, so never on the way to a frame.
pub fn group_id(name: &str) -> Option<u32> {
    let name = CString::new(name).ok()?;
    growing(1024, |buffer| {
        let mut record = MaybeUninit::<libc::group>::uninit();
        let mut found: *mut libc::group = ptr::null_mut();
        // SAFETY: every pointer is to memory of ours that outlives the call, the name ends in NUL, and
        // the length is the buffer's own.
        let code = unsafe {
            libc::getgrnam_r(
                name.as_ptr(),
                record.as_mut_ptr(),
                buffer.as_mut_ptr(),
                buffer.len(),
                &raw mut found,
            )
        };
        if code != 0 || found.is_null() {
            return (code, None);
        }
        // SAFETY: on success with a result `found` points to `record`, which the call has filled.
        (code, Some(unsafe { (*found).gr_gid }))
    })
}

/// Asks with a larger and larger buffer until the record fits in.
fn growing<T>(
    first_size: usize,
    mut ask: impl FnMut(&mut [libc::c_char]) -> (libc::c_int, Option<T>),
) -> Option<T> {
    let mut buffer: Vec<libc::c_char> = vec![0; first_size];
    loop {
        match ask(&mut buffer) {
            (0, found) => return found,
            (libc::ERANGE, _) if buffer.len() < LARGEST => buffer = vec![0; buffer.len() * 4],
            (libc::EINTR, _) => {}
            _ => return None,
        }
    }
}

/// The name of a group's number; `None` where it has none here, or its name is not UTF-8.
/// May ask a directory server, so never on the way to a frame.
pub fn group_name(gid: u32) -> Option<String> {
    let mut buffer: Vec<libc::c_char> = vec![0; 1024];
    loop {
        let mut record = MaybeUninit::<libc::group>::uninit();
        let mut found: *mut libc::group = ptr::null_mut();
        // SAFETY: every pointer is to memory of ours that outlives the call, and the length is the buffer's own.
        let code = unsafe {
            libc::getgrgid_r(gid, record.as_mut_ptr(), buffer.as_mut_ptr(), buffer.len(), &raw mut found)
        };
        match code {
            0 if found.is_null() => return None,
            0 => {
                // SAFETY: on success with a result `found` points to `record`, which the call has filled.
                let name = unsafe { (*found).gr_name };
                if name.is_null() {
                    return None;
                }
                // SAFETY: `gr_name` is a NUL-terminated string within `buffer`, which is still alive.
                let name = unsafe { CStr::from_ptr(name) };
                return name.to_str().ok().map(str::to_owned);
            }
            libc::ERANGE if buffer.len() < LARGEST => buffer = vec![0; buffer.len() * 4],
            libc::EINTR => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_has_a_name_and_an_unused_number_has_none() {
        assert_eq!(user_name(0).as_deref(), Some("root"));
        assert_eq!(user_name(3_999_999_999), None);
    }

    #[test]
    fn root_has_a_group_and_a_made_up_name_has_none() {
        assert_eq!(group_id("root"), Some(0));
        assert_eq!(group_name(0).as_deref(), Some("root"));
        assert_eq!(group_name(3_999_999_999), None);
        assert_eq!(group_id("no-such-group-here"), None);
        assert_eq!(group_id("nul\0inside"), None);
    }

    #[test]
    fn root_is_number_0_and_a_made_up_name_has_none() {
        assert_eq!(user_id("root"), Some(0));
        assert_eq!(user_id("no-such-user-here"), None);
        assert_eq!(user_id("nul\0inside"), None);
    }

    #[test]
    fn a_buffer_that_is_too_small_grows() {
        assert_eq!(look_up(0, 1).as_deref(), Some("root"), "ERANGE asks for a larger one");
    }
}
