//! Bounds, texts and numbers.

use std::cmp::Ordering;

use serde_json::Value;

use super::{Sides, Walk, place, said};
use crate::schema::document::Parts;

/// A keyword that sets a bound, what makes it tighter, and what its appearance and its tightening are
/// called.
type Bound = (&'static str, Ordering, &'static str, &'static str);

const BOUNDS: [Bound; 12] = [
    ("minimum", Ordering::Greater, "MINIMUM_ADDED", "MINIMUM_INCREASED"),
    ("maximum", Ordering::Less, "MAXIMUM_ADDED", "MAXIMUM_DECREASED"),
    ("exclusiveMinimum", Ordering::Greater, "EXCLUSIVE_MINIMUM_ADDED", "EXCLUSIVE_MINIMUM_INCREASED"),
    ("exclusiveMaximum", Ordering::Less, "EXCLUSIVE_MAXIMUM_ADDED", "EXCLUSIVE_MAXIMUM_DECREASED"),
    ("minLength", Ordering::Greater, "MIN_LENGTH_ADDED", "MIN_LENGTH_INCREASED"),
    ("maxLength", Ordering::Less, "MAX_LENGTH_ADDED", "MAX_LENGTH_DECREASED"),
    ("minItems", Ordering::Greater, "MIN_ITEMS_ADDED", "MIN_ITEMS_INCREASED"),
    ("maxItems", Ordering::Less, "MAX_ITEMS_ADDED", "MAX_ITEMS_DECREASED"),
    ("minProperties", Ordering::Greater, "MIN_PROPERTIES_ADDED", "MIN_PROPERTIES_INCREASED"),
    ("maxProperties", Ordering::Less, "MAX_PROPERTIES_ADDED", "MAX_PROPERTIES_DECREASED"),
    ("minContains", Ordering::Greater, "MIN_CONTAINS_ADDED", "MIN_CONTAINS_INCREASED"),
    ("maxContains", Ordering::Less, "MAX_CONTAINS_ADDED", "MAX_CONTAINS_DECREASED"),
];

impl<'a> Walk<'a, '_> {
    pub(super) fn scalars(&mut self, writer: &Parts<'a>, reader: &Parts<'a>) {
        for bound in BOUNDS {
            self.bound(writer, reader, bound);
        }
        self.words(writer, reader, "pattern", ["PATTERN_ADDED", "PATTERN_CHANGED"]);
        self.words(writer, reader, "format", ["FORMAT_ADDED", "FORMAT_CHANGED"]);
        self.multiples(writer, reader);
        for (part, wanted) in reader.said("uniqueItems") {
            let known = writer.said("uniqueItems").any(|(_, known)| known == wanted);
            if wanted == &Value::Bool(true) && !known {
                let sides = Sides {
                    writer: place(writer, "uniqueItems"),
                    reader: format!("{}/uniqueItems", part.pointer),
                };
                self.note("UNIQUE_ITEMS_ADDED", sides, "uniqueItems true");
            }
        }
    }

    fn bound(&mut self, writer: &Parts<'a>, reader: &Parts<'a>, (keyword, tighter, added, tightened): Bound) {
        let is_tighter = |a: &Value, b: &Value| compared(a, b).is_none_or(|order| order == tighter);
        let known = writer.said(keyword).filter(|(_, value)| value.is_number());
        let known = known.reduce(|a, b| if is_tighter(a.1, b.1) { a } else { b });
        for (part, wanted) in reader.said(keyword).filter(|(_, value)| value.is_number()) {
            let reader = format!("{}/{keyword}", part.pointer);
            match known {
                None => {
                    let sides = Sides { writer: place(writer, keyword), reader };
                    self.note(added, sides, format!("{keyword} {wanted}"));
                }
                Some((before, old)) if is_tighter(wanted, old) => {
                    let sides = Sides { writer: format!("{}/{keyword}", before.pointer), reader };
                    self.note(tightened, sides, format!("{keyword} {old} -> {wanted}"));
                }
                Some(_) => {}
            }
        }
    }

    fn words(&mut self, writer: &Parts<'a>, reader: &Parts<'a>, keyword: &str, rules: [&'static str; 2]) {
        for (part, wanted) in reader.said(keyword) {
            if writer.said(keyword).any(|(_, known)| known == wanted) {
                continue;
            }
            let sides =
                Sides { writer: place(writer, keyword), reader: format!("{}/{keyword}", part.pointer) };
            match said(writer, keyword) {
                None => self.note(rules[0], sides, format!("{keyword} {wanted}")),
                Some((_, known)) => self.note(rules[1], sides, format!("{keyword} {known} -> {wanted}")),
            }
        }
    }

    fn multiples(&mut self, writer: &Parts<'a>, reader: &Parts<'a>) {
        for (part, wanted) in reader.said("multipleOf") {
            let sides =
                Sides { writer: place(writer, "multipleOf"), reader: format!("{}/multipleOf", part.pointer) };
            let Some((_, known)) = said(writer, "multipleOf") else {
                self.note("MULTIPLE_OF_ADDED", sides, format!("multipleOf {wanted}"));
                continue;
            };
            if !is_multiple(known, wanted) {
                let expanded = is_multiple(wanted, known);
                let rule = if expanded { "MULTIPLE_OF_EXPANDED" } else { "MULTIPLE_OF_CHANGED" };
                self.note(rule, sides, format!("multipleOf {known} -> {wanted}"));
            }
        }
    }
}

/// The order of two numbers; `None` where a float cannot tell.
fn compared(a: &Value, b: &Value) -> Option<Ordering> {
    /// Whole numbers up to here are floats, too.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if let (Some(a), Some(b)) = (a.as_i64(), b.as_i64()) {
        return Some(a.cmp(&b));
    }
    let (a, b) = (a.as_f64()?, b.as_f64()?);
    if a.abs() < EXACT || b.abs() < EXACT { a.partial_cmp(&b) } else { None }
}

/// Is every multiple of `a` one of `b`, too? Fractions are compared as whole numbers of millionths.
fn is_multiple(a: &Value, b: &Value) -> bool {
    const MILLION: f64 = 1e6;
    let whole = |value: &Value| {
        let millionths = value.as_f64()? * MILLION;
        let near = (millionths - millionths.round()).abs() < 1e-6 && (1.0..1e15).contains(&millionths);
        near.then(|| millionths.round())
    };
    a == b || whole(a).zip(whole(b)).is_some_and(|(a, b)| a % b == 0.0)
}
