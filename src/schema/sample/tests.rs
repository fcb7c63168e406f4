use jsonschema::Validator;
use serde_json::{Value, json};

use super::*;

fn judge(schema: &Value) -> Validator {
    jsonschema::options().should_validate_formats(true).build(schema).unwrap()
}

fn schemas() -> Vec<Value> {
    vec![
        json!({
            "type": "object",
            "required": ["id", "size", "tags", "at"],
            "properties": {
                "id": { "type": "string", "pattern": "^[a-z]{2}-[0-9]{4}$" },
                "size": { "type": "integer", "minimum": 3, "exclusiveMaximum": 9, "multipleOf": 2 },
                "price": { "type": "number", "minimum": 0, "multipleOf": 0.25 },
                "tags": { "type": "array", "minItems": 2, "maxItems": 4, "uniqueItems": true, "items": { "enum": ["a", "b", "c", "d"] } },
                "at": { "type": "string", "format": "date-time" },
                "note": { "type": ["string", "null"], "minLength": 2, "maxLength": 5 },
            },
            "additionalProperties": false,
        }),
        json!({ "oneOf": [{ "const": 1 }, { "type": "string", "maxLength": 3 }, { "type": "array", "contains": { "const": 7 } }] }),
        json!({
            "if": { "properties": { "kind": { "const": "a" } }, "required": ["kind"] },
            "then": { "required": ["x"] },
            "else": { "required": ["y"] },
            "properties": { "kind": { "enum": ["a", "b"] } },
        }),
        json!({
            "$defs": { "tree": { "type": "object", "properties": { "left": { "$ref": "#/$defs/tree" }, "right": { "$ref": "#/$defs/tree" } } } },
            "$ref": "#/$defs/tree",
        }),
        json!({ "prefixItems": [{ "type": "string" }, { "type": "boolean" }], "items": false, "minItems": 2 }),
        json!({ "minProperties": 3, "additionalProperties": { "type": "integer" }, "type": "object" }),
        json!({ "type": "object", "properties": { "a": false, "b": true }, "propertyNames": { "maxLength": 3 } }),
        json!({ "minimum": 5 }),
        json!({}),
    ]
}

#[test]
fn valid_documents_are_drawn_and_differ() {
    for schema in schemas() {
        let judge = judge(&schema);
        let mut sampler = Sampler::new(&schema, 7);
        let drawn: Vec<Value> =
            (0..20).filter_map(|_| sampler.valid(|value| judge.is_valid(value))).collect();
        assert_eq!(drawn.len(), 20, "{schema}");
        assert!(drawn.iter().any(|value| *value != drawn[0]), "{schema}");
        let mut again = Sampler::new(&schema, 7);
        assert_eq!(again.valid(|value| judge.is_valid(value)).as_ref(), drawn.first(), "{schema}");
    }
}

#[test]
fn spoiled_documents_are_refused_and_for_different_reasons() {
    let schema = &schemas()[0];
    let judge = judge(schema);
    let mut sampler = Sampler::new(schema, 1);
    let mut keywords = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let valid = sampler.valid(|value| judge.is_valid(value)).unwrap();
        for spoiled in sampler.spoiled(&valid) {
            let errors = judge.iter_errors(&spoiled);
            keywords.extend(errors.map(|error| error.kind().keyword().to_owned()));
        }
    }
    let wanted = [
        "additionalProperties",
        "enum",
        "exclusiveMaximum",
        "format",
        "maxItems",
        "maxLength",
        "minItems",
        "minLength",
        "minimum",
        "multipleOf",
        "pattern",
        "required",
        "type",
        "uniqueItems",
    ];
    for keyword in wanted {
        assert!(keywords.contains(keyword), "{keyword} is missing in {keywords:?}");
    }
}

#[test]
fn a_pin_is_where_it_is_wanted() {
    let schema =
        json!({ "properties": { "items": { "items": { "properties": { "note": { "type": "string" } } } } } });
    let path = vec![Step::Name("items".to_owned()), Step::Index(1), Step::Name("note".to_owned())];
    let mut sampler = Sampler::new(&schema, 1);
    let mut drawn = |to: PinTo| sampler.guess(Some(&Pin { path: path.clone(), to })).unwrap();
    assert!(drawn(PinTo::Present)["items"][1]["note"].is_string());
    let without = drawn(PinTo::Absent);
    assert!(without["items"][1].is_object() && without["items"][1].get("note").is_none());
}

#[test]
fn examples_say_what_values_look_like() {
    let schema = json!({
        "type": "object",
        "required": ["orderId", "lines"],
        "properties": {
            "orderId": { "type": "string", "minLength": 1 },
            "lines": { "type": "array", "minItems": 1, "items": { "type": "object", "required": ["price"], "properties": { "price": { "type": "number", "minimum": 0 } } } },
        },
        "examples": [{ "orderId": "ORD-999", "lines": [{ "price": 49.99 }] }],
    });
    let mut sampler = Sampler::new(&schema, 3);
    for _ in 0..20 {
        let drawn = sampler.guess(None).unwrap();
        assert!(drawn["orderId"].as_str().unwrap().starts_with("ORD-"), "{drawn}");
        assert!(drawn["lines"][0]["price"].as_f64().unwrap() <= 99.98, "{drawn}");
    }
}

#[test]
fn numbers_are_found_between_narrow_bounds() {
    for (example, expected) in [(json!([0.002]), 0.002), (json!([]), 0.003), (json!([7]), 0.003)] {
        let schema = json!({ "type": "object", "required": ["r"], "properties": { "r": { "type": "number", "minimum": 0.001, "exclusiveMaximum": 0.005, "examples": example } } });
        let judge = judge(&schema);
        let found = Sampler::new(&schema, 1).valid(|value| judge.is_valid(value)).unwrap();
        assert_eq!(found, json!({ "r": expected }));
    }
}

#[test]
fn a_schema_without_documents_is_given_up_on() {
    for schema in [
        json!(false),
        json!({ "type": "string", "minLength": 5, "maxLength": 2 }),
        json!({ "required": ["a"], "properties": { "a": false }, "type": "object" }),
        json!({ "$defs": { "n": { "type": "object", "required": ["n"], "properties": { "n": { "$ref": "#/$defs/n" } } } }, "$ref": "#/$defs/n" }),
        json!({ "type": "string", "minLength": 1e18 }),
        json!({ "type": "array", "minItems": 1e18 }),
        json!({ "type": "object", "minProperties": 1e18 }),
        json!({ "pattern": "(?=x)y", "type": "string" }),
    ] {
        let judge = judge(&schema);
        assert_eq!(Sampler::new(&schema, 1).valid(|value| judge.is_valid(value)), None, "{schema}");
    }
}
