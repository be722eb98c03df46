//! Files by name, as they are found: what becomes of each, and where it is.
//!
//! ```text
//! ┌ Files named model ────────────────────────────────────────────────────┐
//! │ 2 files, looking ...                                                  │
//! │                                                                       │
//! │ › lost  2.1G  4m  my-project:/tmp/model.pt                            │
//! │   kept   12M  3d  /home/alice/workspace/p/model.pt                    │
//! │                                                                       │
//! │ not read: playground: timed out: no answer in 12 s                    │
//! └ Enter explains, y copies its command, f finds another, Esc closes ────┘
//! ```

use ratatui::text::Span;

use super::{Sheet, empty};
use crate::model::{FindView, Model};
use crate::text;
use crate::ui::theme::Theme;
use crate::ui::widget::{spans, widest, wrap};
use crate::ui::words;

/// Narrower lists leave size and age out.
const ROOMY: usize = 60;
/// Places that were not read, as far as they are named.
const NAMED: usize = 3;

pub(super) fn sheet(view: &FindView, model: &Model, theme: &Theme, columns: u16) -> Sheet {
    let room = usize::from(columns);
    let mut lines = vec![vec![Span::styled(summary(view), theme.text)], empty()];
    let head = lines.len();
    let fates = widest(view.rows.iter().map(|row| words::fate(row.verdict, theme).content)) + 2;
    for (place, row) in view.rows.iter().enumerate() {
        let here = place == view.cursor;
        let pointer = if here { theme.pointer() } else { " " };
        let fate = words::fate(row.verdict, theme);
        let mut line = spans([(format!("{pointer} "), theme.strong)]);
        line.push(Span::styled(text::pad(&fate.content, fates), fate.style));
        let mut left = room.saturating_sub(2 + fates);
        if room >= ROOMY {
            let bytes = row.bytes.map_or_else(|| "?".into(), text::size);
            let changed = row.modified.map_or_else(|| "?".into(), |at| text::age(at, model.now));
            let facts = format!("{bytes:>6}  {changed:>4}  ");
            left = left.saturating_sub(text::width(&facts));
            line.push(Span::styled(facts, theme.faint));
        }
        // The beginning says where, the end says what.
        let shown = words::name(theme, &row.place);
        let shown = text::cut_middle(&shown, left, theme.ellipsis()).into_owned();
        let style = match (here, row.hidden) {
            (true, _) => theme.strong,
            (false, true) => theme.faint,
            (false, false) => theme.text,
        };
        line.push(Span::styled(shown, style));
        lines.push(line);
    }
    lines.extend(missing(view, theme, room));
    let cursor = (!view.rows.is_empty()).then_some(view.cursor + head);
    let title = format!("Files named {}", words::name(theme, &view.part));
    let title = text::cut(&title, room.saturating_sub(4), theme.ellipsis()).into_owned();
    let keys = match (view.rows.is_empty(), room >= ROOMY) {
        (true, _) => "f finds another, Esc closes",
        (false, true) => "Enter explains, y copies its command, f finds another, Esc closes",
        (false, false) => "Enter explains, Esc closes",
    };
    Sheet { title, keys: keys.into(), lines, scroll: 0, cursor, columns }
}

fn summary(view: &FindView) -> String {
    let count = view.rows.len() as u64 + view.more;
    match (count, view.looking) {
        (0, true) => "Looking ...".into(),
        (0, false) if view.missing.is_empty() => "No file of that name was found.".into(),
        (0, false) => "No file of that name was found in what could be read.".into(),
        (count, true) => format!("{}, looking ...", words::files(count)),
        (count, false) => words::files(count),
    }
}

/// What was not read, and what is not listed.
fn missing(view: &FindView, theme: &Theme, room: usize) -> Vec<Vec<Span<'static>>> {
    let mut says: Vec<String> = view.missing.iter().take(NAMED).map(|why| format!("not read: {why}")).collect();
    let rest = view.missing.len().saturating_sub(NAMED);
    if rest > 0 {
        says.push(format!("and {rest} more places not read to the end"));
    }
    if view.more > 0 {
        says.push(format!("{} more are not listed: outlast find lists all", view.more));
    }
    let lines: Vec<_> = says
        .iter()
        .flat_map(|line| wrap(&words::name(theme, line), room))
        .map(|line| vec![Span::styled(line, theme.caution)])
        .collect();
    if lines.is_empty() { lines } else { std::iter::once(empty()).chain(lines).collect() }
}
