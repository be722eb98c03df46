//! Which panel owns which area. The one place that divides the screen.

use ratatui::layout::Rect;

use super::{backups, footer, tour, why};
use crate::model::{Group, Model, Tab};

/// The areas of the screen; one without room has no height.
#[derive(Clone, Copy, Debug)]
pub(super) struct Areas {
    pub(super) header: Rect,
    pub(super) tabs: Rect,
    /// The rule above list and detail where they stand side by side.
    pub(super) rule: Rect,
    pub(super) body: Body,
    /// The guided tour of the demo.
    pub(super) tour: Rect,
    /// How far jobs are.
    pub(super) jobs: Rect,
    pub(super) hint: Rect,
    pub(super) footer: Rect,
}

/// What fills the middle.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body {
    /// The list of workspaces, and the detail where there is room beside it.
    Workspaces { list: Rect, detail: Option<Rect> },
    /// One workspace's detail, full width.
    Detail(Rect),
    /// The list of files at risk, and why the selected one is.
    AtRisk { list: Rect, why: Option<Rect> },
    /// Places of the disk, or below the head the tree of one; and what becomes of the selected row.
    Disk { head: Rect, list: Rect, why: Option<Rect> },
    /// Snapshots, jobs or the log below the head; and what is known of the selected row.
    Backups { head: Rect, list: Rect, why: Option<Rect> },
}

impl Areas {
    /// Divides a screen: the list gets its rows before anything else does.
    pub(super) fn of(model: &Model, screen: Rect) -> Self {
        let mut rest = screen;
        let header = top(&mut rest, u16::from(screen.height >= 6));
        let tabs = top(&mut rest, u16::from(screen.height >= 4));
        let footer = bottom(&mut rest, footer::rows(model, screen).min(screen.height / 3));
        let hint = bottom(&mut rest, if screen.height >= 8 { footer::hint_rows(model, screen) } else { 0 });
        let jobs = bottom(&mut rest, u16::from(screen.height >= 8 && backups::has_job_line(model)));
        let tour = bottom(&mut rest, tour::rows(model, screen));
        let rule = top(&mut rest, u16::from(beside(model) && screen.height >= 12));
        Self { header, tabs, rule, body: body(model, rest), tour, jobs, hint, footer }
    }
}

/// Whether a detail is open, and there is one.
fn opened(model: &Model) -> bool {
    model.open && model.tab == Tab::Workspaces && model.detailed().is_some()
}

/// Whether list and detail stand side by side.
fn beside(model: &Model) -> bool {
    model.tab == Tab::Workspaces && !opened(model) && model.side_by_side() && !model.rows.is_empty()
}

fn body(model: &Model, area: Rect) -> Body {
    match model.tab {
        Tab::Workspaces if opened(model) => Body::Detail(area),
        Tab::Workspaces if beside(model) => {
            let width = list_width(model, area.width);
            let list = Rect { width, ..area };
            let x = area.x.saturating_add(width).saturating_add(2);
            let detail = Rect { x, width: area.right().saturating_sub(x), ..area };
            Body::Workspaces { list, detail: Some(detail) }
        }
        Tab::Workspaces => Body::Workspaces { list: area, detail: None },
        Tab::AtRisk => {
            let mut list = area;
            let why =
                (area.height >= 10 && !model.at_risk.shown.is_empty()).then(|| bottom(&mut list, why::ROWS));
            Body::AtRisk { list, why }
        }
        Tab::Disk => {
            let mut list = area;
            let head = top(&mut list, u16::from(model.disk.tree.is_some() && area.height >= 3));
            let any = model.disk.tree.is_some() || !model.disk.list.shown.is_empty();
            let why = (area.height >= 10 && any).then(|| bottom(&mut list, why::ROWS));
            Body::Disk { head, list, why }
        }
        Tab::Backups => {
            let mut list = area;
            let head = top(&mut list, backups::head_rows(model, area));
            let any = !model.backups.list().shown.is_empty();
            let why = (area.height >= 10 && any).then(|| bottom(&mut list, why::ROWS));
            Body::Backups { head, list, why }
        }
    }
}

/// How wide the list is beside the detail: what its columns need, and the detail keeps more than half.
fn list_width(model: &Model, width: u16) -> u16 {
    let wanted = match (width, Group::of(&model.rows)) {
        (..150, Group::One) => 56,
        (..150, Group::Several) => 62,
        _ => width / 2 + 2,
    };
    wanted.min(width / 2 + 2)
}

/// Rows of a list below its heads.
pub(super) fn list_rows(list: Rect) -> usize {
    usize::from(list.height.saturating_sub(head_rows(list)))
}

/// Rows of heads: none where they would be all there is.
pub(super) const fn head_rows(list: Rect) -> u16 {
    if list.height >= 3 { 1 } else { 0 }
}

fn top(rest: &mut Rect, rows: u16) -> Rect {
    let rows = rows.min(rest.height);
    let taken = Rect { height: rows, ..*rest };
    rest.y += rows;
    rest.height -= rows;
    taken
}

fn bottom(rest: &mut Rect, rows: u16) -> Rect {
    let rows = rows.min(rest.height);
    rest.height -= rows;
    Rect { y: rest.bottom(), height: rows, ..*rest }
}
