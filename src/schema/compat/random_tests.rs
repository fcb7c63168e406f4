//! Verdicts about random schemas, held against random documents.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::schema::sample::Sampler;

/// Any small document, of the names and values that the schemas below speak of.
fn documents() -> BoxedStrategy<Value> {
    let leaves = prop::sample::select(vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1),
        json!(1.0),
        json!(2),
        json!(2.5),
        json!(5),
        json!(""),
        json!("a"),
        json!("ab"),
        json!("abc"),
        json!("2024-01-01"),
    ]);
    leaves
        .prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::btree_map("[a-c]{1,2}", inner, 0..4)
                    .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
            ]
        })
        .boxed()
}

/// A keyword and its value; `inner`: schemas for those that hold some.
fn keyword(inner: BoxedStrategy<Value>) -> BoxedStrategy<(String, Value)> {
    let kinds =
        || prop::sample::select(vec!["null", "boolean", "integer", "number", "string", "array", "object"]);
    let named = |inner: &BoxedStrategy<Value>| {
        prop::collection::btree_map("[a-c]", inner.clone(), 0..3).prop_map(|named| json!(named))
    };
    let some_names = || prop::collection::btree_set("[a-c]", 0..3).prop_map(|names| json!(names));
    let some =
        |inner: &BoxedStrategy<Value>| prop::collection::vec(inner.clone(), 1..3).prop_map(Value::Array);
    let said = |keyword: &'static str, value: BoxedStrategy<Value>| {
        value.prop_map(move |value| (keyword.to_owned(), value)).boxed()
    };
    let number = |keyword| said(keyword, (-1..5_i32).prop_map(|number| json!(number)).boxed());
    let length = |keyword| said(keyword, (0..4_u32).prop_map(|number| json!(number)).boxed());
    let choices = vec![
        said("type", kinds().prop_map(|kind| json!(kind)).boxed()),
        said("type", prop::collection::btree_set(kinds(), 1..4).prop_map(|kinds| json!(kinds)).boxed()),
        said("const", documents()),
        said("enum", prop::collection::vec(documents(), 1..4).prop_map(Value::Array).boxed()),
        said("enum", Just(json!([1.0, 2.0])).boxed()),
        said("default", documents()),
        number("minimum"),
        number("maximum"),
        number("exclusiveMinimum"),
        number("exclusiveMaximum"),
        said("multipleOf", prop::sample::select(vec![json!(1), json!(2), json!(0.5), json!(2.5)]).boxed()),
        length("minLength"),
        length("maxLength"),
        length("minItems"),
        length("maxItems"),
        length("minProperties"),
        length("maxProperties"),
        said("pattern", prop::sample::select(vec![json!("^a"), json!("b$"), json!("^[a-c]+$")]).boxed()),
        said("format", Just(json!("date")).boxed()),
        said("uniqueItems", any::<bool>().prop_map(|unique| json!(unique)).boxed()),
        said("items", inner.clone()),
        said("contains", inner.clone()),
        length("minContains"),
        length("maxContains"),
        said("prefixItems", some(&inner).boxed()),
        said("properties", named(&inner).boxed()),
        said("properties", named(&inner).boxed()),
        said("patternProperties", inner.clone().prop_map(|schema| json!({ "^a": schema })).boxed()),
        said("additionalProperties", inner.clone()),
        said("additionalProperties", any::<bool>().prop_map(Value::Bool).boxed()),
        said("required", some_names().boxed()),
        said("required", some_names().boxed()),
        said("dependentRequired", some_names().prop_map(|names| json!({ "a": names })).boxed()),
        said("dependentSchemas", inner.clone().prop_map(|schema| json!({ "a": schema })).boxed()),
        said("propertyNames", inner.clone()),
        said("unevaluatedProperties", inner.clone()),
        said("unevaluatedItems", inner.clone()),
        said("allOf", some(&inner).boxed()),
        said("anyOf", some(&inner).boxed()),
        said("oneOf", some(&inner).boxed()),
        said("oneOf", twice(&inner)),
        said("not", inner.clone()),
        said("if", inner.clone()),
        said("then", inner.clone()),
        said("else", inner),
        said("$ref", prop::sample::select(vec![json!("#/$defs/d"), json!("#/$defs/e")]).boxed()),
    ];
    prop::strategy::Union::new(choices).boxed()
}

/// Schemas of which one may be there twice.
fn twice(inner: &BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let repeated = |(mut schemas, again): (Vec<Value>, bool)| {
        schemas.extend(schemas.first().filter(|_| again).cloned());
        Value::Array(schemas)
    };
    (prop::collection::vec(inner.clone(), 1..3), any::<bool>()).prop_map(repeated).boxed()
}

/// Properties, the required ones, and the rest.
type EventParts = (BTreeMap<String, Value>, BTreeSet<String>, Value);

/// An event as they usually are: properties, some of them required, some with a default, more or less open, made of
/// parts that are shared.
fn usual() -> BoxedStrategy<Value> {
    let simple = prop::sample::select(vec![
        json!({}),
        json!({ "type": "string" }),
        json!({ "type": "integer", "minimum": 1 }),
        json!({ "type": "integer", "minimum": 2, "default": 2 }),
        json!({ "type": "integer", "default": "none" }),
        json!({ "$ref": "#/$defs/d" }),
        json!({ "allOf": [{ "$ref": "#/$defs/e" }, { "properties": { "a": { "default": 1 } } }] }),
        json!({ "oneOf": [{ "$ref": "#/$defs/d" }, { "type": "null" }] }),
    ]);
    let properties = prop::collection::btree_map("[a-d]", simple, 0..4);
    let required = prop::collection::btree_set("[a-d]", 0..3);
    let rest = prop::sample::select(vec![
        json!({}),
        json!({ "additionalProperties": false }),
        json!({ "additionalProperties": { "type": "string" } }),
        json!({ "minProperties": 1 }),
        json!({ "$ref": "#/$defs/d" }),
        json!({ "allOf": [{ "$ref": "#/$defs/e" }] }),
        json!({ "anyOf": [{ "$ref": "#/$defs/d" }, { "required": ["c"] }] }),
        json!({ "dependentRequired": { "a": ["c"] } }),
    ]);
    let event = |(properties, required, rest): EventParts| {
        let mut event = json!({ "type": "object", "properties": properties, "required": required });
        if let (Some(event), Value::Object(rest)) = (event.as_object_mut(), rest) {
            event.extend(rest);
        }
        event
    };
    (properties, required, rest).prop_map(event).boxed()
}

fn schema() -> BoxedStrategy<Value> {
    let leaves = prop_oneof![1 => any::<bool>().prop_map(Value::Bool), 1 => Just(json!({}))];
    leaves
        .prop_recursive(3, 24, 4, |inner| {
            let inner = inner.boxed();
            let usual = prop::collection::vec(keyword(inner), 1..5);
            usual.prop_map(|keywords| Value::Object(keywords.into_iter().collect()))
        })
        .boxed()
}

/// A schema and a later version of it, in which some keywords came, went or changed.
fn versions() -> BoxedStrategy<(Value, Value)> {
    let changed = prop_oneof![
        3 => keyword(schema()),
        1 => usual().prop_map(|schema| ("properties".to_owned(), schema["properties"].clone())),
        1 => usual().prop_map(|schema| ("required".to_owned(), schema["required"].clone())),
        1 => Just(("$schema".to_owned(), json!("https://json-schema.org/draft/2019-09/schema"))),
    ];
    let edit = (any::<prop::sample::Index>(), prop::option::of(changed));
    let edits = prop::collection::vec(edit, 0..3);
    let root = |schema: Value, d: Value, e: Value| match schema {
        Value::Object(mut keywords) => {
            keywords.insert("$defs".to_owned(), json!({ "d": d, "e": e }));
            Value::Object(keywords)
        }
        other => other,
    };
    let any_kind = || prop_oneof![1 => schema(), 1 => usual()];
    (any_kind(), any_kind(), any_kind(), edits)
        .prop_map(move |(schema, d, e, edits)| {
            let before = root(schema, d, e);
            let mut after = before.clone();
            for (index, edit) in edits {
                let mut objects = Vec::new();
                pointers(&after, String::new(), &mut objects);
                if objects.is_empty() {
                    continue;
                }
                let object = after.pointer_mut(&objects[index.index(objects.len())]);
                let Some(keywords) = object.and_then(Value::as_object_mut) else { continue };
                match edit {
                    // A dialect is a whole document's.
                    Some((keyword, value)) if keyword == "$schema" => {
                        after.as_object_mut().and_then(|root| root.insert(keyword, value));
                    }
                    Some((keyword, value)) => drop(keywords.insert(keyword, value)),
                    None => {
                        let gone = keywords
                            .keys()
                            .filter(|keyword| *keyword != "$defs")
                            .nth(index.index(4))
                            .cloned();
                        gone.and_then(|keyword| keywords.remove(&keyword));
                    }
                }
            }
            (before, after)
        })
        .boxed()
}

fn pointers(schema: &Value, pointer: String, found: &mut Vec<String>) {
    if let Value::Object(keywords) = schema {
        for (keyword, value) in keywords {
            match (keyword.as_str(), value) {
                ("properties" | "$defs", Value::Object(named)) => {
                    for (name, schema) in named {
                        pointers(schema, format!("{pointer}/{keyword}/{name}"), found);
                    }
                }
                ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(schemas)) => {
                    for (index, schema) in schemas.iter().enumerate() {
                        pointers(schema, format!("{pointer}/{keyword}/{index}"), found);
                    }
                }
                ("items" | "additionalProperties" | "not" | "if" | "then" | "contains", value) => {
                    pointers(value, format!("{pointer}/{keyword}"), found);
                }
                _ => {}
            }
        }
        found.push(pointer);
    }
}

fn judge(schema: &Value) -> Option<Validator> {
    jsonschema::options().should_validate_formats(true).build(schema).ok()
}

/// Is anything in a document what a lens is about? Rather too much than too little.
fn touches(lens: &lens::Lens, document: &Value) -> bool {
    let inside = match document {
        Value::Object(members) => members.values().any(|value| touches(lens, value)),
        Value::Array(elements) => elements.iter().any(|value| touches(lens, value)),
        _ => false,
    };
    let Value::Object(members) = document else { return inside };
    inside
        || match lens {
            lens::Lens::Unsent { name, .. } | lens::Lens::Ignored { name, .. } => members.contains_key(name),
            lens::Lens::OnlyDescribed { names, .. } => members.keys().any(|name| !names.contains(name)),
            lens::Lens::Default { name, .. } => !members.contains_key(name),
        }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    /// Against the verdict "compatible" no document can be found; for every break there is one.
    #[test]
    fn no_document_contradicts_a_verdict(
        (writer, reader) in versions(),
        documents in prop::collection::vec(documents(), 200),
    ) {
        let (Some(sends), Some(reads)) = (judge(&writer), judge(&reader)) else {
            return Err(TestCaseError::reject("no schema"));
        };
        for policy in [Policy::Strict, Policy::Lenient] {
            let comparison = compare(&writer, &reader, policy, &|_| {}).unwrap();
            for finding in comparison.breaks.iter().chain(&comparison.tolerated) {
                let example = &finding.example;
                prop_assert!(sends.is_valid(example) && !reads.is_valid(example), "{:?}", finding);
                prop_assert!(!finding.refusal.is_empty());
            }
            if !comparison.is_compatible() {
                continue;
            }
            // What the policy takes for granted is granted to it.
            let differences = walk::differences(&writer, &reader).differences;
            let mut from_plain = Sampler::new(&writer, 3);
            let plain: Vec<Value> = (0..20).filter_map(|_| from_plain.guess(None)).collect();
            let plain: Vec<&Value> =
                documents.iter().chain(&plain).filter(|document| sends.is_valid(document)).collect();
            let lenses: Vec<&lens::Lens> = differences.iter().filter_map(|found| found.lens.as_ref()).collect();
            let untouched = |document: &Value| {
                policy == Policy::Strict || !lenses.iter().any(|lens| touches(lens, document))
            };
            for document in &plain {
                prop_assert!(!untouched(document) || reads.is_valid(document), "{:?}: {}", policy, document);
            }
            let (writer, reader) = seen(&writer, &reader, policy, &differences);
            let (Some(sends), Some(reads)) = (judge(&writer), judge(&reader)) else { panic!("no schema") };
            let (mut from_writer, mut from_reader) = (Sampler::new(&writer, 1), Sampler::new(&reader, 2));
            let drawn: Vec<Value> = (0..20).filter_map(|_| from_writer.guess(None)).collect();
            let mut near: Vec<Value> = Vec::new();
            for document in &drawn {
                near.extend(from_reader.spoiled(document).take(50));
            }
            // It is never everything.
            let left = plain.iter().copied().chain(&drawn).chain(&near).any(|document| sends.is_valid(document));
            prop_assert!(plain.is_empty() || left, "{:?}: nothing is left of {}", policy, plain[0]);
            for document in documents.iter().chain(&drawn).chain(&near) {
                prop_assert!(!sends.is_valid(document) || reads.is_valid(document), "{:?}: {}", policy, document);
            }
        }
    }
}
