//! The guided tour of the demo: which lessons there are, and which are behind the person.
//!
//! A lesson is over when the person did what it speaks of, in whatever order.

/// What the tour shows, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lesson {
    /// Look at the list and move in it.
    List,
    /// Open a workspace.
    Open,
    /// Choose an event.
    Event,
    /// See the files that would be lost.
    Files,
    /// See why a file is lost.
    Why,
    /// Read the rule.
    Rule,
}

impl Lesson {
    /// All lessons in order.
    pub const ALL: [Self; 6] = [Self::List, Self::Open, Self::Event, Self::Files, Self::Why, Self::Rule];
}

/// How far the tour is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tour {
    learnt: Vec<Lesson>,
}

impl Tour {
    /// A lesson is over.
    pub fn learn(&mut self, lesson: Lesson) {
        if !self.learnt.contains(&lesson) {
            self.learnt.push(lesson);
        }
    }

    /// The lesson that is shown; `None` when all are over.
    pub fn lesson(&self) -> Option<Lesson> {
        Lesson::ALL.into_iter().find(|lesson| !self.learnt.contains(lesson))
    }
}
