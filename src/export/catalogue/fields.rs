//! The fields of an event, read from its schema.

use std::ptr;

use serde_json::Value;

use super::kind::kind;
use crate::export::Schemas;
use crate::export::schemas::{EventSchema, Home};
use crate::text::{code, prose};

/// A row of the table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// `items[].quantity`.
    pub(super) path: String,
    /// Markdown.
    pub(super) kind: String,
    pub(super) required: bool,
    /// Markdown.
    pub(super) meaning: String,
}

/// A schema and what its references start from.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<'a> {
    pub(super) home: Home<'a>,
    pub(super) schema: &'a Value,
}

/// A schema with everything that it refers to and consists of (`$ref`, `allOf`), itself first.
#[derive(Clone, Debug)]
pub(super) struct Whole<'a> {
    pub(super) parts: Vec<At<'a>>,
}

impl<'a> Whole<'a> {
    pub(super) fn of(schema: At<'a>, schemas: &'a Schemas) -> Self {
        let mut whole = Self { parts: Vec::new() };
        whole.add(schema, schemas);
        whole
    }

    fn add(&mut self, part: At<'a>, schemas: &'a Schemas) {
        if self.has(part.schema) {
            return;
        }
        let part = At { home: schemas.inside(part.home, part.schema), ..part };
        self.parts.push(part);
        if let Some(reference) = part.schema.get("$ref").and_then(Value::as_str)
            && let Some(found) = schemas.follow(part.home, reference)
        {
            self.add(At { home: found.home, schema: found.schema }, schemas);
        }
        for schema in list(part.schema.get("allOf")) {
            self.add(At { schema, ..part }, schemas);
        }
    }

    fn has(&self, schema: &Value) -> bool {
        self.parts.iter().any(|part| ptr::eq(part.schema, schema))
    }

    /// The value of a keyword, where one of the parts has it.
    pub(super) fn get(&self, keyword: &str) -> Option<&'a Value> {
        self.at(keyword).map(|at| at.schema)
    }

    /// The schema that a keyword has for its value.
    pub(super) fn at(&self, keyword: &str) -> Option<At<'a>> {
        let mut parts = self.parts.iter();
        parts.find_map(|part| Some(At { schema: part.schema.get(keyword)?, ..*part }))
    }

    /// The schemas of which one holds.
    pub(super) fn alternatives(&self) -> impl Iterator<Item = At<'a>> {
        self.parts.iter().flat_map(|part| {
            let all = list(part.schema.get("anyOf")).iter().chain(list(part.schema.get("oneOf")));
            all.map(|schema| At { schema, ..*part })
        })
    }

    /// A reference that leads out of the folder, and nothing else.
    pub(super) fn unknown(&self) -> Option<&'a str> {
        let [only] = self.parts.as_slice() else { return None };
        only.schema.get("$ref")?.as_str()
    }

    fn requires(&self, name: &str) -> bool {
        let mut required = self.parts.iter().flat_map(|part| list(part.schema.get("required")));
        required.any(|required| required == name)
    }
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Deeper than people read, and more than they read: schemas can refer to themselves, and to others
/// many times over.
const DEEPEST: usize = 8;
const MOST: usize = 500;

/// The fields in the schema's order, those of objects and of lists beneath them.
pub(super) fn fields<'a>(schemas: &'a Schemas, event: EventSchema<'a>) -> Vec<Field> {
    let root = Whole::of(At { home: schemas.home(event.file), schema: event.schema }, schemas);
    let mut reader = Reader { schemas, fields: Vec::new() };
    reader.inside(&root, "", &[]);
    if reader.fields.len() > MOST {
        reader.fields.truncate(MOST);
        let meaning = "more in the schema".to_owned();
        reader.fields.push(Field { path: "…".to_owned(), kind: String::new(), required: false, meaning });
    }
    reader.fields
}

struct Reader<'a> {
    schemas: &'a Schemas,
    fields: Vec<Field>,
}

impl<'a> Reader<'a> {
    /// What is inside of the value at `path`. `around`: the schemas that this one stands in.
    fn inside(&mut self, whole: &Whole<'a>, path: &str, around: &[&'a Value]) {
        let again = around.iter().any(|outer| whole.has(outer));
        if again || around.len() > DEEPEST || self.fields.len() > MOST {
            return;
        }
        let around: Vec<&Value> =
            around.iter().copied().chain(whole.parts.first().map(|at| at.schema)).collect();
        self.properties(whole, path, &around, true);
        for alternative in whole.alternatives() {
            let alternative = Whole::of(alternative, self.schemas);
            self.properties(&alternative, path, &around, false);
        }
        for (keyword, step) in [("items", "[]"), ("additionalProperties", ".*")] {
            if let Some(schema) = whole.at(keyword) {
                self.inside(&Whole::of(schema, self.schemas), &format!("{path}{step}"), &around);
            }
        }
    }

    /// `always`: the object has these fields in every form of it.
    fn properties(&mut self, whole: &Whole<'a>, path: &str, around: &[&'a Value], always: bool) {
        for part in &whole.parts {
            let properties = part.schema.get("properties").and_then(Value::as_object);
            for (name, schema) in properties.into_iter().flatten() {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                if self.fields.len() > MOST || self.fields.iter().any(|field| field.path == path) {
                    continue;
                }
                let field = Whole::of(At { schema, ..*part }, self.schemas);
                self.fields.push(Field {
                    path: path.clone(),
                    kind: kind(&field, self.schemas),
                    required: always && whole.requires(name),
                    meaning: meaning(&field),
                });
                self.inside(&field, &path, around);
            }
        }
    }
}

fn meaning(field: &Whole<'_>) -> String {
    let description = field.get("description").and_then(Value::as_str).map(prose);
    let default = field.get("default").map(|value| format!("Default: {}.", code(&value.to_string())));
    let deprecated =
        field.get("deprecated").filter(|value| **value == true).map(|_| "Deprecated.".to_owned());
    let parts: Vec<String> = [description, default, deprecated].into_iter().flatten().collect();
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::export::examples;

    proptest! {
        #[test]
        fn no_schema_makes_the_reader_fall_over(schema in examples::any_schema()) {
            let found = rows(schema);
            prop_assert!(found.len() <= MOST + 1);
            prop_assert!(found.iter().all(|row| !row.contains('\n')), "a row is a line");
        }
    }

    fn rows(schema: Value) -> Vec<String> {
        let common = json!({ "$defs": { "money": { "type": "number", "minimum": 0 } } });
        let files = [("A.v1.json".to_owned(), schema), ("common.json".to_owned(), common)];
        let schemas = Schemas::of(BTreeMap::from(files));
        let fields = fields(&schemas, schemas.event("A").unwrap());
        let rows = fields.into_iter().map(|field| {
            let required = if field.required { "!" } else { "" };
            format!("{}{required} | {} | {}", field.path, field.kind, field.meaning)
        });
        rows.collect()
    }

    #[test]
    fn fields_stand_in_the_schemas_order_with_those_inside_beneath() {
        let found = rows(json!({
            "required": ["z"],
            "properties": {
                "z": { "type": "string", "description": "A `code`, *plain*.", "default": "x" },
                "a": { "type": "object", "required": ["c"], "properties": {
                    "c": { "$ref": "common.json#/$defs/money", "description": "Its own words." },
                } },
                "list": { "type": "array", "items": { "properties": { "d": { "type": "boolean" } } } },
                "map": { "additionalProperties": { "properties": { "e": {} } } },
            },
        }));
        assert_eq!(
            found,
            [
                "z! | string | A `code`, \\*plain\\*. Default: `\"x\"`.",
                "a | object | ",
                "a.c! | number, at least 0 | Its own words.",
                "list | list of objects | ",
                "list[].d | true or false | ",
                "map | object | ",
                "map.*.e | anything | ",
            ]
        );
    }

    #[test]
    fn parts_are_put_together_and_alternatives_require_nothing() {
        let found = rows(json!({
            "allOf": [{ "required": ["a"], "properties": { "a": { "type": "integer" } } }],
            "oneOf": [
                { "required": ["b"], "properties": { "b": { "type": "null" } } },
                { "properties": { "a": { "type": "string" }, "c": false } },
            ],
        }));
        assert_eq!(found, ["a! | integer | ", "b | null | ", "c | never there | "]);
    }

    #[test]
    fn a_schema_that_has_no_end_comes_to_one() {
        let found = rows(json!({ "properties": { "child": { "$ref": "#", "description": "The next." } } }));
        assert_eq!(found, ["child | object | The next."]);
        let wide: serde_json::Map<String, Value> =
            (0..40).map(|at| (format!("f{at}"), json!({ "$ref": "#/$defs/again" }))).collect();
        let again = json!({ "items": { "allOf": [{ "properties": wide.clone() }] } });
        let found = rows(json!({ "properties": wide, "$defs": { "again": again } }));
        assert!(found.len() <= MOST + 1, "{}", found.len());
    }
}
