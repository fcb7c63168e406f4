//! What a keyword wants, in words.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use crate::text::quoted;

/// Options of an `enum` that a person reads.
const MOST_OPTIONS: usize = 8;

/// What the keyword that was broken at `place` expects; a noun phrase without a full stop.
pub(super) fn expected(kind: &ValidationErrorKind, place: &str) -> String {
    use ValidationErrorKind as Kind;
    match kind {
        Kind::AdditionalItems { limit } => format!("at most {}", counted(*limit as u64, "element")),
        Kind::AdditionalProperties { .. } | Kind::UnevaluatedProperties { .. } => {
            "only properties that the schema names".to_owned()
        }
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => alternatives(context, place),
        Kind::OneOfMultipleValid { .. } => "exactly one of the alternatives to fit".to_owned(),
        Kind::BacktrackLimitExceeded { .. } | Kind::RegexEngineFailure { .. } => {
            "a text that the schema's pattern can decide within its limit".to_owned()
        }
        Kind::Constant { expected_value } => json(expected_value),
        Kind::Contains => "an element that `contains` describes".to_owned(),
        Kind::ContentEncoding { content_encoding } => format!("{content_encoding} text"),
        Kind::ContentMediaType { content_media_type } => format!("{content_media_type} content"),
        Kind::Custom { message, .. } => message.clone(),
        Kind::Enum { options } => one_of(options),
        Kind::ExclusiveMaximum { limit } => format!("less than {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("more than {limit}"),
        Kind::FalseSchema => "nothing at this place".to_owned(),
        Kind::Format { format } => named_format(format),
        Kind::FromUtf8 { .. } => "base64 of UTF-8 text".to_owned(),
        Kind::MaxItems { limit: 0 } => "an empty array".to_owned(),
        Kind::MaxItems { limit } => format!("at most {}", counted(*limit, "element")),
        Kind::Maximum { limit } => format!("at most {limit}"),
        Kind::MaxLength { limit } => format!("at most {}", counted(*limit, "character")),
        Kind::MaxProperties { limit } => format!("at most {}", properties(*limit)),
        Kind::MinItems { limit } => format!("at least {}", counted(*limit, "element")),
        Kind::Minimum { limit } => format!("at least {limit}"),
        Kind::MinLength { limit } => format!("at least {}", counted(*limit, "character")),
        Kind::MinProperties { limit } => format!("at least {}", properties(*limit)),
        Kind::MultipleOf { multiple_of } => format!("a multiple of {multiple_of}"),
        Kind::Not { .. } => "something that the schema under `not` refuses".to_owned(),
        Kind::Pattern { pattern } => format!("a text that matches {}", quoted(pattern)),
        Kind::PropertyNames { error } => {
            format!("a property name that is {}", expected(error.kind(), error.instance_path().as_str()))
        }
        Kind::Required { property } => match property.as_str() {
            Some(name) => format!("the property {}", quoted(name)),
            None => format!("the property {property}"),
        },
        Kind::Type { kind } => match kind {
            TypeKind::Single(kind) => a(kind.as_str()).to_owned(),
            TypeKind::Multiple(kinds) => joined(kinds.iter().map(|kind| a(kind.as_str()).to_owned())),
        },
        Kind::UnevaluatedItems { .. } => "only elements that the schema describes".to_owned(),
        Kind::UniqueItems => "elements that all differ".to_owned(),
        Kind::Referencing(error) => format!("a schema whose references can be followed ({error})"),
    }
}

fn a(kind: &str) -> &str {
    match kind {
        "array" => "an array",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "object" => "an object",
        "string" => "a string",
        other => other,
    }
}

fn alternatives(context: &[Vec<jsonschema::ValidationError<'static>>], place: &str) -> String {
    let firsts = context.iter().filter_map(|errors| errors.first());
    let mut said: Vec<String> = Vec::new();
    for error in firsts {
        let inside = error.instance_path().as_str();
        let what = expected(error.kind(), inside);
        let what = if inside == place { what } else { format!("{what} at {inside}") };
        if !said.contains(&what) {
            said.push(what);
        }
    }
    joined(said)
}

fn joined(words: impl IntoIterator<Item = String>) -> String {
    let mut words: Vec<String> = words.into_iter().collect();
    let last = words.pop().unwrap_or_default();
    if words.is_empty() { last } else { format!("{} or {last}", words.join(", ")) }
}

fn one_of(options: &Value) -> String {
    let options = options.as_array().map_or(&[][..], Vec::as_slice);
    let mut shown: Vec<String> = options.iter().take(MOST_OPTIONS).map(json).collect();
    if options.len() > MOST_OPTIONS {
        shown.push(format!("{} more", options.len() - MOST_OPTIONS));
    }
    joined(shown)
}

/// A value of a schema, for a message.
fn json(value: &Value) -> String {
    quoted(&value.to_string())
}

fn counted(count: u64, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

fn properties(count: u64) -> String {
    if count == 1 { "1 property".to_owned() } else { format!("{count} properties") }
}

fn named_format(format: &str) -> String {
    let like = match format {
        "date-time" => "an RFC 3339 timestamp like 2024-09-01T10:15:30Z",
        "date" => "a date like 2024-09-01",
        "time" => "a time like 10:15:30Z",
        "duration" => "an ISO 8601 duration like P3DT4H",
        "email" | "idn-email" => "a mail address",
        "uuid" => "a UUID",
        "uri" => "a URI",
        "ipv4" => "an IPv4 address",
        "ipv6" => "an IPv6 address",
        "hostname" | "idn-hostname" => "a host name",
        "regex" => "a regular expression",
        "json-pointer" => "a JSON pointer",
        other => return format!("a text of the format {}", quoted(other)),
    };
    like.to_owned()
}
