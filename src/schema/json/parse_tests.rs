use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn mistakes(text: &[u8]) -> Vec<(Mistake, usize, usize)> {
    let parsed = parse(text, 0);
    parsed.errors.into_iter().map(|error| (error.mistake, error.span.start, error.span.end)).collect()
}

fn said(text: &str) -> String {
    mistakes(text.as_bytes())
        .iter()
        .fold(String::new(), |all, (mistake, start, end)| all + &format!("{start}..{end} {mistake}\n"))
}

#[test]
fn every_mistake_is_said_with_its_place() {
    let texts = [
        r#"{"a": NaN}"#,
        r#"{"a": -Infinity}"#,
        r#"{"a": None, "b": 1}"#,
        r#"{"a": True}"#,
        r"{'a': 1}",
        r#"{"a": 1,}"#,
        r"[1, 2,]",
        r#"{"a" 1}"#,
        r"{a: 1}",
        r#"{"a": 1 "b": 2}"#,
        r#"{"a": 1"#,
        r#"{"a": "tex"#,
        "{\"a\": \"tex\nt\"}",
        "{\"a\": \"\u{1}\"}",
        r#"{"a": "\x"}"#,
        r#"{"a": "\u12"}"#,
        r#"{"a": "\ud800"}"#,
        r#"{"a": "\udc00\ud800"}"#,
        r#"{"a": 01}"#,
        r#"{"a": 1.}"#,
        r#"{"a": +1}"#,
        r#"{"a": 1_000}"#,
        r#"{"a": 1e999}"#,
        r#"{"a": 1} // done"#,
        r#"// no
{"a": 1}"#,
        r#"{"a": 1, "b": {"c": 1, "c": 2}, "a": 3}"#,
        "\u{feff}{}",
        "é",
        "",
        "   ",
    ];
    let all = texts.iter().fold(String::new(), |all, text| format!("{all}{text:?}\n{}", said(text)));
    insta::assert_snapshot!(all);
}

#[test]
fn invalid_utf8_is_said_at_its_byte_and_reading_goes_on() {
    let text = b"{\"a\": \"x\xffy\", \"b\": \"\xc3\"}";
    let found = mistakes(text);
    let not_utf8 = |byte| Mistake::NotUtf8 { byte };
    assert_eq!(found, [(not_utf8(0xff), 8, 9), (not_utf8(0xc3), 19, 20)]);
    assert!(parse(text, 0).node.is_some());
}

#[test]
fn a_depth_bomb_is_refused_at_the_level_that_is_too_deep() {
    let text = "[".repeat(1_000_000);
    assert_eq!(mistakes(text.as_bytes()), [(Mistake::TooDeep, 128, 129)]);
    let deepest = "[".repeat(128) + &"]".repeat(128);
    assert_eq!(mistakes(deepest.as_bytes()), []);
}

#[test]
fn repeated_names_are_found_in_large_objects_too_and_after_unescaping() {
    let names: Vec<String> = (0..40).map(|n| format!("\"n{n}\": {n}")).collect();
    let text = format!("{{{}, \"n3\\u0030\": 1}}", names.join(", "));
    let found = mistakes(text.as_bytes());
    assert!(matches!(&found[..], [(Mistake::DuplicateName { name }, ..)] if name == "n30"), "{found:?}");
}

#[test]
fn what_follows_a_document_is_left_for_the_next() {
    let parsed = parse(b"  {\"a\": [1, 2]} {\"b\": 1}", 0);
    assert_eq!((parsed.end, parsed.errors), (15, vec![]));
    assert_eq!(parsed.node.map(|node| node.span), Some(Span::new(2, 15)));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |f| serde_json::Number::from_f64(f).map(Value::Number)),
        any::<String>().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            prop::collection::btree_map(any::<String>(), inner, 0..20)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_serde_json_writes_is_read_as_it_was(value in any_json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let parsed = parse(text.unwrap().as_bytes(), 0);
        prop_assert_eq!(parsed.errors, vec![]);
        prop_assert_eq!(parsed.node.unwrap().to_value(), value);
    }

    #[test]
    fn what_serde_json_refuses_is_refused_and_nothing_else_but_repeated_names(
        text in r#"(\{|\}|\[|\]|,|:|"|"a"|"b"|\\|\\u00e9|\\ud83d\\ude00|\\udc00|-|0|1|23|\.|e|E|\+|true|false|null|nul| |\n|x|é){0,16}"#,
    ) {
        let parsed = parse(text.as_bytes(), 0);
        let rest = &text.as_bytes()[parsed.end.min(text.len())..];
        let alone = rest.iter().all(u8::is_ascii_whitespace);
        let ours = alone && parsed.errors.iter().all(|error| matches!(error.mistake, Mistake::DuplicateName { .. }));
        let theirs = serde_json::from_str::<Value>(&text);
        prop_assert_eq!(ours && parsed.node.is_some(), theirs.is_ok(), "{:?} {:?}", parsed.errors, theirs);
    }

    #[test]
    fn whatever_the_bytes_places_stay_inside(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let parsed = parse(&bytes, 0);
        for error in parsed.errors {
            prop_assert!(error.span.start <= error.span.end && error.span.end <= bytes.len());
        }
    }
}
