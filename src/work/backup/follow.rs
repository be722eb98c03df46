//! Begins a job in a process of its own and watches its folder. The job goes on whether or not
//! somebody watches.

use std::future::Future;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::core::backup::{Job, Outcome};
use crate::core::error::{Error, Kind, Result};
use crate::store::{JobState, JobView, Jobs};

/// The verb by which this program works on a job.
const VERB: &str = "__job";
/// How often a job is looked at.
const EVERY: Duration = Duration::from_millis(100);
/// How long somebody who called a job off waits for its end.
const ENDS_WITHIN: Duration = Duration::from_millis(900);

/// Begins a job: it is written down, and a process of its own works on it from now on.
pub fn start(jobs: &Jobs, job: &Job, program: &Path) -> Result<()> {
    let folder = jobs.create(job)?;
    let output = Jobs::output(&folder)?;
    let cannot = |why: std::io::Error| Error::new(Kind::Failed, format!("the job could not be started: {why}"));
    let mut child = Command::new(program)
        .arg(VERB)
        .arg(&folder)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(output.try_clone().map_err(cannot)?)
        .stderr(output)
        .spawn()
        .map_err(cannot)?;
    // An address may hold a password, and one may have been typed: they are handed over, never written down.
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(job.repository.secrets().as_bytes()).map_err(cannot)?;
    }
    // So that no dead process stays behind in a dashboard that runs for weeks.
    std::thread::spawn(move || child.wait());
    Ok(())
}

/// Watches a job until it is over. `stop` calls it off where it is ready first.
pub async fn follow(
    jobs: &Jobs,
    id: &str,
    stop: impl Future<Output = ()>,
    tell: &mut (dyn FnMut(&JobView) + Send),
) -> Result<Outcome> {
    let mut stop = std::pin::pin!(stop);
    let mut called_off: Option<tokio::time::Instant> = None;
    loop {
        let view = jobs.view(id).ok_or_else(|| Error::new(Kind::NotFound, format!("the job {id} is gone")))?;
        match view.state {
            JobState::Over(outcome) => return Ok(*outcome),
            JobState::CutOff => {
                return Err(Error::new(Kind::Failed, "its process ended without a word, so it is not done")
                    .hint("what it printed is in the file `output` of its folder below the state directory")
                    .hint("run it again"));
            }
            JobState::Waiting | JobState::Running => tell(&view),
        }
        match called_off {
            Some(at) if at.elapsed() >= ENDS_WITHIN => {
                return Err(Error::new(Kind::Cancelled, "called off; what was begun is being taken back"));
            }
            Some(_) => tokio::time::sleep(EVERY).await,
            None => tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = &mut stop => {
                    jobs.cancel(id)?;
                    called_off = Some(tokio::time::Instant::now());
                }
            },
        }
    }
}
