//! Calls that may block for ever, such as a stat on a dead network file system, with an end.

use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::core::error::{Error, Kind, Result};

/// How long a question that should be answered at once may take.
pub(in crate::engine) const AT_ONCE: Duration = Duration::from_secs(2);

/// Does blocking work elsewhere and waits for it no longer than the limit.
///
/// The work has a thread of its own rather than one of the runtime's pool: the pool is
/// waited for at the end of the program, and a thread stuck in the kernel never ends.
pub(in crate::engine) async fn within<T: Send + 'static>(
    limit: Duration,
    what: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let (sender, receiver) = oneshot::channel();
    let spawned = thread::Builder::new().name("ask".into()).spawn(move || {
        // Nobody waits any more after the deadline.
        let _ = sender.send(work());
    });
    if let Err(error) = spawned {
        return Err(Error::new(Kind::Failed, format!("{what}: no thread to ask with ({error})")));
    }
    match timeout(limit, receiver).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err(Error::new(Kind::Failed, format!("{what}: the question was lost"))),
        Err(_) => Err(Error::new(Kind::TimedOut, format!("{what}: no answer in {} s", limit.as_secs()))
            .hint("a network file system may be out of reach: `findmnt` lists them")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_never_ends_is_left_behind() {
        let stuck = within(Duration::from_millis(20), "/mnt", || thread::sleep(Duration::from_mins(10))).await;
        assert_eq!(stuck.map_err(|error| error.kind), Err(Kind::TimedOut));
        assert_eq!(within(AT_ONCE, "/", || 7).await, Ok(7));
    }
}
