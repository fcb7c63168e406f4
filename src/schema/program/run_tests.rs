//! The program is held against the judge: what it lets pass, the judge must accept.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::schema::json::parse;

fn accepted(validator: &jsonschema::Validator, text: &str) -> bool {
    let parsed = parse(text.as_bytes(), 0);
    parsed.errors.is_empty() && parsed.node.is_some_and(|node| validator.is_valid(&node.to_value()))
}

fn validator(schema: &Value) -> jsonschema::Validator {
    jsonschema::options().should_validate_formats(true).build(schema).unwrap()
}

fn surely(program: &Program, text: &str) -> bool {
    program.run(text, 0, &mut Places::default()) == Some(text.len())
}

#[test]
fn what_is_usual_is_decided_without_the_judge() {
    let cases = [
        (
            json!({"type": "string", "minLength": 2, "maxLength": 3}),
            vec![r#""ab""#, r#""éé""#, r#""a\n""#, r#""日本語""#],
        ),
        (json!({"type": "integer", "minimum": 1}), vec!["1", "999999999999999"]),
        (
            json!({"type": "number", "minimum": 0, "maximum": 1_000_000_000_000_u64}),
            vec!["0", "49.99", "1000000000000"],
        ),
        (
            json!({"type": "string", "format": "date-time"}),
            vec![r#""2024-09-01T10:15:30Z""#, r#""2024-02-29T10:15:30.123456+02:00""#],
        ),
        (json!({"const": "A"}), vec![r#""A""#]),
        (json!({"enum": ["a", "b", null, true]}), vec![r#""a""#, "null", "true"]),
        (json!({"anyOf": [{"type": "string"}, {"type": "null"}]}), vec![r#""a""#, "null"]),
        (
            json!({"$ref": "#/$defs/a", "$defs": {"a": {"type": "array", "minItems": 1, "items": {"type": "null"}}}}),
            vec!["[null, null]"],
        ),
        (
            json!({"type": "object", "required": ["a", "c"], "properties": {"a": {"type": "string"}}}),
            vec![r#"{"a": "x", "c": [1, {"y": false}], "d": 1.5}"#, r#"{"c":{"x":"\u00e9"},"a":""}"#],
        ),
        (json!({"additionalProperties": {"type": "boolean"}}), vec![r#"{"x": true}"#, "12"]),
    ];
    for (schema, texts) in cases {
        let program = Program::compile(&schema, &[]).unwrap();
        for text in texts {
            assert!(surely(&program, text), "{text} by {schema}");
            assert!(accepted(&validator(&schema), text), "{text} by {schema}");
        }
    }
}

#[test]
fn what_is_not_surely_valid_is_left_to_the_judge() {
    let program =
        Program::compile(&json!({"required": ["a"], "properties": {"a": {"type": "number"}}}), &[]).unwrap();
    let texts = [
        r#"{"a": 1, "a": 2}"#,
        r#"{"x": 1, "x": 2, "a": 1}"#,
        r#"{"b": {"x": 1, "x": 2}, "a": 1}"#,
        r#"{"a": 1,}"#,
        r#"{"a": 01}"#,
        r#"{"a": 1e400}"#,
        r#"{"a": NaN}"#,
        r#"{"a": "1"}"#,
        r#"{"b": 1}"#,
        r#"{"a": 1"#,
        "{\"a\": 1, \"s\": \"\n\"}",
        r#"{"a": 1, "s": "\ud800"}"#,
        r#"{"a": 1, "s": "\x"}"#,
    ];
    for text in texts {
        assert!(!surely(&program, text), "{text}");
    }
    let deep = format!(r#"{{"a": 1, "b": {}{}}}"#, "[".repeat(200), "]".repeat(200));
    assert!(!surely(&program, &deep));
}

#[test]
fn a_schema_that_says_more_than_a_program_knows_has_none() {
    for schema in [
        json!({"pattern": "^a"}),
        json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": "string"}),
        json!({"type": "string", "format": "uuid"}),
        json!({"$ref": "other.json"}),
        json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}),
        json!({"anyOf": [{"type": "string"}, {"minLength": 3}]}),
        json!({"not": {}}),
    ] {
        assert!(Program::compile(&schema, &[]).is_none(), "{schema}");
    }
}

#[test]
fn what_rules_read_is_found_in_the_documents_order() {
    let schema = json!({"properties": {"items": {"type": "array", "items": {"properties": {"q": {"type": "integer"}}}}}});
    let program = Program::compile(&schema, &["/items/*/q", "/total"]).unwrap();
    let text = r#"{"total": 5, "items": [{"q": 2, "x": 0}, {}, {"q": 33}]}"#;
    let mut places = Places::default();
    assert_eq!(program.run(text, 0, &mut places), Some(text.len()));
    let read: Vec<Vec<&str>> = places
        .by_read
        .iter()
        .map(|read| read.iter().map(|(from, to)| &text[*from as usize..*to as usize]).collect())
        .collect();
    assert_eq!(read, [vec!["2", "33"], vec!["5"]]);
}

fn any_schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({})),
        Just(json!({"type": "null"})),
        (0..4_u64, 0..6_u64)
            .prop_map(|(least, most)| json!({"type": "string", "minLength": least, "maxLength": most})),
        (-3..3_i64, prop::bool::ANY).prop_map(|(least, integer)| {
            json!({"type": if integer { "integer" } else { "number" }, "minimum": least})
        }),
        (-3..3_i64).prop_map(|most| json!({"exclusiveMaximum": most})),
        Just(json!({"type": "string", "format": "date-time"})),
        Just(json!({"enum": ["a", "b", null, 1, true]})),
        Just(json!({"const": "a"})),
        Just(json!({"type": ["string", "null"]})),
        Just(json!({"pattern": "^a"})),
        Just(json!({"multipleOf": 2})),
        Just(Value::Bool(false)),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let properties = prop::collection::btree_map("[a-d]", inner.clone(), 0..4);
        prop_oneof![
            (properties, prop::collection::btree_set("[a-d]", 0..3), prop::option::of(inner.clone()))
                .prop_map(|(properties, required, others)| {
                    let mut schema = json!({"properties": properties, "required": required});
                    if let Some(others) = others {
                        schema["additionalProperties"] = others;
                    }
                    schema
                }),
            (inner.clone(), 0..3_u64)
                .prop_map(|(items, least)| json!({"type": "array", "items": items, "minItems": least})),
            prop::collection::vec(inner, 1..3).prop_map(|any| json!({"anyOf": any})),
        ]
    })
}

fn any_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(vec![
            "null",
            "true",
            "false",
            "0",
            "-1",
            "1",
            "2",
            "2.0",
            "2.5",
            "-0",
            "1e0",
            "1e2",
            "123456789012345678",
            "0.1",
            "-2.999",
            r#""""#,
            r#""a""#,
            r#""b""#,
            r#""ab""#,
            r#""é""#,
            r#""\n""#,
            r#""\u0061""#,
            r#""\ud83d\ude00""#,
            r#""日本語日本語""#,
            r#""2024-09-01T10:15:30Z""#,
            r#""2023-02-29T10:15:30Z""#,
            r#""2024-09-01t10:15:30z""#,
            r#""2024-09-01T10:15:60Z""#,
            r#""2024-09-01T10:15:30+24:00""#,
            r#""2024-09-01 10:15:30Z""#,
            "01",
            "NaN",
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(" ,"))),
            prop::collection::vec(("[a-d]", inner), 0..5).prop_map(|members| {
                let members: Vec<String> =
                    members.into_iter().map(|(name, value)| format!("\"{name}\" :{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    #[test]
    fn what_the_program_lets_pass_the_judge_accepts(schema in any_schema(), texts in prop::collection::vec(any_text(), 1..8)) {
        if let Some(program) = Program::compile(&schema, &[]) {
            let validator = validator(&schema);
            for text in texts {
                if surely(&program, &text) {
                    prop_assert!(accepted(&validator, &text), "{} by {}", text, schema);
                }
            }
        }
    }

    #[test]
    fn a_timestamp_that_is_sure_is_one_to_the_judge(text in "[0-9]{4}-[0-3][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,4})?(Z|[+-][0-2][0-9]:[0-6][0-9])?") {
        let schema = json!({"type": "string", "format": "date-time"});
        let text = format!("\"{text}\"");
        if surely(&Program::compile(&schema, &[]).unwrap(), &text) {
            prop_assert!(accepted(&validator(&schema), &text));
        }
    }

    #[test]
    fn a_name_is_found_where_it_stands(text in "[ab]{0,30}", name in "[ab]{0,20}", same in any::<bool>()) {
        let text = if same { format!("{name}{text}") } else { text };
        prop_assert_eq!(begins_with(text.as_bytes(), name.as_bytes()), text.starts_with(&name));
    }

    #[test]
    fn a_number_that_is_sure_is_what_every_reader_makes_of_it(text in "-?(0|[1-9][0-9]{0,9})(\\.[0-9]{1,9})?") {
        if let Some(value) = exact(text.as_bytes()) {
            prop_assert_eq!(Some(value), text.parse().ok());
        }
    }
}
