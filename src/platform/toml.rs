//! Reads TOML files and says where one is wrong: file, line, reason.

use serde::de::DeserializeOwned;

use crate::core::error::{Error, Kind, Result};

/// Reads a text; `name` is what the file is called in the message.
pub(super) fn read<T: DeserializeOwned>(name: &str, text: &str) -> Result<T> {
    toml::from_str(text).map_err(|error| {
        let reason = error.message().lines().next().unwrap_or("it makes no sense").to_string();
        let place = error.span().map_or_else(String::new, |span| {
            let before = text.get(..span.start).unwrap_or_default();
            format!(" line {}:", before.matches('\n').count() + 1)
        });
        Error::new(Kind::Config, format!("{name}:{place} {reason}"))
            .hint("correct that line, or move the file away to go on without it")
    })
}
