//! The page of keys, from the one table, and of the words that stand in cells.

use ratatui::text::Span;

use super::super::empty;
use super::lessons::entry;
use crate::keys::{Group, TABLE, written};
use crate::text;
use crate::ui::theme::Theme;

const WORDS: [(&str, &str); 8] = [
    ("AT RISK", "files in places that do not outlast the event in the header"),
    ("kept", "still there afterwards"),
    ("kept if ...", "still there if the condition holds, which is not known"),
    ("rebuilt", "gone, and brought back from the image or by the runtime"),
    ("lost", "gone"),
    ("untouched", "the event does not concern it"),
    ("oom", "out of memory: the kernel killed it"),
    ("12m!", "it ended 12 minutes ago and failed"),
];

pub(super) fn lines(theme: &Theme, columns: u16) -> Vec<Vec<Span<'static>>> {
    let keys_of = |on: &[&str]| on.iter().map(|on| written(on)).collect::<Vec<_>>().join(" ");
    let label = TABLE.iter().map(|binding| text::width(&keys_of(binding.on))).max().unwrap_or(0).max(11) + 2;
    let mut lines = Vec::new();
    for group in [Group::Change, Group::Look, Group::Move] {
        lines.push(vec![Span::styled(group.title(), theme.faint)]);
        for binding in TABLE.iter().filter(|binding| binding.group == group) {
            lines.extend(entry(&keys_of(binding.on), binding.help, label, theme, columns));
        }
        lines.push(empty());
    }
    lines.push(vec![Span::styled("Words", theme.faint)]);
    for (word, says) in WORDS {
        lines.extend(entry(word, says, label, theme, columns));
    }
    lines
}
