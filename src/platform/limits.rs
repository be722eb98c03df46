//! Reads the limits of a DS01 host: `resource-limits.yaml` with the member files and
//! exceptions that lie beside it. Somebody else's files: what is not known is passed over.

use std::fmt;
use std::path::Path;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, de::DeserializeOwned};

use crate::core::error::{Error, Kind, Result};
use crate::core::limits::{Exemption, Group, LimitKey, Limits, Times};
use crate::core::span::{Fraction, Limit, Span};

/// Reads the limits; `None` where there is no such file. A damaged one is named with
/// file, line and reason, and the caller goes on with what the profile says.
pub fn load(path: &Path) -> Result<Option<Limits>> {
    let Some(text) = super::toml::text(path)? else { return Ok(None) };
    let file: File = read(path, &text)?;
    let mut unread = Vec::new();
    let mut beside = |name: &str| {
        let path = path.with_file_name(name);
        // Only its platform may read them on some hosts; it too goes on without.
        let text = super::toml::text(&path).unwrap_or_else(|error| {
            unread.push(error.message);
            None
        });
        text.map(|text| (path, text))
    };
    let mut groups = Vec::new();
    for (name, Section { mut members, times, .. }) in file.groups.0 {
        if is_file_name(&name)
            && let Some((_, text)) = beside(&format!("groups/{name}.members"))
        {
            members.extend(text.lines().filter_map(member).map(str::to_owned));
        }
        groups.push(Group { name, members: members.into_iter().collect(), times });
    }
    let mut users = file.user_overrides.0;
    if let Some((path, text)) = beside("user-overrides.yaml") {
        users.extend(read::<Named>(&path, &text)?.0);
    }
    let exemptions = match beside("lifecycle-exemptions.yaml") {
        Some((path, text)) => exemptions(&path, &text)?,
        None => Vec::new(),
    };
    let times = |sections: Vec<(String, Section)>| {
        sections.into_iter().map(|(name, section)| (name, section.times)).collect()
    };
    let mut defaults = file.policies.times;
    defaults.extend(file.defaults.times);
    Ok(Some(Limits {
        defaults,
        default_group: Some(file.default_group.unwrap_or_else(|| "student".into())),
        groups,
        users: times(users),
        types: times(file.container_types.0),
        high_demand_from: file.policies.high_demand_from,
        high_demand_factor: file.policies.high_demand_factor,
        exemptions,
        unread,
    }))
}

/// Who is spared what. An end that makes no sense is one that has passed: nobody is told that their
/// container is safe on the word of a damaged line.
fn exemptions(path: &Path, text: &str) -> Result<Vec<Exemption>> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Exemptions {
        exemptions: Option<Vec<Entry>>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Entry {
        username: String,
        exempt_from: Option<Vec<String>>,
        expires_on: Option<String>,
    }
    let file: Exemptions = read(path, text)?;
    let entries = file.exemptions.unwrap_or_default().into_iter().filter(|entry| !entry.username.is_empty());
    let one = |entry: Entry| Exemption {
        from: entry.exempt_from.iter().flatten().filter_map(|key| Some(LimitKey::from_key(key)?.0)).collect(),
        until: entry.expires_on.map(|text| moment(&text).unwrap_or(jiff::Timestamp::MIN)),
        user: entry.username,
    };
    Ok(entries.map(one).collect())
}

/// A moment, or a day, which ends where it begins as the platform counts.
fn moment(text: &str) -> Option<jiff::Timestamp> {
    let text = text.trim();
    text.parse().or_else(|_| format!("{text}T00:00:00Z").parse()).ok()
}

/// The name in a line of a member file; what follows a `#` is for people.
fn member(line: &str) -> Option<&str> {
    let name = line.split('#').next()?.trim();
    (!name.is_empty()).then_some(name)
}

/// Whether a group's name can be part of a file's name without leading elsewhere.
fn is_file_name(name: &str) -> bool {
    !name.starts_with('.') && !name.contains(['/', '\0'])
}

fn read<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T> {
    let options = serde_saphyr::options! {
        // As the platform's own reader does.
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place = error.location().map_or_else(String::new, |at| format!(" line {}:", at.line()));
        let reason = error.to_string();
        let reason = reason.lines().next().unwrap_or("it makes no sense");
        // The reader puts the place at the end once more.
        let reason = reason.rsplit_once(" at line ").map_or(reason, |(reason, _)| reason);
        Error::new(Kind::Config, format!("{}:{place} {reason}", path.display()))
            .hint("tell whoever runs this host; until then the usual times are shown")
    })
}

/// The parts of the file that matter here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct File {
    defaults: Section,
    default_group: Option<String>,
    groups: Named,
    user_overrides: Named,
    container_types: Named,
    policies: Section,
}

/// Sections with names, in the order of the file; nothing but comments is none.
#[derive(Default)]
struct Named(Vec<(String, Section)>);

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Sections;
        impl<'de> Visitor<'de> for Sections {
            type Value = Named;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("names with settings under them")
            }

            fn visit_unit<E>(self) -> std::result::Result<Named, E> {
                Ok(Named::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Named, A::Error> {
                let mut named = Named::default();
                while let Some(entry) = map.next_entry()? {
                    named.0.push(entry);
                }
                Ok(named)
            }
        }
        deserializer.deserialize_any(Sections)
    }
}

/// Settings of which only some matter here.
#[derive(Default)]
struct Section {
    members: Vec<String>,
    times: Times,
    high_demand_from: Option<Fraction>,
    high_demand_factor: Option<Fraction>,
}

impl<'de> Deserialize<'de> for Section {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Settings;
        impl<'de> Visitor<'de> for Settings {
            type Value = Section;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("settings, one a line")
            }

            fn visit_unit<E>(self) -> std::result::Result<Section, E> {
                Ok(Section::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Section, A::Error> {
                let mut section = Section::default();
                while let Some(key) = map.next_key::<String>()? {
                    if let Some((time, unit)) = LimitKey::from_key(&key) {
                        section.times.insert(time, map.next_value_seed(Time { unit })?);
                        continue;
                    }
                    match key.as_str() {
                        "members" => section.members = map.next_value::<Option<_>>()?.unwrap_or_default(),
                        "high_demand_threshold" => section.high_demand_from = map.next_value()?,
                        "high_demand_idle_reduction" => section.high_demand_factor = map.next_value()?,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(section)
            }
        }
        deserializer.deserialize_any(Settings)
    }
}

/// A time: a number of `unit` seconds, a text such as `0.5h`, or nothing for no limit.
struct Time {
    unit: f64,
}

impl<'de> DeserializeSeed<'de> for Time {
    type Value = Limit;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<Limit, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Time {
    type Value = Limit;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a length of time such as 0.5, \"30m\" or null")
    }

    fn visit_unit<E>(self) -> std::result::Result<Limit, E> {
        Ok(Limit::Never)
    }

    fn visit_none<E>(self) -> std::result::Result<Limit, E> {
        Ok(Limit::Never)
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> std::result::Result<Limit, E> {
        let span = Span::from_seconds(number * self.unit);
        span.map(Limit::After).ok_or_else(|| E::custom(format!("{number} is no length of time")))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> std::result::Result<Limit, E> {
        self.visit_f64(number as f64)
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> std::result::Result<Limit, E> {
        self.visit_f64(number as f64)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> std::result::Result<Limit, E> {
        if text.trim().is_empty() {
            return Ok(Limit::Never);
        }
        Limit::parse(text, self.unit).map_err(E::custom)
    }
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
