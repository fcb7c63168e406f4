//! What values look like, from a schema's own examples.

use serde_json::Value;

use super::dice::Dice;
use super::path::Step;
use crate::schema::document::Parts;

/// The example that a document is drawn after: its fields belong together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hints<'a> {
    example: Option<&'a Value>,
}

impl<'a> Hints<'a> {
    /// One of a schema's examples.
    pub(super) fn of(schema: &'a Value, dice: &mut Dice) -> Self {
        let examples = schema.get("examples").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        Self { example: dice.pick(examples) }
    }

    /// The value at a place: the example's, else one of the place's own schema.
    pub(super) fn at(self, parts: &Parts<'a>, path: &[Step], dice: &mut Dice) -> Option<&'a Value> {
        let inside = |value: &'a Value, step: &Step| match step {
            Step::Name(name) => value.get(name),
            Step::Index(index) => {
                let elements = value.as_array().filter(|elements| !elements.is_empty())?;
                elements.get(index % elements.len())
            }
        };
        let example = self.example.and_then(|example| path.iter().try_fold(example, inside));
        let own = || {
            let examples = parts.said("examples").filter(|_| !path.is_empty());
            let own: Vec<&'a Value> =
                examples.filter_map(|(_, examples)| examples.as_array()).flatten().collect();
            dice.pick(&own).copied()
        };
        example.or_else(own)
    }
}

/// A text like another: digits become other digits, so that `ORD-999` becomes `ORD-417`.
pub(super) fn varied(text: &str, dice: &mut Dice) -> String {
    let mut first = true;
    let vary = |c: char| {
        let varied = match c {
            '0'..='9' => char::from(b'0' + u8::try_from(dice.between(u64::from(first), 9)).unwrap_or(1)),
            _ => c,
        };
        first = !c.is_ascii_digit();
        varied
    };
    text.chars().map(vary).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_varied_in_its_digits() {
        let mut dice = Dice::new(1);
        let text = varied("ORD-999 é", &mut dice);
        assert!(text.starts_with("ORD-") && text.ends_with(" é") && text.len() == "ORD-999 é".len());
        assert_ne!(text, "ORD-999 é");
    }
}
