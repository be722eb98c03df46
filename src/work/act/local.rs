//! Acts on files of this machine: no engine is asked. They begin whole and end whole, or leave nothing,
//! so that there is nothing to finish after one that was cut off.

use std::future::Future;
use std::path::Path;

use super::new_id;
use super::run::{Consent, agreed};
use crate::core::error::{Error, Kind, Result};
use crate::core::plan::{Loss, Plan, Step, Verb};
use crate::core::report::Change;
use crate::core::workspace::WsKey;
use crate::port::{Clock, Host};
use crate::store::Store;
use crate::text::printable_path;

/// The endpoint whose files they are.
const MACHINE: &str = "machine";

/// Where acts are written down, by whom and when.
#[derive(Clone, Copy)]
pub struct Books<'b> {
    /// What outlast remembers.
    pub store: &'b Store,
    /// This machine.
    pub host: &'b Host,
    /// The time.
    pub clock: &'b dyn Clock,
}

/// A plan of one step on a file or folder of this machine.
pub fn one_step(verb: Verb, subject: &Path, call: String, undo: Option<String>, clock: &dyn Clock) -> Plan {
    let now = clock.now();
    let name = printable_path(subject).into_owned();
    let step = Step {
        verb,
        subject: WsKey { endpoint: MACHINE.into(), id: name.clone() },
        name,
        call,
        bytes: None,
        loses: Vec::<Loss>::new(),
        reversible_by: undo,
        files: None,
        job: None,
        deed: None,
    };
    Plan {
        id: new_id(now),
        endpoint: MACHINE.into(),
        made_at: now,
        preconditions: Vec::new(),
        steps: vec![step],
        notes: Vec::new(),
        asks_for: None,
        facts: Vec::new(),
    }
}

/// Runs an act once a person agreed to its plan, and logs how it ended.
pub async fn local<T>(
    books: Books<'_>,
    plan: &Plan,
    consent: Consent,
    act: impl Future<Output = Result<T>>,
) -> Result<T> {
    agreed(plan, consent)?;
    let outcome = act.await;
    let result = match &outcome {
        Ok(_) => "done".to_owned(),
        Err(error) => format!("failed: {}", error.message),
    };
    for step in &plan.steps {
        let change = Change {
            at: books.clock.now(),
            user: books.host.user.clone().unwrap_or_else(|| books.host.uid.to_string()),
            endpoint: plan.endpoint.clone(),
            verb: step.verb,
            subject: step.subject.clone(),
            container: step.name.clone(),
            before: "-".into(),
            after: "-".into(),
            plan: plan.id.clone(),
            result: result.clone(),
            command: step.call.clone(),
            recreate: step.reversible_by.clone().filter(|_| outcome.is_ok()),
        };
        let logged = books.store.audit().append(&change);
        if outcome.is_ok() {
            logged.map_err(|error| {
                let message = format!("it is done, but that is not written down: {}", error.message);
                Error { message, kind: Kind::Incomplete, ..error }
            })?;
        }
    }
    outcome
}
