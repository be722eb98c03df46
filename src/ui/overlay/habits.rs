//! Good habits: six to do, five to avoid, and how the workspace stands to each.
//!
//! ```text
//! ┌ Habits: my-project ──────────────────────────────────────────┐
//! │ Do                                                            │
//! │ › yes        Save everything to /workspace                    │
//! │   no         Use Git for code (push regularly)                │
//! │   not known  Organise projects (data/, src/, models/, etc.)   │
//! └ j k move, y copies the command, Esc closes ──────────────────┘
//! ```

use ratatui::text::Span;

use super::{Sheet, empty};
use crate::core::habits::{Habit, HabitKind, Tick};
use crate::model::HabitsView;
use crate::text;
use crate::ui::theme::Theme;
use crate::ui::widget::wrap;
use crate::ui::words;

/// `not known` and a gap.
const TICK: usize = 11;
/// With fewer rows than this the list gives way to what is said of one habit.
const LOW: usize = 16;

/// The sheet for a screen with room for this many columns and rows of text: what is said of the habit
/// under the cursor stays in sight below the list.
pub(super) fn sheet(view: &HabitsView, theme: &Theme, columns: u16, rows: u16) -> Sheet {
    let room = usize::from(columns);
    let title = text::cut_middle(
        &format!("Habits: {}", words::name(theme, &view.name)),
        room.saturating_sub(4),
        theme.ellipsis(),
    )
    .into_owned();
    let Some(habits) = &view.habits else {
        let lines =
            vec![vec![Span::styled("Looking at its folder, its repository and its files ...", theme.caution)]];
        return Sheet { title, keys: "Esc closes".into(), lines, scroll: 0, cursor: None, columns };
    };
    let mut list: Vec<Vec<Span<'static>>> = Vec::new();
    let mut cursor_row = 0;
    for (kind, head) in [(HabitKind::Do, "Do"), (HabitKind::Avoid, "Avoid")] {
        list.push(vec![Span::styled(head, theme.faint)]);
        for (at, habit) in habits.iter().enumerate().filter(|(_, habit)| habit.kind == kind) {
            let here = at == view.cursor;
            if here {
                cursor_row = list.len();
            }
            list.push(row(habit, here, theme));
        }
    }
    let mut said = vec![empty()];
    if let Some(habit) = habits.get(view.cursor) {
        said.extend(details(habit, theme, room));
    }
    // Where not all fits, the list is scrolled to the cursor, and what is said of it has the room.
    let rows = usize::from(rows);
    let least = if rows < LOW { 1 } else { 5 };
    let left = rows.saturating_sub(said.len()).max(least);
    let above = if rows < LOW { 0 } else { 2 };
    let first = (cursor_row + 1 + above).saturating_sub(left).min(list.len().saturating_sub(left));
    let most = rows.saturating_sub(left.min(list.len()));
    if said.len() > most && most > 0 {
        said.truncate(most - 1);
        said.push(vec![Span::styled(theme.ellipsis(), theme.caution)]);
    }
    let lines = list.into_iter().skip(first).take(left).chain(said).collect();
    let keys = if room < 46 {
        "j k, y copies, Esc"
    } else {
        "j k move, y copies the command, r looks again, Esc closes"
    };
    Sheet { title, keys: keys.into(), lines, scroll: 0, cursor: None, columns }
}

fn row(habit: &Habit, here: bool, theme: &Theme) -> Vec<Span<'static>> {
    let style = match habit.tick {
        Tick::Yes => theme.text,
        Tick::No => theme.danger,
        Tick::NotKnown => theme.caution,
    };
    let pointer = if here { theme.pointer() } else { " " };
    let title = if here { theme.strong } else { theme.text };
    vec![
        Span::styled(format!("{pointer} "), theme.strong),
        Span::styled(text::pad(habit.tick.words(), TICK), style),
        Span::styled(words::name(theme, &habit.title), title),
    ]
}

/// What the tick rests on, what to do, and the command for it.
fn details(habit: &Habit, theme: &Theme, room: usize) -> Vec<Vec<Span<'static>>> {
    let mut lines = Vec::new();
    let mut say = |text: &str, style| {
        let parts = wrap(&words::name(theme, text), room);
        lines.extend(parts.into_iter().map(|part| vec![Span::styled(part, style)]));
    };
    // Beside its tick a long title is cut.
    if text::width(&habit.title) + TICK + 2 > room {
        say(&habit.title, theme.strong);
    }
    say(&format!("Seen: {}.", habit.evidence), theme.text);
    if habit.tick != Tick::Yes {
        say(&format!("To do: {}.", habit.how), theme.text);
        if let Some(command) = &habit.command {
            say(command, theme.strong);
        }
    }
    lines
}
