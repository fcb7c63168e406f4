//! Rates.

use std::fmt;
use std::hash::{Hash, Hasher};

use super::{UnitError, excerpt};

/// Records per unit of time, an exact fraction; `60/m` equals `1/s` and is still printed as `60/m`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    count: u64,
    per: Per,
}

#[derive(Clone, Copy, Debug)]
enum Per {
    Second,
    Minute,
    Hour,
    Day,
}

impl Per {
    fn seconds(self) -> u64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }
}

const FORMS: &str = "write it like `500/s`, `30/m`, `10/h` or `1/d`";
/// A trillion a second: far beyond any cluster, and small enough that products stay exact.
const MOST: u64 = 1_000_000_000_000;

impl Rate {
    pub(crate) fn per_second(count: u64) -> Self {
        Self { count, per: Per::Second }
    }

    /// Records per second as numerator and denominator.
    pub(crate) fn as_fraction(self) -> (u64, u64) {
        (self.count, self.per.seconds())
    }

    pub(crate) fn parse(text: &str) -> Result<Self, UnitError> {
        let text = text.trim();
        let shown = || excerpt(text);
        let Some((count, per)) = text.split_once('/') else {
            let whole = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            return Err(if whole {
                UnitError::new(
                    format!("`{}` does not say per what", shown()),
                    format!("write `{0}/s`, `{0}/m` or `{0}/h`", shown()),
                )
            } else {
                UnitError::new(format!("`{}` is not a rate", shown()), FORMS)
            });
        };
        let (count, per) = (count.trim(), per.trim());
        let per = match per {
            "s" | "sec" | "second" => Per::Second,
            "m" | "min" | "minute" => Per::Minute,
            "h" | "hr" | "hour" => Per::Hour,
            "d" | "day" => Per::Day,
            _ => {
                return Err(UnitError::new(
                    format!("`{}` is not a unit of time for a rate", excerpt(per)),
                    "the units are s, m, h and d, like `500/s`",
                ));
            }
        };
        if count.is_empty() || !count.bytes().all(|b| b.is_ascii_digit()) {
            return Err(UnitError::new(
                format!("`{}` is not a whole number of records", excerpt(count)),
                "write a slow rate per minute, hour or day: `30/m` instead of `0.5/s`",
            ));
        }
        match count.parse() {
            Ok(count) if count <= MOST => Ok(Self { count, per }),
            _ => Err(UnitError::new(format!("`{}` is too high", shown()), format!("at most {MOST} records"))),
        }
    }

    fn cross(self, other: Self) -> (u128, u128) {
        let cross = |a: Self, b: Self| u128::from(a.count) * u128::from(b.per.seconds());
        (cross(self, other), cross(other, self))
    }
}

impl PartialEq for Rate {
    fn eq(&self, other: &Self) -> bool {
        let (left, right) = self.cross(*other);
        left == right
    }
}

impl Eq for Rate {}

impl PartialOrd for Rate {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rate {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let (left, right) = self.cross(*other);
        left.cmp(&right)
    }
}

impl Hash for Rate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Records per day: the same whole number for equal rates.
        (u128::from(self.count) * u128::from(86_400 / self.per.seconds())).hash(state);
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = match self.per {
            Per::Second => "s",
            Per::Minute => "m",
            Per::Hour => "h",
            Per::Day => "d",
        };
        f.pad(&format!("{}/{per}", self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rates_are_read_and_printed_as_people_write_them() {
        for (text, shown, fraction) in [
            ("500/s", "500/s", (500, 1)),
            ("30/m", "30/m", (30, 60)),
            (" 010 / hour", "10/h", (10, 3_600)),
            ("0/day", "0/d", (0, 86_400)),
        ] {
            let rate = Rate::parse(text).unwrap();
            assert_eq!((rate.to_string().as_str(), rate.as_fraction()), (shown, fraction));
        }
    }

    #[test]
    fn equal_rates_are_equal_however_they_are_written() {
        let rate = |text| Rate::parse(text).unwrap();
        assert_eq!(rate("60/m"), rate("1/s"));
        assert!(rate("59/m") < rate("1/s"));
        assert_eq!(rate("1/s"), Rate::per_second(1));
    }

    #[test]
    fn what_is_no_rate_is_refused_with_the_reason() {
        for (text, reason) in [
            ("500", "does not say per what"),
            ("0.5/s", "not a whole number of records"),
            ("-1/s", "not a whole number of records"),
            ("/s", "not a whole number of records"),
            ("5/fortnight", "not a unit of time"),
            ("fast", "not a rate"),
            ("", "not a rate"),
            ("99999999999999999999999/s", "too high"),
        ] {
            let error = Rate::parse(text).unwrap_err();
            assert!(error.message.contains(reason), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn a_printed_rate_reads_back_as_itself(count in 0..=MOST, per in "[smhd]") {
            let rate = Rate::parse(&format!("{count}/{per}")).unwrap();
            let again = Rate::parse(&rate.to_string()).unwrap();
            prop_assert_eq!(again, rate);
            prop_assert_eq!(again.to_string(), rate.to_string());
        }
    }
}
