//! A process that goes on when its terminal and its connection are gone.

use rustix::process::{Resource, getrlimit, setrlimit, setsid};

/// Leaves the terminal and the session that it was started from, and opens as many files as it may.
pub fn detach() {
    // One that leads a session of its own already stays as it is.
    let _ = setsid();
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}
