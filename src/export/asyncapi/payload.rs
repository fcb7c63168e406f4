//! JSON Schemas as AsyncAPI's schema objects.
//!
//! AsyncAPI's tools read draft 07 and take every reference from the root of the document. So the
//! files of the folder become components, references lead to those, and what draft 2020-12 says in
//! its own words is said in the older ones.

use serde_json::{Map, Value, json};

use super::is_id;
use crate::export::Schemas;
use crate::export::ids::Ids;
use crate::schema::named::fragment;

/// Keywords whose value is a schema or a list of them.
const SCHEMAS: [&str; 14] = [
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
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords whose value has schemas by name.
const MAPS: [&str; 5] = ["$defs", "definitions", "dependencies", "patternProperties", "properties"];

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
                let mut schema = self.schema(file, document)?;
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

    fn schema(&mut self, file: &'a str, schema: &Value) -> Result<Value, BadReference> {
        let Value::Object(keywords) = schema else { return Ok(schema.clone()) };
        let is_tuple = keywords.contains_key("prefixItems");
        let mut out = Map::new();
        let mut all_of = Vec::new();
        for (keyword, value) in keywords {
            let (keyword, value) = match keyword.as_str() {
                // A schema of its own no longer, and named by the component.
                "$schema" | "$id" | "$anchor" => continue,
                "$ref" => {
                    all_of.push(self.follow(file, value)?);
                    continue;
                }
                "dependentSchemas" => {
                    all_of.push(json!({ "dependencies": self.values(file, value)? }));
                    continue;
                }
                "dependentRequired" => ("dependencies", value.clone()),
                "prefixItems" => ("items", self.each(file, value)?),
                "items" if is_tuple => ("additionalItems", self.each(file, value)?),
                keyword if MAPS.contains(&keyword) => (keyword, self.values(file, value)?),
                keyword if SCHEMAS.contains(&keyword) => (keyword, self.each(file, value)?),
                // Data and plain values: what looks like a reference in them is none.
                keyword => (keyword, value.clone()),
            };
            out.insert(keyword.to_owned(), value);
        }
        Ok(joined(out, all_of))
    }

    /// A schema, or a list of them.
    fn each(&mut self, file: &'a str, value: &Value) -> Result<Value, BadReference> {
        match value {
            Value::Array(schemas) => schemas.iter().map(|schema| self.schema(file, schema)).collect(),
            schema => self.schema(file, schema),
        }
    }

    /// Schemas by name.
    fn values(&mut self, file: &'a str, value: &Value) -> Result<Value, BadReference> {
        let Value::Object(schemas) = value else { return Ok(value.clone()) };
        let converted = schemas.iter().map(|(name, schema)| Ok((name.clone(), self.schema(file, schema)?)));
        converted.collect::<Result<_, _>>().map(Value::Object)
    }

    fn follow(&mut self, file: &'a str, reference: &Value) -> Result<Value, BadReference> {
        let bad = || BadReference { file: file.to_owned(), reference: reference.to_string() };
        let text = reference.as_str().ok_or_else(bad)?;
        let Some(part) = self.schemas.follow(file, text) else {
            // Somebody else's, on the network: whoever reads the document may fetch it.
            let elsewhere = text.starts_with("http://") || text.starts_with("https://");
            return if elsewhere { Ok(json!({ "$ref": text })) } else { Err(bad()) };
        };
        let stem = part.file.strip_suffix(".json").unwrap_or(part.file);
        let component = self.component(part.file, stem);
        Ok(json!({ "$ref": format!("#/components/schemas/{component}{}", fragment(&part.pointer)) }))
    }
}

/// Beside a reference draft 07 reads nothing else, so the two are put into an `allOf`.
fn joined(mut keywords: Map<String, Value>, mut all_of: Vec<Value>) -> Value {
    if keywords.is_empty() && all_of.len() == 1 {
        return all_of.remove(0);
    }
    if !all_of.is_empty() {
        if let Some(Value::Array(own)) = keywords.remove("allOf") {
            all_of.extend(own);
        }
        keywords.insert("allOf".to_owned(), Value::Array(all_of));
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
            "dependencies": { "a": ["b"] },
            "allOf": [{ "dependencies": { "a": { "minProperties": 2 } } }, { "type": "array" }],
        } });
        assert_eq!(found, Ok(expected));
    }

    #[test]
    fn a_reference_that_leads_nowhere_is_named() {
        for reference in [json!("common.json"), json!("#/$defs/x"), json!(7)] {
            let error = converted(&[("A.v1.json", json!({ "not": { "$ref": reference } }))]).unwrap_err();
            assert_eq!(error.to_string(), format!("A.v1.json: the `$ref` {reference} leads nowhere"));
        }
    }
}
