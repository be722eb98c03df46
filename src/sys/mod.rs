//! The one module where `unsafe` is allowed: system calls that no safe crate offers.
#![allow(unsafe_code, reason = "system calls without a safe wrapper; each is documented and tested")]

pub mod fanotify;
pub mod ioprio;
pub mod quota;
pub mod users;
