//! What stands where a list has nothing to show: why, and what to do.
//!
//! ```text
//!    Connecting to unix:///var/run/docker.sock ... 3 s
//!
//!    q leaves at any time.
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::theme::Theme;
use super::widget::{put, wrap};
use super::words;
use crate::core::error::Error;
use crate::model::backups::{BackupView, Listing};
use crate::model::{LinkState, Model, Tab};

/// One paragraph: its text and whether it is the first thing to read.
enum Say {
    Strong(String),
    Bad(String),
    Plain(String),
    Step(String),
}

pub(super) fn workspaces(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let says = match &model.endpoint.state {
        LinkState::Connecting { seconds } => connecting(model, theme, *seconds),
        LinkState::Lost { error, .. } if model.rows.is_empty() => trouble(theme, error),
        _ if !model.rows.is_empty() => no_match(model, theme, Tab::Workspaces),
        _ => vec![
            Say::Strong(format!("No container on {}.", words::name(theme, &model.endpoint.endpoint.title))),
            Say::Plain("What you start appears here at once. To try one:".into()),
            Say::Step(format!("{} run -it --name try debian", program(model))),
            Say::Plain("To look around without one:".into()),
            Say::Step("outlast demo".into()),
        ],
    };
    draw(theme, area, buffer, &says);
}

/// The program that talks to the same engine.
fn program(model: &Model) -> &'static str {
    if model.endpoint.endpoint.title.contains("Podman") { "podman" } else { "docker" }
}

pub(super) fn at_risk(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let says = match &model.endpoint.state {
        LinkState::Connecting { seconds } => connecting(model, theme, *seconds),
        LinkState::Lost { error, .. } if model.rows.is_empty() => trouble(theme, error),
        _ if !model.files.is_empty() => no_match(model, theme, Tab::AtRisk),
        _ => vec![
            Say::Strong("No file at risk was found.".into()),
            Say::Plain(
                "Workspaces that were not read are not counted here: AT RISK on the first tab says which. \
                 r reads the selected one."
                    .into(),
            ),
        ],
    };
    draw(theme, area, buffer, &says);
}

pub(super) fn disk(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let says = match &model.endpoint.state {
        _ if !model.disk.roots.is_empty() => no_match(model, theme, Tab::Disk),
        LinkState::Connecting { seconds } => connecting(model, theme, *seconds),
        LinkState::Lost { error, .. } if model.rows.is_empty() => trouble(theme, error),
        _ => vec![
            Say::Strong("No folder to look into was found.".into()),
            Say::Plain(
                "Project folders, what containers mount and volumes stand here. Any other folder:".into(),
            ),
            Say::Step("outlast du PATH".into()),
        ],
    };
    draw(theme, area, buffer, &says);
}

pub(super) fn backups(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let backups = &model.backups;
    let says = match (backups.view, &backups.listing) {
        (view, _) if backups.count(view) > 0 => no_match(model, theme, Tab::Backups),
        (BackupView::Snapshots, Listing::Waiting | Listing::Reading) => {
            vec![Say::Strong("Reading the repository ...".into()), Say::Plain("Keys work meanwhile.".into())]
        }
        (BackupView::Snapshots, Listing::Failed(error)) => {
            let mut says = vec![Say::Bad(sentence(theme, &error.message))];
            says.extend(error.hints.iter().map(|hint| Say::Step(words::name(theme, hint))));
            says
        }
        (BackupView::Snapshots, Listing::Known | Listing::Absent) => {
            let name = model.selected().map_or("NAME", |row| row.workspace.name.as_str());
            let mut says = vec![
                Say::Strong("No backup yet.".into()),
                Say::Plain("B on a workspace makes the first one; in a shell:".into()),
                Say::Step(format!("outlast backup {}", words::name(theme, name))),
            ];
            let url = words::name(theme, &backups.url);
            says.push(Say::Plain(match &backups.good_for {
                Some(clause) => format!("It goes to {url}, on this host: that {clause}."),
                None => format!("It goes to {url}."),
            }));
            says
        }
        (BackupView::Jobs, _) if backups.forgotten.is_none() => {
            vec![Say::Strong("No job yet.".into()), Say::Plain("Backups and restores are listed here.".into())]
        }
        (BackupView::Log, _) if backups.forgotten.is_none() => vec![
            Say::Strong("Nothing was changed yet.".into()),
            Say::Plain("What was changed is listed here, with the command that undoes it.".into()),
        ],
        (BackupView::Jobs | BackupView::Log, _) => backups.forgotten.iter().fold(Vec::new(), |_, error| {
            let hints = error.hints.iter().map(|hint| Say::Step(words::name(theme, hint)));
            [Say::Bad(sentence(theme, &error.message))].into_iter().chain(hints).collect()
        }),
    };
    draw(theme, area, buffer, &says);
}

fn connecting(model: &Model, theme: &Theme, seconds: u64) -> Vec<Say> {
    let endpoint = &model.endpoint.endpoint;
    let whereto = if endpoint.address.is_empty() { &endpoint.title } else { &endpoint.address };
    vec![
        Say::Strong(format!("Connecting to {} ... {seconds} s", words::name(theme, whereto))),
        Say::Plain("q leaves at any time.".into()),
    ]
}

fn trouble(theme: &Theme, error: &Error) -> Vec<Say> {
    let mut says = vec![Say::Bad(sentence(theme, &error.message))];
    says.extend(error.hints.iter().map(|hint| Say::Step(words::name(theme, hint))));
    says.push(Say::Plain("It is tried again by itself; r tries at once.".into()));
    says
}

/// An error's message as a sentence.
pub(super) fn sentence(theme: &Theme, message: &str) -> String {
    let message = words::name(theme, message);
    let mut letters = message.trim_end_matches('.').chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

fn no_match(model: &Model, theme: &Theme, tab: Tab) -> Vec<Say> {
    let (list, all, what) = match tab {
        Tab::Workspaces => (&model.workspaces, model.rows.len(), "workspaces"),
        Tab::AtRisk => (&model.at_risk, model.files.len(), "files at risk"),
        Tab::Disk => (&model.disk.list, model.disk.roots.len(), "places"),
        Tab::Backups => {
            let what = match model.backups.view {
                BackupView::Snapshots => "snapshots",
                BackupView::Jobs => "jobs",
                BackupView::Log => "changes",
            };
            (model.backups.list(), model.backups.count(model.backups.view), what)
        }
    };
    vec![
        Say::Strong(format!("None of {all} {what} matches /{}.", words::name(theme, &list.filter))),
        Say::Plain("Esc ends the filter.".into()),
    ]
}

fn draw(theme: &Theme, area: Rect, buffer: &mut Buffer, says: &[Say]) {
    let indent = if area.width >= 60 { 4 } else { 1 };
    let top = u16::from(area.height >= 8);
    let area = Rect {
        x: area.x.saturating_add(indent),
        width: area.width.saturating_sub(2 * indent).min(90),
        y: area.y.saturating_add(top),
        height: area.height.saturating_sub(top),
    };
    let mut row = 0;
    for (place, say) in says.iter().enumerate() {
        let (text, style, step) = match say {
            Say::Strong(text) => (text, theme.strong, false),
            Say::Bad(text) => (text, theme.danger, false),
            Say::Plain(text) => (text, theme.text, false),
            Say::Step(text) => (text, theme.strong, true),
        };
        let airy = area.height >= 10;
        row += u16::from(airy && place > 0 && !step);
        let inner = if step {
            Rect { x: area.x.saturating_add(2), width: area.width.saturating_sub(2), ..area }
        } else {
            area
        };
        for line in wrap(text, usize::from(inner.width)) {
            put(buffer, theme, inner, row, &[Span::styled(line, style)]);
            row += 1;
        }
    }
}
