//! A schema and what it refers to as one document.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::json::escaped;
use super::named::{holds_names, is_data, joined};

/// A schema with all that it refers to.
#[derive(Clone, Debug)]
pub(crate) struct Bundled {
    pub(crate) schema: Value,
    /// The pointers of what was embedded, and the URIs that it was fetched by.
    embedded: BTreeMap<String, String>,
}

impl Bundled {
    /// The URI of the embedded document that a pointer leads into, and the pointer in that.
    pub(crate) fn origin<'p>(&self, pointer: &'p str) -> Option<(&str, &'p str)> {
        let name = pointer.match_indices('/').nth(1)?.0 + 1;
        let end = pointer[name..].find('/').map_or(pointer.len(), |end| name + end);
        Some((self.embedded.get(&pointer[..end])?, &pointer[end..]))
    }
}

/// Embeds the documents that a schema refers to, by their URIs; `fetch` gives one, or nothing where it stays
/// what it is: a dialect's own schema, say.
pub(super) fn bundle(mut schema: Value, base: &str, fetch: &dyn Fn(&str) -> Option<Value>) -> Bundled {
    let old = schema.get("$schema").and_then(Value::as_str).map_or("", |dialect| dialect);
    // Where a dialect looks for embedded documents, and what it calls their names.
    let (shelf, id) = match old {
        _ if old.contains("draft-04") => ("definitions", "id"),
        _ if old.contains("draft-06") || old.contains("draft-07") => ("definitions", "$id"),
        _ => ("$defs", "$id"),
    };
    let mut bundle = Bundle { fetch, id, names: BTreeMap::new(), embedded: Map::new() };
    bundle.follow(&mut schema, base);
    if let Some(keywords) = schema.as_object_mut().filter(|_| !bundle.embedded.is_empty()) {
        let own = keywords.entry(shelf).or_insert_with(|| Value::Object(Map::new()));
        if let Some(own) = own.as_object_mut() {
            own.append(&mut bundle.embedded);
        }
    }
    let names = bundle.names.into_iter();
    let embedded =
        names.filter_map(|(uri, name)| Some((format!("/{shelf}/{}", escaped(&name?)), uri))).collect();
    Bundled { schema, embedded }
}

struct Bundle<'f> {
    fetch: &'f dyn Fn(&str) -> Option<Value>,
    id: &'static str,
    /// What documents call themselves, by the URIs that they were fetched by.
    names: BTreeMap<String, Option<String>>,
    embedded: Map<String, Value>,
}

impl Bundle<'_> {
    /// Follows every reference of a schema whose URI is `base`, and writes where it leads as a whole URI.
    fn follow(&mut self, schema: &mut Value, base: &str) {
        match schema {
            Value::Object(keywords) => {
                let id = keywords.get(self.id).and_then(Value::as_str).map(|id| joined(base, id));
                let base = id.as_deref().unwrap_or(base).trim_end_matches('#').to_owned();
                if let Some(Value::String(reference)) = keywords.get_mut("$ref") {
                    let (uri, fragment) = reference.split_once('#').unwrap_or((reference, ""));
                    if !uri.is_empty()
                        && let Some(name) = self.name(&joined(&base, uri))
                    {
                        *reference = format!("{name}#{fragment}");
                    }
                }
                for (keyword, value) in keywords.iter_mut().filter(|(keyword, _)| !is_data(keyword)) {
                    match value {
                        Value::Object(named) if holds_names(keyword) => {
                            named.values_mut().for_each(|schema| self.follow(schema, &base));
                        }
                        value => self.follow(value, &base),
                    }
                }
            }
            Value::Array(schemas) => schemas.iter_mut().for_each(|schema| self.follow(schema, base)),
            _ => {}
        }
    }

    /// What the document with a URI is embedded as.
    fn name(&mut self, uri: &str) -> Option<String> {
        if let Some(known) = self.names.get(uri) {
            return known.clone();
        }
        let mut document = (self.fetch)(uri);
        let own = document.as_ref().and_then(|document| document.get(self.id)).and_then(Value::as_str);
        let name =
            own.map_or_else(|| uri.to_owned(), |own| joined(uri, own).trim_end_matches('#').to_owned());
        // Noted before its own references are followed, which may lead back here.
        self.names.insert(uri.to_owned(), document.as_ref().map(|_| name.clone()));
        if let Some(document) = &mut document {
            self.follow(document, &name);
            if let Some(keywords) = document.as_object_mut() {
                keywords.insert(self.id.to_owned(), Value::from(name.as_str()));
            }
        }
        self.embedded.insert(name.clone(), document?);
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_to_other_documents_are_embedded_with_what_they_refer_to() {
        let fetch = |uri: &str| match uri {
            "file:///a/common.json" => Some(json!({
                "$defs": { "id": { "type": "string" }, "ids": { "items": { "$ref": "#/$defs/id" } }, "back": { "$ref": "order.json" } },
                "properties": { "m": { "$ref": "urn:money" } },
            })),
            "file:///a/money.json" | "urn:money" => Some(json!({ "$id": "urn:money", "type": "integer" })),
            "file:///a/order.json" => Some(json!({ "type": "object" })),
            _ => None,
        };
        let schema = json!({
            "properties": {
                "ids": { "$ref": "common.json#/$defs/ids" },
                "money": { "$ref": "money.json" },
                "own": { "$ref": "#/$defs/own" },
                "default": { "$ref": "money.json" },
                "dialect": { "$ref": "https://json-schema.org/draft/2020-12/schema" },
            },
            "$defs": { "own": { "const": { "$ref": "common.json" } } },
        });
        let bundled = bundle(schema, "file:///a/order.json", &fetch);
        let common = "/$defs/file:~1~1~1a~1common.json/$defs/id";
        assert_eq!(bundled.origin(common), Some(("file:///a/common.json", "/$defs/id")));
        assert_eq!(bundled.origin("/$defs/own"), None);
        let whole = bundled.schema;
        assert_eq!(whole["properties"]["ids"]["$ref"], "file:///a/common.json#/$defs/ids");
        assert_eq!(whole["properties"]["money"]["$ref"], "urn:money#");
        assert_eq!(whole["properties"]["own"]["$ref"], "#/$defs/own");
        assert_eq!(whole["properties"]["default"]["$ref"], "urn:money#", "a property's name is no keyword");
        assert_eq!(whole["$defs"]["own"]["const"]["$ref"], "common.json", "a constant is no schema");
        let judge = jsonschema::options().offline().build(&whole).unwrap();
        assert!(judge.is_valid(&json!({ "ids": ["a"], "money": 1 })));
        assert!(!judge.is_valid(&json!({ "ids": [1] })) && !judge.is_valid(&json!({ "money": "1" })));
        let same = json!({ "$ref": "#/$defs/a", "$defs": { "a": {} } });
        assert_eq!(bundle(same.clone(), "file:///a/order.json", &fetch).schema, same);
    }
}
