use serde_json::{Value, json};

use super::tests::{compare, rules};
use super::*;

#[test]
fn the_lenient_policy_lets_pass_what_confluents_does_and_shows_it() {
    let object = |properties: Value| json!({ "type": "object", "properties": properties });
    let closed = |properties: Value| json!({ "type": "object", "properties": properties, "additionalProperties": false });
    let partly = |properties: Value| json!({ "type": "object", "properties": properties, "additionalProperties": { "type": "string" } });
    let defaulted = json!({ "type": "object", "properties": { "p": { "type": "integer", "default": 1 } }, "required": ["p"] });
    let mut wrong = Vec::new();
    for (writer, reader, strict, lenient) in [
        (
            object(json!({})),
            object(json!({ "p": { "type": "string" } })),
            "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL /p",
            " (OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL /p)",
        ),
        (
            object(json!({})),
            closed(json!({})),
            "ADDITIONAL_PROPERTIES_REMOVED /unexpected",
            " (ADDITIONAL_PROPERTIES_REMOVED /unexpected)",
        ),
        (
            object(json!({})),
            partly(json!({})),
            "ADDITIONAL_PROPERTIES_NARROWED /unexpected",
            " (ADDITIONAL_PROPERTIES_NARROWED /unexpected)",
        ),
        (
            partly(json!({})),
            partly(json!({ "p": { "type": "integer" } })),
            "PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL /p",
            " (PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL /p)",
        ),
        (partly(json!({})), partly(json!({ "p": { "type": "string" } })), "", ""),
        (
            partly(json!({ "p": { "type": "integer" } })),
            partly(json!({})),
            "PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL /p",
            " (PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL /p)",
        ),
        (
            object(json!({ "p": { "type": "integer" } })),
            defaulted.clone(),
            "REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED /p",
            " (REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED /p)",
        ),
        (
            closed(json!({})),
            defaulted.clone(),
            "REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL /p",
            " (REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL /p)",
        ),
        (
            object(json!({})),
            defaulted,
            "REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL /p, OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL /p",
            " (REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL /p, OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL /p)",
        ),
        // What lenient lets pass does not hide what it does not.
        (
            object(json!({ "q": { "minimum": 1 } })),
            object(json!({ "p": { "type": "string" }, "q": { "minimum": 2 } })),
            "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL /p, MINIMUM_INCREASED /q",
            "MINIMUM_INCREASED /q (OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL /p)",
        ),
        (
            closed(json!({ "p": {} })),
            closed(json!({})),
            "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL /p",
            "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL /p",
        ),
    ] {
        for (policy, expected) in [(Policy::Strict, strict), (Policy::Lenient, lenient)] {
            let found = rules(&writer, &reader, policy);
            if found != expected {
                wrong.push(format!("{policy:?} {writer} -> {reader}: {found:?}, not {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_taken_for_granted_where_less_here_is_more_elsewhere() {
    // The writer accepts nothing, since both alternatives fit; with a narrower one it would accept a lot.
    let sum = |rest: Value| json!({ "oneOf": [{ "type": "object", "additionalProperties": rest }, { "type": "object" }] });
    let lenient = compare(&sum(json!({})), &sum(json!({ "type": "null" })), Policy::Lenient).unwrap();
    assert!(lenient.breaks.is_empty() && lenient.tolerated.is_empty(), "{lenient:?}");
    // A schema that a negation refers to may be written down nowhere else.
    let negated = |note: Value| {
        json!({
            "properties": { "a": { "$ref": "#/$defs/a" } },
            "not": { "required": ["b"], "properties": { "b": { "$ref": "#/properties/a" } } },
            "$defs": { "a": { "type": "object", "properties": note } },
        })
    };
    let found =
        rules(&negated(json!({})), &negated(json!({ "note": { "type": "string" } })), Policy::Lenient);
    assert!(found.starts_with("OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL /a/note"), "{found}");
}

/// In the lenient policy, written as [`rules`] does.
fn check(cases: &[(Value, Value, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(writer, reader, expected)| (writer, reader, expected, rules(writer, reader, Policy::Lenient)))
        .filter(|(_, _, expected, found)| found != *expected)
        .map(|(writer, reader, expected, found)| format!("{writer} -> {reader}: {found:?}, not {expected:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_taken_for_granted_leaves_the_writer_something_to_write() {
    let order = |keywords: Value| {
        let mut order = json!({ "type": "object", "required": ["id"] });
        order.as_object_mut().unwrap().extend(keywords.as_object().unwrap().clone());
        json!({ "$ref": "#/$defs/order", "$defs": { "order": order } })
    };
    check(&[
        // What a reference describes is described.
        (
            order(json!({ "properties": { "id": { "type": "string" }, "n": { "type": "integer" } } })),
            order(
                json!({ "properties": { "id": { "type": "integer" }, "n": { "type": "string" } }, "additionalProperties": false }),
            ),
            "TYPE_CHANGED /id, TYPE_CHANGED /n (ADDITIONAL_PROPERTIES_REMOVED /unexpected)",
        ),
        (
            json!({ "allOf": [{ "$ref": "#/$defs/e" }], "required": ["n"], "properties": { "n": { "type": "integer" } }, "$defs": { "e": { "required": ["id"], "properties": { "id": { "type": "string" } } } } }),
            json!({ "required": ["id", "n"], "properties": { "id": { "type": "string" }, "n": { "type": "string" } }, "additionalProperties": false }),
            "TYPE_CHANGED /n (ADDITIONAL_PROPERTIES_REMOVED /unexpected)",
        ),
        // So is what an alternative describes.
        (
            json!({ "type": "object", "anyOf": [{ "required": ["a"], "properties": { "a": { "minimum": 1 } } }, { "required": ["b"] }], "properties": { "q": { "minimum": 1 } } }),
            json!({ "type": "object", "properties": { "a": {}, "b": {}, "q": { "minimum": 2 } }, "additionalProperties": false }),
            "MINIMUM_INCREASED /q (ADDITIONAL_PROPERTIES_REMOVED /unexpected)",
        ),
        // What is required is sent, described or not.
        (
            json!({ "type": "object", "required": ["p"], "properties": { "q": { "minimum": 1 } } }),
            json!({ "type": "object", "required": ["p"], "properties": { "p": { "type": "string" }, "q": { "minimum": 2 } } }),
            "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL /p, MINIMUM_INCREASED /q",
        ),
        (
            json!({ "type": "object", "dependentRequired": { "q": ["p"] }, "properties": { "q": { "minimum": 1 } } }),
            json!({ "type": "object", "properties": { "p": { "type": "string" }, "q": { "minimum": 2 } } }),
            "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL /p, MINIMUM_INCREASED /q",
        ),
        // What a reader no longer describes it does not look at, unless it is always there.
        (
            json!({ "type": "object", "required": ["p"], "properties": { "p": { "type": "integer" }, "q": { "minLength": 1 } }, "additionalProperties": { "type": "string" } }),
            json!({ "type": "object", "properties": { "q": { "minLength": 2 } }, "additionalProperties": { "type": "string" } }),
            "PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL /p, MIN_LENGTH_INCREASED /q",
        ),
        (
            json!({ "type": "object", "properties": { "p": { "type": "integer" }, "q": { "minLength": 1 } }, "additionalProperties": { "type": "string" }, "dependentRequired": { "q": ["p"] } }),
            json!({ "type": "object", "properties": { "q": { "minLength": 2 } }, "additionalProperties": { "type": "string" } }),
            "MIN_LENGTH_INCREASED /q (PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL /p)",
        ),
        // An object that describes nothing and must not be empty is a map.
        (
            json!({ "type": "object", "required": ["labels"], "properties": { "labels": { "type": "object", "minProperties": 1 }, "q": { "minimum": 1 } } }),
            json!({ "type": "object", "required": ["labels"], "properties": { "labels": { "type": "object", "minProperties": 1, "additionalProperties": { "type": "string" } }, "q": { "minimum": 2 } } }),
            "ADDITIONAL_PROPERTIES_NARROWED /labels/unexpected, MINIMUM_INCREASED /q",
        ),
        // Where still nothing is left, nothing is said.
        (
            json!({ "type": "object", "minProperties": 2, "properties": { "q": { "minimum": 1 }, "r": false } }),
            json!({ "type": "object", "properties": { "q": { "minimum": 2 } }, "additionalProperties": false }),
            " (ADDITIONAL_PROPERTIES_REMOVED /unexpected)? MINIMUM_INCREASED /q",
        ),
        (
            json!({ "properties": { "o": { "type": "object", "anyOf": [{ "minProperties": 2 }], "properties": { "q": {}, "r": false } } } }),
            json!({ "properties": { "o": { "type": "object", "anyOf": [{ "minProperties": 2 }], "properties": { "q": {} }, "additionalProperties": false } } }),
            " (ADDITIONAL_PROPERTIES_REMOVED /o/unexpected)? ",
        ),
    ]);
}

#[test]
fn a_default_is_filled_in_only_where_it_stands_and_fits() {
    let of = |schema: Value| json!({ "type": "object", "properties": { "p": schema } });
    let required =
        |schema: Value| json!({ "type": "object", "properties": { "p": schema }, "required": ["p"] });
    let shared = |base: Value| {
        json!({
            "type": "object",
            "properties": { "a": { "allOf": [{ "$ref": "#/$defs/base" }, { "properties": { "p": { "default": 1 } } }] }, "b": { "$ref": "#/$defs/base" } },
            "$defs": { "base": base },
        })
    };
    check(&[
        (
            of(json!({ "type": "integer" })),
            required(json!({ "type": "integer", "default": "none" })),
            "REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED /p",
        ),
        (
            of(json!({ "type": "integer" })),
            json!({ "properties": { "p": { "$ref": "#/$defs/p%20q" } }, "required": ["p"], "$defs": { "p q": { "$ref": "#/$defs/i", "default": 1 }, "i": { "type": "integer" } } }),
            " (REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED /p)",
        ),
        (
            shared(of(json!({}))),
            shared(required(json!({}))),
            "REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED /a/p, REQUIRED_ATTRIBUTE_ADDED /b/p",
        ),
    ]);
}

#[test]
fn only_what_is_turned_round_is_not_taken_for_granted() {
    let pay = |note: Value| {
        json!({
            "type": "object",
            "required": ["pay"],
            "properties": { "pay": { "oneOf": [{ "$ref": "#/$defs/card" }, { "$ref": "#/$defs/bank" }] } },
            "$defs": { "card": { "type": "object", "required": ["card"], "properties": note }, "bank": { "type": "object", "required": ["iban"] } },
        })
    };
    let mut noted = pay(json!({}));
    noted["properties"]["note"] = json!({ "type": "string" });
    let called = |properties: Value| json!({ "type": "object", "properties": { "contains": { "type": "object", "properties": properties } } });
    check(&[
        (pay(json!({})), noted, " (OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL /note)"),
        (
            called(json!({ "a": {} })),
            called(json!({ "a": {}, "b": { "type": "string" } })),
            " (OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL /contains/b)",
        ),
    ]);
    let narrower = rules(&pay(json!({})), &pay(json!({ "n": { "type": "string" } })), Policy::Lenient);
    assert_eq!(narrower, "ACCEPTED_VALUES_NARROWED /pay");
}

#[test]
fn what_holds_around_an_alternative_holds_for_it_too() {
    let event = |properties: Value, required: Value, branch: Value| json!({ "type": "object", "properties": properties, "required": required, "anyOf": [branch] });
    let kind = || json!({ "kind": { "type": "string" } });
    let sum = |branch: Value| {
        json!({
            "required": ["a"],
            "allOf": [{ "$ref": "#/$defs/e" }],
            "$defs": { "e": { "required": ["b"], "anyOf": [{ "properties": { "a": {} }, "additionalProperties": false }, branch] } },
        })
    };
    check(&[
        // What the event describes, writers send.
        (
            event(kind(), json!([]), json!({ "required": ["c"] })),
            event(
                kind(),
                json!([]),
                json!({ "required": ["c"], "properties": { "c": {} }, "additionalProperties": false }),
            ),
            "COMBINED_TYPE_SUBSCHEMAS_CHANGED  (ADDITIONAL_PROPERTIES_REMOVED /unexpected)",
        ),
        (
            event(kind(), json!([]), json!({ "required": ["c"] })),
            event(
                kind(),
                json!([]),
                json!({ "required": ["c"], "properties": { "c": {}, "kind": {} }, "additionalProperties": false }),
            ),
            " (ADDITIONAL_PROPERTIES_REMOVED /unexpected)",
        ),
        (
            event(kind(), json!([]), json!({ "required": ["c"] })),
            event(
                json!({}),
                json!([]),
                json!({ "required": ["c"], "properties": { "kind": { "minLength": 1 } } }),
            ),
            "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL /kind",
        ),
        (
            event(
                json!({}),
                json!(["p"]),
                json!({ "properties": { "p": { "type": "integer" } }, "additionalProperties": { "type": "string" } }),
            ),
            event(json!({}), json!(["p"]), json!({ "additionalProperties": { "type": "string" } })),
            "PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL /p, COMBINED_TYPE_SUBSCHEMAS_CHANGED ",
        ),
        (
            sum(json!({ "required": ["c"] })),
            sum(json!({ "required": ["c"], "patternProperties": { "^a": { "minimum": 0 } } })),
            "ADDITIONAL_PROPERTIES_NARROWED /a",
        ),
        // And a default that it refuses cannot be filled in.
        (
            event(json!({}), json!([]), json!({})),
            event(
                kind(),
                json!([]),
                json!({ "required": ["kind"], "properties": { "kind": { "default": 1 } } }),
            ),
            "REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL /kind, COMBINED_TYPE_SUBSCHEMAS_CHANGED  (OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL /kind)",
        ),
        // One alternative's properties are not described for another one.
        (
            json!({ "anyOf": [{ "required": ["a"], "properties": { "a": {} } }, { "required": ["b"], "properties": { "b": {} } }] }),
            json!({ "anyOf": [{ "required": ["a"], "properties": { "a": {} }, "additionalProperties": false }, { "required": ["b"], "properties": { "b": {} } }] }),
            " (ADDITIONAL_PROPERTIES_REMOVED /unexpected)",
        ),
    ]);
}
