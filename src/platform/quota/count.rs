//! What the kernel's answers about quotas mean: bytes become use and limits, refusals become words.

use jiff::Timestamp;
use rustix::io::Errno;

use crate::core::quota::{Amount, Counted, Doubt, Reading};
use crate::sys::quota::{Call, Counter};

/// Asks one file system; a recording may stand in for the kernel.
pub(super) type Ask<'a> = dyn FnMut(Call, Counter, u32) -> Result<Vec<u8>, Errno> + 'a;

/// Nobody has more users.
const MOST_USERS: usize = 1_000_000;

/// What a file system keeps of quotas, asked once.
pub(super) struct Books<'a> {
    ask: &'a mut Ask<'a>,
    /// XFS is asked in its own terms.
    xfs: bool,
    /// The flags of its state, where it tells them: what is counted, what is enforced.
    state: Option<State>,
}

#[derive(Clone, Copy)]
struct State {
    flags: u16,
    grace: Option<u64>,
}

impl<'a> Books<'a> {
    /// Opens them; `kind` is the type of the file system.
    pub(super) fn open(ask: &'a mut Ask<'a>, kind: &str) -> Self {
        let state = ask(Call::State, Counter::User, 0).ok().and_then(|bytes| {
            let flags = u16::from_ne_bytes(bytes.get(2..4)?.try_into().ok()?);
            let grace = word(&bytes, 80).map(u64::from).filter(|seconds| *seconds > 0);
            Some(State { flags, grace })
        });
        Self { ask, xfs: kind == "xfs", state }
    }

    /// Use and limits of one id.
    pub(super) fn of(&mut self, counter: Counter, id: u32) -> Result<Counted, Errno> {
        if self.state.is_some_and(|state| !state.has(counter, COUNTED)) {
            return Err(Errno::SRCH);
        }
        let call = if self.xfs { Call::XfsQuota } else { Call::Quota };
        match (self.ask)(call, counter, id) {
            Ok(bytes) => self.read(counter, &bytes).map(|(_, counted)| counted).ok_or(Errno::PROTO),
            // Nothing was ever counted for it, so nothing limits it either.
            Err(Errno::NOENT) => {
                let nothing = Amount { used: Some(0), ..Amount::default() };
                Ok(Counted { bytes: nothing, inodes: nothing, ..Counted::default() })
            }
            Err(why) => Err(why),
        }
    }

    /// Use and limits of every user that has any.
    pub(super) fn everybody(&mut self) -> Result<Vec<(u32, Counted)>, Errno> {
        let call = if self.xfs { Call::XfsNextQuota } else { Call::NextQuota };
        let (mut found, mut from) = (Vec::new(), 0);
        while found.len() < MOST_USERS {
            match (self.ask)(call, Counter::User, from) {
                Ok(bytes) => {
                    let (id, counted) = self.read(Counter::User, &bytes).ok_or(Errno::PROTO)?;
                    // A kernel that goes back would go round for ever.
                    if id < from {
                        break;
                    }
                    if counted.bytes.used != Some(0) || counted.bytes.limit().is_some() {
                        found.push((id, counted));
                    }
                    let Some(next) = id.checked_add(1) else { break };
                    from = next;
                }
                Err(Errno::NOENT) => break,
                Err(Errno::SRCH) if from > 0 => break,
                Err(why) => return Err(why),
            }
        }
        Ok(found)
    }

    /// The id and what was counted for it.
    fn read(&mut self, counter: Counter, bytes: &[u8]) -> Option<(u32, Counted)> {
        let (id, counted) = if self.xfs { xfs_record(bytes)? } else { record(bytes)? };
        let unenforced = self.state.is_some_and(|state| !state.has(counter, ENFORCED));
        let has_soft = counted.bytes.soft.is_some();
        let grace_seconds = match self.state.and_then(|state| state.grace) {
            _ if !has_soft => None,
            Some(grace) => Some(grace),
            None => (self.ask)(Call::Info, counter, 0).ok().and_then(|bytes| long(&bytes, 0)),
        };
        Some((id, Counted { unenforced, grace_seconds, ..counted }))
    }
}

/// What a flag of the state says: use is counted, limits are enforced.
const COUNTED: u16 = 0;
const ENFORCED: u16 = 1;

impl State {
    fn has(self, counter: Counter, what: u16) -> bool {
        let at = match counter {
            Counter::User => 0,
            Counter::Group => 2,
            Counter::Project => 4,
        };
        self.flags & (1 << (at + what)) != 0
    }
}

/// What a refusal means. `hinted` is whether the mount options name such quotas.
pub(super) fn refused(why: Errno, hinted: bool) -> Reading {
    match why {
        // The file system knows no quotas, or has them switched off.
        Errno::SRCH | Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL | Errno::NOTTY => Reading::NotEnabled,
        Errno::PERM | Errno::ACCESS if hinted => {
            Reading::NotReadable("they are enforced here, but may not be read from here".into())
        }
        Errno::PERM | Errno::ACCESS => {
            Reading::NotReadable("may not be read from here; the mount names no quotas".into())
        }
        Errno::NODEV => {
            Reading::NotReadable("this kernel asks a device for them, and it cannot be named from here".into())
        }
        why => Reading::NotReadable(format!("the kernel refuses to tell: {why}")),
    }
}

/// `struct if_dqblk`, and `struct if_nextdqblk`, which ends in the id. Limits count kibibytes.
fn record(bytes: &[u8]) -> Option<(u32, Counted)> {
    let limit = |at, unit| Some(long(bytes, at)?.saturating_mul(unit)).filter(|limit| *limit > 0);
    let (space, space_doubt) = used(long(bytes, 16)?, 1);
    let (files, files_doubt) = used(long(bytes, 40)?, 1);
    let ends = |at| long(bytes, at).and_then(|seconds| moment(seconds.try_into().ok()?));
    let counted = Counted {
        bytes: amount(space, limit(8, 1024), limit(0, 1024), ends(48)),
        inodes: amount(files, limit(32, 1), limit(24, 1), ends(56)),
        doubt: space_doubt.or(files_doubt),
        ..Counted::default()
    };
    Some((word(bytes, 68)?, counted))
}

/// `struct fs_disk_quota`, which counts in blocks of 512 bytes.
fn xfs_record(bytes: &[u8]) -> Option<(u32, Counted)> {
    /// Set where the moments have a byte more.
    const BIG_TIME: u16 = 1 << 15;
    let limit = |at, unit| Some(long(bytes, at)?.saturating_mul(unit)).filter(|limit| *limit > 0);
    let (space, space_doubt) = used(long(bytes, 40)?, 512);
    let (files, files_doubt) = used(long(bytes, 48)?, 1);
    let fields = u16::from_ne_bytes(bytes.get(2..4)?.try_into().ok()?);
    let ends = |at: usize, high: usize| {
        let low = word(bytes, at)?;
        let high = i64::from(i8::from_ne_bytes([*bytes.get(high)?]));
        moment(if fields & BIG_TIME == 0 {
            i64::from(low.cast_signed())
        } else {
            (high << 32) | i64::from(low)
        })
    };
    let counted = Counted {
        bytes: amount(space, limit(16, 512), limit(8, 512), ends(60, 69)),
        inodes: amount(files, limit(32, 1), limit(24, 1), ends(56, 68)),
        doubt: space_doubt.or(files_doubt),
        ..Counted::default()
    };
    Some((word(bytes, 4)?, counted))
}

/// A moment is only meant while the soft limit is exceeded; some file systems leave an old one behind.
fn amount(used: Option<u64>, soft: Option<u64>, hard: Option<u64>, ends: Option<Timestamp>) -> Amount {
    let exceeded = used.zip(soft).is_some_and(|(used, soft)| used > soft);
    Amount { used, soft, hard, grace_ends: ends.filter(|_| exceeded) }
}

/// What is used; a counter that went below zero tells nothing.
fn used(count: u64, unit: u64) -> (Option<u64>, Option<Doubt>) {
    if count.cast_signed() < 0 {
        (None, Some(Doubt::Negative))
    } else {
        (Some(count.saturating_mul(unit)), None)
    }
}

fn moment(seconds: i64) -> Option<Timestamp> {
    if seconds > 0 { Timestamp::from_second(seconds).ok() } else { None }
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
#[path = "count_tests.rs"]
mod tests;
