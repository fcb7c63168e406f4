use serde_json::{Map, Value, json};

use super::*;

pub(super) fn compare(writer: &Value, reader: &Value, policy: Policy) -> Result<Comparison, NoSchema> {
    super::compare(writer, reader, policy, &|_| {})
}

/// Rules of the breaks, after a `?` the suspects where it is undecided.
pub(super) fn rules(writer: &Value, reader: &Value, policy: Policy) -> String {
    let comparison = compare(writer, reader, policy).unwrap();
    let names = |found: &[&Difference]| {
        found.iter().map(|found| format!("{} {}", found.rule, found.place())).collect::<Vec<_>>().join(", ")
    };
    let breaks: Vec<&Difference> = comparison.breaks.iter().map(|finding| &finding.difference).collect();
    let tolerated: Vec<&Difference> =
        comparison.tolerated.iter().map(|finding| &finding.difference).collect();
    let mut text = names(&breaks);
    if !tolerated.is_empty() {
        text = format!("{text} ({})", names(&tolerated));
    }
    if let Some(undecided) = &comparison.undecided {
        text = format!("{text}? {}", names(&undecided.suspects.iter().collect::<Vec<_>>()));
    }
    text
}

#[test]
fn a_difference_has_its_name_and_place() {
    let schema = |text: &str| {
        let schema: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        json!({ "type": "object", "properties": { "p": schema } })
    };
    let mut wrong = Vec::new();
    for line in include_str!("differences.txt").lines().filter(|line| !line.starts_with('#')) {
        let [writer, reader, expected] =
            line.split('|').map(str::trim).collect::<Vec<_>>()[..].try_into().unwrap();
        let found = rules(&schema(writer), &schema(reader), Policy::Strict);
        if found != expected {
            wrong.push(format!("{line}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_lies_deep_or_is_long_is_found_too() {
    let deep = |schema: Value| {
        (0..60).fold(schema, |schema, _| json!({ "properties": { "a": schema }, "required": ["a"] }))
    };
    let found = rules(&deep(json!({ "minimum": 1 })), &deep(json!({ "minimum": 2 })), Policy::Strict);
    assert_eq!(found, format!("MINIMUM_INCREASED {}", "/a".repeat(60)));
    let long = |most: u32| json!({ "type": "array", "items": { "type": "string" }, "maxItems": most });
    assert_eq!(rules(&long(1_000), &long(999), Policy::Strict), "MAX_ITEMS_DECREASED ");
    // What would take all of the memory is not even tried.
    let endless = json!({ "anyOf": [{ "type": "array", "maxItems": 3 }, { "type": "array", "minItems": 100_000_000 }] });
    let found = rules(&endless, &json!({ "type": "array", "maxItems": 2 }), Policy::Strict);
    assert_eq!(found, "MAX_ITEMS_ADDED ");
    // Nor is each of a thousand elements spoiled in every way, where no example is found.
    let vector = |pattern: &str| json!({ "type": "array", "minItems": 1_000, "maxItems": 1_000, "items": { "type": "string", "pattern": pattern } });
    assert_eq!(rules(&vector("^[a-z]{3}$"), &vector("^[a-z]+$"), Policy::Strict), "? PATTERN_CHANGED /0");
}

#[test]
fn what_cannot_be_decided_is_said_to_be_undecided() {
    let pattern = |pattern: &str| json!({ "properties": { "p": { "type": "string", "pattern": pattern } } });
    // True, and beyond what can be proven.
    let (writer, reader) = (pattern("^[a-z]{3}$"), pattern("^[a-z]+$"));
    assert_eq!(rules(&writer, &reader, Policy::Strict), "? PATTERN_CHANGED /p");
    assert!(!compare(&writer, &reader, Policy::Strict).unwrap().is_compatible());
}

#[test]
fn what_says_the_same_in_other_words_is_compatible() {
    let tree = |least: i32| {
        json!({
            "$ref": "#/$defs/tree",
            "$defs": { "tree": {
                "type": "object",
                "properties": { "value": { "minimum": least }, "left": { "$ref": "#/$defs/tree" }, "right": { "$ref": "#/$defs/tree" } },
            } },
        })
    };
    for (writer, reader) in [
        (tree(2), tree(1)),
        (
            json!({ "unevaluatedProperties": false, "properties": { "a": { "description": "x" } }, "title": "A" }),
            json!({ "unevaluatedProperties": false, "properties": { "a": {} }, "$id": "urn:b" }),
        ),
        (
            json!({ "type": "object", "properties": { "a": { "type": "string" } }, "additionalProperties": { "type": "string" } }),
            json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        ),
        (json!({ "allOf": [{ "minimum": 1 }, { "maximum": 5 }] }), json!({ "minimum": 0, "maximum": 6 })),
        (json!({ "type": "integer", "minimum": 1, "maximum": 2 }), json!({ "enum": [1, 2, 3] })),
        (
            json!({ "if": { "properties": { "k": { "const": 1 } } }, "then": { "required": ["a"] } }),
            json!({ "if": { "properties": { "k": { "const": 1 } } }, "then": { "required": ["a"] }, "$comment": "" }),
        ),
    ] {
        assert_eq!(rules(&writer, &reader, Policy::Strict), "", "{writer} -> {reader}");
    }
    assert_eq!(rules(&tree(1), &tree(2), Policy::Strict), "MINIMUM_INCREASED /value");
}

#[test]
fn an_example_is_small_and_comes_with_the_readers_words() {
    let schema = |minimum: i32| {
        json!({
            "type": "object",
            "required": ["id", "items"],
            "properties": {
                "id": { "type": "string" },
                "note": { "type": "string" },
                "items": { "type": "array", "items": { "$ref": "#/$defs/item" }, "minItems": 1 },
            },
            "$defs": { "item": { "type": "object", "required": ["quantity"], "properties": { "quantity": { "type": "integer", "minimum": minimum } } } },
        })
    };
    let comparison = compare(&schema(1), &schema(2), Policy::Lenient).unwrap();
    let [finding] = &comparison.breaks[..] else { panic!("{comparison:?}") };
    assert_eq!(finding.difference.rule, "MINIMUM_INCREASED");
    assert_eq!(finding.difference.writer, "/$defs/item/properties/quantity/minimum");
    assert_eq!(finding.difference.reader, "/$defs/item/properties/quantity/minimum");
    assert_eq!(finding.difference.detail, "minimum 1 -> 2");
    assert_eq!(finding.difference.place(), "/items/0/quantity");
    let example = finding.example.as_object().unwrap();
    assert_eq!((&example["items"], example.len()), (&json!([{ "quantity": 1 }]), 2));
    assert_eq!(finding.refusal, "/items/0/quantity: expected at least 2, found `1` (minimum)");
}

#[test]
fn what_looks_the_same_and_is_not_is_no_yes() {
    let two = |second: Value| json!({ "oneOf": [{ "type": "string" }, { "type": "integer" }, second] });
    let named = |inner: Value| json!({ "properties": { "a": inner }, "$defs": { "x": { "type": "string", "pattern": "^(?!foo$)" } } });
    for (writer, reader, expected) in [
        // Twice the same alternative: what it accepts is accepted twice.
        (
            json!({ "oneOf": [{ "type": "string" }, { "type": "integer" }] }),
            two(json!({ "type": "integer" })),
            "COMBINED_TYPE_SUBSCHEMAS_CHANGED ",
        ),
        (
            json!({ "anyOf": [{ "type": "string" }, { "type": "integer" }] }),
            json!({ "anyOf": [{ "type": "integer" }, { "type": "string" }, { "type": "integer" }] }),
            "",
        ),
        // A float without a fraction is an integer.
        (json!({ "type": "integer", "enum": [1.0, 2.0] }), json!({ "type": "string" }), "TYPE_CHANGED "),
        (json!({ "enum": [1.0] }), json!({ "type": "integer" }), ""),
        // Tuples are not written so in 2019-09, where this says nothing.
        (
            json!({ "$schema": "https://json-schema.org/draft/2019-09/schema", "type": "array", "prefixItems": [{ "type": "string" }] }),
            json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "array", "prefixItems": [{ "type": "string" }] }),
            "ACCEPTED_VALUES_NARROWED /0",
        ),
        // An `$id` decides where `#` leads.
        (
            named(json!({ "$id": "urn:a", "$ref": "#/$defs/x", "$defs": { "x": { "type": "string" } } })),
            named(json!({ "$ref": "#/$defs/x", "$defs": { "x": { "type": "string" } } })),
            "? PATTERN_ADDED /a",
        ),
        // Names of properties are no annotations.
        (
            json!({ "dependentRequired": { "title": ["a"] }, "not": { "$ref": "#/$defs/x" }, "$defs": { "x": { "dependentRequired": { "examples": ["b"] } } } }),
            json!({ "dependentRequired": { "title": ["a"] }, "not": { "$ref": "#/$defs/x" }, "$defs": { "x": {} } }),
            "ACCEPTED_VALUES_NARROWED ",
        ),
    ] {
        let found = rules(&writer, &reader, Policy::Strict);
        assert_eq!(found, expected, "{writer} -> {reader}");
    }
}

#[test]
fn recursive_and_shared_schemas_are_compared_in_time() {
    let tree = json!({ "type": "object", "additionalProperties": { "$ref": "#" } });
    let named = json!({ "type": "object", "properties": { "a": { "$ref": "#" } }, "additionalProperties": { "$ref": "#" } });
    let lists = json!({ "items": { "$ref": "#" } });
    let tuple = json!({ "prefixItems": [{ "$ref": "#" }], "items": { "$ref": "#" } });
    let levels = |count: u32, described: bool, least: u32| {
        let mut defs = Map::new();
        for level in 0..count {
            let next = json!({ "$ref": format!("#/$defs/l{}", level + 1) });
            let properties = if described { json!({ "a": next, "b": next }) } else { json!({}) };
            let level_of =
                json!({ "type": "object", "properties": properties, "additionalProperties": next });
            defs.insert(format!("l{level}"), level_of);
        }
        defs.insert(format!("l{count}"), json!({ "type": "string", "minLength": least }));
        json!({ "$ref": "#/$defs/l0", "$defs": defs })
    };
    for (writer, reader) in [
        (&tree, &named),
        (&named, &tree),
        (&lists, &tuple),
        (&tuple, &lists),
        (&levels(12, false, 1), &levels(12, true, 1)),
    ] {
        assert_eq!(rules(writer, reader, Policy::Strict), "", "{writer} -> {reader}");
    }
    let found = rules(&levels(12, false, 1), &levels(12, true, 2), Policy::Strict);
    assert!(found.contains("MIN_LENGTH_INCREASED"), "{found}");
    // Deeper than is asked for: no matter what comes of it, something does.
    let deep = compare(&levels(40, false, 1), &levels(40, true, 1), Policy::Strict).unwrap();
    assert_eq!(deep.breaks, []);
}

#[test]
fn a_property_may_be_called_like_an_index() {
    let closed =
        |schema: Value| json!({ "properties": { "007": { "items": schema } }, "not": { "required": ["x"] } });
    let (writer, reader) = (closed(json!({})), closed(json!({ "not": { "const": "b" } })));
    let difference = json!({ "properties": { "007": { "const": ["b"] } }, "required": ["007"] });
    let search = search::Search::new(&writer, &reader, &|_| {}).unwrap();
    let found = search.any_example(Some(&difference), &[]).unwrap();
    assert_eq!(found.difference.place(), "/007/0");
}

#[test]
fn what_is_no_schema_is_refused() {
    let error = compare(&json!({ "type": 7 }), &json!({}), Policy::Strict).unwrap_err();
    assert!(error.to_string().contains('7'), "{error}");
    assert!(compare(&json!({}), &json!({ "$ref": "https://example.com/x" }), Policy::Strict).is_err());
}
