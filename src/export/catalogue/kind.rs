//! What a value may be, in words.

use serde_json::Value;

use super::fields::Whole;
use crate::export::Schemas;
use crate::text::{code, escaped};
use crate::unit::grouped;

/// Alternatives of alternatives further down say nothing to a reader.
const DEEPEST: usize = 3;

/// The type and its limits, as Markdown.
pub(super) fn kind(whole: &Whole<'_>, schemas: &Schemas) -> String {
    nested(whole, schemas, 0)
}

fn nested(whole: &Whole<'_>, schemas: &Schemas, depth: usize) -> String {
    if depth > DEEPEST {
        return "…".to_owned();
    }
    if whole.parts.iter().any(|part| *part.schema == false) {
        return "never there".to_owned();
    }
    if let Some(value) = whole.get("const") {
        return code(&value.to_string());
    }
    if let Some(Value::Array(values)) = whole.get("enum") {
        let values: Vec<String> = values.iter().map(|value| code(&value.to_string())).collect();
        return values.join(", ");
    }
    let mut words: Vec<String> = Vec::new();
    for name in types(whole) {
        words.push(match name {
            "array" => list(whole, schemas, depth),
            "boolean" => "true or false".to_owned(),
            other => escaped(other),
        });
    }
    if words.is_empty() {
        for alternative in whole.alternatives() {
            let word = nested(&Whole::of(alternative, schemas), schemas, depth + 1);
            if !words.contains(&word) {
                words.push(word);
            }
        }
    }
    let comma = if words.iter().any(|word| word.contains(", ")) { "," } else { "" };
    let word = match (words.as_slice(), whole.unknown()) {
        ([], Some(reference)) => format!("see {}", code(reference)),
        ([], None) => "anything".to_owned(),
        (words, _) => words.join(&format!("{comma} or ")),
    };
    [word].into_iter().chain(limits(whole)).collect::<Vec<_>>().join(", ")
}

/// The types that the schema states, or else those that its other keywords are about.
fn types<'a>(whole: &Whole<'a>) -> Vec<&'a str> {
    match whole.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ if whole.get("properties").is_some() || whole.get("additionalProperties").is_some() => {
            vec!["object"]
        }
        _ if whole.get("items").is_some() => vec!["array"],
        _ => Vec::new(),
    }
}

fn list(whole: &Whole<'_>, schemas: &Schemas, depth: usize) -> String {
    let Some(items) = whole.at("items").map(|items| Whole::of(items, schemas)) else {
        return "list".to_owned();
    };
    match types(&items).as_slice() {
        ["object"] => "list of objects".to_owned(),
        _ => format!("list of {}", nested(&items, schemas, depth + 1)),
    }
}

fn limits(whole: &Whole<'_>) -> Vec<String> {
    let number = |keyword: &str| whole.get(keyword).filter(|value| value.is_number()).map(number);
    let text = |keyword: &str| whole.get(keyword).and_then(Value::as_str);
    [
        text("format").map(escaped),
        range(number("minLength"), number("maxLength"), " character", " characters"),
        range(number("minimum"), number("maximum"), "", ""),
        number("exclusiveMinimum").map(|least| format!("more than {least}")),
        number("exclusiveMaximum").map(|most| format!("less than {most}")),
        number("multipleOf").map(|step| format!("a multiple of {step}")),
        range(number("minItems"), number("maxItems"), " entry", " entries"),
        whole.get("uniqueItems").filter(|value| **value == true).map(|_| "each once".to_owned()),
        range(number("minProperties"), number("maxProperties"), " field", " fields"),
        text("pattern").map(|pattern| format!("matches {}", code(pattern))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn range(least: Option<String>, most: Option<String>, one: &str, many: &str) -> Option<String> {
    let unit = |number: &str| if number == "1" { one } else { many };
    match (least, most) {
        (Some(least), Some(most)) if least == most => Some(format!("exactly {least}{}", unit(&least))),
        (Some(least), Some(most)) => Some(format!("{least} to {most}{many}")),
        (Some(least), None) => Some(format!("at least {least}{}", unit(&least))),
        (None, Some(most)) => Some(format!("at most {most}{}", unit(&most))),
        (None, None) => None,
    }
}

fn number(value: &Value) -> String {
    match value.as_u64().and_then(|number| usize::try_from(number).ok()) {
        Some(number) => grouped(number),
        None => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fields::At;
    use super::*;

    #[test]
    fn types_and_limits_are_said_in_words() {
        let schemas = Schemas::default();
        for (schema, expected) in [
            (json!(true), "anything"),
            (json!(false), "never there"),
            (json!({ "type": "string" }), "string"),
            (json!({ "type": "string", "format": "date-time" }), "string, date-time"),
            (json!({ "type": "string", "minLength": 1, "maxLength": 128 }), "string, 1 to 128 characters"),
            (json!({ "type": "string", "pattern": "^a|b$" }), "string, matches <code>^a\\|b$</code>"),
            (json!({ "type": ["string", "null"] }), "string or null"),
            (
                json!({ "anyOf": [{ "type": "string", "minLength": 1 }, { "type": "null" }] }),
                "string, at least 1 character, or null",
            ),
            (
                json!({ "type": "integer", "minimum": 1, "maximum": 2_147_483_647 }),
                "integer, 1 to 2,147,483,647",
            ),
            (json!({ "type": "number", "minimum": -0.5 }), "number, at least -0.5"),
            (json!({ "type": "number", "exclusiveMinimum": 0 }), "number, more than 0"),
            (json!({ "const": "OrderPlaced" }), "`\"OrderPlaced\"`"),
            (json!({ "enum": ["email", null] }), "`\"email\"`, `null`"),
            (json!({ "items": { "type": "string" }, "minItems": 1 }), "list of string, at least 1 entry"),
            (json!({ "type": "array", "maxItems": 0 }), "list, at most 0 entries"),
            (json!({ "type": "array", "minItems": 2, "maxItems": 2 }), "list, exactly 2 entries"),
            (json!({ "anyOf": [{ "$ref": "https://example.com/x" }] }), "see `https://example.com/x`"),
        ] {
            let whole = Whole::of(At { home: schemas.home(""), schema: &schema }, &schemas);
            assert_eq!(kind(&whole, &schemas), expected, "{schema}");
        }
    }
}
