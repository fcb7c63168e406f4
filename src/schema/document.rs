//! A schema as a document: references followed, and what holds for a value gathered from wherever it
//! is said.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::bundle::joined;
use super::json::escaped;

/// A schema and where its references lead. References into other files are followed when those are
/// embedded (`$id` in `$defs`), as bundling does.
pub(crate) struct Document<'a> {
    root: &'a Value,
    named: Named,
}

/// What references can lead to.
#[derive(Default)]
struct Named {
    /// Resources by their URI (`$id`): their pointers.
    resources: BTreeMap<String, String>,
    /// Anchors, by the pointer of their resource: their pointers.
    anchors: BTreeMap<(String, String), String>,
}

/// A schema object and its JSON pointer.
#[derive(Clone, Debug)]
pub(crate) struct Part<'a> {
    pub(crate) pointer: String,
    pub(crate) keywords: &'a Map<String, Value>,
}

/// Schema objects that hold for one value together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts<'a> {
    pub(crate) all: Vec<Part<'a>>,
    /// Pointers of `false`: nothing is accepted.
    pub(crate) never: Vec<String>,
    /// Pointers of references that lead nowhere.
    pub(crate) lost: Vec<String>,
}

impl<'a> Document<'a> {
    pub(crate) fn new(root: &'a Value) -> Self {
        let mut named = Named::default();
        named.note(root, "", "", "");
        Self { root, named }
    }

    pub(crate) fn root(&self) -> Parts<'a> {
        self.parts("", self.root)
    }

    /// The schema at a pointer and all that its `$ref` and `allOf` add to it.
    pub(crate) fn parts(&self, pointer: &str, schema: &'a Value) -> Parts<'a> {
        let mut parts = Parts::default();
        self.gather(pointer, schema, &mut parts);
        parts
    }

    /// Adds another schema that holds for the same value.
    pub(crate) fn gather(&self, pointer: &str, schema: &'a Value, parts: &mut Parts<'a>) {
        let keywords = match schema {
            Value::Object(keywords) => keywords,
            Value::Bool(false) => return parts.never.push(pointer.to_owned()),
            _ => return,
        };
        if parts.all.iter().any(|known| known.pointer == pointer) {
            return;
        }
        parts.all.push(Part { pointer: pointer.to_owned(), keywords });
        if let Some(reference) = keywords.get("$ref").and_then(Value::as_str) {
            match self.target(pointer, reference) {
                Some((target, schema)) => self.gather(&target, schema, parts),
                None => parts.lost.push(format!("{pointer}/$ref")),
            }
        }
        for (index, schema) in array(keywords, "allOf").iter().enumerate() {
            self.gather(&format!("{pointer}/allOf/{index}"), schema, parts);
        }
    }

    /// The pointer that an error's place has in the whole document: a resource that is embedded counts from its
    /// own beginning.
    pub(crate) fn pointer_of(&self, error: &jsonschema::ValidationError<'_>) -> String {
        let whole = || {
            let (uri, fragment) = error.absolute_keyword_location()?.as_str().split_once('#')?;
            Some(format!("{}{}", self.named.resources.get(uri)?, percent_decoded(fragment)?))
        };
        whole().unwrap_or_else(|| error.schema_path().as_str().to_owned())
    }

    /// Where a reference leads that stands in the schema at a pointer.
    fn target(&self, from: &str, reference: &str) -> Option<(String, &'a Value)> {
        let (uri, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let (base, resource) = self.named.resource_of(from);
        let resource = match uri {
            "" => resource,
            uri => self.named.resources.get(&joined(base, uri)).or_else(|| self.named.resources.get(uri))?,
        };
        let pointer = match fragment {
            "" => resource.to_owned(),
            _ if fragment.starts_with('/') => format!("{resource}{}", percent_decoded(fragment)?),
            anchor => self.named.anchors.get(&(resource.to_owned(), anchor.to_owned()))?.clone(),
        };
        let schema = self.root.pointer(&pointer)?;
        Some((pointer, schema))
    }
}

impl Named {
    /// Notes the `$id`s and anchors of a schema that stands in a resource, which has a URI and a pointer.
    fn note(&mut self, schema: &Value, pointer: &str, uri: &str, resource: &str) {
        match schema {
            Value::Object(keywords) => {
                let (mut uri, mut resource) = (uri.to_owned(), resource.to_owned());
                if let Some(id) = keywords.get("$id").or_else(|| keywords.get("id")).and_then(Value::as_str) {
                    uri = joined(&uri, id.trim_end_matches('#'));
                    pointer.clone_into(&mut resource);
                    self.resources.insert(uri.clone(), resource.clone());
                }
                if let Some(anchor) = keywords.get("$anchor").and_then(Value::as_str) {
                    self.anchors.insert((resource.clone(), anchor.to_owned()), pointer.to_owned());
                }
                for (key, value) in keywords.iter().filter(|(key, _)| !is_data(key)) {
                    self.note(value, &format!("{pointer}/{}", escaped(key)), &uri, &resource);
                }
            }
            Value::Array(values) => {
                for (index, value) in values.iter().enumerate() {
                    self.note(value, &format!("{pointer}/{index}"), uri, resource);
                }
            }
            _ => {}
        }
    }

    /// The URI and the pointer of the resource that the schema at a pointer belongs to.
    fn resource_of(&self, pointer: &str) -> (&str, &str) {
        let holds = |base: &str| {
            pointer.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let resources = self.resources.iter().map(|(uri, base)| (uri.as_str(), base.as_str()));
        resources.filter(|(_, base)| holds(base)).max_by_key(|(_, base)| base.len()).unwrap_or(("", ""))
    }
}

/// Keywords whose values are documents, not schemas.
pub(super) fn is_data(keyword: &str) -> bool {
    matches!(keyword, "const" | "enum" | "examples" | "default")
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// A keyword's array, empty where it is none.
pub(crate) fn array<'a>(keywords: &'a Map<String, Value>, keyword: &str) -> &'a [Value] {
    keywords.get(keyword).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

impl<'a> Parts<'a> {
    /// Every place that says something by a keyword.
    pub(crate) fn said(&self, keyword: &str) -> impl Iterator<Item = (&Part<'a>, &'a Value)> {
        self.all.iter().filter_map(move |part| Some((part, part.keywords.get(keyword)?)))
    }

    /// What holds for a property: by its name, by a pattern, else as an additional one.
    pub(crate) fn property(&self, document: &Document<'a>, name: &str) -> Parts<'a> {
        let mut found = Parts::default();
        for part in &self.all {
            let mut named = false;
            let mut add = |keyword: &str, key: &str, schema: &'a Value| {
                let pointer = format!("{}/{keyword}/{}", part.pointer, escaped(key));
                document.gather(&pointer, schema, &mut found);
            };
            if let Some(schema) = object(part, "properties").and_then(|known| known.get(name)) {
                named = true;
                add("properties", name, schema);
            }
            for (pattern, schema) in object(part, "patternProperties").into_iter().flatten() {
                if matches(pattern, name) {
                    named = true;
                    add("patternProperties", pattern, schema);
                }
            }
            if let Some(schema) = part.keywords.get("additionalProperties").filter(|_| !named) {
                let pointer = format!("{}/additionalProperties", part.pointer);
                document.gather(&pointer, schema, &mut found);
            }
        }
        found
    }

    /// What holds for the element at an index.
    pub(crate) fn element(&self, document: &Document<'a>, index: usize) -> Parts<'a> {
        let mut found = Parts::default();
        for part in &self.all {
            // Before 2020-12 an array of schemas stood in `items`, and `additionalItems` followed it.
            let (tuple, rest) = match part.keywords.get("items") {
                Some(Value::Array(_)) => ("items", "additionalItems"),
                _ => ("prefixItems", "items"),
            };
            if let Some(schema) = array(part.keywords, tuple).get(index) {
                document.gather(&format!("{}/{tuple}/{index}", part.pointer), schema, &mut found);
            } else if let Some(schema) = part.keywords.get(rest) {
                document.gather(&format!("{}/{rest}", part.pointer), schema, &mut found);
            }
        }
        found
    }

    /// How many elements have a schema of their own.
    pub(crate) fn tuple(&self) -> usize {
        let length = |part: &Part<'a>| {
            array(part.keywords, "prefixItems").len().max(array(part.keywords, "items").len())
        };
        self.all.iter().map(length).max().unwrap_or(0)
    }

    /// The names of the properties that are described, in the schemas' order and once.
    pub(crate) fn names(&self) -> Vec<&'a str> {
        let described = self.all.iter().filter_map(|part| object(part, "properties")).flat_map(Map::keys);
        once(described.map(String::as_str))
    }

    /// The properties that have to be there, with the places that say so.
    pub(crate) fn required(&self) -> impl Iterator<Item = (&Part<'a>, &'a str)> {
        self.all.iter().flat_map(|part| {
            array(part.keywords, "required").iter().filter_map(Value::as_str).map(move |name| (part, name))
        })
    }

    /// The properties that others depend on, with those others where they are listed.
    pub(crate) fn dependencies(&self) -> impl Iterator<Item = (&'a str, &'a [Value])> {
        const KEYWORDS: [&str; 3] = ["dependentRequired", "dependentSchemas", "dependencies"];
        let said =
            self.all.iter().flat_map(|part| KEYWORDS.iter().filter_map(move |keyword| object(part, keyword)));
        said.flatten().map(|(name, wanted)| (name.as_str(), wanted.as_array().map_or(&[][..], Vec::as_slice)))
    }

    pub(crate) fn requires(&self, name: &str) -> bool {
        self.required().any(|(_, required)| required == name)
    }
}

/// Names without those that came before.
pub(crate) fn once<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    names.filter(|name| seen.insert(*name)).collect()
}

/// A keyword's object.
pub(crate) fn object<'a>(part: &Part<'a>, keyword: &str) -> Option<&'a Map<String, Value>> {
    part.keywords.get(keyword)?.as_object()
}

/// Does a pattern match, as the judge has it? One that is no regular expression matches nothing.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let schema = serde_json::json!({ "pattern": pattern });
    jsonschema::validator_for(&schema).is_ok_and(|judge| judge.is_valid(&Value::from(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_lead_to_pointers_anchors_and_embedded_resources() {
        let schema = json!({
            "$id": "urn:root",
            "allOf": [{ "$ref": "#/$defs/a~1b%20c" }, { "$ref": "#money" }, { "$ref": "urn:other#/$defs/x" }],
            "$ref": "#",
            "$defs": {
                "a/b c": { "minimum": 1 },
                "m": { "$anchor": "money", "maximum": 9 },
                "o": { "$id": "urn:other", "$defs": { "x": { "$ref": "#/$defs/y" }, "y": { "type": "integer" } } },
            },
        });
        let parts = Document::new(&schema).root();
        let pointers: Vec<&str> = parts.all.iter().map(|part| part.pointer.as_str()).collect();
        assert_eq!(
            pointers,
            [
                "",
                "/allOf/0",
                "/$defs/a~1b c",
                "/allOf/1",
                "/$defs/m",
                "/allOf/2",
                "/$defs/o/$defs/x",
                "/$defs/o/$defs/y"
            ]
        );
        assert!(parts.lost.is_empty());
        let bundled = json!({
            "$id": "file:///shop/schemas/order.json",
            "$ref": "../common/money.json#/$defs/cents",
            "$defs": { "file:///shop/common/money.json": { "$id": "file:///shop/common/money.json", "$defs": { "cents": { "type": "integer" } } } },
        });
        let parts = Document::new(&bundled).root();
        assert_eq!(parts.all[1].pointer, "/$defs/file:~1~1~1shop~1common~1money.json/$defs/cents");
        let lost = json!({ "$ref": "https://example.com/elsewhere" });
        assert_eq!(Document::new(&lost).root().lost, ["/$ref"]);
    }

    #[test]
    fn a_property_is_held_to_its_name_its_patterns_or_the_rest() {
        let schema = json!({
            "properties": { "a": true, "b": { "type": "null" } },
            "patternProperties": { "^a": { "minimum": 1 }, "(": {} },
            "additionalProperties": false,
        });
        let document = Document::new(&schema);
        let root = document.root();
        let property = |name| root.property(&document, name);
        assert_eq!(property("ab").all[0].pointer, "/patternProperties/^a");
        assert_eq!(property("b").all[0].pointer, "/properties/b");
        assert_eq!(property("c").never, ["/additionalProperties"]);
        assert_eq!(root.names(), ["a", "b"]);
    }

    #[test]
    fn an_element_is_held_to_its_place_or_the_rest() {
        for schema in [
            json!({ "prefixItems": [{ "type": "null" }], "items": { "type": "string" } }),
            json!({ "items": [{ "type": "null" }], "additionalItems": { "type": "string" } }),
        ] {
            let document = Document::new(&schema);
            let kind = |index| document.root().element(&document, index).all[0].keywords["type"].clone();
            assert_eq!((kind(0), kind(1)), (json!("null"), json!("string")));
            assert_eq!(document.root().tuple(), 1);
        }
    }
}
