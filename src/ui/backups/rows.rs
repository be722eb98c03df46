//! What the rows of the three views say.

use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::core::backup::{JobState, JobView, Snapshot};
use crate::core::report::Change;
use crate::model::Model;
use crate::model::backups::{BackupView, Health, of};
use crate::text;
use crate::ui::theme::Theme;
use crate::ui::widget::{Column, widest};
use crate::ui::words;

/// The columns of the view that is shown.
pub(super) fn columns(model: &Model, theme: &Theme, area: Rect) -> Vec<Column> {
    let backups = &model.backups;
    let narrow = area.width <= 44;
    let unless = |out: bool, column: Column| if out { column.absent() } else { column };
    match backups.view {
        BackupView::Snapshots => {
            let names = widest(backups.snapshots.iter().map(|one| words::name(theme, &of(one))));
            let states = widest(backups.snapshots.iter().map(|one| state(model, theme, one, narrow).content));
            vec![
                Column::new("OF", names.clamp(9, 32)).least(if narrow { 9 } else { 16 }).middle().firm(),
                Column::new("AGE", 4).right(),
                Column::new("SIZE", 5).right(),
                unless(narrow, Column::new("FILES", 6).right().drop(4)),
                Column::new("STATE", states.max(8)),
                unless(narrow, Column::new("ID", 8).drop(3)),
                unless(narrow, Column::new("FROM", 40).least(16).middle().fill().drop(2)),
            ]
        }
        BackupView::Jobs => {
            let names = widest(backups.jobs.iter().map(|view| words::name(theme, &view.job.task.subject())));
            vec![
                unless(narrow, Column::new("VERB", 7)),
                Column::new("OF", names.clamp(9, 30)).least(9).middle().firm(),
                Column::new("BEGUN", 5).right(),
                Column::new("STATE", 60).least(12).fill(),
            ]
        }
        BackupView::Log => {
            let names = widest(backups.changes.iter().map(|change| words::name(theme, &change.container)));
            vec![
                Column::new("DID", 10).least(7),
                Column::new("TO", names.clamp(9, 32)).least(9).middle().firm(),
                Column::new("AGE", 4).right(),
                unless(narrow, Column::new("WHO", 12).least(6).drop(2)),
                Column::new("RESULT", 20).least(6),
                unless(narrow, Column::new("UNDO", 60).least(12).fill().drop(3)),
            ]
        }
    }
}

/// The cells of a row, by its place among all of its view.
pub(super) fn cells(model: &Model, theme: &Theme, index: usize) -> Vec<Span<'static>> {
    let backups = &model.backups;
    let row = match backups.view {
        BackupView::Snapshots => backups.snapshots.get(index).map(|one| snapshot(model, theme, one)),
        BackupView::Jobs => backups.jobs.get(index).map(|view| job(model, theme, view)),
        BackupView::Log => backups.changes.get(index).map(|one| change(model, theme, one)),
    };
    row.unwrap_or_default()
}

fn snapshot(model: &Model, theme: &Theme, one: &Snapshot) -> Vec<Span<'static>> {
    let number = |known: Option<u64>| known.map_or_else(|| "?".to_owned(), |known| known.to_string());
    let folder = one.folders.first().map_or_else(String::new, |folder| words::name(theme, folder));
    vec![
        Span::styled(words::name(theme, &of(one)), theme.text),
        Span::styled(text::age(one.at, model.now), theme.text),
        Span::styled(one.bytes.map_or_else(|| "?".into(), text::size), theme.text),
        Span::styled(number(one.files), theme.text),
        state(model, theme, one, model.size.0 <= 45),
        Span::styled(words::name(theme, one.short()), theme.faint),
        Span::styled(folder, theme.faint),
    ]
}

fn state(model: &Model, theme: &Theme, one: &Snapshot, brief: bool) -> Span<'static> {
    let health = model.backups.health(one);
    let style = match health {
        Health::Damaged => theme.danger,
        Health::Incomplete => theme.caution,
        Health::NotVerified | Health::Verified(_) => theme.text,
    };
    let text = match health {
        Health::Verified(at) if !brief => format!("verified {}", text::ago(at, model.now)),
        _ => health.word().into(),
    };
    Span::styled(text, style)
}

fn job(model: &Model, theme: &Theme, view: &JobView) -> Vec<Span<'static>> {
    vec![
        Span::styled(view.job.task.key(), theme.text),
        Span::styled(words::name(theme, &view.job.task.subject()), theme.text),
        Span::styled(text::age(view.job.made_at, model.now), theme.text),
        job_state(theme, view),
    ]
}

fn job_state(theme: &Theme, view: &JobView) -> Span<'static> {
    let style = match &view.state {
        JobState::Waiting | JobState::Running => theme.strong,
        JobState::CutOff => theme.danger,
        JobState::Over(outcome) if outcome.exit_code() == 0 => theme.text,
        JobState::Over(_) => theme.caution,
    };
    Span::styled(words::name(theme, &view.words()), style)
}

fn change(model: &Model, theme: &Theme, one: &Change) -> Vec<Span<'static>> {
    let bad = one.result != "done";
    vec![
        Span::styled(one.verb.key(), theme.text),
        Span::styled(words::name(theme, &one.container), theme.text),
        Span::styled(text::age(one.at, model.now), theme.text),
        Span::styled(words::name(theme, &one.user), theme.faint),
        Span::styled(words::name(theme, &one.result), if bad { theme.caution } else { theme.text }),
        Span::styled(
            one.recreate.as_ref().map_or_else(|| "-".into(), |undo| words::name(theme, undo)),
            theme.faint,
        ),
    ]
}

/// What is said of the selected row, in two lines.
pub(super) fn said(model: &Model, theme: &Theme) -> (Vec<Span<'static>>, Option<Span<'static>>) {
    let backups = &model.backups;
    let plain = |text: String| vec![Span::styled(text, theme.text)];
    if let Some(one) = backups.snapshot() {
        let name = words::name(theme, &of(one));
        let size = one.bytes.map_or_else(|| "?".into(), text::size);
        let files = one.files.map_or_else(|| "? files".into(), words::files);
        let host = words::name(theme, &one.host);
        let host = if host.is_empty() { host } else { format!(", made on {host}") };
        let first = format!("{} of {name}{host}: {files}, {size}", words::name(theme, one.short()));
        let second = match backups.health(one) {
            Health::Damaged => {
                Some(Span::styled("Some of its data is damaged; Enter says more.", theme.danger))
            }
            Health::Incomplete => Some(Span::styled("Something was missing when it was made.", theme.caution)),
            Health::NotVerified => {
                Some(Span::styled("No answer counts on it until it was read back: V", theme.faint))
            }
            Health::Verified(_) => None,
        };
        return (plain(first), second);
    }
    if let Some(view) = backups.job() {
        let second = match &view.state {
            JobState::Over(outcome) => {
                let skips = [("not there", &outcome.skipped), ("damaged", &outcome.damaged)];
                let first =
                    skips.into_iter().find_map(|(what, skips)| Some((what, skips, skips.first.first()?)));
                first.map(|(what, skips, file)| {
                    let path = words::name(theme, &file.path.path);
                    let text =
                        format!("{} {what}, the first: {path}; Enter names them", words::files(skips.count));
                    Span::styled(text, theme.caution)
                })
            }
            JobState::CutOff => {
                Some(Span::styled("Its process ended without a word: run it again.", theme.caution))
            }
            JobState::Waiting | JobState::Running => Some(Span::styled("A calls it off.", theme.faint)),
        };
        let name = words::name(theme, &view.name());
        return (vec![Span::styled(format!("{name}: "), theme.faint), job_state(theme, view)], second);
    }
    let Some(one) = backups.change() else { return (Vec::new(), None) };
    let undo = one
        .recreate
        .as_ref()
        .map(|undo| Span::styled(format!("Undo: {}", words::name(theme, undo)), theme.text));
    (plain(words::name(theme, &one.command)), undo)
}
