//! A workspace's mounts with what they hold, each measured within its own budget.

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};

use crate::core::mount::{Measure, Mount};
use crate::core::workspace::{Detail, WsKey};
use crate::port::Engine;

/// How long one mount may take; a slow share must not hold up the others.
const BUDGET: Duration = Duration::from_secs(2);

/// What an engine may overrun the budget by before it is given up.
const GRACE: Duration = Duration::from_millis(500);

/// How many mounts are measured at a time.
const AT_A_TIME: usize = 4;

/// The mounts that are shown: all, or only those that hold people's data.
pub fn shown(detail: &Detail, all: bool) -> impl Iterator<Item = &Mount> {
    detail.mounts.iter().filter(move |mount| all || mount.holds_files())
}

/// Measures the shown mounts, in their order.
pub async fn measure<'d>(
    engine: &dyn Engine,
    key: &WsKey,
    detail: &'d Detail,
    all: bool,
) -> Vec<(&'d Mount, Measure)> {
    stream::iter(shown(detail, all))
        .map(|mount| async move {
            let answer = tokio::time::timeout(BUDGET + GRACE, engine.measure(key, mount, BUDGET)).await;
            (mount, answer.unwrap_or_else(|_| Measure::Failed("no answer in time".into())))
        })
        .buffered(AT_A_TIME)
        .collect()
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::workspace::RunState;
    use crate::work::fake;

    #[test]
    fn what_holds_no_data_is_shown_only_on_request() {
        let detail = fake::detail(RunState::Running);
        let targets =
            |all| -> Vec<_> { shown(&detail, all).map(|mount| mount.target.display().to_string()).collect() };
        assert_eq!(targets(false), ["/", "/workspace", "/anon", "/dev/shm"]);
        assert_eq!(targets(true), ["/", "/workspace", "/anon", "/dev/shm", "/proc", "/etc/hosts"]);
    }

    #[test]
    fn a_mount_that_never_answers_holds_up_nothing() {
        let engine = fake::Fake { hang_on: Some("/workspace".into()), ..fake::Fake::default() };
        let detail = fake::detail(RunState::Running);
        let key = fake::workspace("p").key;
        let measured = fake::block_on(measure(&engine, &key, &detail, false));
        let by = |target: &str| {
            measured.iter().find(|(mount, _)| mount.target.as_os_str() == target).map(|(_, m)| m.clone())
        };
        assert_eq!(by("/"), Some(Measure::Bytes(4096)));
        assert_eq!(by("/workspace"), Some(Measure::Failed("no answer in time".into())));
    }
}
