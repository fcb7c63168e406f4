use std::fmt::Write as _;
use std::sync::Arc;

use super::*;
use crate::schema::{Broken, Values};

fn schema(text: &str) -> Schema {
    Schema::compile(text.as_bytes()).unwrap()
}

fn said(schema: &Schema, document: &str) -> String {
    schema.violations(document.as_bytes()).iter().fold(String::new(), |mut all, violation| {
        let marked = &document[violation.place.clone()];
        writeln!(all, "{violation} at {marked:?}").unwrap();
        if let Some(help) = &violation.help {
            writeln!(all, "  {help}").unwrap();
        }
        all
    })
}

/// A schema, a document that it refuses, and what is said of it.
#[test]
fn every_keyword_says_what_it_expected_and_what_it_found() {
    let cases = [
        (r#"{"type": "string"}"#, "12"),
        (r#"{"type": ["string", "null"]}"#, "{}"),
        (r#"{"type": "integer"}"#, "1.5"),
        (r#"{"minimum": 1, "multipleOf": 2}"#, "-1"),
        (r#"{"exclusiveMaximum": 10}"#, "10"),
        (r#"{"minLength": 3}"#, r#""ab""#),
        (r#"{"minLength": 1}"#, r#""""#),
        (r#"{"maxLength": 1}"#, r#""é1""#),
        (r#"{"pattern": "^[A-Z]+$"}"#, r#""abc""#),
        (r#"{"format": "uuid"}"#, r#""abc""#),
        (r#"{"const": "A"}"#, r#""B""#),
        (r#"{"enum": ["a", "b", 3]}"#, r#""c""#),
        (r#"{"required": ["orderId", "x"]}"#, r#"{"orderID": 1}"#),
        (r#"{"properties": {"a": false}}"#, r#"{"a": 1}"#),
        (r#"{"additionalProperties": false, "properties": {"a": true}}"#, r#"{"a": 1, "b/c": 2, "d": 3}"#),
        (r#"{"propertyNames": {"maxLength": 2}}"#, r#"{"abc": 1}"#),
        (r#"{"minItems": 2}"#, "[1]"),
        (r#"{"maxItems": 0}"#, "[1, 2]"),
        (r#"{"uniqueItems": true}"#, "[1, 2, 1.0]"),
        (r#"{"contains": {"const": 3}}"#, "[1, 2]"),
        (r#"{"minProperties": 1}"#, "{}"),
        (r#"{"items": {"required": ["a"]}}"#, r#"[{"a": 1}, {}]"#),
        (r#"{"anyOf": [{"type": "string", "minLength": 2}, {"type": "null"}]}"#, r#""a""#),
        (r#"{"anyOf": [{"type": "string"}, {"type": "null"}]}"#, "1"),
        (r#"{"properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}"#, r#"{"a": 1}"#),
        (r#"{"anyOf": [{"required": ["a"]}, {"properties": {"b": {"minimum": 3}}}]}"#, r#"{"b": 1}"#),
        (r#"{"oneOf": [{"minimum": 1}, {"minimum": 2}]}"#, "3"),
        (r#"{"not": {"type": "string"}}"#, r#""a""#),
        (r#"{"dependentRequired": {"a": ["b"]}}"#, r#"{"a": 1}"#),
        (r#"{"unevaluatedProperties": false, "properties": {"a": true}}"#, r#"{"a": 1, "b": 2}"#),
        (r#"{"if": {"type": "string"}, "then": {"minLength": 2}}"#, r#""a""#),
    ];
    let mut all = String::new();
    for (text, document) in cases {
        let schema = schema(text);
        assert!(!schema.is_valid(document.as_bytes()), "{document} by {text}");
        write!(all, "{text}\n{document}\n{}\n", said(&schema, document)).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_schema_is_read_in_the_dialect_that_it_names() {
    // `exclusiveMinimum` is a boolean in draft 4, a number since draft 6; `items` may be an array up to 2019-09.
    let old = schema(
        r#"{"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1, "exclusiveMinimum": true}"#,
    );
    assert!(!old.is_valid(b"1") && old.is_valid(b"2"));
    let seven =
        schema(r#"{"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "string"}]}"#);
    assert!(!seven.is_valid(b"[1]") && seven.is_valid(br#"["a", 1]"#));
    let newest = schema(r#"{"prefixItems": [{"type": "string"}]}"#);
    assert!(!newest.is_valid(b"[1]") && newest.is_valid(br#"["a", 1]"#));
}

#[test]
fn all_that_is_wrong_with_a_schema_is_said_at_once_and_where() {
    let wrong = [
        r#"{"type": "strin", "minLength": -1, "required": "a"}"#,
        r##"{"type": "object", "properties": {"a": {"$ref": "#/$defs/none"}}}"##,
        r#"{"$ref": "https://example.com/money.json"}"#,
        r#"{"$ref": "money.json"}"#,
        r#"{"pattern": "(a"}"#,
        r#"{"$schema": "https://example.com/none"}"#,
        r#"{"type": "object",}"#,
        r#"{"a": 1, "a": 2}"#,
        "12",
        "",
    ];
    let mut all = String::new();
    for text in wrong {
        let error = Schema::compile(text.as_bytes()).unwrap_err();
        writeln!(all, "{text}").unwrap();
        for problem in error.problems {
            let help = problem.help.clone().unwrap_or_default();
            writeln!(all, "  {:?} {problem}. {help}", problem.place).unwrap();
        }
    }
    insta::assert_snapshot!(all);
}

#[test]
fn other_schemas_are_retrieved_by_whoever_was_told_to() {
    let retriever: Retriever = Arc::new(|uri| match uri {
        "file:///schemas/money.json" => Ok(br#"{"type": "number"}"#.to_vec()),
        other => Err(format!("there is no {other}")),
    });
    let compiler = Compiler::new().base("file:///schemas/order.json").retriever(retriever);
    let schema = compiler.compile(br#"{"properties": {"total": {"$ref": "money.json"}}}"#).unwrap();
    assert!(schema.is_valid(br#"{"total": 1}"#) && !schema.is_valid(br#"{"total": "1"}"#));
    let error = compiler.compile(br#"{"$ref": "tax.json"}"#).unwrap_err();
    assert_eq!(error.problems[0].help.as_deref(), Some("there is no file:///schemas/tax.json"));
}

#[test]
fn a_catastrophic_pattern_ends_and_is_said_to_be_one() {
    let schema = schema(r#"{"pattern": "^(?=(a+)+$)(a|aa)+b\\1$"}"#);
    let document = format!("\"{}!\"", "a".repeat(60));
    let found = said(&schema, &document);
    assert!(found.contains("(pattern)"), "{found}");
}

#[test]
fn formats_are_asserted_and_unknown_ones_are_not() {
    assert!(!schema(r#"{"format": "date-time"}"#).is_valid(br#""2024-09-31T10:15:30Z""#));
    assert!(schema(r#"{"format": "colour"}"#).is_valid(br#""x""#));
}

#[test]
fn bytes_are_one_document_or_not_valid() {
    let schema = schema("{}");
    for good in ["{}", " 1 ", "\n[]\n"] {
        assert!(schema.is_valid(good.as_bytes()), "{good}");
    }
    for bad in ["", "{} {}", "{}x", "{\"a\": 1, \"a\": 2}", "nul", "\"\\ud800\""] {
        assert!(!schema.is_valid(bad.as_bytes()), "{bad}");
    }
    assert!(!schema.is_valid(b"\"\xff\""));
}

fn check(values: &Values<'_>) -> Vec<Broken> {
    let limit: i64 = values.texts(1).next().and_then(|text| text.parse().ok()).unwrap_or(i64::MAX);
    let over = |(nth, text): (usize, &str)| {
        let value: i64 = text.parse().ok()?;
        (value > limit).then(|| Broken { read: 0, nth, expected: format!("at most the limit, {limit}") })
    };
    values.texts(0).enumerate().filter_map(over).collect()
}

#[test]
fn rules_hold_beyond_the_schema_whoever_decides() {
    let rules = [Rule { name: "limit", reads: &["/items/*/n", "/limit"], check }];
    for by in [
        r#""items": {"type": "array"}"#,
        r#""items": {"type": "array", "minItems": 1}, "x": {"pattern": "a"}"#,
    ] {
        let text = format!(r#"{{"type": "object", "properties": {{{by}}}}}"#);
        let schema = Compiler::new().rules(&rules).compile(text.as_bytes()).unwrap();
        assert!(schema.is_valid(br#"{"items": [{"n": 1}, {"n": 5}], "limit": 5}"#));
        assert!(schema.is_valid(br#"{"items": [{"n": 7}]}"#));
        let document = r#"{"limit": 5, "items": [{"n": 6}, {"n": 5}, {"n": 77}]}"#;
        assert!(!schema.is_valid(document.as_bytes()));
        assert_eq!(
            said(&schema, document),
            "/items/0/n: expected at most the limit, 5, found `6` (limit) at \"6\"\n\
             /items/2/n: expected at most the limit, 5, found `77` (limit) at \"77\"\n"
        );
        assert_eq!(
            said(&schema, r#"{"items": 1}"#).matches("(type)").count(),
            1,
            "a rule follows the schema"
        );
    }
}

#[test]
fn an_array_stands_for_its_elements_only_where_no_array_is_meant() {
    for (text, takes) in [
        (r#"{"type": "object"}"#, false),
        (r#"{"type": ["object", "array"]}"#, true),
        (r##"{"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}}"##, false),
        ("{}", true),
    ] {
        assert_eq!(schema(text).takes_arrays(), takes, "{text}");
    }
}
