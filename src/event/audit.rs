//! A record of a topic held against what it should be: its headers and key against the payload, the payload
//! against its schema. Pure.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::messaging::Record;
use crate::schema::{Judge, Violation};
use crate::text::quoted;

/// Headers that repeat what the payload says, so that a consumer need not parse it.
const REPEATED: [&str; 2] = ["eventId", "eventType"];

/// What is wrong with a record; `key` is the payload's field that is the record key.
///
/// A violation of the rule `schema` or any other of [`Judge`] has its place in the record's value, one of the rules
/// `value`, `header` and `key` has none.
pub(crate) fn audit(record: &Record, judge: &Judge, key: Option<&str>) -> Vec<Violation> {
    let Some(value) = record.value() else {
        return vec![outside("value", String::new(), "an event", "no value (a tombstone)".to_owned())];
    };
    let mut found = judge.violations(value);
    let fields = Fields::of(value);
    found.extend(REPEATED.iter().filter_map(|name| header(record, name, &fields)));
    found.extend(key.and_then(|field| record_key(record, field, &fields)));
    found
}

/// A header that is there says what the payload says.
fn header(record: &Record, name: &str, fields: &Fields<'_>) -> Option<Violation> {
    let said = record.header(name)?;
    let field = fields.text(name)?;
    let same = said == field.as_bytes();
    let expected = format!("the header {} to say what the payload says, {}", quoted(name), quoted(&field));
    (!same).then(|| outside("header", format!("/{name}"), &expected, quoted(&String::from_utf8_lossy(said))))
}

fn record_key(record: &Record, name: &str, fields: &Fields<'_>) -> Option<Violation> {
    // A payload without the field is the schema's and the topic's business.
    let field = fields.text(name)?;
    let said = match record.key() {
        Some(key) if key == field.as_bytes() => return None,
        Some(key) => quoted(&String::from_utf8_lossy(key)),
        None => "no key".to_owned(),
    };
    let expected = format!("the record key to be {}, {}", quoted(name), quoted(&field));
    Some(outside("key", format!("/{name}"), &expected, said))
}

fn outside(rule: &str, pointer: String, expected: &str, found: String) -> Violation {
    Violation {
        pointer,
        place: 0..0,
        rule: rule.to_owned(),
        expected: expected.to_owned(),
        found,
        help: None,
    }
}

/// The fields of a payload that is an object.
struct Fields<'v>(Vec<(String, &'v RawValue)>);

impl<'v> Fields<'v> {
    fn of(value: &'v [u8]) -> Self {
        let fields = serde_json::from_slice::<super::wire::Members<'v>>(value);
        Self(fields.map_or_else(|_| Vec::new(), |members| members.0))
    }

    /// A field as a key or a header has it: a string's own text, or a number as it is written.
    fn text(&self, name: &str) -> Option<String> {
        let (_, raw) = self.0.iter().find(|(known, _)| known == name)?;
        match raw.get().as_bytes().first()? {
            b'"' => String::deserialize(*raw).ok(),
            b'-' | b'0'..=b'9' => Some(raw.get().to_owned()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{ByType, Schema};

    fn judge() -> Judge {
        let schema = br#"{"type": "object", "required": ["eventType", "orderId"]}"#;
        Judge::by_type(ByType::new().with("OrderPlaced", Schema::compile(schema).unwrap()))
    }

    fn record(key: Option<&str>, headers: &[(&str, &str)], value: Option<&str>) -> Record {
        let headers = headers.iter().map(|(name, value)| (*name, Some(value.as_bytes())));
        Record::at("t", 0, 7).holding(key.map(str::as_bytes), value.map(str::as_bytes), headers)
    }

    #[test]
    fn key_and_headers_must_say_what_the_payload_says() {
        let value = r#"{"eventId": "e-1", "eventType": "OrderPlaced", "orderId": "O-\u0031"}"#;
        let id = ("eventId", "e-1");
        let kind = ("eventType", "OrderPlaced");
        let cases = [
            (record(Some("O-1"), &[id, kind], Some(value)), ""),
            (record(Some("O-1"), &[], Some(value)), ""),
            (record(Some("O-1"), &[("eventId", "e-2"), id], Some(value)), ""),
            (
                record(Some("O-1"), &[("eventId", "e-2"), kind], Some(value)),
                "/eventId: expected the header `eventId` to say what the payload says, `e-1`, found `e-2` (header)",
            ),
            (
                record(Some("O-2"), &[id], Some(value)),
                "/orderId: expected the record key to be `orderId`, `O-1`, found `O-2` (key)",
            ),
            (
                record(None, &[id], Some(value)),
                "/orderId: expected the record key to be `orderId`, `O-1`, found no key (key)",
            ),
            (record(Some("O-1"), &[], None), "expected an event, found no value (a tombstone) (value)"),
            (
                record(Some("O-1"), &[kind], Some(r#"{"eventType": "OrderPlaced"}"#)),
                "expected the property `orderId`, found none of that name (required)",
            ),
        ];
        for (record, expected) in cases {
            let said: Vec<String> =
                audit(&record, &judge(), Some("orderId")).iter().map(ToString::to_string).collect();
            assert_eq!(said.join("\n"), expected);
        }
        let other = record(Some("x"), &[], Some(value));
        assert_eq!(audit(&other, &judge(), None), [], "a topic whose key nobody stated");
    }
}
