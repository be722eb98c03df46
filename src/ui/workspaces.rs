//! The list of workspaces.
//!
//! ```text
//!   NAME         STATE          AT RISK           IF RETIRED       BACKUP
//! › my-project   running 3h     2 files   2.1G    loses 2 files        3d
//!   thesis       exited 12m!    1 file     12M    loses 1 file         1h
//!   playground   running 2d     none              kept              never
//! ```
//!
//! IF RETIRED is left out beside the detail, which says it; up to 40 columns
//! only NAME and AT RISK are left. Where the workspace's own folder is not mounted IF RETIRED
//! says so in words; without that column the name has a `!`, and the detail has the words.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::theme::Theme;
use super::widget::{Column, Table, TableRow, put, widest};
use super::words::{self, Risky};
use super::{empty, header, layout};
use crate::core::timer::Urgency;
use crate::model::disk::Size;
use crate::model::{Group, Model, Row, Sort, cells};
use crate::text;

pub(super) fn draw(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    if model.workspaces.shown.is_empty() {
        return empty::workspaces(model, theme, area, buffer);
    }
    let area = Rect { width: area.width.saturating_sub(1), ..area };
    let list = &model.workspaces;
    let rows = layout::list_rows(area);
    let visible: Vec<Seen<'_>> = (list.offset..list.shown.len())
        .take(rows)
        .filter_map(|place| {
            let row = model.rows.get(*list.shown.get(place)?)?;
            let at_risk = cells::at_risk(row, model.event);
            Some(Seen { row, selected: place == list.selected, risk: words::risky(&at_risk, theme) })
        })
        .collect();
    let sizes = Alignment::of(&visible);
    let table = Table::fit(columns(model, theme, area, &visible, &sizes), area.width);
    let head = layout::head_rows(area);
    if head > 0 {
        table.heads(buffer, theme, area, 0);
    }
    for (seen, line) in visible.iter().zip(head..) {
        let cells = cells_of(model, theme, seen.row, sizes.cell(&seen.risk), area);
        let row = TableRow { cells, selected: seen.selected, marked: seen.row.marked };
        table.row(buffer, theme, area, line, &row);
    }
    // Where the header has no room for it.
    let left = area.height.saturating_sub(head + u16::try_from(visible.len()).unwrap_or(u16::MAX));
    if let Some(others) = header::of_others(model).filter(|_| model.size.0 < 60 && left > 0) {
        let line = area.height - 1;
        put(buffer, theme, area, line, &[Span::styled(format!("  {others}"), theme.faint)]);
    }
}

/// A row that is in sight. What is at risk is worked out for these only: it is what costs most here.
struct Seen<'m> {
    row: &'m Row,
    selected: bool,
    risk: Risky,
}

/// Names of one prefix are told apart in so many columns; the owner gives way to them.
const LEAST_NAME: usize = 18;
/// The same beside the detail, whose room is needed too.
const LEAST_NAME_BESIDE: usize = 15;

/// What a state needs before it rather is not there.
const LEAST_STATE: usize = 22;

/// Whether there is room for few words only.
const fn brief(area: Rect) -> bool {
    area.width < 90
}

/// Widths over all rows where that is cheap, so that scrolling moves few columns.
fn columns(model: &Model, theme: &Theme, area: Rect, visible: &[Seen<'_>], sizes: &Alignment) -> Vec<Column> {
    let shown = || model.rows.iter();
    let flagged = !says_outcome(model, area.width);
    let name = widest(shown().map(|row| name(theme, row, flagged).content));
    let state = widest(shown().map(|row| state(model, theme, row, area).content));
    let short = short(model, area);
    let outcome = widest(visible.iter().map(|seen| outcome(model, theme, seen.row, short).content)).max(13);
    let owner = widest(shown().map(|row| owner(theme, row)));
    let image = widest(shown().map(|row| image(theme, row)));
    let narrow = area.width <= 40;
    let beside = model.side_by_side();
    let sorted = |column: Column, sort| if model.sort == sort { column.marked(theme.sorted()) } else { column };
    // What ends first stands in the same column.
    let ending = |column: Column| sorted(column, Sort::Ending);
    let unless = |out: bool, column: Column| if out { column.absent() } else { column };
    let owners = Group::of(&model.rows) == Group::Several;
    let sizes_of = |row: &Row| model.disk.size_of(row);
    let measured = shown().any(|row| sizes_of(row) != Size::Nothing);
    let disk = widest(visible.iter().map(|seen| words::disk(sizes_of(seen.row), theme).content));
    vec![
        // The ends of names tell neighbours apart.
        sorted(
            Column::new("NAME", name.clamp(4, 40))
                .least(if beside { LEAST_NAME_BESIDE } else { LEAST_NAME })
                .middle()
                .firm(),
            Sort::Name,
        ),
        unless(
            narrow,
            ending(sorted(
                Column::new("STATE", state)
                    .least(if brief(area) { state.min(LEAST_STATE) } else { state })
                    .drop(1),
                Sort::State,
            )),
        ),
        sorted(Column::new("AT RISK", sizes.width().max(15)), Sort::AtRisk),
        unless(
            narrow || beside,
            Column::new(model.event.if_words().to_uppercase(), outcome).least(outcome.min(15)).drop(2),
        ),
        unless(narrow, Column::new("BACKUP", 6).right().drop(3)),
        unless(
            narrow || !measured,
            sorted(
                Column::new("DISK", disk.max(5)).right().drop(if model.sort == Sort::Disk { 1 } else { 5 }),
                Sort::Disk,
            ),
        ),
        unless(narrow || !measured, Column::new("READ", 4).right().drop(7)),
        // What it is sorted by stays in sight.
        unless(
            narrow || !owners,
            sorted(
                Column::new("OWNER", owner.min(16)).least(7).drop(if model.sort == Sort::Owner {
                    1
                } else {
                    4
                }),
                Sort::Owner,
            ),
        ),
        unless(narrow, Column::new("IMAGE", image.min(40)).least(14).middle().drop(6)),
        unless(narrow, sorted(Column::new("AGE", 4).right().drop(5), Sort::Age)),
    ]
}

fn cells_of(model: &Model, theme: &Theme, row: &Row, risk: Span<'static>, area: Rect) -> Vec<Span<'static>> {
    vec![
        name(theme, row, !says_outcome(model, area.width)),
        state(model, theme, row, area),
        risk,
        outcome(model, theme, row, short(model, area)),
        words::last_backup(row, model, theme),
        words::disk(model.disk.size_of(row), theme),
        Span::styled(read(model, row), theme.faint),
        Span::styled(owner(theme, row), theme.text),
        Span::styled(image(theme, row), theme.faint),
        Span::styled(words::age(row.workspace.created, model.now), theme.faint),
    ]
}

/// What it is doing, and what its platform does next where that is near: `exited 20m, removed in 10m`.
///
/// Where there is little room, and beside the detail: `exited, 10m left`.
fn state(model: &Model, theme: &Theme, row: &Row, area: Rect) -> Span<'static> {
    let pressing = row.pressing().and_then(|timer| Some((timer.beside(brief(area))?, timer.urgency)));
    let state = match &pressing {
        Some(_) if brief(area) => words::state_alone(row),
        _ => words::state(row, model.now, brief(area)),
    };
    match pressing {
        Some((next, Urgency::Critical)) => Span::styled(format!("{state}, {next}"), theme.danger),
        Some((next, _)) => Span::styled(format!("{state}, {next}"), theme.caution),
        None => Span::styled(state, words::state_style(row, theme)),
    }
}

/// Whether there is a column that says what becomes of a workspace, and what is wrong with it.
fn says_outcome(model: &Model, width: u16) -> bool {
    width >= 76 && !model.side_by_side()
}

/// The name; where no other column can say that something is wrong, with a mark.
fn name(theme: &Theme, row: &Row, flagged: bool) -> Span<'static> {
    let name = words::name(theme, &row.workspace.name);
    match (flagged, cells::violation(row), row.workspace.protected) {
        (true, Some(_), _) => Span::styled(format!("{name} !"), theme.text),
        (true, None, true) => Span::styled(format!("{name} (protected)"), theme.text),
        _ => Span::styled(name, theme.text),
    }
}

/// What becomes of it. A folder that is not kept although it is meant to be says more than how many
/// files are at risk, which is beside it. In short where owners need the room.
fn outcome(model: &Model, theme: &Theme, row: &Row, short: bool) -> Span<'static> {
    if let Some((folder, violation)) = cells::violation(row) {
        let words = violation.short();
        let words = if short { words.into() } else { format!("{} {words}", words::path(theme, folder)) };
        return Span::styled(words, theme.danger);
    }
    let outcome = words::outcome(row, model.event, theme);
    match (row.workspace.protected, short) {
        (true, true) => Span::styled("protected", outcome.style),
        (true, false) => Span::styled(format!("{}, protected", outcome.content), outcome.style),
        (false, _) => outcome,
    }
}

/// Whether the column of outcomes has room for few words only.
fn short(model: &Model, area: Rect) -> bool {
    brief(area) && Group::of(&model.rows) == Group::Several
}

/// How long ago its size on the disk was read.
fn read(model: &Model, row: &Row) -> String {
    match model.disk.size_of(row) {
        Size::Known { as_of, .. } => text::age(as_of, model.now),
        _ => String::new(),
    }
}

fn owner(theme: &Theme, row: &Row) -> String {
    row.workspace.owner.name.as_ref().map_or_else(|| "unknown".into(), |owner| words::name(theme, owner))
}

fn image(theme: &Theme, row: &Row) -> String {
    row.workspace.image.as_ref().map_or_else(|| "-".into(), |image| words::name(theme, image))
}

/// How the AT RISK cells line up: counts to the right, then `files`, then sizes to the right.
struct Alignment {
    count: usize,
    rest: usize,
    size: usize,
    words: usize,
}

impl Alignment {
    fn of(visible: &[Seen<'_>]) -> Self {
        let risks = || visible.iter().map(|seen| &seen.risk);
        let counted = || risks().filter(|risk| !risk.count.is_empty());
        Self {
            count: widest(counted().map(|risk| &risk.count)),
            rest: widest(counted().map(|risk| risk.rest)),
            size: widest(counted().map(|risk| &risk.size)),
            words: widest(risks().filter(|risk| risk.count.is_empty()).map(|risk| risk.rest)),
        }
    }

    fn width(&self) -> usize {
        let gap = usize::from(self.size > 0);
        (self.count + self.rest + gap + self.size).max(self.words)
    }

    fn cell(&self, risk: &Risky) -> Span<'static> {
        if risk.count.is_empty() {
            return Span::styled(risk.rest, risk.style);
        }
        let words = format!("{:>width$}{}", risk.count, risk.rest, width = self.count);
        let size = self.width().saturating_sub(text::width(&words));
        Span::styled(format!("{words}{:>size$}", risk.size), risk.style)
    }
}
