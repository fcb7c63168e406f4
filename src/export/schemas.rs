//! The schemas of events, and where their references lead.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::schema::json::{escaped, tokens};
use crate::schema::named::Named;
use crate::topology::schemas::event_and_version;

/// The schemas of a folder.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    /// By file name: one document, in which references are followed.
    files: Value,
    named: Named,
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

/// What the references of a schema start from: its file, or what has an `$id` of its own in there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Home<'a> {
    pub(super) file: &'a str,
    /// JSON pointer in all files together.
    resource: &'a str,
}

/// A part of a schema file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part<'a> {
    pub(super) home: Home<'a>,
    /// JSON pointer in the file.
    pub(super) pointer: String,
    pub(super) schema: &'a Value,
}

impl Schemas {
    /// Takes the JSON files of a folder by name; `<Event>.v<N>.json` is an event's, any other is
    /// there to be referred to.
    pub(crate) fn of(files: BTreeMap<String, Value>) -> Self {
        let mut newest: BTreeMap<String, (u32, String)> = BTreeMap::new();
        let mut named = Named::default();
        for (file, schema) in &files {
            named.add(schema, &format!("/{}", escaped(file)), &format!("file:///{file}"));
            let Some((event, version)) = event_and_version(file) else { continue };
            let known = newest.get(event).is_some_and(|(newest, _)| *newest > version);
            if !known {
                newest.insert(event.to_owned(), (version, file.clone()));
            }
        }
        Self { files: Value::Object(files.into_iter().collect()), named, newest }
    }

    pub(super) fn event(&self, event: &str) -> Option<EventSchema<'_>> {
        let (version, file) = self.newest.get(event)?;
        Some(EventSchema { version: *version, file, schema: self.file(file)? })
    }

    pub(super) fn file(&self, file: &str) -> Option<&Value> {
        self.files.get(file)
    }

    /// What the references of a file start from.
    pub(super) fn home<'a>(&'a self, file: &'a str) -> Home<'a> {
        Home { file, resource: self.named.resource_of(&format!("/{}", escaped(file))) }
    }

    /// What the references of a schema start from that stands right inside another one.
    pub(super) fn inside<'a>(&'a self, home: Home<'a>, schema: &Value) -> Home<'a> {
        Home { resource: self.named.resource_inside(home.resource, schema), ..home }
    }

    /// What a `$ref` leads to; `None` outside of the folder.
    pub(super) fn follow(&self, from: Home<'_>, reference: &str) -> Option<Part<'_>> {
        let (base, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        // A file's name leads there, whatever the files call themselves.
        let file = base.strip_prefix("./").unwrap_or(base);
        let target = match self.file(file) {
            Some(_) => self.named.target(&format!("/{}", escaped(file)), &format!("#{fragment}"))?,
            None => self.named.target(from.resource, reference)?,
        };
        let schema = self.files.pointer(&target)?;
        let end = target[1..].find('/').map_or(target.len(), |end| end + 1);
        let name = tokens(&target[..end]).next()?;
        let (file, _) = self.files.as_object()?.get_key_value(&name)?;
        let home = Home { file, resource: self.named.resource_of(&target) };
        Some(Part { home, pointer: target[end..].to_owned(), schema })
    }
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
            ("#", "Order.v2.json", "", schemas.file("Order.v2.json").unwrap().clone()),
            ("#/$defs/a~1b%20c", "Order.v2.json", "/$defs/a~1b c", json!({ "minimum": 0 })),
            ("common.json#/$defs/money", "common.json", "/$defs/money", money.clone()),
            ("./common.json#money", "common.json", "/$defs/money", money.clone()),
            ("common#money", "common.json", "/$defs/money", money.clone()),
            ("https://shop.example/schemas/common#/$defs/money", "common.json", "/$defs/money", money),
        ] {
            let found = schemas.follow(schemas.home("Order.v2.json"), reference);
            let expected = Part { home: schemas.home(file), pointer: pointer.to_owned(), schema: &expected };
            assert_eq!(found, Some(expected), "{reference}");
        }
        for reference in ["#/$defs/x", "#x", "other.json", "https://elsewhere.example/x", "#/%zz"] {
            assert_eq!(schemas.follow(schemas.home("Order.v2.json"), reference), None, "{reference}");
        }
    }

    #[test]
    fn what_has_a_name_of_its_own_inside_a_file_is_found_by_that_name() {
        let money =
            json!({ "$id": "urn:money", "$ref": "#/$defs/x", "$defs": { "x": { "type": "number" } } });
        let order = json!({ "properties": { "default": money }, "$defs": { "x": { "type": "string" } } });
        let schemas = Schemas::of(BTreeMap::from([("Order.v1.json".to_owned(), order)]));
        let root = schemas.home("Order.v1.json");
        let money = schemas.follow(root, "urn:money").unwrap();
        assert_eq!(money.pointer, "/properties/default");
        assert_eq!(schemas.inside(root, money.schema), money.home);
        let x = |home| schemas.follow(home, "#/$defs/x").unwrap().pointer;
        assert_eq!(
            (x(money.home), x(root)),
            ("/properties/default/$defs/x".to_owned(), "/$defs/x".to_owned())
        );
    }
}
