//! What a file is, told from its beginning: notebooks, checkpoints, text, bytes. Pure, bounded, and
//! nothing in a file is ever run or trusted.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::text::{printable, size};

/// Bytes of a file that are looked at.
pub const MOST: usize = 8 << 20;
/// Bytes that are shown of what is not text.
const HEX: usize = 512;
/// Lines of text that are shown, and letters of each.
const LINES: usize = 500;
const LETTERS: usize = 400;
/// Bytes of which text is told.
const SAMPLE: usize = 64 * 1024;

/// What is known of a file, and its beginning in harmless lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// What it is.
    pub facts: Vec<String>,
    /// How it begins.
    pub lines: Vec<String>,
    /// The lines are bytes, not text.
    pub hex: bool,
    /// There is more of it.
    pub more: bool,
}

/// Looks at the beginning of a file of so many bytes.
pub fn preview(name: &Path, beginning: &[u8], bytes: u64) -> Preview {
    let whole = beginning.len() as u64 >= bytes;
    let facts = facts(name, beginning, whole);
    match text(beginning, whole) {
        Some(lines) => {
            let more = !whole || beginning.len() > SAMPLE || lines.len() > LINES;
            Preview { facts, lines: lines.into_iter().take(LINES).collect(), hex: false, more }
        }
        None => Preview { facts, lines: hex(beginning), hex: true, more: bytes > HEX as u64 },
    }
}

/// The lines of a text; `None` where it is none.
fn text(beginning: &[u8], whole: bool) -> Option<Vec<String>> {
    let sample = beginning.get(..SAMPLE).unwrap_or(beginning);
    let text = match std::str::from_utf8(sample) {
        Ok(text) => text,
        // A letter cut in the middle by where we stopped.
        Err(why) if why.error_len().is_none() && (!whole || sample.len() < beginning.len()) => {
            std::str::from_utf8(sample.get(..why.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    if text.contains('\0') {
        return None;
    }
    let line = |line: &str| {
        let letters: String = line.trim_end_matches('\r').replace('\t', "    ").chars().take(LETTERS).collect();
        printable(&letters).into_owned()
    };
    Some(text.lines().take(LINES + 1).map(line).collect())
}

/// Bytes as a person reads them: where, which, and what letters they are.
fn hex(bytes: &[u8]) -> Vec<String> {
    let row = |(at, row): (usize, &[u8])| {
        let digits: Vec<_> = row.iter().map(|byte| format!("{byte:02x}")).collect();
        let letters: String = row
            .iter()
            .map(|byte| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' })
            .collect();
        format!("{:06x}  {:<47}  {letters}", at * 16, digits.join(" "))
    };
    bytes.get(..HEX).unwrap_or(bytes).chunks(16).enumerate().map(row).collect()
}

fn facts(name: &Path, beginning: &[u8], whole: bool) -> Vec<String> {
    let is = |extension: &str| {
        name.extension().and_then(|it| it.to_str()).is_some_and(|it| it.eq_ignore_ascii_case(extension))
    };
    if is("ipynb") {
        return notebook(beginning, whole);
    }
    if is("safetensors") {
        return safetensors(beginning)
            .unwrap_or_else(|| vec!["called safetensors, but its header makes no sense".into()]);
    }
    if let Some(rest) = beginning.strip_prefix(b"GGUF") {
        return gguf(rest).unwrap_or_else(|| vec!["GGUF, cut short".into()]);
    }
    if let Some(rest) = beginning.strip_prefix(b"\x93NUMPY") {
        return vec![numpy(rest)];
    }
    if beginning.starts_with(b"PK\x03\x04") {
        return vec![zip(beginning).into()];
    }
    if let [0x80, protocol @ 2..=5, ..] = beginning {
        return vec![format!("pickle, protocol {protocol}: loading it runs code, so only from whom you trust")];
    }
    let known: [(&[u8], &str); 8] = [
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"\x1f\x8b", "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"PAR1", "Parquet"),
        (b"\x89PNG\r\n\x1a\n", "PNG picture"),
        (b"%PDF-", "PDF"),
        (b"\x7fELF", "program or library (ELF)"),
        (b"SQLite format 3\0", "SQLite database"),
    ];
    known
        .iter()
        .find(|(magic, _)| beginning.starts_with(magic))
        .map(|(_, what)| (*what).into())
        .into_iter()
        .collect()
}

/// Cells, kernel, and how much of it are outputs.
fn notebook(beginning: &[u8], whole: bool) -> Vec<String> {
    if !whole {
        return vec![format!("notebook of more than {}: its cells were not counted", size(MOST as u64))];
    }
    let Ok(book) = serde_json::from_slice::<Value>(beginning) else {
        return vec!["called a notebook, but it is no JSON: it may be damaged".into()];
    };
    let cells = book["cells"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of = |kind: &str| cells.iter().filter(|cell| cell["cell_type"] == kind).count();
    let outputs: usize = cells
        .iter()
        .filter_map(|cell| cell["outputs"].as_array().filter(|outputs| !outputs.is_empty()))
        .map(|outputs| outputs.iter().map(|output| output.to_string().len()).sum::<usize>())
        .sum();
    let mut facts =
        vec![format!("notebook: {} cells, {} of code, {} of text", cells.len(), of("code"), of("markdown"))];
    let kernel = &book["metadata"]["kernelspec"];
    if let Some(kernel) = kernel["display_name"].as_str().or_else(|| kernel["name"].as_str()) {
        facts.push(format!("kernel {}", printable(&kernel.chars().take(60).collect::<String>())));
    }
    facts.push(if outputs == 0 { "no outputs".into() } else { format!("{} of outputs", size(outputs as u64)) });
    facts
}

/// Tensors, their types and how many numbers they hold.
fn safetensors(beginning: &[u8]) -> Option<Vec<String>> {
    let length = u64::from_le_bytes(beginning.get(..8)?.try_into().ok()?);
    let end = usize::try_from(length).ok()?.checked_add(8)?;
    let Some(header) = beginning.get(8..end) else {
        return Some(vec![format!("safetensors with a header of {}: not read", size(length))]);
    };
    let header: Value = serde_json::from_slice(header).ok()?;
    let tensors: Vec<_> = header.as_object()?.iter().filter(|(name, _)| *name != "__metadata__").collect();
    let types: BTreeSet<_> = tensors.iter().filter_map(|(_, tensor)| tensor["dtype"].as_str()).collect();
    let numbers = |tensor: &Value| -> Option<u64> {
        let shape = tensor["shape"].as_array()?.iter();
        shape.map(Value::as_u64).try_fold(1_u64, |all, side| all.checked_mul(side?))
    };
    let all = tensors.iter().filter_map(|(_, tensor)| numbers(tensor)).fold(0_u64, u64::saturating_add);
    let types: Vec<_> = types.into_iter().take(6).map(|name| printable(name).into_owned()).collect();
    Some(vec![format!("safetensors: {} tensors of {}, {all} numbers in all", tensors.len(), types.join(", "))])
}

fn gguf(rest: &[u8]) -> Option<Vec<String>> {
    let version = u32::from_le_bytes(rest.get(..4)?.try_into().ok()?);
    let many = |at: usize| Some(u64::from_le_bytes(rest.get(at..at + 8)?.try_into().ok()?));
    Some(vec![format!("GGUF version {version}: {} tensors, {} facts about them", many(4)?, many(12)?)])
}

/// The shape and the type, as the file's own header writes them.
fn numpy(rest: &[u8]) -> String {
    let start = if rest.first() == Some(&1) { 4 } else { 6 };
    let header = rest.get(start..).unwrap_or_default();
    let line = header.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line.get(..200).unwrap_or(line)).trim().to_owned();
    format!("NumPy array {}", printable(&line))
}

/// A zip archive; `PyTorch` keeps its checkpoints in one, with a pickle first.
fn zip(beginning: &[u8]) -> &'static str {
    let length = beginning.get(26..28).and_then(|bytes| bytes.try_into().ok()).map_or(0, u16::from_le_bytes);
    let name = beginning.get(30..30 + usize::from(length)).unwrap_or_default();
    if name.ends_with(b"/data.pkl") {
        "PyTorch checkpoint (zip): loading it may run code, so only from whom you trust"
    } else if name == b"config.json" || name.ends_with(b".npy") {
        "archive of arrays or a model (zip)"
    } else {
        "zip archive"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts_of(name: &str, bytes: &[u8]) -> String {
        preview(Path::new(name), bytes, bytes.len() as u64).facts.join("; ")
    }

    #[test]
    fn a_notebook_tells_its_cells_its_kernel_and_its_outputs() {
        let book = br#"{"cells":[{"cell_type":"code","outputs":[{"text":"12345"}]},{"cell_type":"markdown"},
            {"cell_type":"code","outputs":[]}],"metadata":{"kernelspec":{"display_name":"Python 3\u001b[2J"}}}"#;
        let said = facts_of("a.ipynb", book);
        assert!(said.starts_with("notebook: 3 cells, 2 of code, 1 of text; kernel Python 3"), "{said}");
        assert!(said.ends_with("of outputs") && !said.contains('\u{1b}'), "{said}");
        assert!(facts_of("a.ipynb", b"{\"cells\":").contains("no JSON"));
        let cut = preview(Path::new("a.ipynb"), book, 1 << 30);
        assert!(cut.facts[0].contains("not counted"), "{:?}", cut.facts);
    }

    #[test]
    fn a_checkpoint_is_told_by_its_beginning_and_never_loaded() {
        let header =
            br#"{"__metadata__":{},"a":{"dtype":"F16","shape":[2,3]},"b":{"dtype":"F32","shape":[4]}}"#;
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend_from_slice(header);
        assert_eq!(facts_of("m.safetensors", &file), "safetensors: 2 tensors of F16, F32, 10 numbers in all");
        let huge = u64::MAX.to_le_bytes();
        assert!(facts_of("m.safetensors", &huge).contains("makes no sense"));
        let overflow = br#"{"a":{"dtype":"F16","shape":[18446744073709551615,9]}}"#;
        let mut file = (overflow.len() as u64).to_le_bytes().to_vec();
        file.extend_from_slice(overflow);
        assert!(facts_of("m.safetensors", &file).ends_with("0 numbers in all"));
        assert!(facts_of("m.pt", b"\x80\x02}q\x00.").starts_with("pickle, protocol 2"));
        assert!(facts_of("m.h5", b"\x89HDF\r\n\x1a\n").starts_with("HDF5"));
        let gguf =
            [b"GGUF".as_slice(), &3_u32.to_le_bytes(), &7_u64.to_le_bytes(), &9_u64.to_le_bytes()].concat();
        assert_eq!(facts_of("m.gguf", &gguf), "GGUF version 3: 7 tensors, 9 facts about them");
        assert_eq!(facts_of("m.gguf", b"GGUF\x03"), "GGUF, cut short");
        let mut pt = b"PK\x03\x04".to_vec();
        pt.resize(26, 0);
        pt.extend_from_slice(&16_u16.to_le_bytes());
        pt.extend_from_slice(&[0; 2]);
        pt.extend_from_slice(b"archive/data.pkl");
        assert!(facts_of("m.pt", &pt).starts_with("PyTorch checkpoint"));
    }

    #[test]
    fn text_is_shown_harmlessly_and_bytes_as_bytes() {
        let shown = preview(Path::new("a"), b"one\n\x1b[2Jtwo\tthree\r\n", 20);
        assert_eq!(shown.lines[0], "one");
        assert!(!shown.hex && !shown.lines[1].contains('\u{1b}'), "{shown:?}");
        let cut = preview(Path::new("a"), "ab\u{e4}".as_bytes().get(..3).unwrap(), 10);
        assert_eq!((cut.lines.clone(), cut.more), (vec!["ab".to_owned()], true), "a letter cut in the middle");
        let bytes = preview(Path::new("a"), b"\0\x01abc", 5);
        assert!(bytes.hex && bytes.lines[0].starts_with("000000  00 01 61 62 63"), "{bytes:?}");
        assert!(bytes.lines[0].ends_with("..abc"));
        assert_eq!(preview(Path::new("a"), b"", 0).lines, [""; 0]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_under_any_name_are_looked_at_without_harm(
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300),
            name in "(a|m)\\.(ipynb|safetensors|pt|npy|gguf|txt)",
            magic in "(GGUF|PK\u{3}\u{4}|\\{\"cells\":\\[|)",
        ) {
            let all = [magic.as_bytes(), &bytes].concat();
            let shown = preview(Path::new(&name), &all, all.len() as u64);
            for line in shown.lines.iter().chain(&shown.facts) {
                proptest::prop_assert_eq!(printable(line), line.as_str());
            }
        }
    }
}
