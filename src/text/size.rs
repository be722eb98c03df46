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

    proptest::proptest! {
        #[test]
        fn no_size_is_wider_than_five_columns(bytes: u64) {
            proptest::prop_assert!(size(bytes).len() <= 5, "{}", size(bytes));
        }
    }
}
