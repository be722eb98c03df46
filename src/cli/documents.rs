//! `outlast completions SHELL` and `outlast man`: made from the same arguments and the same table of keys.

use std::io::Write as _;

use clap::CommandFactory as _;

use super::args::{Cli, CompletionsArgs};
use super::out::Out;
use crate::core::error::{Error, Kind, Result};
use crate::keys;

/// Prints completions for a shell.
pub(super) fn completions(args: &CompletionsArgs, out: &mut Out) -> Result<u8> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "outlast", &mut text);
    out.bytes(&text)?;
    Ok(0)
}

/// Prints the manual page.
pub(super) fn man(out: &mut Out) -> Result<u8> {
    let text = page().map_err(|error| Error::new(Kind::Failed, format!("no manual page: {error}")))?;
    out.bytes(&text)?;
    Ok(0)
}

fn page() -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut text)?;
    writeln!(text, ".SH KEYS")?;
    for group in [keys::Group::Change, keys::Group::Look, keys::Group::Move] {
        writeln!(text, ".SS {}", group.title())?;
        for binding in keys::TABLE.iter().filter(|binding| binding.group == group) {
            let on: Vec<_> = binding.on.iter().map(|on| escaped(&keys::written(on))).collect();
            writeln!(text, ".TP\n\\fB{}\\fR\n{}", on.join(", "), escaped(binding.help))?;
        }
    }
    Ok(text)
}

/// Text that roff takes literally.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_page_has_every_key() {
        let page = String::from_utf8(page().unwrap()).unwrap();
        for binding in keys::TABLE {
            assert!(page.contains(&escaped(binding.help)), "{}", binding.help);
        }
    }

    #[test]
    fn the_arguments_fit_together() {
        Cli::command().debug_assert();
    }
}
