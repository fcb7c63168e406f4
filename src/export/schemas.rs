//! The schemas of events, and where their references lead.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::topology::schemas::event_and_version;

/// The schemas of a folder.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    /// By file name.
    files: BTreeMap<String, Value>,
    /// Version and file, by event.
    newest: BTreeMap<String, (u32, String)>,
}

/// The newest schema of an event.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventSchema<'a> {
    pub(super) version: u32,
    pub(super) file: &'a str,
    pub(super) schema: &'a Value,
}

/// A part of a schema file; references in it are relative to that file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part<'a> {
    pub(super) file: &'a str,
    /// JSON pointer.
    pub(super) pointer: String,
    pub(super) schema: &'a Value,
}

impl Schemas {
    /// Takes the JSON files of a folder by name; `<Event>.v<N>.json` is an event's, any other is
    /// there to be referred to.
    pub(crate) fn of(files: BTreeMap<String, Value>) -> Self {
        let mut newest: BTreeMap<String, (u32, String)> = BTreeMap::new();
        for file in files.keys() {
            let Some((event, version)) = event_and_version(file) else { continue };
            let known = newest.get(event).is_some_and(|(newest, _)| *newest > version);
            if !known {
                newest.insert(event.to_owned(), (version, file.clone()));
            }
        }
        Self { files, newest }
    }

    pub(super) fn event(&self, event: &str) -> Option<EventSchema<'_>> {
        let (version, file) = self.newest.get(event)?;
        Some(EventSchema { version: *version, file, schema: &self.files[file] })
    }

    pub(super) fn file(&self, file: &str) -> Option<&Value> {
        self.files.get(file)
    }

    /// What a `$ref` of the file `from` leads to; `None` outside of the folder.
    pub(super) fn follow(&self, from: &str, reference: &str) -> Option<Part<'_>> {
        let (base, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let (file, document) = match base {
            "" => self.files.get_key_value(from)?,
            base => self.named(from, base)?,
        };
        let fragment = percent_decoded(fragment);
        let pointer = match fragment.as_str() {
            "" => fragment,
            pointer if pointer.starts_with('/') => fragment,
            anchor => anchored(document, anchor)?,
        };
        Some(Part { file, schema: document.pointer(&pointer)?, pointer })
    }

    /// The file of that name, or the one whose `$id` is `base`, seen from the `$id` of `from`.
    fn named(&self, from: &str, base: &str) -> Option<(&String, &Value)> {
        let id = |document: &Value| document.get("$id")?.as_str().map(str::to_owned);
        let beside = |own: String| own.rsplit_once('/').map(|(folder, _)| format!("{folder}/{base}"));
        let seen = self.files.get(from).and_then(id).and_then(beside);
        self.files.get_key_value(base.strip_prefix("./").unwrap_or(base)).or_else(|| {
            self.files.iter().find(|(_, document)| {
                let id = id(document);
                id.is_some() && (id.as_deref() == Some(base) || id == seen)
            })
        })
    }
}

/// JSON pointer of the schema whose `$anchor` that is.
fn anchored(schema: &Value, anchor: &str) -> Option<String> {
    if schema.get("$anchor").and_then(Value::as_str) == Some(anchor) {
        return Some(String::new());
    }
    let inside = |key: String, value: &Value| Some(format!("/{key}{}", anchored(value, anchor)?));
    match schema {
        Value::Object(map) => {
            map.iter().find_map(|(key, value)| inside(key.replace('~', "~0").replace('/', "~1"), value))
        }
        Value::Array(items) => items.iter().enumerate().find_map(|(at, item)| inside(at.to_string(), item)),
        _ => None,
    }
}

/// The fragment of a URI as it was before it was made fit for one.
fn percent_decoded(text: &str) -> String {
    let byte = |digits: &str| u8::from_str_radix(digits, 16).ok();
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.extend_from_slice(before.as_bytes());
        match after.get(..2).and_then(byte) {
            Some(decoded) => {
                out.push(decoded);
                rest = &after[2..];
            }
            None => {
                out.push(b'%');
                rest = after;
            }
        }
    }
    out.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schemas() -> Schemas {
        Schemas::of(BTreeMap::from([
            (
                "Order.v2.json".to_owned(),
                json!({ "$id": "https://shop.example/schemas/order", "$defs": { "a/b c": { "minimum": 0 } } }),
            ),
            ("Order.v10.json".to_owned(), json!({ "title": "ten" })),
            (
                "common.json".to_owned(),
                json!({
                    "$id": "https://shop.example/schemas/common",
                    "$defs": { "money": { "$anchor": "money", "type": "number" } },
                }),
            ),
        ]))
    }

    #[test]
    fn the_newest_version_is_the_highest_number() {
        let schemas = schemas();
        let order = schemas.event("Order").unwrap();
        assert_eq!((order.version, order.file), (10, "Order.v10.json"));
        assert!(schemas.event("common").is_none());
    }

    #[test]
    fn references_are_followed_inside_the_folder() {
        let schemas = schemas();
        let money = json!({ "$anchor": "money", "type": "number" });
        for (reference, file, pointer, expected) in [
            ("#", "Order.v2.json", "", schemas.files["Order.v2.json"].clone()),
            ("#/$defs/a~1b%20c", "Order.v2.json", "/$defs/a~1b c", json!({ "minimum": 0 })),
            ("common.json#/$defs/money", "common.json", "/$defs/money", money.clone()),
            ("./common.json#money", "common.json", "/$defs/money", money.clone()),
            ("common#money", "common.json", "/$defs/money", money.clone()),
            ("https://shop.example/schemas/common#/$defs/money", "common.json", "/$defs/money", money),
        ] {
            let found = schemas.follow("Order.v2.json", reference);
            let expected = Part { file, pointer: pointer.to_owned(), schema: &expected };
            assert_eq!(found, Some(expected), "{reference}");
        }
        for reference in ["#/$defs/x", "#x", "other.json", "https://elsewhere.example/x", "#/%zz"] {
            assert_eq!(schemas.follow("Order.v2.json", reference), None, "{reference}");
        }
    }
}
