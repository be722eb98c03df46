//! Ages in one unit, as people say them: `4m`, `2d`, `3w`.

use jiff::{SignedDuration, Timestamp};

/// How long ago, in one unit and at most three columns; `<1m` below a minute.
pub fn age(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second() - then.as_second();
    match seconds {
        ..60 => "<1m".into(),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        86_400..1_209_600 => format!("{}d", seconds / 86_400),
        1_209_600..8_640_000 => format!("{}w", seconds / 604_800),
        8_640_000..63_072_000 => format!("{}mo", seconds / 2_592_000),
        _ => format!("{}y", seconds / 31_536_000),
    }
}

/// How long ago, as part of a sentence: `4m ago`, `just now`.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    match age(then, now).as_str() {
        "<1m" => "just now".into(),
        age => format!("{age} ago"),
    }
}

/// How long, for countdowns: `10 min`, `1 h 20 min`, `2 d 3 h`; always rounded down.
pub fn span(length: SignedDuration) -> String {
    let minutes = length.as_mins();
    let two = |large: i64, unit: &str, small: i64, part: &str| match small {
        0 => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {part}"),
    };
    match minutes {
        ..1 => "<1 min".into(),
        1..60 => format!("{minutes} min"),
        60..2_880 => two(minutes / 60, "h", minutes % 60, "min"),
        _ => two(minutes / 1_440, "d", minutes / 60 % 24, "h"),
    }
}

/// The time of day in UTC: `14:02`.
pub fn clock(at: Timestamp) -> String {
    let seconds = at.as_second().rem_euclid(86_400);
    format!("{:02}:{:02}", seconds / 3_600, seconds % 3_600 / 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_one_unit_and_a_clock_that_runs_backwards_is_now() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap_or_default();
        let of = |seconds| age(at(0), at(seconds));
        assert_eq!(
            [of(-5), of(59), of(60), of(7_199), of(86_400), of(1_300_000), of(9_000_000), of(70_000_000)],
            ["<1m", "<1m", "1m", "1h", "1d", "2w", "3mo", "2y"]
        );
        assert_eq!(ago(at(0), at(240)), "4m ago");
        assert_eq!(clock(at(50_520)), "14:02");
    }

    #[test]
    fn lengths_have_two_units_at_most() {
        let of = |minutes| span(SignedDuration::from_mins(minutes));
        assert_eq!(
            [of(-1), of(10), of(60), of(80), of(1_440), of(3_060)],
            ["<1 min", "10 min", "1 h", "1 h 20 min", "24 h", "2 d 3 h"]
        );
    }
}
