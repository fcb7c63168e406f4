//! Amounts of money.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::value::RawValue;

use super::fixed::{NotFixed, fixed};

/// An amount of money in whole cents, from 0 to 10^12 units; which currency is not said.
///
/// Read from a JSON number's own text and written as the shortest one (`49.99`, `19.9`, `20`), never
/// through a float.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

/// Why a number is no amount of [`Money`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The text is not a number as JSON writes it.
    #[error("an amount of money is a number like `49.99`")]
    NotANumber,
    /// There are more than two decimals.
    #[error("an amount of money has at most two decimals")]
    TooFine,
    /// The amount is below zero.
    #[error("an amount of money is not negative")]
    Negative,
    /// The amount is beyond [`Money::MAX`].
    #[error("an amount of money is at most {}", Money::MAX)]
    TooLarge,
}

const CENTS: i64 = 100;
const MOST: i64 = 1_000_000_000_000 * CENTS;

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// A million millions.
    pub const MAX: Self = Self(MOST);

    /// An amount in cents.
    pub const fn from_cents(cents: i64) -> Result<Self, MoneyError> {
        match cents {
            ..0 => Err(MoneyError::Negative),
            0..=MOST => Ok(Self(cents)),
            _ => Err(MoneyError::TooLarge),
        }
    }

    /// The amount in cents.
    #[must_use]
    pub const fn cents(self) -> i64 {
        self.0
    }

    /// The sum; `None` when it is beyond [`Money::MAX`].
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Self::from_cents(self.0.checked_add(other.0)?).ok()
    }

    /// The amount taken `times` times; `None` when that is beyond [`Money::MAX`].
    #[must_use]
    pub fn checked_mul(self, times: u32) -> Option<Self> {
        Self::from_cents(self.0.checked_mul(i64::from(times))?).ok()
    }
}

/// Reads a JSON number's text: `49.99`, `4.999e1` and `49.990` are one amount.
impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let cents = fixed(text, 2).map_err(|error| match error {
            NotFixed::NotANumber => MoneyError::NotANumber,
            NotFixed::TooFine => MoneyError::TooFine,
            NotFixed::TooLarge if text.starts_with('-') => MoneyError::Negative,
            NotFixed::TooLarge => MoneyError::TooLarge,
        })?;
        Self::from_cents(cents)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&shown(i128::from(self.0)))
    }
}

/// Cents, zero or more, as a number of units: `49.99`, `19.9`, `20`.
pub(crate) fn shown(cents: i128) -> String {
    let (units, cents) = (cents / i128::from(CENTS), cents % i128::from(CENTS));
    match cents {
        0 => units.to_string(),
        _ if cents % 10 == 0 => format!("{units}.{}", cents / 10),
        _ => format!("{units}.{cents:02}"),
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string()).map_err(ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer)?.get().parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_amount_is_read_from_any_spelling_and_written_in_its_shortest() {
        for (text, cents, written) in [
            ("49.99", 4_999, "49.99"),
            ("4.999e1", 4_999, "49.99"),
            ("49.990", 4_999, "49.99"),
            ("0.1", 10, "0.1"),
            ("0.05", 5, "0.05"),
            ("1e2", 10_000, "100"),
            ("-0", 0, "0"),
            ("1000000000000.00", 100_000_000_000_000, "1000000000000"),
        ] {
            let money: Money = text.parse().unwrap();
            assert_eq!((money.cents(), money.to_string().as_str()), (cents, written), "{text}");
            assert_eq!(serde_json::from_str::<Money>(text).unwrap(), money);
            assert_eq!(serde_json::to_string(&money).unwrap(), written);
        }
    }

    #[test]
    fn what_is_no_amount_is_refused_with_the_reason() {
        for (text, reason) in [
            ("0.001", MoneyError::TooFine),
            ("1e-3", MoneyError::TooFine),
            ("0.30000000000000004", MoneyError::TooFine),
            ("1000000000000.01", MoneyError::TooLarge),
            ("1e999", MoneyError::TooLarge),
            ("-1e999", MoneyError::Negative),
            ("-0.01", MoneyError::Negative),
            ("\"1\"", MoneyError::NotANumber),
            ("1,5", MoneyError::NotANumber),
        ] {
            assert_eq!(text.parse::<Money>(), Err(reason), "{text}");
        }
        let error = serde_json::from_str::<Money>("1000000000000.01").unwrap_err();
        assert_eq!(error.to_string(), "an amount of money is at most 1000000000000");
    }

    #[test]
    fn sums_and_products_are_exact_and_never_beyond_the_largest_amount() {
        let money = |text: &str| text.parse::<Money>().unwrap();
        assert_eq!(money("0.1").checked_add(money("0.2")), Some(money("0.3")));
        assert_eq!(money("49.99").checked_mul(2), Some(money("99.98")));
        assert_eq!(Money::MAX.checked_add(money("0.01")), None);
        assert_eq!(Money::MAX.checked_mul(u32::MAX), None);
        assert_eq!(Money::ZERO.checked_mul(u32::MAX), Some(Money::ZERO));
    }

    proptest! {
        #[test]
        fn a_written_amount_reads_back_as_itself(cents in 0..=MOST) {
            let money = Money::from_cents(cents).unwrap();
            let text = serde_json::to_string(&money).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&text).unwrap(), money);
        }
    }
}
