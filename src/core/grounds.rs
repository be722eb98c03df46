//! What the answers about one workspace stand on; the answers themselves are `classify`'s.

use std::sync::Arc;

use super::backup::Cover;
use super::classify::Classifier;
use super::facts::Facts;
use super::rules::Rules;
use super::timing::Timing;
use super::workspace::Detail;

/// All that the answers about one workspace stand on.
#[derive(Clone, Debug, PartialEq)]
pub struct Grounds {
    /// What the engine said about it.
    pub detail: Arc<Detail>,
    /// The platform's rules, made ready for it.
    pub rules: Arc<Rules>,
    /// What is known about conditions.
    pub facts: Facts,
    /// What its timers stand on.
    pub timing: Arc<Timing>,
    /// Which of its folders are backed up, and what that is good for.
    pub covers: Arc<[Cover]>,
}

impl Grounds {
    /// Classifies paths of the workspace.
    pub fn classifier(&self) -> Classifier<'_> {
        let Self { detail, rules, facts, covers, .. } = self;
        Classifier { detail, rules, facts: *facts, covers }
    }
}
