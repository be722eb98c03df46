//! What can be selected on the page Lifecycle.

use super::Model;
use crate::core::lifecycle::Lifecycle;

/// Something on the page that can be selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifecycleItem {
    /// A thing the workspace is made of, by its place.
    Object(usize),
    /// A timer, by its place.
    Timer(usize),
    /// A step of a recovery: which situation, which step.
    Step(usize, usize),
    /// The end of the page, so that all of it can be reached.
    End,
}

/// Everything that can be selected, in the order of the page.
pub fn lifecycle_items(report: &Lifecycle) -> Vec<LifecycleItem> {
    let objects = (0..report.objects.len()).map(LifecycleItem::Object);
    let timers = report.timers.iter().enumerate().filter(|(_, timer)| timer.state != "not_subject");
    let timers = timers.map(|(index, _)| LifecycleItem::Timer(index));
    let steps = report.situations.iter().enumerate().flat_map(|(index, situation)| {
        (0..situation.steps.len()).map(move |step| LifecycleItem::Step(index, step))
    });
    let steps: Vec<LifecycleItem> = steps.collect();
    // What follows the last timer is facts, which nothing else could bring into sight.
    let end = steps.is_empty().then_some(LifecycleItem::End);
    objects.chain(timers).chain(steps).chain(end).collect()
}

impl Model {
    /// What is selected on the page.
    pub fn lifecycle_item(&self) -> Option<LifecycleItem> {
        let at = self.detail_list.selected_item()?;
        lifecycle_items(self.lifecycle.as_ref()?).get(at).copied()
    }

    /// The command of the selected step, else the first one of the page.
    pub fn recovery_command(&self) -> Option<&str> {
        let report = self.lifecycle.as_ref()?;
        let own = match self.lifecycle_item() {
            Some(LifecycleItem::Step(index, step)) => {
                report.situations.get(index).and_then(|situation| situation.steps.get(step)?.command.as_deref())
            }
            _ => None,
        };
        let mut steps = report.situations.iter().flat_map(|situation| &situation.steps);
        own.or_else(|| steps.find_map(|step| step.command.as_deref()))
    }
}
