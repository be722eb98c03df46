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
