//! What the terminal in front of us can do, from the environment alone.
//!
//! No terminfo (an unknown `TERM` just works) and no questions to the terminal.

use crate::core::error::{Error, Kind, Result};

/// How many colours may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Colors {
    /// None: weight, underline and reverse carry what colour would repeat.
    None,
    /// The sixteen names of the person's own palette.
    Ansi16,
    /// The 256 indexed colours.
    Ansi256,
    /// 24-bit colours.
    Rgb,
}

/// What `--color` asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// As the environment says.
    #[default]
    Auto,
    /// Colours in any case.
    Always,
    /// No colours in any case.
    Never,
}

/// What the terminal can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Whether text beyond ASCII may be sent.
    pub unicode: bool,
    /// Which colours may be sent.
    pub colors: Colors,
    /// Whether a frame is wrapped in the synchronized-output marks (ignored where unknown).
    pub sync: bool,
}

/// Reads the capabilities from the environment.
///
/// # Errors
/// `Usage` where no full screen is possible: not a terminal, or `TERM` empty or `dumb`.
pub fn detect(
    env: &dyn Fn(&str) -> Option<String>,
    stdin_tty: bool,
    stdout_tty: bool,
    ascii: bool,
    color: ColorChoice,
) -> Result<Caps> {
    if !stdin_tty || !stdout_tty {
        let which = if stdout_tty { "standard input" } else { "standard output" };
        return Err(no_screen(format!("{which} is not a terminal")));
    }
    let term = env("TERM").unwrap_or_default();
    if term.is_empty() || term == "dumb" {
        return Err(no_screen(format!("TERM={term} names no terminal with a full screen")));
    }
    let console = term == "linux";
    Ok(Caps {
        unicode: !ascii && !console && locale_is_utf8(env),
        colors: colors(env, &term, color),
        sync: !console,
    })
}

fn no_screen(why: String) -> Error {
    Error::new(Kind::Usage, why).hint("no full screen here; use `outlast ls` or `outlast risk --json`")
}

/// The first of `LC_ALL`, `LC_CTYPE`, `LANG` that is set decides.
fn locale_is_utf8(env: &dyn Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| set(env, name)).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

fn colors(env: &dyn Fn(&str) -> Option<String>, term: &str, choice: ColorChoice) -> Colors {
    let depth = match set(env, "COLORTERM").as_deref() {
        Some("truecolor" | "24bit") => Colors::Rgb,
        _ if term.contains("256color") => Colors::Ansi256,
        _ if term.ends_with("-direct") => Colors::Rgb,
        _ => Colors::Ansi16,
    };
    let monochrome = ["vt1", "vt2", "vt3"].iter().any(|family| term.starts_with(family));
    match choice {
        ColorChoice::Never => Colors::None,
        ColorChoice::Auto if set(env, "NO_COLOR").is_some() => Colors::None,
        ColorChoice::Auto if set(env, "CLICOLOR_FORCE").is_some_and(|value| value != "0") => depth,
        ColorChoice::Auto if monochrome || set(env, "CLICOLOR").is_some_and(|value| value == "0") => {
            Colors::None
        }
        ColorChoice::Always | ColorChoice::Auto => depth,
    }
}

/// A variable that is set to something: empty counts as unset, as POSIX locales and
/// `NO_COLOR` both define it.
fn set(env: &dyn Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    env(name).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps(env: &[(&str, &str)]) -> Result<Caps> {
        let get = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        detect(&get, true, true, false, ColorChoice::Auto)
    }

    #[test]
    fn a_terminal_without_a_full_screen_is_refused_with_the_way_out() {
        for env in [&[("TERM", "dumb")][..], &[("TERM", "")], &[]] {
            let error = caps(env).unwrap_err();
            assert_eq!(error.kind, Kind::Usage);
            assert!(error.hints[0].contains("outlast risk --json"), "{:?}", error.hints);
        }
        let env = |_: &str| Some("xterm".to_owned());
        for (stdin, stdout) in [(false, true), (true, false), (false, false)] {
            let error = detect(&env, stdin, stdout, false, ColorChoice::Auto).unwrap_err();
            assert!(error.message.contains("is not a terminal"));
        }
    }

    #[test]
    fn an_unknown_terminal_works() {
        let caps = caps(&[("TERM", "xterm-ghostty"), ("LANG", "en_US.UTF-8")]).unwrap();
        assert_eq!(caps, Caps { unicode: true, colors: Colors::Ansi16, sync: true });
    }

    #[test]
    fn the_linux_console_gets_ascii_and_no_synchronized_output() {
        let caps = caps(&[("TERM", "linux"), ("LANG", "C.UTF-8")]).unwrap();
        assert_eq!((caps.unicode, caps.sync), (false, false));
    }

    #[test]
    fn the_first_locale_variable_that_is_set_decides() {
        let unicode = |env: &[(&str, &str)]| {
            let mut env = env.to_vec();
            env.push(("TERM", "xterm"));
            caps(&env).unwrap().unicode
        };
        assert!(unicode(&[("LANG", "de_DE.utf8")]));
        assert!(unicode(&[("LC_ALL", ""), ("LANG", "C.UTF-8")]), "an empty variable is not set");
        assert!(!unicode(&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")]));
        assert!(!unicode(&[("LC_CTYPE", "POSIX"), ("LANG", "en_US.UTF-8")]));
        assert!(!unicode(&[]), "no locale at all means ASCII");
    }

    #[test]
    fn colours_follow_the_flag_then_no_color_then_the_terminal() {
        let of = |env: &[(&str, &str)]| {
            let mut env = env.to_vec();
            env.insert(0, ("TERM", "xterm-256color"));
            caps(&env).unwrap().colors
        };
        assert_eq!(of(&[]), Colors::Ansi256);
        assert_eq!(of(&[("COLORTERM", "truecolor")]), Colors::Rgb);
        assert_eq!(of(&[("NO_COLOR", "1")]), Colors::None);
        assert_eq!(of(&[("NO_COLOR", "")]), Colors::Ansi256, "empty counts as unset");
        assert_eq!(of(&[("CLICOLOR", "0")]), Colors::None);
        assert_eq!(caps(&[("TERM", "vt220")]).unwrap().colors, Colors::None);
        assert_eq!(caps(&[("TERM", "vt220"), ("CLICOLOR_FORCE", "1")]).unwrap().colors, Colors::Ansi16);
        let env = |name: &str| (name == "TERM" || name == "NO_COLOR").then(|| "xterm".to_owned());
        assert_eq!(detect(&env, true, true, false, ColorChoice::Always).unwrap().colors, Colors::Ansi16);
        assert_eq!(detect(&env, true, true, false, ColorChoice::Never).unwrap().colors, Colors::None);
    }
}
