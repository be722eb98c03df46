//! All keys, from the one table.
//!
//! ```text
//! ┌ Keys ───────────────────────────────────────┐
//! │ Changing, always through a plan             │
//! │   S          stop what runs, start what ... │
//! └ j k scroll, Esc closes ─────────────────────┘
//! ```

use ratatui::text::Span;

use super::{Sheet, empty};
use crate::keys::{Group, TABLE, written};
use crate::text;
use crate::ui::theme::Theme;
use crate::ui::widget::wrap;

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

pub(super) fn sheet(scroll: usize, theme: &Theme, columns: u16) -> Sheet {
    let keys_of = |on: &[&str]| on.iter().map(|on| written(on)).collect::<Vec<_>>().join(" ");
    let label = TABLE.iter().map(|binding| text::width(&keys_of(binding.on))).max().unwrap_or(0).max(11) + 2;
    let mut lines = Vec::new();
    let entry = |lines: &mut Vec<Vec<Span<'static>>>, key: &str, says: &str| {
        let room = usize::from(columns).saturating_sub(label + 2);
        for (place, part) in wrap(says, room).into_iter().enumerate() {
            let key = if place == 0 { key } else { "" };
            let key = Span::styled(format!("  {}", text::pad(key, label)), theme.strong);
            lines.push(vec![key, Span::styled(part, theme.text)]);
        }
    };
    for group in [Group::Change, Group::Look, Group::Move] {
        lines.push(vec![Span::styled(group.title(), theme.faint)]);
        for binding in TABLE.iter().filter(|binding| binding.group == group) {
            entry(&mut lines, &keys_of(binding.on), binding.help);
        }
        lines.push(empty());
    }
    lines.push(vec![Span::styled("Words", theme.faint)]);
    for (word, says) in WORDS {
        entry(&mut lines, word, says);
    }
    Sheet { title: "Keys".into(), keys: "j k scroll, Esc closes".into(), lines, scroll, cursor: None, columns }
}
