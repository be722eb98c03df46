//! Sizes, binary as in `du -h`: `0`, `812`, `14K`, `2.1G`.

use humansize::{BaseUnit, FixedAt, FormatSizeOptions, Kilo, format_size};

/// A size in at most five columns: one decimal below ten, none above.
pub fn size(bytes: u64) -> String {
    let one_decimal = print(bytes, 1);
    let digits = one_decimal.find(|c: char| !c.is_ascii_digit()).unwrap_or(one_decimal.len());
    if digits == 1 && bytes >= 1024 { one_decimal } else { print(bytes, 0) }
}

/// A size that is a lower bound.
pub fn size_at_least(bytes: u64) -> String {
    format!(">= {}", size(bytes))
}

/// Reads a size as people write it: `812`, `14K`, `1.5G` binary, `1GB` decimal, `1GiB` binary.
pub fn read_size(text: &str) -> Option<u64> {
    const LETTERS: &str = "KMGTPE";
    let text = text.trim();
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text[number.len()..].to_ascii_uppercase();
    let (letter, rest) = unit.split_at_checked(1).unwrap_or_default();
    let (power, base) = match (LETTERS.find(letter), rest) {
        _ if unit.is_empty() || unit == "B" => (0, 1),
        (Some(at), "" | "IB") => (at + 1, 1024),
        (Some(at), "B") => (at + 1, 1000),
        _ => return None,
    };
    let factor = u64::pow(base, u32::try_from(power).ok()?);
    let (whole, part) = number.trim_end().split_once('.').unwrap_or((number.trim_end(), "0"));
    let digits = |text: &str| !text.is_empty() && text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) {
        return None;
    }
    let parts = u128::from(part.parse::<u64>().ok()?) * u128::from(factor);
    let parts = u64::try_from(parts / 10_u128.pow(u32::try_from(part.len()).ok()?)).ok()?;
    whole.parse::<u64>().ok()?.checked_mul(factor)?.checked_add(parts)
}

fn print(bytes: u64, decimals: usize) -> String {
    let options = FormatSizeOptions::default()
        .base_unit(BaseUnit::Byte)
        .kilo(Kilo::Binary)
        .decimal_places(decimals)
        .decimal_zeroes(decimals)
        .space_after_value(false)
        .fixed_at(None::<FixedAt>);
    let text = format_size(bytes, options);
    // humansize writes kilo with a small k, du a large one.
    text.replace("iB", "").replace('B', "").replace('k', "K")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_in_du() {
        let all: Vec<_> = [0, 812, 1024, 14 << 10, 2_254_857_830, 12 << 20, 128 << 30, 1 << 40]
            .into_iter()
            .map(size)
            .collect();
        assert_eq!(all, ["0", "812", "1.0K", "14K", "2.1G", "12M", "128G", "1.0T"]);
    }

    #[test]
    fn sizes_are_read_as_they_are_written() {
        let all = ["0", "812", "1k", "1G", "1GB", "1GiB", "1.5G", " 2 M ", "0.001kb", "15E"].map(read_size);
        let meant = [0, 812, 1 << 10, 1 << 30, 1_000_000_000, 1 << 30, 3 << 29, 2 << 20, 1, 15 << 60];
        assert_eq!(all, meant.map(Some));
        for wrong in
            ["", "G", "1X", "1BG", "-1", "1e3", "1.", ".5G", "16E", "ü", "1 2G", "99999999999999999999"]
        {
            assert_eq!(read_size(wrong), None, "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_size_or_none(text: String) {
            let _ = read_size(&text);
        }


        #[test]
        fn no_size_is_wider_than_five_columns(bytes: u64) {
            proptest::prop_assert!(size(bytes).len() <= 5, "{}", size(bytes));
        }
    }
}
