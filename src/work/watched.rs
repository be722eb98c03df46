//! Long work on a thread that may wait: watched while it goes on, told to stop, and waited for.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::core::error::{Error, Kind, Result};
use crate::port::archive::Meter;

/// How often progress is told.
const EVERY: Duration = Duration::from_millis(100);

/// Works, and tells how far it is. Where somebody asks to stop, the work is told and waited for: it
/// cleans up behind itself.
pub(super) async fn watched<T: Send + 'static>(
    meter: &Arc<Meter>,
    work: impl FnOnce(&Meter) -> Result<T> + Send + 'static,
    stop: impl Future<Output = ()>,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<T> {
    let mut stop = std::pin::pin!(stop);
    let theirs = Arc::clone(meter);
    let mut work = tokio::task::spawn_blocking(move || work(&theirs));
    let mut stopping = false;
    loop {
        tokio::select! {
            done = &mut work => return done.map_err(|error| Error::new(Kind::Failed, error.to_string()))?,
            () = &mut stop, if !stopping => {
                stopping = true;
                meter.stop();
            }
            () = tokio::time::sleep(EVERY) => {
                let (files, bytes) = meter.so_far();
                tell(files, bytes);
            }
        }
    }
}
