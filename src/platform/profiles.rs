//! Profiles: the built-in ones, and files that people add. Reading and checking only; the rules are `core`'s.

use std::path::Path;

use crate::core::error::{Error, Kind, Result};
use crate::core::fate::Fate;
use crate::core::profile::Profile;

/// The profile of plain Docker, which is part of the program.
pub fn docker() -> Result<Profile> {
    parse("assets/profiles/docker.toml", include_str!("../../assets/profiles/docker.toml"))
}

/// The profiles that are part of the program.
pub fn built_in() -> Result<Vec<Profile>> {
    Ok(vec![docker()?])
}

/// Reads a profile file; what is wrong with it is named with file, line and reason.
pub fn load(path: &Path) -> Result<Profile> {
    let name = path.to_string_lossy();
    let hint = "`--profile FILE` names a TOML file";
    let text = super::toml::text(path)
        .and_then(|text| text.ok_or_else(|| Error::new(Kind::Config, format!("{name}: no such file"))))
        .map_err(|error| error.hint(hint))?;
    parse(&name, &text)
}

fn parse(name: &str, text: &str) -> Result<Profile> {
    let profile: Profile = super::toml::read(name, text)?;
    for rule in &profile.rules {
        let wrong = |what: String| {
            let line = text
                .lines()
                .position(|line| line.starts_with("id") && line.contains(&format!("\"{}\"", rule.id)))
                .map_or(1, |at| at + 1);
            Error::new(Kind::Config, format!("{name}: line {line}: rule “{}” {what}", rule.id))
        };
        if rule.storage.is_empty() {
            return Err(wrong("names no storage kind, so it never applies".into())
                .hint("add for example storage = [\"bind_mount\"]"));
        }
        if let Some(path) = rule.paths.iter().find(|path| !path.starts_with('/')) {
            return Err(
                wrong(format!("covers “{path}”, which is not absolute")).hint("begin the path with a slash")
            );
        }
        for (event, fate) in &rule.fates {
            if *fate == Fate::Conditional && !rule.conditions.contains_key(event) {
                return Err(wrong(format!("makes {} conditional and names no condition", event.key()))
                    .hint(format!("add for example conditions = {{ {} = \"backed_up\" }}", event.key())));
            }
        }
    }
    Ok(profile)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_profiles_are_right() {
        let ids: Vec<_> = built_in().unwrap().into_iter().map(|profile| profile.id).collect();
        assert_eq!(ids, ["docker"]);
    }

    #[test]
    fn a_wrong_profile_is_named_with_file_line_and_reason() {
        let message = |text: &str| parse("p.toml", text).unwrap_err().message;
        let head = "id = \"x\"\ntitle = \"X\"\n";
        assert!(message("id = \"x\"\ntitel = \"X\"\n").starts_with("p.toml: line 2: unknown field `titel`"));
        assert!(message(&format!("{head}ignore = 3\n")).starts_with("p.toml: line 3: invalid type"));
        let rule = "[[rule]]\nid = \"r\"\nreason = \"because\"\n";
        assert_eq!(
            message(&format!("{head}{rule}paths = [\"work\"]\nstorage = [\"bind_mount\"]\n")),
            "p.toml: line 4: rule “r” covers “work”, which is not absolute"
        );
        let text = format!(
            "{head}{rule}paths = [\"/w\"]\nstorage = [\"bind_mount\"]\nfates = {{ retire = \"conditional\" }}\n"
        );
        assert!(message(&text).contains("makes retire conditional and names no condition"));
    }

    #[test]
    fn a_profile_that_is_not_there_is_no_panic() {
        let error = load(Path::new("/nonexistent/p.toml")).unwrap_err();
        assert_eq!(error.kind, Kind::Config);
        assert!(error.message.starts_with("/nonexistent/p.toml: "), "{error}");
    }
}
