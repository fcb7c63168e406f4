//! Numbers as people write them, kept exact.

/// A plain decimal number: `digits` divided by ten to the power of `scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    digits: i128,
    scale: u32,
}

/// More digits than any quantity of ours has; keeps every product inside `i128`.
const MAX_DIGITS: usize = 24;

impl Decimal {
    /// Splits a leading `12` or `1.5` off `text`. `None`: no number stands there, or one of more
    /// digits than any quantity has.
    pub(super) fn take(text: &str) -> Option<(Self, &str)> {
        let whole = digits(text);
        if whole.is_empty() {
            return None;
        }
        let after = &text[whole.len()..];
        let fraction = after.strip_prefix('.').map_or("", digits);
        if whole.len() + fraction.len() > MAX_DIGITS {
            return None;
        }
        let rest = if fraction.is_empty() { after } else { &after[1 + fraction.len()..] };
        let digits = format!("{whole}{fraction}").parse().ok()?;
        let scale = u32::try_from(fraction.len()).ok()?;
        Some((Self { digits, scale }, rest))
    }

    /// `self` times `unit`; `None` when that is no whole number.
    pub(super) fn times(self, unit: i64) -> Option<i128> {
        let product = self.digits.checked_mul(i128::from(unit))?;
        let divisor = 10_i128.checked_pow(self.scale)?;
        (product % divisor == 0).then(|| product / divisor)
    }
}

fn digits(text: &str) -> &str {
    let end = text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_exact_or_refused() {
        let (half, rest) = Decimal::take("0.5h").unwrap();
        assert_eq!((half.times(3_600_000), rest), (Some(1_800_000), "h"));
        assert_eq!(half.times(1), None);
        assert_eq!(Decimal::take("12.x"), Some((Decimal { digits: 12, scale: 0 }, ".x")));
        assert_eq!(Decimal::take(".5"), None);
        assert_eq!(Decimal::take(&"9".repeat(40)), None);
    }
}
