//! Moments.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::error::FieldError;
use super::wire::{Part, string};

/// A moment as RFC 3339 writes it, in its own text: whatever offset, case and number of decimals it
/// was read with, it is written with them again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(String);

/// A text is no [`Timestamp`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a timestamp is a date and time of RFC 3339, like `2024-09-01T10:15:30Z`")]
pub struct TimestampError;

const DAY: i64 = 86_400_000;

impl Timestamp {
    /// Takes a text of RFC 3339, like `2024-09-01T10:15:30Z`.
    pub fn new(text: impl Into<String>) -> Result<Self, TimestampError> {
        let text = text.into();
        if is_date_time(text.as_bytes()) { Ok(Self(text)) } else { Err(TimestampError) }
    }

    /// The moment that many milliseconds after the beginning of 1970, in UTC. Fails beyond the
    /// years 0000 to 9999, which RFC 3339 can write.
    pub fn from_unix_millis(millis: i64) -> Result<Self, TimestampError> {
        let (year, month, day) = date(millis.div_euclid(DAY));
        if !(0..=9999).contains(&year) {
            return Err(TimestampError);
        }
        let time = millis.rem_euclid(DAY);
        let (seconds, millis) = (time / 1_000, time % 1_000);
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        Ok(Self(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Year, month and day of a day counted from the beginning of 1970; years begin in March, so that
/// the leap day is the last one.
fn date(days: i64) -> (i64, i64, i64) {
    const FOUR_CENTURIES: i64 = 146_097;
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(FOUR_CENTURIES), days.rem_euclid(FOUR_CENTURIES));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next_year, month, day)
}

/// Is it a `date-time` as the schemas' judge has it? RFC 3339, lower-case `t` and `z` included, and a
/// leap second where UTC may have one, at 23:59:60.
fn is_date_time(text: &[u8]) -> bool {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T' | b't', time @ ..] = text else { return false };
    let [h1, h2, b':', n1, n2, b':', s1, s2, rest @ ..] = time else { return false };
    let (Some(year), Some(month), Some(day)) =
        (number(&[*y1, *y2, *y3, *y4]), number(&[*m1, *m2]), number(&[*d1, *d2]))
    else {
        return false;
    };
    let (Some(hour), Some(minute), Some(second)) =
        (number(&[*h1, *h2]), number(&[*n1, *n2]), number(&[*s1, *s2]))
    else {
        return false;
    };
    let Some(offset) = offset(rest) else { return false };
    let leap_second = (hour * 60 + minute - offset).rem_euclid(24 * 60) == 23 * 60 + 59;
    (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && hour <= 23
        && minute <= 59
        && (second <= 59 || second == 60 && leap_second)
}

fn number(digits: &[u8]) -> Option<i32> {
    digits
        .iter()
        .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i32::from(byte - b'0')))
}

/// Minutes east of UTC, behind a fraction of a second that may be there.
fn offset(text: &[u8]) -> Option<i32> {
    let text = match text {
        [b'.', b'0'..=b'9', rest @ ..] => {
            let end = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
            &rest[end..]
        }
        _ => text,
    };
    match text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
            let offset = hours * 60 + minutes;
            (hours <= 23 && minutes <= 59).then_some(if *sign == b'-' { -offset } else { offset })
        }
        _ => None,
    }
}

fn days_of(year: i32, month: i32) -> i32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimestampError;

    fn try_from(text: String) -> Result<Self, TimestampError> {
        Self::new(text)
    }
}

impl From<Timestamp> for String {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Part for Timestamp {
    fn read(raw: &RawValue) -> Result<Self, FieldError> {
        string(raw)
            .and_then(|text| Self::new(text).ok())
            .ok_or_else(|| FieldError::new("a timestamp of RFC 3339, like 2024-09-01T10:15:30Z", Some(raw)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonschema::Validator;
    use proptest::prelude::*;
    use serde_json::json;

    fn judge() -> Validator {
        let schema = json!({ "format": "date-time" });
        jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
    }

    #[test]
    fn timestamps_are_read_as_rfc_3339_has_them() {
        let judge = judge();
        for (text, right) in [
            ("2024-09-01T10:15:30Z", true),
            ("2024-09-01t10:15:30z", true),
            ("2024-09-01T10:15:30.123456789012345678901234567890+23:59", true),
            ("2024-02-29T00:00:00-00:00", true),
            ("2000-02-29T00:00:00Z", true),
            ("0000-01-01T00:00:00Z", true),
            ("2016-12-31T23:59:60Z", true),
            ("2017-01-01T00:59:60+01:00", true),
            ("2016-12-31T18:29:60.5-05:30", true),
            ("2023-02-29T00:00:00Z", false),
            ("1900-02-29T00:00:00Z", false),
            ("2024-09-01T10:15:60Z", false),
            ("2024-09-01T24:00:00Z", false),
            ("2024-09-01T10:15:30", false),
            ("2024-09-01 10:15:30Z", false),
            ("2024-09-01T10:15:30.Z", false),
            ("2024-09-01T10:15:30+24:00", false),
            ("2024-09-01T10:15:30+0100", false),
            ("2024-09-01T10:15:30Zx", false),
            ("2024-9-1T10:15:30Z", false),
            ("12024-09-01T10:15:30Z", false),
            ("٢٠24-09-01T10:15:30Z", false),
            ("2024-09-01T10:15:30\u{2212}01:00", false),
            ("", false),
        ] {
            assert_eq!(Timestamp::new(text).is_ok(), right, "{text}");
            assert_eq!(judge.is_valid(&json!(text)), right, "{text}");
        }
    }

    #[test]
    fn a_moment_is_written_in_utc_with_milliseconds() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (1_725_185_730_000, "2024-09-01T10:15:30.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(Timestamp::from_unix_millis(millis).unwrap().as_str(), text);
        }
        for millis in [253_402_300_800_000, -62_167_219_200_001, i64::MIN, i64::MAX] {
            assert_eq!(Timestamp::from_unix_millis(millis), Err(TimestampError));
        }
    }

    proptest! {
        #[test]
        fn the_judge_and_the_type_agree_on_what_a_timestamp_is(
            text in "(2024|2023|19[0-9]{2}|[0-9]{4})-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:([0-6][0-9]|60)(\\.[0-9]{0,10})?([Zz]|[+-][0-2][0-9]:[0-6][0-9]|)",
            broken in proptest::option::weighted(0.2, (0..25_usize, any::<char>())),
        ) {
            let mut text: Vec<char> = text.chars().collect();
            if let Some((at, character)) = broken {
                let at = at.min(text.len() - 1);
                text[at] = character;
            }
            let text: String = text.into_iter().collect();
            prop_assert_eq!(Timestamp::new(&text).is_ok(), judge().is_valid(&json!(text)), "{}", text);
        }

        #[test]
        fn leap_seconds_are_where_the_judge_has_them(
            (hour, minute) in (0..24, 0..60), (east, ahead, behind) in (any::<bool>(), 0..24, 0..60),
        ) {
            let sign = if east { '+' } else { '-' };
            let text = format!("2016-12-31T{hour:02}:{minute:02}:60{sign}{ahead:02}:{behind:02}");
            prop_assert_eq!(Timestamp::new(&text).is_ok(), judge().is_valid(&json!(text)), "{}", text);
        }

        #[test]
        fn every_moment_of_ten_thousand_years_is_written_as_a_timestamp(
            millis in -62_167_219_200_000..253_402_300_800_000_i64,
        ) {
            let written = Timestamp::from_unix_millis(millis).unwrap();
            prop_assert!(Timestamp::new(written.as_str()).is_ok(), "{}", written);
        }
    }
}
