//! The dependency arrows hold, foreign crates stop at their adapter, and files keep their form.
//!
//! Reads the sources as text: comments, literals and test modules are blanked first.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Who may import whom. `core` and `text` are open to all; `main` wires everything.
const ARROWS: &[(&str, &[&str])] = &[
    // `app` and `cli` hand the ports and the store to `work`.
    ("app", &["ui", "model", "work", "term", "port", "store", "keys", "core", "text"]),
    ("backup", &["port", "core", "text"]),
    ("cli", &["work", "port", "store", "keys", "core", "text"]),
    ("core", &["text"]),
    ("engine", &["port", "scan", "sys", "core", "text"]),
    ("files", &["port", "scan", "core", "text"]),
    ("keys", &["model", "core", "text"]),
    // Of `port` only its plain data: an endpoint, its rights, its images.
    ("model", &["port", "keys", "core", "text"]),
    ("platform", &["port", "sys", "core", "text"]),
    ("port", &["core", "text"]),
    ("scan", &["port", "sys", "core", "text"]),
    ("store", &["port", "core", "text"]),
    ("sys", &["port", "core", "text"]),
    ("term", &["model", "core", "text"]),
    ("text", &["core"]),
    ("ui", &["model", "keys", "core", "text"]),
    ("work", &["port", "store", "platform", "core", "text"]),
];

/// Where a foreign crate may be named: folders below `src`, or the file at its top.
const HOMES: &[(&str, &[&str])] = &[
    ("bollard", &["engine/docker"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("color_eyre", &["main.rs"]),
    ("crossterm", &["term"]),
    ("directories", &["platform", "store"]),
    ("libc", &["sys"]),
    ("md5", &["files", "work"]),
    ("ratatui", &["ui", "term"]),
    ("rustix", &["files", "scan", "engine", "platform", "store", "term", "sys"]),
    ("serde_saphyr", &["platform"]),
    ("signal_hook", &["term"]),
    ("sysinfo", &["platform", "engine/machine"]),
    ("toml", &["platform"]),
    ("tui_textarea", &["ui", "app"]),
];

/// What the pure folders must not touch.
const IMPURE: &[&str] =
    &["std::fs", "std::net", "std::process", "std::thread", "std::time::SystemTime", "tokio", "async"];

/// The folders that hold plain data and rules.
const PURE: &[&str] = &["core", "text", "model", "keys"];

/// Lines a file may have before it holds two ideas.
const LONGEST: usize = 450;

/// A source file, as the rules see it.
struct Source {
    /// Its path below `src`.
    path: String,
    text: String,
    /// The text without comments, literals and tests; lines as in the file.
    code: String,
    /// Whether it is declared under `#[cfg(test)]`.
    test: bool,
}

impl Source {
    /// The layer: the first folder, or the name of a file at the top.
    fn layer(&self) -> &str {
        let first = self.path.split('/').next().unwrap();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// Where an identifier stands on its own, as line numbers from 1.
    fn lines_with(&self, word: &str) -> Vec<usize> {
        let lines = self.code.lines().enumerate();
        lines.filter(|(_, line)| has_word(line, word)).map(|(index, _)| index + 1).collect()
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let read = |file: &PathBuf| {
        let text = std::fs::read_to_string(file).unwrap();
        let path = file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        Source { code: without_tests(&without_literals(&text)), path, text, test: false }
    };
    let mut sources: Vec<Source> = files.iter().map(read).collect();
    let tests: BTreeSet<String> = sources.iter().flat_map(test_files).collect();
    for source in &mut sources {
        source.test = tests.contains(&source.path);
    }
    sources
}

/// The files that a source declares as test modules: `#[cfg(test)]`, maybe a path, `mod name;`.
fn test_files(source: &Source) -> Vec<String> {
    let (folder, file) = source.path.rsplit_once('/').unwrap_or(("", &source.path));
    let own = match file {
        "mod.rs" | "lib.rs" | "main.rs" => folder.to_owned(),
        _ => source.path.trim_end_matches(".rs").to_owned(),
    };
    let mut found = Vec::new();
    for after in source.text.split("#[cfg(test)]").skip(1) {
        let mut rest = after.trim_start();
        if let Some(path) = rest.strip_prefix("#[path = \"") {
            found.push(format!("{folder}/{}", path.split('"').next().unwrap()));
            continue;
        }
        rest = rest.trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
        if let Some(name) =
            rest.strip_prefix("mod ").and_then(|rest| rest.split_once(';')).map(|(name, _)| name)
            && name.chars().all(is_word)
        {
            found.extend([format!("{own}/{name}.rs"), format!("{own}/{name}/mod.rs")]);
        }
    }
    found
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn report(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn every_layer_imports_only_what_its_arrow_allows() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| !source.test) {
        let layer = source.layer();
        if matches!(layer, "main" | "lib") {
            continue;
        }
        let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| *from == layer) else {
            broken.push(format!("src/{}:1: the layer `{layer}` has no arrows in this test", source.path));
            continue;
        };
        for (line, to) in imports(&source.code) {
            if to != layer && !allowed.contains(&to.as_str()) {
                broken.push(format!("src/{}:{line}: `{layer}` may not import `{to}`", source.path));
            }
        }
    }
    report(&broken);
}

#[test]
fn foreign_crates_stay_in_their_adapter() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| !source.test) {
        for (name, homes) in HOMES {
            let at_home =
                homes.iter().any(|home| source.path == *home || source.path.starts_with(&format!("{home}/")));
            let lines = source.lines_with(&format!("{name}::"));
            for line in lines.iter().filter(|_| !at_home) {
                broken.push(format!("src/{}:{line}: `{name}` belongs in {}", source.path, homes.join(", ")));
            }
        }
    }
    report(&broken);
}

#[test]
fn the_pure_folders_do_no_input_or_output() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| PURE.contains(&source.layer()) && !source.test) {
        for word in IMPURE {
            for line in source.lines_with(word) {
                broken.push(format!(
                    "src/{}:{line}: `{}` is pure, no `{word}` there",
                    source.path,
                    source.layer()
                ));
            }
        }
    }
    report(&broken);
}

#[test]
fn nothing_in_the_program_panics_on_purpose() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| !source.test) {
        for (index, line) in source.code.lines().enumerate() {
            for word in ["todo!", "unimplemented!", ".unwrap()", ".expect(", "unsafe "] {
                if line.contains(word) && !(word == "unsafe " && source.layer() == "sys") {
                    broken.push(format!("src/{}:{}: no `{}` here", source.path, index + 1, word.trim()));
                }
            }
        }
    }
    report(&broken);
}

#[test]
fn every_file_says_what_lives_in_it_and_holds_one_idea() {
    let mut broken = Vec::new();
    for source in sources() {
        if !source.text.starts_with("//! ") {
            broken.push(format!("src/{}:1: does not begin with `//!` and what lives here", source.path));
        }
        let lines = source.text.lines().count();
        if lines > LONGEST {
            broken.push(format!("src/{}:{lines}: over {LONGEST} lines, split it by idea", source.path));
        }
    }
    report(&broken);
}

/// The layers of this crate that a text names: `use crate::a::b`, `use crate::{a, b::c}`,
/// `crate::a::b` in code. With line numbers from 1.
fn imports(code: &str) -> BTreeSet<(usize, String)> {
    let mut found = BTreeSet::new();
    for root in ["crate::", "outlast::"] {
        for (at, _) in code.match_indices(root) {
            if code[..at].ends_with(is_word) {
                continue;
            }
            let line = code[..at].matches('\n').count() + 1;
            let rest = &code[at + root.len()..];
            for name in heads(rest) {
                found.insert((line, name));
            }
        }
    }
    found
}

/// The first names after `crate::`: one, or each at the top of a brace group.
fn heads(rest: &str) -> Vec<String> {
    let name = |text: &str| text.trim_start().chars().take_while(|c| is_word(*c)).collect::<String>();
    let Some(group) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let (mut depth, mut start, mut names) = (0, 0, Vec::new());
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.push(name(&group[start..at]));
                start = at + 1;
                if character == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Whether a path or word stands in a line with nothing of a longer word around it.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        // `self::docker::bollard` would be ours; a foreign path begins with its crate.
        !before.is_some_and(|c| is_word(c) || c == ':') && (word.ends_with(':') || !after.is_some_and(is_word))
    })
}

/// Blanks comments and the insides of string and character literals, keeping line ends.
fn without_literals(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(end) = raw_string(rest).filter(|_| !out.ends_with(is_word)) {
            end
        } else if first == '"' {
            quoted(rest, '"')
        } else if first == '\'' && is_character(rest) {
            quoted(rest, '\'')
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        out.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &rest[length..];
    }
    out
}

/// The length of `r"..."`, `r#"..."#`, `br".."` at the start of a text.
fn raw_string(text: &str) -> Option<usize> {
    let after = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = after.chars().take_while(|c| *c == '#').count();
    let body = after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(text.len() - body.len() + body.find(&end)? + end.len())
}

/// The length of a quoted literal at the start of a text.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Whether a quote begins a character and not a lifetime.
fn is_character(text: &str) -> bool {
    let mut characters = text.chars().skip(1);
    match characters.next() {
        Some('\\') => true,
        Some(_) => characters.next() == Some('\''),
        None => false,
    }
}

/// Blanks what stands under `#[cfg(test)]`: to the end of its block, or of its line.
fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(start) = out.find("#[cfg(test)]") {
        let rest = &out[start..];
        let end = match (rest.find('{'), rest.find(';')) {
            (Some(open), semicolon) if semicolon.is_none_or(|semicolon| open < semicolon) => {
                let mut depth = 0;
                let close = rest[open..].char_indices().find(|(_, character)| {
                    depth += match character {
                        '{' => 1,
                        '}' => -1,
                        _ => 0,
                    };
                    depth == 0
                });
                close.map_or(rest.len(), |(at, _)| open + at + 1)
            }
            (_, Some(semicolon)) => semicolon + 1,
            _ => rest.len(),
        };
        let blank: String = rest[..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(start..start + end, &blank);
    }
    out
}

#[test]
fn the_rules_see_through_groups_comments_literals_and_tests() {
    let code = without_tests(&without_literals(
        "use crate::{core::{a, b}, work};\n// crate::ui::x\nlet s = \"crate::ui::y\"; let c = '{';\n\
         fn f() -> crate::term::Caps<'static> {}\n#[cfg(test)]\nmod tests { use crate::ui::z; }\nuse crate::port;",
    ));
    let names: Vec<String> = imports(&code).into_iter().map(|(line, name)| format!("{line} {name}")).collect();
    assert_eq!(names, ["1 core", "1 work", "4 term", "7 port"]);
    assert!(has_word("use bollard::Docker;", "bollard::") && !has_word("mybollard::x", "bollard::"));
}
