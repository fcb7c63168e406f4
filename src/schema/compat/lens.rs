//! What the lenient policy takes for granted, written into the schemas themselves: so what it lets
//! pass, and nothing else, is left out of search and proof.

use serde_json::{Map, Value};

use crate::schema::document::is_plain;
use crate::schema::json;

/// One thing that is taken for granted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lens {
    /// Writers do not send this property, which the object at the pointer does not describe.
    Unsent { writer: String, name: String },
    /// Writers send only properties that the object at the pointer describes.
    OnlyDescribed { writer: String },
    /// Readers fill in this property's default before they look.
    Default { reader: String, name: String },
}

/// Keywords under which a schema that accepts less makes the whole accept more.
const TURNING: [&str; 4] = ["contains", "if", "not", "oneOf"];

impl Lens {
    /// Does writing it down only take documents from the writer, or give some to the reader? `tangled`: see
    /// [`is_tangled`], of the writer's schema and of the reader's.
    pub(super) fn is_safe(&self, tangled: [bool; 2]) -> bool {
        let (place, tangled) = match self {
            Self::Unsent { writer, .. } | Self::OnlyDescribed { writer } => (writer, tangled[0]),
            Self::Default { reader, .. } => (reader, tangled[1]),
        };
        !tangled && !json::tokens(place).any(|token| TURNING.contains(&token.as_str()))
    }
}

/// Does a keyword that turns things round refer to schemas that may stand elsewhere, too?
pub(super) fn is_tangled(schema: &Value) -> bool {
    match schema {
        Value::Object(keywords) => keywords.iter().any(|(keyword, value)| {
            TURNING.contains(&keyword.as_str()) && !is_plain(value) || is_tangled(value)
        }),
        Value::Array(schemas) => schemas.iter().any(is_tangled),
        _ => false,
    }
}

/// Both schemas as the policy sees them.
pub(super) fn applied<'l>(
    writer: &Value,
    reader: &Value,
    lenses: impl IntoIterator<Item = &'l Lens>,
) -> (Value, Value) {
    let (mut writer, mut reader) = (writer.clone(), reader.clone());
    for lens in lenses {
        match lens {
            Lens::Unsent { writer: place, name } => {
                let object = writer.pointer_mut(place).and_then(Value::as_object_mut);
                // A described property stays what it is.
                let properties = object
                    .map(|object| object.entry("properties").or_insert_with(|| Value::Object(Map::new())));
                if let Some(properties) = properties.and_then(Value::as_object_mut) {
                    properties.insert(name.clone(), Value::Bool(false));
                }
            }
            Lens::OnlyDescribed { writer: place } => {
                if let Some(object) = writer.pointer_mut(place).and_then(Value::as_object_mut) {
                    object.insert("additionalProperties".to_owned(), Value::Bool(false));
                }
            }
            Lens::Default { reader: place, name } => {
                if let Some(object) = reader.pointer_mut(place).and_then(Value::as_object_mut) {
                    forget(object, name);
                }
            }
        }
    }
    (writer, reader)
}

fn forget(object: &mut Map<String, Value>, name: &str) {
    if let Some(required) = object.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|required| required != name);
    }
}
