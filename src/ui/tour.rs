//! The guided tour of the demo: a strip above the keys, which never covers what it speaks of.
//!
//! ```text
//!  Tour 2/6: Enter opens the workspace: where its folders really live, and what
//!  becomes of each.                                            Esc ends the tour
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::theme::Theme;
use super::widget::{put, put_right, wrap};
use crate::model::{HelpPage, Lesson, Model, Overlay, Tour};

/// Rows that the strip takes at least, so that the view stands still from step to step.
const LEAST_ROWS: usize = 2;
/// Rows that the strip takes at most.
const MOST_ROWS: usize = 3;
/// A screen lower than this has no room for it.
const LOWEST: u16 = 10;

/// Rows of the strip; none where there is no tour, or no room.
pub(super) fn rows(model: &Model, screen: Rect) -> u16 {
    match &model.tour {
        Some(tour) if screen.height >= LOWEST => {
            let lines = wrap(&says(model, tour), usize::from(screen.width.saturating_sub(2)));
            u16::try_from(lines.len().clamp(LEAST_ROWS, MOST_ROWS)).unwrap_or(1)
        }
        _ => 0,
    }
}

pub(super) fn draw(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let Some(tour) = &model.tour else { return };
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let mut used = 0;
    for (line, row) in wrap(&says(model, tour), usize::from(inside.width)).into_iter().zip(0..area.height) {
        used = put(buffer, theme, inside, row, &[Span::styled(line, theme.strong)]);
    }
    if !model.has_a_way_back() && model.overlay.is_none() {
        let ends = [Span::styled("Esc ends the tour", theme.faint)];
        put_right(buffer, theme, inside, area.height.saturating_sub(1), used.saturating_add(2), &ends);
    }
}

/// What to do next, with where the person is.
fn says(model: &Model, tour: &Tour) -> String {
    let Some(lesson) = tour.lesson() else {
        return "Tour: that was all. Nothing here is real, so try anything; S stops a workspace, q leaves."
            .into();
    };
    let number = Lesson::ALL.iter().position(|other| *other == lesson).unwrap_or(0) + 1;
    format!("Tour {number}/{}: {}", Lesson::ALL.len(), next(lesson, model))
}

fn next(lesson: Lesson, model: &Model) -> String {
    match (lesson, &model.overlay) {
        (Lesson::Event, Some(Overlay::WhatIf { .. })) => {
            "j and k choose what happens, Enter takes it. Every view then answers for it.".into()
        }
        (Lesson::Rule, Some(Overlay::Help(view))) if view.page == HelpPage::Keys => {
            "these are the keys. Tab goes on: what lasts, words, examples, who helps.".into()
        }
        (_, Some(_)) => "Esc closes what lies on top.".into(),
        (Lesson::List, None) => {
            "each line is a workspace; AT RISK says what it would lose. j and k move.".into()
        }
        (Lesson::Open, None) => {
            "Enter opens the workspace: where its folders really live, and what becomes of each.".into()
        }
        (Lesson::Event, None) => "w asks what if: choose what happens, such as a reboot.".into(),
        (Lesson::Files, None) => "2 lists the files that would be lost, the most valuable first.".into(),
        (Lesson::Why, None) if model.files.is_empty() => {
            format!("no file is lost {}. w chooses another event, such as retire.", model.event.if_words())
        }
        (Lesson::Why, None) => "Enter on a file says why it is lost, and the one command that saves it.".into(),
        (Lesson::Rule, None) => "? opens help. Its second page is the rule to remember.".into(),
    }
}
