//! Being told to stop, for verbs that have something to finish first.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::core::error::{Error, Kind, Result};

/// Signals that ask to stop.
pub(super) struct Interrupt(Vec<Signal>);

impl Interrupt {
    /// Ctrl-C, a request to end, and a line that is gone.
    pub(super) fn listen() -> Result<Self> {
        Self::of(&[SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()])
    }

    /// Ctrl-C and a request to end. A line that is gone ends this program, and not what it watches.
    pub(super) fn of_one_who_watches() -> Result<Self> {
        Self::of(&[SignalKind::interrupt(), SignalKind::terminate()])
    }

    fn of(kinds: &[SignalKind]) -> Result<Self> {
        let listen = |kind: &SignalKind| {
            signal(*kind)
                .map_err(|why| Error::new(Kind::Failed, format!("could not listen for signals: {why}")))
        };
        kinds.iter().map(listen).collect::<Result<_>>().map(Self)
    }

    /// Waits for the first of them.
    pub(super) async fn came(&mut self) {
        let all = self.0.iter_mut().map(|signal| Box::pin(signal.recv()));
        futures_util::future::select_all(all).await;
    }
}
