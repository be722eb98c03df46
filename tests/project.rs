//! What the project promises about itself: licences, README, CHANGELOG, nothing of the machines
//! it was made on.

use outlast::core::fate::Condition;
use outlast::core::storage::StorageKind;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Licences that ask for no more than naming the authors.
const PERMISSIVE: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// The exceptions, each by name: crate, licence.
const EXCEPTIONS: &[(&str, &str)] = &[("option-ext", "MPL-2.0")];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn every_dependency_has_a_permissive_licence_or_is_named() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let arguments =
        ["metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"];
    let output = Command::new(cargo).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let field = |package: &Value, name: &str| package[name].as_str().unwrap_or_default().to_owned();
    let licences: BTreeMap<String, String> =
        packages.iter().map(|package| (field(package, "name"), field(package, "license"))).collect();
    assert!(licences.len() > 100, "the whole graph was read");
    let excused = |name: &str, licence: &str| EXCEPTIONS.contains(&(name, licence));
    let wrong: Vec<_> =
        licences.iter().filter(|(name, licence)| !is_permissive(licence) && !excused(name, licence)).collect();
    assert!(wrong.is_empty(), "neither permissive nor named: {wrong:?}");
}

/// Whether one side of every OR, and all sides of its ANDs, are permissive.
fn is_permissive(licence: &str) -> bool {
    let plain = licence.replace(['(', ')'], " ").replace('/', " OR ");
    // `A AND (B OR C)` written flat would read wrongly: each side of an AND on its own.
    plain.split(" AND ").all(|side| side.split(" OR ").any(|name| PERMISSIVE.contains(&name.trim())))
}

#[test]
fn licences_are_read_as_they_are_written() {
    assert!(is_permissive("MIT OR Apache-2.0") && is_permissive("Unlicense/MIT"));
    assert!(is_permissive("(MIT OR Apache-2.0) AND Unicode-3.0"));
    assert!(!is_permissive("GPL-3.0") && !is_permissive("MPL-2.0") && !is_permissive(""));
    assert!(!is_permissive("MIT AND GPL-2.0"));
}

#[test]
fn the_lock_file_is_part_of_the_project() {
    assert!(read("Cargo.lock").contains("name = \"outlast\""));
    assert!(!read(".gitignore").lines().any(|line| line.trim_matches('/') == "Cargo.lock"));
}

#[test]
fn the_readme_begins_with_how_to_run_and_how_to_test() {
    let readme = read("README.md");
    let mut commands = readme.lines().skip_while(|line| !line.starts_with("```")).skip(1);
    assert_eq!(commands.next(), Some("cargo run --release"));
    assert_eq!(commands.next(), Some("cargo test"));
}

#[test]
fn the_key_table_of_the_readme_is_the_programs_own() {
    let table = outlast::keys::markdown();
    assert!(read("README.md").contains(table.trim()), "README holds another key table than:\n{table}");
}

#[test]
fn the_tables_of_the_profile_document_are_the_programs_own() {
    let mut conditions = String::from("| condition | holds if |\n|---|---|\n");
    for condition in Condition::ALL {
        writeln!(conditions, "| `{}` | {} |", condition.key(), condition.meaning()).unwrap();
    }
    let mut storage = String::from("| storage | on the screen |\n|---|---|\n");
    for kind in StorageKind::ALL {
        writeln!(storage, "| `{}` | {} |", kind.key(), kind.label()).unwrap();
    }
    let mut text = read("docs/profiles.md");
    for (mark, table) in [("conditions", conditions), ("storage", storage)] {
        let (start, end) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->"));
        let from = text.find(&start).unwrap() + start.len();
        let to = text.find(&end).unwrap();
        if std::env::var_os("OUTLAST_UPDATE").is_some() {
            text.replace_range(from..to, &table);
            std::fs::write(root().join("docs/profiles.md"), &text).unwrap();
        } else {
            assert_eq!(text[from..to], table, "OUTLAST_UPDATE=1 writes the tables anew");
        }
    }
}

#[test]
fn the_profile_in_the_document_is_right() {
    let text = read("docs/profiles.md");
    let example = text.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lab.toml");
    std::fs::write(&file, example).unwrap();
    outlast::platform::profiles::load(&file).unwrap();
}

#[test]
fn the_changelog_has_a_place_for_what_comes() {
    assert!(read("CHANGELOG.md").lines().any(|line| line == "## [Unreleased]"));
}

#[test]
fn no_file_names_the_machine_it_was_made_on() {
    let output = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        eprintln!("skipped: not a git checkout");
        return;
    };
    // Written in two parts, so that this file does not name them either.
    let words =
        [["/wo", "rk/"], ["/home/", "runner"], ["/root/", ".cargo"], ["/tmp/", "brief"], ["shared/", "DESIGN"]];
    let words = words.map(|parts| parts.concat());
    let mut found = Vec::new();
    for file in String::from_utf8_lossy(&output.stdout).split('\0').filter(|file| !file.is_empty()) {
        let Ok(text) = std::fs::read_to_string(root().join(file)) else { continue };
        for (index, line) in text.lines().enumerate() {
            // The home of a Backend.AI session is everybody's, also where its path was cut.
            let line = line.replace("me/work", "").replace("e/work/corpus", "");
            if let Some(word) = words.iter().find(|word| line.contains(word.as_str())) {
                found.push(format!("{file}:{}: {word}", index + 1));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
