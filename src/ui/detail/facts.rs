//! What a workspace is, and the three things it is made of.
//!
//! ```text
//! state  failed (exit 1), 12m ago     owner    alice (label ds01.user)
//! made   3d ago, restarted 2 times    project  thesis
//! GPU    0 (label ds01.gpu.slots)     managed  compose thesis
//! platform  DS01 (label ds01.user)
//!
//! image      pytorch:2.4              exists   until removed
//! container  thesis._.1001            exists   until removed
//! folder     ~/workspace/thesis       exists   until deleted
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::core::report::Layer;
use crate::core::workspace::{Detail, RestartPolicy};
use crate::model::{Model, Row};
use crate::text;
use crate::ui::theme::Theme;
use crate::ui::widget::{put, widest};
use crate::ui::words;

/// Rows of the facts, with the empty one above.
pub(super) const FACT_ROWS: u16 = 5;
/// Columns that are left to a lifetime beside a long name.
const LIFETIME: usize = 20;
/// Rows of the three layers, with the empty one above.
pub(super) const LAYER_ROWS: u16 = 4;

/// Two columns of three facts, one column where there is no room for two; below them the platform.
pub(super) fn facts(model: &Model, theme: &Theme, row: &Row, detail: &Detail, area: Rect, buffer: &mut Buffer) {
    let left = [
        ("state", state(model, row, detail)),
        ("made", made(model, row, detail)),
        ("GPU", gpus(theme, detail)),
    ];
    let right = [
        ("owner", vec![owner(theme, row), owner_name(theme, row)]),
        ("project", vec![or_dash(row.workspace.project.as_ref().map(|project| words::name(theme, project)))]),
        ("managed", vec![managed(theme, row)]),
    ];
    let two = area.width >= 50;
    let half = if two { area.width / 2 } else { area.width };
    let column = Rect { width: half.saturating_sub(if two { 2 } else { 0 }), ..area };
    pairs(theme, &left, "state  ".len(), column, buffer);
    let below = Rect { y: area.y + 3, height: area.height.saturating_sub(3), ..area };
    pairs(theme, &[("platform", platform(theme, row))], "platform  ".len(), below, buffer);
    if two {
        let rest = Rect { x: area.x + half, width: area.width - half, ..area };
        pairs(theme, &right, "project  ".len(), rest, buffer);
    }
}

/// Facts below each other; of the ways to say one, the first that fits.
fn pairs(theme: &Theme, pairs: &[(&str, Vec<String>)], label: usize, area: Rect, buffer: &mut Buffer) {
    let room = usize::from(area.width).saturating_sub(label);
    for ((label_text, ways), row) in pairs.iter().zip(1..) {
        let fits = ways.iter().find(|way| text::width(way) <= room);
        let value = fits.or(ways.last()).map_or("", String::as_str);
        let line = [Span::styled(text::pad(label_text, label), theme.faint), Span::styled(value, theme.text)];
        put(buffer, theme, area, row, &line);
    }
}

/// The platform and why it is taken for that.
fn platform(theme: &Theme, row: &Row) -> Vec<String> {
    let title = words::name(theme, &row.rules.profile.title);
    let recognised = &row.rules.recognised;
    let first = recognised.matches.first().and_then(|first| first.clues.first());
    let why = words::name(theme, &recognised.words());
    let mut ways = vec![format!("{title} ({why})")];
    if let (false, Some(clue)) = (recognised.tie || recognised.forced, first) {
        ways.push(format!("{title} ({})", words::name(theme, clue)));
        ways.push(title);
    }
    ways
}

fn or_dash(value: Option<String>) -> String {
    value.unwrap_or_else(|| "-".into())
}

fn state(model: &Model, row: &Row, detail: &Detail) -> Vec<String> {
    match (detail.exit_cause(), detail.finished) {
        (Some(cause), Some(finished)) => {
            vec![format!("{cause}, {}", text::ago(finished, model.now)), cause]
        }
        (Some(cause), None) => vec![cause],
        (None, _) => vec![words::state(row, model.now, false)],
    }
}

fn made(model: &Model, row: &Row, detail: &Detail) -> Vec<String> {
    let made = row.workspace.created.map_or_else(|| "unknown".into(), |at| text::ago(at, model.now));
    let again = match detail.restart_policy {
        RestartPolicy::No => "",
        RestartPolicy::OnFailure => ", again on failure",
        RestartPolicy::Always => ", always again",
        RestartPolicy::UnlessStopped => ", again unless stopped",
    };
    match detail.restarts {
        0 => vec![format!("{made}{again}"), made],
        1 => vec![format!("{made}, restarted once"), made],
        times => {
            let times = [format!("{made}, restarted {times} times"), format!("{made}, {times} restarts")];
            times.into_iter().chain([made]).collect()
        }
    }
}

fn gpus(theme: &Theme, detail: &Detail) -> Vec<String> {
    let names: Vec<_> = detail.gpus.iter().map(|gpu| words::name(theme, &gpu.name)).collect();
    let names = names.join(", ");
    match detail.gpus.first() {
        Some(first) => vec![format!("{names} ({})", words::name(theme, &first.from)), names],
        None => vec!["none".into()],
    }
}

fn owner_name(theme: &Theme, row: &Row) -> String {
    row.workspace.owner.name.as_ref().map_or_else(|| "unknown".into(), |name| words::name(theme, name))
}

/// The owner and which fact said so.
pub(super) fn owner(theme: &Theme, row: &Row) -> String {
    let name = owner_name(theme, row);
    match &row.workspace.owner.from {
        Some(from) if row.workspace.owner.name.is_some() => format!("{name} ({})", words::name(theme, from)),
        _ => name,
    }
}

fn managed(theme: &Theme, row: &Row) -> String {
    let by = row.workspace.managed_by.as_ref().map(|by| words::name(theme, by));
    match (by, row.workspace.protected) {
        (by, false) => or_dash(by),
        (Some(by), true) => format!("{by}, protected"),
        (None, true) => "protected by its platform".into(),
    }
}

/// Image, container and folder: whether each exists, and how long it lives.
pub(super) fn layers(theme: &Theme, row: &Row, area: Rect, buffer: &mut Buffer) {
    let Some(layers) = &row.layers else { return };
    let all = [("image", &layers.image), ("container", &layers.container), ("folder", &layers.workspace)];
    let names: Vec<_> = all.iter().map(|(_, layer)| name(theme, layer)).collect();
    let label = "container".len() + 2;
    // Whether it exists, and until when, matters more than its full name.
    let lifetime = widest(all.iter().map(|(_, layer)| layer.lifetime));
    let left = usize::from(area.width).saturating_sub(label + 2 + "unknown  ".len());
    let room =
        left.checked_sub(lifetime).filter(|room| *room >= 20).unwrap_or(left.saturating_sub(LIFETIME)).max(16);
    // Beside the list it stands in the same place whatever the names are.
    let wide = if area.width < 70 { room } else { widest(&names).min(room) };
    for (((what, layer), name), line) in all.iter().zip(&names).zip(1..) {
        let (exists, style) = match layer.exists {
            Some(true) => ("exists", theme.text),
            Some(false) => ("absent", theme.caution),
            None => ("unknown", theme.caution),
        };
        let name = text::pad(&text::cut_middle(name, wide, theme.ellipsis()), wide);
        let line_of = [
            Span::styled(text::pad(what, label), theme.faint),
            Span::styled(name, theme.text),
            Span::raw("  "),
            Span::styled(text::pad(exists, 7), style),
            Span::styled(format!("  {}", layer.lifetime), theme.faint),
        ];
        put(buffer, theme, area, line, &line_of);
    }
}

fn name(theme: &Theme, layer: &Layer) -> String {
    or_dash(layer.name.as_ref().map(|name| words::name(theme, name)))
}
