//! Being told to stop, for verbs that have something to finish first.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::core::error::{Error, Kind, Result};

/// Ctrl-C, a request to end, and a line that is gone.
pub(super) struct Interrupt([Signal; 3]);

impl Interrupt {
    pub(super) fn listen() -> Result<Self> {
        let listen = |kind| {
            signal(kind).map_err(|why| Error::new(Kind::Failed, format!("could not listen for signals: {why}")))
        };
        Ok(Self([
            listen(SignalKind::interrupt())?,
            listen(SignalKind::terminate())?,
            listen(SignalKind::hangup())?,
        ]))
    }

    /// Waits for the first of them.
    pub(super) async fn came(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
