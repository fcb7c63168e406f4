//! Values at the edge of what a schema accepts.

use serde_json::{Map, Value};

use super::dice::Dice;
use super::draw::Kind;
use super::text::words;
use super::{number, pattern};
use crate::schema::document::Parts;

/// Values that the parts may just accept, of every kind, in place of `current`.
pub(super) fn extremes(parts: &Parts<'_>, current: &Value, dice: &mut Dice) -> Vec<Value> {
    let mut values: Vec<Value> = parts.said("const").map(|(_, value)| value.clone()).collect();
    values.extend(parts.said("enum").filter_map(|(_, listed)| listed.as_array()).flatten().cloned());
    values.extend([
        Value::Null,
        Value::Bool(true),
        Value::Bool(false),
        Value::from("text"),
        Value::from(""),
        Value::Array(Vec::new()),
        Value::Object(Map::new()),
    ]);
    numbers(parts, &mut values);
    texts(parts, dice, &mut values);
    if let Value::Array(elements) = current {
        arrays(parts, elements, &mut values);
    }
    let allowed =
        |value: &Value| parts.said("type").all(|(_, keyword)| Kind::of(value).is_allowed_by(keyword));
    values.retain(|value| allowed(value) || matches!(value, Value::Number(_)));
    values
}

fn numbers(parts: &Parts<'_>, values: &mut Vec<Value>) {
    let said = |keyword: &'static str| parts.said(keyword).filter_map(|(_, value)| value.as_f64());
    let bounds = said("minimum").chain(said("maximum"));
    let beside = said("exclusiveMinimum").chain(said("exclusiveMaximum"));
    let near = beside.flat_map(|bound| [bound + 1.0, bound - 1.0, bound + 0.01, bound - 0.01]);
    let steps = said("multipleOf").flat_map(|step| [step, -step, 3.0 * step]);
    let any = [0.0, 1.0, -1.0, 2.0, 0.5, 1e9, -1e9];
    values.extend(bounds.chain(near).chain(steps).chain(any).filter_map(number::value));
}

fn texts(parts: &Parts<'_>, dice: &mut Dice, values: &mut Vec<Value>) {
    const LONG: usize = 5_000;
    let (least, most) = (number::greatest(parts, "minLength"), number::least(parts, "maxLength"));
    let lengths = [least, most.min(LONG), least.saturating_add(1).min(most)];
    for length in lengths.into_iter().filter(|length| *length <= LONG) {
        values.push(Value::from(words(length, length.max(1), dice).chars().take(length).collect::<String>()));
        for (_, pattern) in parts.said("pattern") {
            values.extend(
                pattern.as_str().and_then(|pattern| pattern::draw(pattern, length, dice)).map(Value::from),
            );
        }
    }
}

fn arrays(parts: &Parts<'_>, elements: &[Value], values: &mut Vec<Value>) {
    const LONG: usize = 1_100;
    let Some(end) = elements.last() else { return };
    let least = number::greatest(parts, "minItems");
    let most = number::least(parts, "maxItems").min(LONG);
    for length in [least, least.saturating_add(1), 1, 2, most].into_iter().filter(|length| *length <= LONG) {
        let more = std::iter::repeat_n(end, length.saturating_sub(elements.len()));
        values.push(elements.iter().take(length).chain(more).cloned().collect());
    }
}
