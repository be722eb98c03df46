//! How meanings look: styles by meaning and the glyphs of the screen.
//!
//! The default palette is the 16 ANSI names, so it follows the terminal's own
//! colours. Two accents at most: one for loss, one for what is not certain.
//! Colour only repeats what words say already.

use ratatui::style::{Color, Modifier, Style};

/// Styles and glyphs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Whether glyphs beyond ASCII may be used.
    pub unicode: bool,
    /// Ordinary text.
    pub text: Style,
    /// What matters less: column heads, frames, explanations.
    pub faint: Style,
    /// What matters most: the selection, titles, keys.
    pub strong: Style,
    /// Something is lost or went wrong.
    pub danger: Style,
    /// Something is not certain: conditions, what was not read.
    pub caution: Style,
    /// The active tab, page or the row under a cursor of an overlay.
    pub active: Style,
    /// The cell that the text cursor stands on.
    pub cursor: Style,
}

impl Theme {
    /// For terminals with a dark background.
    pub const fn dark() -> Self {
        Self {
            unicode: true,
            text: Style::new(),
            faint: Style::new().fg(Color::DarkGray),
            strong: Style::new().add_modifier(Modifier::BOLD),
            danger: Style::new().fg(Color::LightRed),
            caution: Style::new().fg(Color::Yellow),
            active: Style::new().add_modifier(Modifier::BOLD).add_modifier(Modifier::UNDERLINED),
            cursor: Style::new().add_modifier(Modifier::REVERSED),
        }
    }

    /// For terminals with a light background, where yellow cannot be read.
    pub const fn light() -> Self {
        let mut theme = Self::dark();
        theme.danger = Style::new().fg(Color::Red);
        theme.caution = Style::new().fg(Color::Magenta);
        theme
    }

    /// Without colours: weight, underline and reverse only.
    pub const fn mono() -> Self {
        let mut theme = Self::dark();
        theme.faint = Style::new();
        theme.danger = Style::new().add_modifier(Modifier::BOLD);
        theme.caution = Style::new();
        theme
    }

    /// The same theme with ASCII glyphs only.
    #[must_use]
    pub const fn ascii(mut self) -> Self {
        self.unicode = false;
        self
    }

    /// Marks the selected row.
    pub const fn pointer(&self) -> &'static str {
        if self.unicode { "›" } else { ">" }
    }

    /// Marks a row the person marked.
    pub const fn mark(&self) -> &'static str {
        if self.unicode { "•" } else { "*" }
    }

    /// Stands where something was cut.
    pub const fn ellipsis(&self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }

    /// Stands between facts of one line.
    pub const fn dot(&self) -> &'static str {
        if self.unicode { " · " } else { " - " }
    }

    /// Marks the column that a list is sorted by.
    pub const fn sorted(&self) -> &'static str {
        if self.unicode { "↓" } else { "v" }
    }

    /// A bar over some columns, filled by a share between 0 and 1; something is never nothing.
    pub fn bar(&self, share: f64, columns: usize) -> String {
        const PARTS: [&str; 8] =
            ["", "\u{258f}", "\u{258e}", "\u{258d}", "\u{258c}", "\u{258b}", "\u{258a}", "\u{2589}"];
        if share <= 0.0 || columns == 0 {
            return String::new();
        }
        let (full, parts) = if self.unicode { ("\u{2588}", 8) } else { ("#", 1) };
        let all = columns.saturating_mul(parts);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "both are small and positive, and what is too large ends at the whole column"
        )]
        let filled = ((share * all as f64).round() as usize).clamp(1, all);
        let rest = PARTS.get(filled % parts).copied().unwrap_or_default();
        full.repeat(filled / parts) + rest
    }

    /// The lines of frames and rules.
    pub const fn lines(&self) -> Lines {
        if self.unicode {
            Lines { across: "─", down: "│", branch: "┬", corners: ["┌", "┐", "└", "┘"] }
        } else {
            Lines { across: "-", down: "|", branch: "+", corners: ["+"; 4] }
        }
    }
}

/// The pieces that frames and rules are made of.
#[derive(Clone, Copy, Debug)]
pub struct Lines {
    /// A rule.
    pub across: &'static str,
    /// An upright line.
    pub down: &'static str,
    /// Where an upright line leaves a rule downwards.
    pub branch: &'static str,
    /// Top left, top right, bottom left, bottom right.
    pub corners: [&'static str; 4],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_share_and_never_longer_than_its_column() {
        let of = |theme: Theme| [0.0, 0.001, 0.5, 1.0, 7.0].map(|share| theme.bar(share, 4));
        assert_eq!(of(Theme::dark()), ["", "\u{258f}", "██", "████", "████"]);
        assert_eq!(of(Theme::dark().ascii()), ["", "#", "##", "####", "####"]);
        assert_eq!(Theme::dark().bar(0.5, 0), "");
    }
}
