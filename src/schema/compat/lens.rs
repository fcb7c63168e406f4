//! What the lenient policy takes for granted, written into the schemas themselves: so what it lets
//! pass, and nothing else, is left out of search and proof.

use serde_json::{Map, Value, json};

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
                let properties = object.map(|object| object.entry("properties").or_insert_with(|| json!({})));
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
