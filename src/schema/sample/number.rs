//! Numbers within a schema's bounds.

use serde_json::{Number, Value};

use super::dice::Dice;
use crate::schema::document::Parts;

/// Nothing longer is ever drawn, whatever a schema demands.
pub(super) const LONGEST: usize = 100_000;

/// The greatest number that a keyword says; 0 where it says none.
pub(super) fn greatest(parts: &Parts<'_>, keyword: &str) -> usize {
    parts.said(keyword).filter_map(|(_, value)| length(value)).max().unwrap_or(0)
}

/// The least number that a keyword says; no bound where it says none.
pub(super) fn least(parts: &Parts<'_>, keyword: &str) -> usize {
    parts.said(keyword).filter_map(|(_, value)| length(value)).min().unwrap_or(usize::MAX)
}

fn length(value: &Value) -> Option<usize> {
    let length = value.as_f64().filter(|length| length.fract() == 0.0 && *length >= 0.0)?;
    usize::try_from(floor(length)).ok()
}

/// The whole number below; the nearest one that an `i64` holds.
#[allow(clippy::cast_possible_truncation, reason = "the cast saturates")]
fn floor(number: f64) -> i64 {
    number.floor() as i64
}

/// A number within the bounds, of two decimals where it need not be whole: small, or about as large
/// as an example.
pub(super) fn draw(
    parts: &Parts<'_>,
    whole: bool,
    example: Option<&Value>,
    dice: &mut Dice,
) -> Option<Value> {
    let said = |keyword: &'static str| parts.said(keyword).filter_map(|(_, value)| value.as_f64());
    let step = said("multipleOf").fold(if whole { 1.0 } else { 0.01 }, |step: f64, next| {
        if whole && next < 1.0 { step } else { step.max(next) }
    });
    let lowest = said("minimum").chain(said("exclusiveMinimum").map(|bound| bound + step)).reduce(f64::max);
    let highest = said("maximum").chain(said("exclusiveMaximum").map(|bound| bound - step)).reduce(f64::min);
    let usual = example.and_then(Value::as_f64).map_or(100.0, |example| 2.0 * example.abs());
    let lowest = lowest.unwrap_or_else(|| highest.map_or(0.0, |highest| highest.min(0.0)));
    let highest = highest.unwrap_or(f64::MAX).min(lowest.max(0.0) + usual.max(step)).max(lowest);
    let (first, last) = ((lowest / step).ceil(), (highest / step).floor());
    let steps = u64::try_from(floor(last - first)).unwrap_or(0);
    let chosen = first + dice.between(0, steps) as f64;
    let number = if step < 1.0 { rounded(chosen * step) } else { chosen * step };
    let fits = |number: &f64| {
        said("minimum").all(|bound| *number >= bound)
            && said("maximum").all(|bound| *number <= bound)
            && said("exclusiveMinimum").all(|bound| *number > bound)
            && said("exclusiveMaximum").all(|bound| *number < bound)
    };
    if fits(&number) {
        return value(number);
    }
    // No step lies between the bounds.
    let known = example.filter(|example| example.as_f64().as_ref().is_some_and(fits));
    let above = said("minimum").chain(said("exclusiveMinimum")).reduce(f64::max);
    let below = said("maximum").chain(said("exclusiveMaximum")).reduce(f64::min);
    let between = match (above, below) {
        (Some(above), Some(below)) => above / 2.0 + below / 2.0,
        (above, below) => above.map_or(below? - step, |above| above + step),
    };
    known.cloned().or_else(|| value(between))
}

/// Without the dust that a multiplication of fractions leaves.
pub(super) fn rounded(number: f64) -> f64 {
    format!("{number:.9}").parse().unwrap_or(number)
}

/// A float as JSON has it: a whole number without a point.
pub(super) fn value(number: f64) -> Option<Value> {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        return Some(Value::from(floor(number)));
    }
    Number::from_f64(number).map(Value::Number)
}
