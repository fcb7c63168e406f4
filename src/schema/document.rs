//! A schema as a document: references followed, and what holds for a value gathered from wherever it
//! is said.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::json::escaped;
use super::named::{Named, percent_decoded};

/// A schema and where its references lead. References into other files are followed when those are
/// embedded (`$id` in `$defs`), as bundling does.
pub(crate) struct Document<'a> {
    root: &'a Value,
    named: Named,
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

    /// As it stands.
    pub(crate) fn whole(&self) -> &'a Value {
        self.root
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
        if parts.holds(pointer) {
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
            Some(format!("{}{}", self.named.resource(uri)?, percent_decoded(fragment)?))
        };
        whole().unwrap_or_else(|| error.schema_path().as_str().to_owned())
    }

    /// Where a reference leads that stands in the schema at a pointer.
    pub(crate) fn target(&self, from: &str, reference: &str) -> Option<(String, &'a Value)> {
        let pointer = self.named.target(from, reference)?;
        let schema = self.root.pointer(&pointer)?;
        Some((pointer, schema))
    }
}

/// A keyword's array, empty where it is none.
pub(crate) fn array<'a>(keywords: &'a Map<String, Value>, keyword: &str) -> &'a [Value] {
    keywords.get(keyword).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

impl<'a> Parts<'a> {
    fn holds(&self, pointer: &str) -> bool {
        self.all.iter().any(|known| known.pointer == pointer)
    }

    /// These, and the schemas around them that hold for the same value.
    pub(crate) fn within(&self, around: &Self) -> Self {
        let mut all = self.clone();
        all.all.extend(around.all.iter().filter(|part| !self.holds(&part.pointer)).cloned());
        all
    }

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

/// Does a keyword of a schema assert nothing?
pub(crate) fn is_annotation(keyword: &str, value: &Value) -> bool {
    match keyword {
        "title" | "description" | "$comment" | "$id" => value.is_string(),
        "examples" | "default" | "deprecated" | "readOnly" | "writeOnly" => true,
        _ => false,
    }
}

/// Does a schema say the same wherever it is written? Not when it refers to others.
pub(crate) fn is_plain(schema: &Value) -> bool {
    match schema {
        Value::Object(keywords) => keywords
            .iter()
            .all(|(keyword, value)| !keyword.ends_with("Ref") && keyword != "$ref" && is_plain(value)),
        Value::Array(schemas) => schemas.iter().all(is_plain),
        _ => true,
    }
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
