//! Decimal numbers as JSON writes them, kept exact.

/// Why a text is no whole number of the wanted unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotFixed {
    /// Not a number as JSON writes it.
    NotANumber,
    /// It has more decimals than the unit.
    TooFine,
    /// It does not fit into an `i64`.
    TooLarge,
}

/// What a JSON number's text stands for, in units of ten to the power of minus `decimals`: `49.99`
/// with two decimals is 4999, and so are `4.999e1` and `49.990`.
///
/// Never through a float; nothing is allocated.
#[inline]
pub(crate) fn fixed(text: &str, decimals: u8) -> Result<i64, NotFixed> {
    usual(text.as_bytes(), decimals).map_or_else(|| every_spelling(text.as_bytes(), decimals), Ok)
}

/// The way most numbers are written: a few digits, no sign, no exponent, no more decimals than the unit has.
#[inline]
fn usual(bytes: &[u8], decimals: u8) -> Option<i64> {
    /// More digits could be too large.
    const LONGEST: usize = 16;
    if bytes.len() > LONGEST {
        return None;
    }
    let (mut units, mut missing, mut point) = (0_i64, decimals, false);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'0'..=b'9' if !point => units = units * 10 + i64::from(byte - b'0'),
            b'0'..=b'9' => {
                missing = missing.checked_sub(1)?;
                units = units * 10 + i64::from(byte - b'0');
            }
            b'.' if !point && at > 0 && at + 1 < bytes.len() => point = true,
            _ => return None,
        }
    }
    let zero_leads = bytes.first() == Some(&b'0') && bytes.get(1).is_some_and(u8::is_ascii_digit);
    if bytes.is_empty() || zero_leads {
        return None;
    }
    (0..missing).try_fold(units, |units, _| units.checked_mul(10))
}

fn every_spelling(bytes: &[u8], decimals: u8) -> Result<i64, NotFixed> {
    let (negative, bytes) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, bytes),
    };
    let (whole, rest) = digits(bytes);
    if whole.is_empty() || (whole.len() > 1 && whole[0] == b'0') {
        return Err(NotFixed::NotANumber);
    }
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => some_digits(rest)?,
        _ => (&[][..], rest),
    };
    let exponent = match rest {
        [] => 0,
        [b'e' | b'E', b'-', rest @ ..] => -power(rest)?,
        [b'e' | b'E', b'+', rest @ ..] | [b'e' | b'E', rest @ ..] => power(rest)?,
        _ => return Err(NotFixed::NotANumber),
    };
    let number = Significand::of(whole, fraction);
    if number.value == 0 {
        return Ok(0);
    }
    // The last significant digit is not zero, so that every place below the unit is one too many.
    let places = exponent
        .saturating_add(number.zeros)
        .saturating_sub(length(fraction))
        .saturating_add(i64::from(decimals));
    let places = u32::try_from(places).map_err(|_| match places {
        ..0 => NotFixed::TooFine,
        _ => NotFixed::TooLarge,
    })?;
    let units = 10_i64
        .checked_pow(places)
        .filter(|_| !number.cut)
        .and_then(|power| number.value.checked_mul(power))
        .ok_or(NotFixed::TooLarge)?;
    Ok(if negative { -units } else { units })
}

/// Is it a number as JSON writes it? For a text that is some value of a JSON document.
pub(crate) fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
}

/// A number's digits without the zeros at either end.
struct Significand {
    value: i64,
    /// Zeros that end the digits.
    zeros: i64,
    /// There are more digits than `value` holds.
    cut: bool,
}

impl Significand {
    fn of(whole: &[u8], fraction: &[u8]) -> Self {
        let mut number = Self { value: 0, zeros: 0, cut: false };
        for digit in whole.iter().chain(fraction).map(|byte| i64::from(byte - b'0')) {
            if digit == 0 {
                number.zeros += i64::from(number.value != 0);
            } else {
                number.push(digit);
            }
        }
        number
    }

    fn push(&mut self, digit: i64) {
        let longer = u32::try_from(self.zeros + 1)
            .ok()
            .and_then(|places| 10_i64.checked_pow(places))
            .and_then(|power| self.value.checked_mul(power))
            .and_then(|value| value.checked_add(digit));
        match longer {
            Some(value) => self.value = value,
            None => self.cut = true,
        }
        self.zeros = 0;
    }
}

fn digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    bytes.split_at(end)
}

fn some_digits(bytes: &[u8]) -> Result<(&[u8], &[u8]), NotFixed> {
    let (found, rest) = digits(bytes);
    if found.is_empty() { Err(NotFixed::NotANumber) } else { Ok((found, rest)) }
}

/// An exponent's digits; one that no text could make up for stays as large as an `i64` can be.
fn power(bytes: &[u8]) -> Result<i64, NotFixed> {
    let (digits, rest) = some_digits(bytes)?;
    if !rest.is_empty() {
        return Err(NotFixed::NotANumber);
    }
    Ok(digits
        .iter()
        .fold(0_i64, |power, byte| power.saturating_mul(10).saturating_add(i64::from(byte - b'0'))))
}

fn length(digits: &[u8]) -> i64 {
    i64::try_from(digits.len()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_spelling_of_a_number_is_read_exactly() {
        for (text, cents) in [
            ("49.99", 4_999),
            ("4.999e1", 4_999),
            ("49.990", 4_999),
            ("4999E-2", 4_999),
            ("0.1", 10),
            ("0", 0),
            ("-0", 0),
            ("-0.00", 0),
            ("-12.5", -1_250),
            ("1e2", 10_000),
            ("1e+2", 10_000),
            ("100e-4", 1),
            ("0e99999999999999999999", 0),
            ("0.0e-99999999999999999999", 0),
            ("1000000000000.00000000000000000000", 100_000_000_000_000),
            ("92233720368547758.07", i64::MAX),
        ] {
            assert_eq!(fixed(text, 2), Ok(cents), "{text}");
        }
        assert_eq!(fixed(&format!("1{}e-1000", "0".repeat(1_000)), 2), Ok(100));
        assert_eq!(fixed(&format!("0.{}1e1001", "0".repeat(1_000)), 2), Ok(100));
        assert_eq!((fixed("2.0", 0), fixed("20e-1", 0)), (Ok(2), Ok(2)));
    }

    proptest! {
        #[test]
        fn the_short_way_says_what_the_long_one_does(
            text in "-?[0-9]{0,17}(\\.[0-9]{0,4})?(e[0-9])?",
            decimals in 0..4_u8,
        ) {
            if let Some(units) = usual(text.as_bytes(), decimals) {
                prop_assert_eq!(every_spelling(text.as_bytes(), decimals), Ok(units));
            }
        }
    }

    #[test]
    fn what_no_unit_holds_is_refused_with_the_reason() {
        use NotFixed::{NotANumber, TooFine, TooLarge};
        for (text, reason) in [
            ("0.001", TooFine),
            ("1e-3", TooFine),
            ("0.30000000000000004", TooFine),
            ("1e-99999999999999999999", TooFine),
            ("100000000000000000000000000000.001", TooFine),
            ("92233720368547758.08", TooLarge),
            ("1e17", TooLarge),
            ("1e99999999999999999999", TooLarge),
            ("12345678901234567890123", TooLarge),
            ("", NotANumber),
            ("-", NotANumber),
            ("+1", NotANumber),
            ("01", NotANumber),
            ("1.", NotANumber),
            (".5", NotANumber),
            ("1e", NotANumber),
            ("1e+", NotANumber),
            ("1e5x", NotANumber),
            ("0x10", NotANumber),
            ("NaN", NotANumber),
            ("\"1\"", NotANumber),
            ("1 ", NotANumber),
            ("١", NotANumber),
        ] {
            assert_eq!(fixed(text, 2), Err(reason), "{text}");
        }
    }

    proptest! {
        #[test]
        fn moving_the_point_and_the_exponent_against_each_other_changes_nothing(
            units in -1_000_000_000_000_000..1_000_000_000_000_000_i64,
            shift in 0..40_usize,
            zeros in 0..10_usize,
        ) {
            let sign = if units < 0 { "-" } else { "" };
            let digits = format!("{:0>41}{}", units.unsigned_abs(), "0".repeat(zeros));
            let (whole, fraction) = digits.split_at(digits.len() - zeros - shift);
            let whole = Some(whole.trim_start_matches('0')).filter(|whole| !whole.is_empty()).unwrap_or("0");
            let point = if fraction.is_empty() { "" } else { "." };
            let exponent = i64::try_from(shift).unwrap() - 2;
            let text = format!("{sign}{whole}{point}{fraction}e{exponent}");
            prop_assert_eq!(fixed(&text, 2), Ok(units), "{}", text);
        }

        #[test]
        fn what_serde_json_calls_a_number_is_one(text in "-?[0-9.eE+-]{0,8}") {
            let number = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
            prop_assert_eq!(fixed(&text, 2) != Err(NotFixed::NotANumber), number, "{}", text);
        }

        #[test]
        fn no_text_panics(text in ".{0,40}", decimals in 0..20_u8) {
            let _ = fixed(&text, decimals);
        }
    }
}
