//! Lengths of time as people write them in files: `30m`, `0.5h`, `24h`; and limits, which may be `none`.

use jiff::SignedDuration;
use serde::Deserialize;

/// The longest length that is taken for meant: a hundred years.
const LONGEST: f64 = 100.0 * 365.0 * 86_400.0;

/// A length of time that is not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Span(SignedDuration);

impl Span {
    /// A number of seconds; refused where it is negative, no number or longer than a hundred years.
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        if !(0.0..=LONGEST).contains(&seconds) {
            return None;
        }
        SignedDuration::try_from_secs_f64(seconds).ok().map(Self)
    }

    /// Reads `30m`; a bare number counts in `unit` seconds where a unit is given.
    fn parse(text: &str, unit: Option<f64>) -> Result<Self, String> {
        let text = text.trim();
        let wrong = || format!("“{text}” is no length of time such as \"30m\", \"0.5h\" or \"24h\"");
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match &text[digits.len()..] {
            "" => unit,
            "s" => Some(1.0),
            "m" | "min" => Some(60.0),
            "h" => Some(3_600.0),
            "d" => Some(86_400.0),
            "w" => Some(604_800.0),
            _ => None,
        };
        let number: f64 = digits.trim_end().parse().map_err(|_| wrong())?;
        Self::from_seconds(number * unit.ok_or_else(wrong)?).ok_or_else(wrong)
    }

    /// The length itself.
    pub const fn length(self) -> SignedDuration {
        self.0
    }

    /// The same length, shortened to a fraction of it.
    #[must_use]
    pub fn shortened(self, to: Fraction) -> Self {
        Self::from_seconds((self.0.as_secs_f64() * to.value()).floor()).unwrap_or(self)
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text, None)
    }
}

/// How long something may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Limit {
    /// For ever: written `none`.
    Never,
    /// Until this length is over.
    After(Span),
}

impl Limit {
    /// Reads `none` or a length; a bare number counts in `unit` seconds.
    pub fn parse(text: &str, unit: f64) -> Result<Self, String> {
        Self::read(text, Some(unit))
    }

    fn read(text: &str, unit: Option<f64>) -> Result<Self, String> {
        let none = ["none", "never", "null", "indefinite"];
        if none.iter().any(|word| text.trim().eq_ignore_ascii_case(word)) {
            return Ok(Self::Never);
        }
        Span::parse(text, unit).map(Self::After).map_err(|error| error + ", nor \"none\"")
    }
}

impl TryFrom<String> for Limit {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::read(&text, None)
    }
}

/// A part of a whole: between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Deserialize)]
#[serde(try_from = "f64")]
pub struct Fraction(f64);

impl Fraction {
    /// The number between 0 and 1.
    pub const fn value(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Fraction {
    type Error = String;

    fn try_from(number: f64) -> Result<Self, String> {
        if (0.0..=1.0).contains(&number) {
            return Ok(Self(number));
        }
        Err(format!("{number} is no fraction between 0 and 1"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(text: &str) -> Option<i64> {
        Span::parse(text, None).ok().map(|span| span.length().as_mins())
    }

    #[test]
    fn lengths_of_time_are_read_as_people_write_them() {
        assert_eq!(
            ["30m", "0.5h", "24h", " 1d ", "90 s", "1w"].map(minutes),
            [30, 30, 1_440, 1_440, 1, 10_080].map(Some)
        );
        assert_eq!(Limit::parse("none", 3_600.0), Ok(Limit::Never));
        assert_eq!(Limit::parse("24", 3_600.0), Limit::parse("1d", 1.0));
    }

    #[test]
    fn what_is_no_length_of_time_is_refused_in_words() {
        for text in ["", "h", "30", "-5m", "nan", "infh", "1e300h", "5 parsecs", "ü", "1h30m", "200000d"] {
            let error = Span::parse(text, None).unwrap_err();
            assert!(error.contains("is no length of time such as"), "{error}");
        }
        assert!(Limit::parse("soon", 1.0).unwrap_err().ends_with("nor \"none\""));
        assert!(Fraction::try_from(80.0).is_err() && Fraction::try_from(f64::NAN).is_err());
    }

    #[test]
    fn half_of_a_length_is_half_as_long() {
        let half = Fraction::try_from(0.5).unwrap();
        let hour = Span::parse("1h", None).unwrap();
        assert_eq!(hour.shortened(half), Span::parse("30m", None).unwrap());
    }
}
