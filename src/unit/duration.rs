//! Time spans.

use std::fmt;

use super::decimal::Decimal;
use super::{UnitError, excerpt};

/// A span of time in whole milliseconds.
///
/// Written as people say it (`7d`, `36h`, `1h30m`, `20ms`) and printed so: largest unit first, days
/// the largest, every millisecond kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Duration(i64);

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

const SHOWN: [(i64, &str); 5] = [(DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s"), (1, "ms")];

const FORMS: &str = "write it like `7d`, `36h`, `1h30m`, `10s` or `20ms`";

impl Duration {
    pub(crate) const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub(crate) const fn from_days(days: i64) -> Self {
        Self(days * DAY)
    }

    pub(crate) const fn as_millis(self) -> i64 {
        self.0
    }

    /// Reads `7d`, `36h`, `1h30m`, `1.5h`, `1 day 12 hours`: units from the largest to the
    /// smallest, each once.
    pub(crate) fn parse(text: &str) -> Result<Self, UnitError> {
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(UnitError::new("a duration is missing", FORMS));
        }
        if rest.starts_with('-') {
            return Err(UnitError::new(
                format!("`{}` is negative", excerpt(rest)),
                "a duration is 0 or more",
            ));
        }
        let mut total: i64 = 0;
        let mut smallest = i64::MAX;
        while !rest.is_empty() {
            let (number, after) = Decimal::take(rest).ok_or_else(|| not_one(text))?;
            let after = after.trim_start();
            let word_end = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
            let (word, after) = after.split_at(word_end);
            let unit = unit(word).ok_or_else(|| unknown_unit(text, word))?;
            if unit >= smallest {
                return Err(UnitError::new(
                    format!("the units of `{}` are out of order", excerpt(text.trim())),
                    "write the largest unit first and each one once, like `1d12h30m`",
                ));
            }
            smallest = unit;
            let part = number.times(unit).ok_or_else(|| {
                UnitError::new(
                    format!("`{}` is not a whole number of milliseconds", excerpt(text.trim())),
                    "the smallest unit is `1ms`",
                )
            })?;
            total = i64::try_from(part)
                .ok()
                .and_then(|part| total.checked_add(part))
                .ok_or_else(|| too_long(text))?;
            rest = after.trim_start();
        }
        Ok(Self(total))
    }
}

fn unit(word: &str) -> Option<i64> {
    Some(match word {
        "w" | "week" | "weeks" => WEEK,
        "d" | "day" | "days" => DAY,
        "h" | "hr" | "hrs" | "hour" | "hours" => HOUR,
        "m" | "min" | "mins" | "minute" | "minutes" => MINUTE,
        "s" | "sec" | "secs" | "second" | "seconds" => SECOND,
        "ms" | "millis" | "millisecond" | "milliseconds" => 1,
        _ => return None,
    })
}

fn not_one(text: &str) -> UnitError {
    UnitError::new(format!("`{}` is not a duration", excerpt(text.trim())), FORMS)
}

fn too_long(text: &str) -> UnitError {
    UnitError::new(
        format!("`{}` is too long", excerpt(text.trim())),
        "Kafka counts milliseconds in 64 bits: at most about 292 million years",
    )
}

fn unknown_unit(text: &str, word: &str) -> UnitError {
    let text = excerpt(text.trim());
    match word {
        "" => UnitError::new(
            format!("`{text}` has no unit"),
            format!("add one: `{text}d`, `{text}h`, `{text}m`, `{text}s` or `{text}ms`"),
        ),
        "M" | "mo" | "mon" | "month" | "months" | "y" | "yr" | "year" | "years" => UnitError::new(
            format!("`{text}`: months and years have no fixed length"),
            "write days instead: `30d`, `365d`",
        ),
        "us" | "µs" | "μs" | "ns" => {
            UnitError::new(format!("`{text}` is finer than a millisecond"), "the smallest unit is `1ms`")
        }
        _ => UnitError::new(
            format!("`{}` is not a unit of time", excerpt(word)),
            "the units are w, d, h, m, s and ms, like `7d` or `1h30m`",
        ),
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.pad("0ms");
        }
        let mut text = String::new();
        let mut left = self.0.unsigned_abs();
        if self.0 < 0 {
            text.push('-');
        }
        for (unit, word) in SHOWN {
            let unit = unit.unsigned_abs();
            if left >= unit {
                text.push_str(&(left / unit).to_string());
                text.push_str(word);
                left %= unit;
            }
        }
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, millis) in [
            ("7d", 7 * DAY),
            ("36h", 36 * HOUR),
            ("1h30m", 90 * MINUTE),
            ("20ms", 20),
            ("1w", 7 * DAY),
            ("10s", 10_000),
            ("1.5h", 90 * MINUTE),
            (" 1 day 12 hours ", 36 * HOUR),
            ("0s", 0),
            ("9223372036854775807ms", i64::MAX),
        ] {
            assert_eq!(Duration::parse(text), Ok(Duration(millis)), "{text}");
        }
    }

    #[test]
    fn durations_are_printed_the_way_they_are_written() {
        for (millis, text) in [
            (604_800_000, "7d"),
            (90_000, "1m30s"),
            (0, "0ms"),
            (36 * HOUR, "1d12h"),
            (86_400_001, "1d1ms"),
            (-1, "-1ms"),
        ] {
            assert_eq!(Duration(millis).to_string(), text);
        }
        assert_eq!(format!("{:>5}|", Duration(DAY)), "   1d|");
    }

    #[test]
    fn what_is_no_duration_is_refused_with_the_reason() {
        for (text, reason) in [
            ("7", "`7` has no unit"),
            ("1M", "months and years have no fixed length"),
            ("2 years", "months and years"),
            ("-5s", "is negative"),
            ("99999999999999999d", "too long"),
            ("99999999999999999999999999999999d", "not a duration"),
            ("1.5ms", "not a whole number of milliseconds"),
            ("30m1h", "out of order"),
            ("1h1h", "out of order"),
            ("soon", "not a duration"),
            ("5 parsecs", "`parsecs` is not a unit of time"),
            ("10µs", "finer than a millisecond"),
            ("", "missing"),
            ("1d\u{1b}[31m", "not a duration"),
        ] {
            let error = Duration::parse(text).unwrap_err();
            assert!(error.message.contains(reason), "{text}: {error}");
            assert!(!error.message.contains('\u{1b}'));
        }
    }

    proptest! {
        #[test]
        fn a_printed_duration_reads_back_as_itself(millis in 0..=i64::MAX) {
            let duration = Duration(millis);
            prop_assert_eq!(Duration::parse(&duration.to_string()), Ok(duration));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = Duration::parse(&text);
        }
    }
}
