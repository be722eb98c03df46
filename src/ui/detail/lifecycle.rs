//! The page Lifecycle: what happened, what each part of the workspace survives, what its
//! platform does by itself, and the commands that bring it back.
//!
//! ```text
//!  Crashed: failed (exit 1)
//!
//!                  crash  stop  RETIRE  image  reboot  host     folder  lifetime
//!  image           kept   kept  kept    lost   kept    rebuilt  kept    until removed
//!  container       kept   if    lost    kept   if      lost     kept    until removed, in 18 min
//!  processes, RAM  lost   lost  lost    -      lost    lost     -       ended
//!
//!  18 min left     removal of a stopped container
//!  after a reboot  not running: it stays as it is
//!
//!  kept  image, container, workspace
//! › docker start thesis._.alice   S: start it again
//! ```
//!
//! Letters stand for the words where there is no room for them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use crate::core::event::Event;
use crate::core::fate::Verdict;
use crate::core::lifecycle::{Lifecycle, Object, Place};
use crate::core::situation::{Scenario, Situation};
use crate::model::{LifecycleItem, Model};
use crate::text;
use crate::ui::theme::Theme;
use crate::ui::widget::{put, widest, wrap};
use crate::ui::words;

/// One line of the page, and the item that it is the line of.
struct Line {
    item: Option<LifecycleItem>,
    spans: Vec<Span<'static>>,
}

pub(super) fn draw(model: &Model, theme: &Theme, report: &Lifecycle, area: Rect, buffer: &mut Buffer) {
    let gutter = if model.open { 2 } else { 0 };
    let inside = Rect { x: area.x + gutter, width: area.width.saturating_sub(gutter), ..area };
    let lines = lines(model, theme, report, usize::from(inside.width));
    let selected = model.open.then(|| model.lifecycle_item()).flatten();
    let at = match selected {
        Some(LifecycleItem::End) => lines.len().checked_sub(1),
        selected => lines.iter().position(|line| line.item.is_some() && line.item == selected),
    };
    let height = usize::from(area.height);
    // As little is scrolled away as shows the selected line, and the one below it, which explains it.
    let from = at.map_or(0, |at| (at + 2).min(lines.len()).saturating_sub(height));
    for (line, row) in lines.iter().skip(from).zip(0..area.height) {
        if line.item.is_some() && line.item == selected {
            put(buffer, theme, area, row, &[Span::styled(theme.pointer(), theme.strong)]);
        }
        put(buffer, theme, inside, row, &line.spans);
    }
}

fn lines(model: &Model, theme: &Theme, report: &Lifecycle, width: usize) -> Vec<Line> {
    let mut page = Page { theme, width, lines: Vec::new() };
    for situation in &report.situations {
        let style = match situation.scenario {
            Scenario::WorkspaceDeleted | Scenario::Crashed => theme.danger,
            Scenario::ImageDeleted | Scenario::EndedWithHost => theme.caution,
            Scenario::Retired | Scenario::Ended | Scenario::NeverStarted => theme.text,
        };
        page.wrapped(&situation.title, style);
    }
    page.objects(model, &report.objects);
    page.timers(report);
    page.facts(report);
    for (index, situation) in report.situations.iter().enumerate() {
        page.recovery(index, situation);
    }
    page.lines
}

/// The lines so far.
struct Page<'t> {
    theme: &'t Theme,
    width: usize,
    lines: Vec<Line>,
}

impl Page<'_> {
    fn line(&mut self, item: Option<LifecycleItem>, spans: Vec<Span<'static>>) {
        self.lines.push(Line { item, spans });
    }

    fn wrapped(&mut self, says: &str, style: Style) {
        let says = words::name(self.theme, says);
        for line in wrap(&says, self.width) {
            self.line(None, vec![Span::styled(line, style)]);
        }
    }

    /// A label and what there is to say, over as many lines as it takes.
    fn fact(&mut self, label: &str, says: &str, style: Style) {
        let column = LABEL.min(self.width / 3);
        let says = words::name(self.theme, says);
        for (line, row) in wrap(&says, self.width.saturating_sub(column)).into_iter().zip(0..) {
            let label = if row == 0 {
                text::cut(label, column.saturating_sub(1), "").into_owned()
            } else {
                String::new()
            };
            let label = Span::styled(text::pad(&label, column), self.theme.faint);
            self.line(None, vec![label, Span::styled(line, style)]);
        }
    }

    fn gap(&mut self) {
        self.line(None, Vec::new());
    }

    fn objects(&mut self, model: &Model, objects: &[Object]) {
        let theme = self.theme;
        let shape = Shape::of(objects, self.width);
        let mut head = vec![Span::raw(text::pad("", shape.title))];
        for (event, width) in Event::ALL.into_iter().zip(shape.columns) {
            let (word, style) =
                (shape.head(event), if event == model.event { theme.active } else { theme.faint });
            // The chosen one is told by its capitals too, where nothing else can be seen.
            let word = if event == model.event { word.to_uppercase() } else { word.to_string() };
            let pad = shape.pad(event, width, &word);
            head.extend([Span::styled(word, style), Span::raw(pad)]);
        }
        if shape.lifetime {
            head.push(Span::styled("lifetime", theme.faint));
        }
        self.line(None, head);
        for (index, object) in objects.iter().enumerate() {
            let title = words::name(theme, &object.title);
            let title = text::cut(&title, shape.title.saturating_sub(GAP), theme.ellipsis());
            let mut spans = vec![Span::styled(text::pad(&title, shape.title), theme.text)];
            for (event, width) in Event::ALL.into_iter().zip(shape.columns) {
                let verdict = object.answers.verdict(event);
                let mut style = words::fate(verdict, theme).style;
                if event == model.event {
                    style = style.patch(theme.strong);
                }
                let cell = if shape.words { word(verdict) } else { letter(verdict) };
                spans.push(Span::styled(cell, style));
                spans.push(Span::raw(shape.pad(event, width, cell)));
            }
            if shape.lifetime {
                spans.push(Span::styled(lifetime(object), theme.faint));
            }
            self.line(Some(LifecycleItem::Object(index)), spans);
        }
        let legend = legend(objects, shape.words);
        if !legend.is_empty() {
            self.wrapped(&legend, theme.faint);
        }
        self.gap();
    }

    fn timers(&mut self, report: &Lifecycle) {
        let theme = self.theme;
        let counting = || report.timers.iter().enumerate().filter(|(_, timer)| timer.state != "not_subject");
        let short = widest(counting().map(|(_, timer)| &timer.short)).max(LABEL.saturating_sub(2)) + 2;
        for (index, timer) in counting() {
            let style = match timer.urgency {
                "critical" => theme.danger,
                "warning" => theme.caution,
                _ => theme.text,
            };
            let mut says = words::name(theme, &timer.title);
            if let Some(by) = timer.by.as_ref().filter(|_| self.width >= 70) {
                says = format!("{says} ({})", words::name(theme, by));
            }
            if timer.state == "unknown"
                && let Some((_, why)) = timer.sentence.split_once(": ")
            {
                says = format!("{says}: {}", words::name(theme, why));
            }
            let spans =
                vec![Span::styled(text::pad(&timer.short, short), style), Span::styled(says, theme.text)];
            self.line(Some(LifecycleItem::Timer(index)), spans);
            if !timer.notes.is_empty() {
                let notes = words::name(theme, &timer.notes.join("; "));
                for line in wrap(&notes, self.width.saturating_sub(short)) {
                    let spans = vec![Span::raw(" ".repeat(short)), Span::styled(line, theme.faint)];
                    self.line(None, spans);
                }
            }
        }
        let mut quiet: Vec<(&str, Vec<&str>)> = Vec::new();
        for timer in report.timers.iter().filter(|timer| timer.state == "not_subject") {
            let why = timer.sentence.split_once(": ").map_or("", |(_, why)| why);
            // What waits for another state goes without saying.
            if why.starts_with("it is ") {
                continue;
            }
            match quiet.iter_mut().find(|(known, _)| *known == why) {
                Some((_, titles)) => titles.push(&timer.title),
                None => quiet.push((why, vec![&timer.title])),
            }
        }
        for (why, titles) in quiet {
            self.fact("not subject", &format!("{} ({why})", titles.join(", ")), theme.faint);
        }
    }

    fn facts(&mut self, report: &Lifecycle) {
        let theme = self.theme;
        let reboot = format!("{}: {}", report.after_reboot_words, report.after_reboot.reason());
        self.fact("after a reboot", &reboot, theme.text);
        if report.gpu_released {
            self.fact("GPU", "released: somebody else may hold it now", theme.text);
        }
        if let Some(node) = &report.node {
            let style = if node.pinned == Some(true) { theme.caution } else { theme.text };
            self.fact("node", &node.words(), style);
        }
        if let Some(folder) = &report.folder {
            let path = folder.path.to_string_lossy();
            let says = match folder.place {
                Place::Project => None,
                Place::WholeRoot if folder.projects.is_empty() => Some(format!("all projects: {path}")),
                Place::WholeRoot => Some(format!("all projects of {path}: {}", folder.projects.join(", "))),
                Place::NotDefault => Some(format!("not in the usual place: {path}")),
            };
            if let Some(says) = says {
                self.fact("folder", &says, theme.text);
            }
        }
    }

    fn recovery(&mut self, index: usize, situation: &Situation) {
        let theme = self.theme;
        self.gap();
        if !situation.kept.is_empty() {
            self.fact("kept", &situation.kept.join(", "), theme.text);
        }
        if !situation.lost.is_empty() {
            self.fact("lost", &situation.lost.join(", "), theme.text);
        }
        for (step, recovery) in situation.steps.iter().enumerate() {
            let item = Some(LifecycleItem::Step(index, step));
            let says = words::name(theme, &recovery.says);
            let Some(command) = &recovery.command else {
                for (line, row) in wrap(&says, self.width).into_iter().zip(0..) {
                    self.line(item.filter(|_| row == 0), vec![Span::styled(line, theme.text)]);
                }
                continue;
            };
            let key = recovery.key.map(|key| format!("{key}: ")).unwrap_or_default();
            let command = Span::styled(words::name(theme, command), theme.strong);
            let says = format!("{key}{says}");
            if command.width() + 2 + text::width(&says) <= self.width {
                let says = Span::styled(format!("  {says}"), theme.faint);
                self.line(item, vec![command, says]);
            } else {
                self.line(item, vec![command]);
                for line in wrap(&says, self.width.saturating_sub(2)) {
                    self.line(None, vec![Span::styled(format!("  {line}"), theme.faint)]);
                }
            }
        }
    }
}

/// Columns of labels, with their gap.
const LABEL: usize = 16;
/// Columns between cells.
const GAP: usize = 2;
/// Columns below which a lifetime says nothing.
const LEAST_LIFETIME: usize = 13;

/// How the table of fates is laid out.
struct Shape {
    title: usize,
    columns: [usize; 7],
    /// Columns between cells.
    gap: usize,
    /// Words in the cells, or letters.
    words: bool,
    /// Heads of one word, or of two letters.
    long: bool,
    lifetime: bool,
}

impl Shape {
    /// The first layout that fits.
    fn of(objects: &[Object], width: usize) -> Self {
        let title = widest(objects.iter().map(|object| &object.title)).clamp(9, 20) + GAP;
        let shape = |words: bool, long: bool| {
            let columns = Event::ALL.map(|event| {
                let cells = objects.iter().map(|object| {
                    let verdict = object.answers.verdict(event);
                    if words { word(verdict) } else { letter(verdict) }
                });
                widest(cells).max(if long { head(event).len() } else { 2 })
            });
            Self { title, columns, gap: if long { GAP } else { 1 }, words, long, lifetime: false }
        };
        let mut shape = [shape(true, true), shape(false, true)]
            .into_iter()
            .find(|shape| shape.used() <= width)
            .unwrap_or_else(|| shape(false, false));
        shape.lifetime = width >= shape.used() + GAP + LEAST_LIFETIME;
        shape.title = shape.title.saturating_sub(shape.used().saturating_sub(width)).max(4);
        shape
    }

    /// Columns of the table without lifetimes.
    fn used(&self) -> usize {
        self.title + self.columns.iter().sum::<usize>() + 6 * self.gap
    }

    /// What follows a cell up to the next one.
    fn pad(&self, event: Event, width: usize, cell: &str) -> String {
        let gap = match event {
            Event::WorkspaceDeletion if !self.lifetime => return String::new(),
            Event::WorkspaceDeletion => GAP,
            _ => self.gap,
        };
        " ".repeat((width + gap).saturating_sub(text::width(cell)))
    }

    fn head(&self, event: Event) -> &'static str {
        if self.long { head(event) } else { short_head(event) }
    }
}

/// The event in two letters.
const fn short_head(event: Event) -> &'static str {
    match event {
        Event::Crash => "cr",
        Event::Stop => "st",
        Event::Retire => "rt",
        Event::ImageRemoval => "im",
        Event::Reboot => "rb",
        Event::HostLoss => "ho",
        Event::WorkspaceDeletion => "fo",
    }
}

/// The event in one short word.
const fn head(event: Event) -> &'static str {
    match event {
        Event::Crash => "crash",
        Event::Stop => "stop",
        Event::Retire => "retire",
        Event::ImageRemoval => "image",
        Event::Reboot => "reboot",
        Event::HostLoss => "host",
        Event::WorkspaceDeletion => "folder",
    }
}

/// The verdict in one short word.
const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Kept => "kept",
        Verdict::KeptIf(_) => "if",
        Verdict::Rebuilt => "rebuilt",
        Verdict::Lost => "lost",
        Verdict::Untouched => "-",
    }
}

/// The verdict as a letter.
const fn letter(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Kept => "k",
        Verdict::KeptIf(_) => "?",
        Verdict::Rebuilt => "r",
        Verdict::Lost => "L",
        Verdict::Untouched => "-",
    }
}

/// What the cells mean, as far as they do not say so: letters, and the conditions.
fn legend(objects: &[Object], in_words: bool) -> String {
    let mut conditions: Vec<&str> = Vec::new();
    for verdict in objects.iter().flat_map(|object| Event::ALL.map(|event| object.answers.verdict(event))) {
        if let Verdict::KeptIf(condition) = verdict
            && !conditions.contains(&condition.words())
        {
            conditions.push(condition.words());
        }
    }
    let mut parts: Vec<String> = Vec::new();
    if !in_words {
        parts.extend(["k kept", "L lost", "r rebuilt"].map(String::from));
    }
    if !conditions.is_empty() {
        let mark = if in_words { "if:" } else { "? if" };
        parts.push(format!("{mark} {}", conditions.join(", ")));
    }
    parts.join("  ")
}

/// How long an object lives, or that it is gone.
fn lifetime(object: &Object) -> String {
    if object.is_absent() { "absent".into() } else { object.lifetime.clone() }
}
