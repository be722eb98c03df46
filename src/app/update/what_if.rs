//! `w`: the seven events, and the worst that each does to the selection.

use super::State;
use crate::core::event::Event;
use crate::model::{Overlay, Row, Tab, cells};
use crate::text;

impl State {
    /// Opens the list of events on what is marked, else on the selection.
    pub(super) fn what_if(&mut self) {
        let cursor = self.model.event.index();
        if self.model.tab == Tab::Disk {
            let (subject, worst) = self.what_if_on_disk().unwrap_or_else(|| {
                ("nothing is selected".into(), Event::ALL.map(|event| (event, None)).into())
            });
            self.model.overlay = Some(Overlay::WhatIf { subject, worst, cursor });
            return;
        }
        let model = &self.model;
        let marked: Vec<&Row> = model.rows.iter().filter(|row| row.marked).collect();
        let attended = self.attended();
        let rows: Vec<&Row> =
            if marked.is_empty() { attended.iter().filter_map(|key| model.row(key)).collect() } else { marked };
        let subject = match rows.as_slice() {
            [] => "nothing is selected".to_string(),
            [one] => text::printable(&one.workspace.name).into_owned(),
            several => format!("{} marked workspaces", several.len()),
        };
        let worst = Event::ALL
            .into_iter()
            .map(|event| {
                let verdicts = rows.iter().filter_map(|row| cells::worst(row, event));
                (event, verdicts.reduce(crate::core::fate::Verdict::worse))
            })
            .collect();
        self.model.overlay = Some(Overlay::WhatIf { subject, worst, cursor });
    }

    /// Takes the event under the cursor; it stands in the header until Esc.
    pub(super) fn choose_event(&mut self) {
        if let Some(Overlay::WhatIf { cursor, .. }) = self.model.overlay
            && let Some(event) = Event::ALL.get(cursor)
        {
            self.model.event = *event;
            self.event_picked = true;
            self.close_overlay();
            self.show_lists();
        }
    }
}
