//! JSON Schemas as AsyncAPI's schema objects.
//!
//! AsyncAPI's tools read draft 07 and take every reference from the root of the document. So the
//! files of the folder become components, references lead to those, and what draft 2020-12 says in
//! its own words is said in the older ones.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::is_id;
use crate::export::Schemas;
use crate::export::ids::Ids;
use crate::export::schemas::Home;
use crate::schema::json::{escaped, tokens};
use crate::schema::named::fragment;

/// Keywords whose value is a schema or a list of them.
const SCHEMAS: [&str; 15] = [
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "oneOf",
    "prefixItems",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords whose value has schemas by name.
const MAPS: [&str; 6] =
    ["$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"];

/// A reference that leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: the `$ref` {reference} leads nowhere")]
pub(crate) struct BadReference {
    pub(crate) file: String,
    pub(crate) reference: String,
}

/// The schema files that a document refers to.
pub(super) struct Payloads<'a> {
    schemas: &'a Schemas,
    ids: Ids,
    /// Files and the components that they become.
    used: Vec<(&'a str, String)>,
}

impl<'a> Payloads<'a> {
    pub(super) fn of(schemas: &'a Schemas) -> Self {
        Self { schemas, ids: Ids::of(is_id), used: Vec::new() }
    }

    /// Refers to the newest schema of an event; `None` when it has none.
    pub(super) fn reference(&mut self, event: &str) -> Option<Value> {
        let found = self.schemas.event(event)?;
        let component = self.component(found.file, event);
        Some(json!({ "$ref": format!("#/components/schemas/{component}") }))
    }

    /// The components, those included that they refer to themselves.
    pub(super) fn finish(mut self) -> Result<Map<String, Value>, BadReference> {
        let mut components = Map::new();
        let mut at = 0;
        while let Some((file, component)) = self.used.get(at).cloned() {
            if let Some(document) = self.schemas.file(file) {
                let mut schema = self.schema(self.schemas.home(file), document)?;
                if let Value::Object(schema) = &mut schema {
                    schema.remove("examples"); // they are the message's
                }
                components.insert(component, schema);
            }
            at += 1;
        }
        Ok(components)
    }

    fn component(&mut self, file: &'a str, name: &str) -> String {
        if let Some((_, component)) = self.used.iter().find(|(used, _)| *used == file) {
            return component.clone();
        }
        let component = self.ids.give(name);
        self.used.push((file, component.clone()));
        component
    }

    fn schema(&mut self, home: Home<'a>, schema: &Value) -> Result<Value, BadReference> {
        let Value::Object(keywords) = schema else { return Ok(schema.clone()) };
        let home = self.schemas.inside(home, schema);
        let mut out = Map::new();
        let mut all_of = Vec::new();
        for (keyword, value) in keywords {
            let (keyword, value) = match keyword.as_str() {
                // A schema of its own no longer, and named by the component.
                "$schema" | "$id" | "$anchor" => continue,
                "$ref" => {
                    all_of.push(self.follow(home, value)?);
                    continue;
                }
                // References lead into schemas, which therefore have the better place.
                "dependentRequired" if keywords.contains_key("dependentSchemas") => {
                    all_of.push(json!({ "dependencies": value }));
                    continue;
                }
                "dependentRequired" => ("dependencies", value.clone()),
                keyword if MAPS.contains(&keyword) => (renamed(keywords, keyword), self.values(home, value)?),
                keyword if SCHEMAS.contains(&keyword) => {
                    (renamed(keywords, keyword), self.each(home, value)?)
                }
                // Data and plain values: what looks like a reference in them is none.
                keyword => (keyword, value.clone()),
            };
            out.insert(keyword.to_owned(), value);
        }
        Ok(joined(out, all_of))
    }

    /// A schema, or a list of them.
    fn each(&mut self, home: Home<'a>, value: &Value) -> Result<Value, BadReference> {
        match value {
            Value::Array(schemas) => schemas.iter().map(|schema| self.schema(home, schema)).collect(),
            schema => self.schema(home, schema),
        }
    }

    /// Schemas by name.
    fn values(&mut self, home: Home<'a>, value: &Value) -> Result<Value, BadReference> {
        let Value::Object(schemas) = value else { return Ok(value.clone()) };
        let converted = schemas.iter().map(|(name, schema)| Ok((name.clone(), self.schema(home, schema)?)));
        converted.collect::<Result<_, _>>().map(Value::Object)
    }

    fn follow(&mut self, home: Home<'a>, reference: &Value) -> Result<Value, BadReference> {
        let bad = || BadReference { file: home.file.to_owned(), reference: reference.to_string() };
        let text = reference.as_str().ok_or_else(bad)?;
        let Some(part) = self.schemas.follow(home, text) else {
            // Somebody else's, on the network: whoever reads the document may fetch it.
            let elsewhere = text.starts_with("http://") || text.starts_with("https://");
            return if elsewhere { Ok(json!({ "$ref": text })) } else { Err(bad()) };
        };
        let file = part.home.file;
        let component = self.component(file, file.strip_suffix(".json").unwrap_or(file));
        let pointer = self.schemas.file(file).map_or(part.pointer.clone(), |root| moved(root, &part.pointer));
        Ok(json!({ "$ref": format!("#/components/schemas/{component}{}", fragment(&pointer)) }))
    }
}

/// What draft 07 calls a keyword that holds schemas.
fn renamed<'k>(keywords: &Map<String, Value>, keyword: &'k str) -> &'k str {
    match keyword {
        "prefixItems" => "items",
        "items" if keywords.contains_key("prefixItems") => "additionalItems",
        "dependentSchemas" => "dependencies",
        keyword => keyword,
    }
}

/// The pointer to what stands at a pointer of a schema, after that has been converted.
fn moved(root: &Value, pointer: &str) -> String {
    let mut converted = String::new();
    let (mut value, mut is_schema) = (Some(root), true);
    let mut tokens = tokens(pointer);
    while let Some(token) = tokens.next() {
        let keywords = value.filter(|_| is_schema).and_then(Value::as_object);
        let word = keywords.map_or(token.as_str(), |keywords| renamed(keywords, &token));
        let _ = write!(converted, "/{}", escaped(word));
        value = value.and_then(|value| match value {
            Value::Array(values) => values.get(token.parse::<usize>().ok()?),
            value => value.get(&token),
        });
        let is_list = SCHEMAS.contains(&token.as_str()) && value.is_some_and(Value::is_array);
        if keywords.is_some() && (MAPS.contains(&token.as_str()) || is_list) {
            // A name or a number, which leads to the next schema.
            let Some(name) = tokens.next() else { break };
            let _ = write!(converted, "/{}", escaped(&name));
            value = value.and_then(|value| match value {
                Value::Array(values) => values.get(name.parse::<usize>().ok()?),
                value => value.get(&name),
            });
        } else {
            is_schema &= SCHEMAS.contains(&token.as_str());
        }
    }
    converted
}

/// Beside a reference draft 07 reads nothing else, so the two are put into an `allOf`: behind what is there, so that
/// references into it stay right.
fn joined(mut keywords: Map<String, Value>, mut all_of: Vec<Value>) -> Value {
    if keywords.is_empty() && all_of.len() == 1 {
        return all_of.remove(0);
    }
    match keywords.get_mut("allOf") {
        Some(Value::Array(own)) => own.append(&mut all_of),
        _ if all_of.is_empty() => {}
        _ => drop(keywords.insert("allOf".to_owned(), Value::Array(all_of))),
    }
    Value::Object(keywords)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::export::examples;

    proptest! {
        #[test]
        fn no_schema_makes_the_writer_fall_over(schema in examples::any_schema()) {
            let common = json!({ "$defs": { "id": true } });
            let _ = converted(&[("A.v1.json", schema), ("common.json", common)]);
        }
    }

    fn converted(files: &[(&str, Value)]) -> Result<Value, BadReference> {
        let files = files.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone()));
        let schemas = Schemas::of(files.collect::<BTreeMap<_, _>>());
        let mut payloads = Payloads::of(&schemas);
        assert_eq!(payloads.reference("A"), Some(json!({ "$ref": "#/components/schemas/A" })));
        assert_eq!(payloads.reference("unknown"), None);
        payloads.finish().map(Value::Object)
    }

    #[test]
    fn references_lead_to_components_and_data_stays_as_it_is() {
        let found = converted(&[
            (
                "A.v1.json",
                json!({
                    "$schema": "https://json-schema.org/draft/2020-12/schema",
                    "$id": "urn:a",
                    "properties": {
                        "id": { "$ref": "#/$defs/id", "description": "with a sibling" },
                        "self": { "$ref": "#" },
                        "price": { "$ref": "common.json#/$defs/an%20amount" },
                        "never": false,
                        "$ref": { "const": { "$ref": "data" } },
                        "place": { "$ref": "https://example.com/place.json" },
                    },
                    "$defs": { "id": { "type": "string" } },
                    "examples": [{ "$ref": "data" }],
                }),
            ),
            ("common.json", json!({ "$defs": { "an amount": { "type": "number", "examples": [1] } } })),
            ("unused.json", json!({ "$ref": "nowhere.json" })),
        ]);
        let expected = json!({
            "A": {
                "properties": {
                    "id": {
                        "description": "with a sibling",
                        "allOf": [{ "$ref": "#/components/schemas/A/$defs/id" }],
                    },
                    "self": { "$ref": "#/components/schemas/A" },
                    "price": { "$ref": "#/components/schemas/common/$defs/an%20amount" },
                    "never": false,
                    "$ref": { "const": { "$ref": "data" } },
                    "place": { "$ref": "https://example.com/place.json" },
                },
                "$defs": { "id": { "type": "string" } },
            },
            "common": { "$defs": { "an amount": { "type": "number", "examples": [1] } } },
        });
        assert_eq!(found, Ok(expected));
    }

    #[test]
    fn what_the_older_draft_says_otherwise_is_said_so() {
        let found = converted(&[(
            "A.v2.json",
            json!({
                "prefixItems": [{ "type": "string" }],
                "items": false,
                "dependentRequired": { "a": ["b"] },
                "dependentSchemas": { "a": { "minProperties": 2 } },
                "allOf": [{ "type": "array" }],
            }),
        )]);
        let expected = json!({ "A": {
            "items": [{ "type": "string" }],
            "additionalItems": false,
            "dependencies": { "a": { "minProperties": 2 } },
            "allOf": [{ "type": "array" }, { "dependencies": { "a": ["b"] } }],
        } });
        assert_eq!(found, Ok(expected));
    }

    #[test]
    fn references_lead_to_where_their_targets_went() {
        let places = [
            ("#/properties/tuple/prefixItems/0", "/properties/tuple/items/0"),
            ("#/properties/tuple/items", "/properties/tuple/additionalItems"),
            ("#/properties/list/items", "/properties/list/items"),
            ("#/dependentSchemas/a", "/dependencies/a"),
            ("#/allOf/0", "/allOf/0"),
            ("#/properties/prefixItems", "/properties/prefixItems"),
            ("urn:money", "/properties/money"),
            ("urn:money#/prefixItems/0", "/properties/money/items/0"),
            ("#/properties/default/const/prefixItems", "/properties/default/const/prefixItems"),
        ];
        let uses: Map<String, Value> = places
            .iter()
            .map(|(reference, _)| ((*reference).to_owned(), json!({ "$ref": reference })))
            .collect();
        let schema = json!({
            "$ref": "#/$defs/base",
            "properties": {
                "tuple": { "prefixItems": [{ "type": "string" }], "items": { "type": "null" } },
                "list": { "items": { "type": "string" } },
                "prefixItems": { "type": "string" },
                "money": { "$id": "urn:money", "prefixItems": [{ "$ref": "#/$defs/inner" }], "$defs": { "inner": {} } },
                "default": { "const": { "prefixItems": {} } },
            },
            "dependentSchemas": { "a": { "minProperties": 1 } },
            "dependentRequired": { "a": ["b"] },
            "allOf": [{ "type": "object" }],
            "$defs": { "base": {}, "uses": { "properties": uses } },
        });
        let found = converted(&[("A.v1.json", schema)]).unwrap();
        for (reference, place) in places {
            let target = found["A"]["$defs"]["uses"]["properties"][reference]["$ref"].as_str().unwrap();
            assert_eq!(target, format!("#/components/schemas/A{place}"), "{reference}");
            assert!(found["A"].pointer(place).is_some(), "{place}: {found}");
        }
        let inner = &found["A"]["properties"]["money"]["items"][0];
        assert_eq!(inner["$ref"], "#/components/schemas/A/properties/money/$defs/inner");
    }

    #[test]
    fn a_reference_that_leads_nowhere_is_named() {
        for reference in [json!("common.json"), json!("#/$defs/x"), json!(7)] {
            let error = converted(&[("A.v1.json", json!({ "not": { "$ref": reference } }))]).unwrap_err();
            assert_eq!(error.to_string(), format!("A.v1.json: the `$ref` {reference} leads nowhere"));
        }
    }
}
