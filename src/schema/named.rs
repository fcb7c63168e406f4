//! What references in schemas can lead to.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::json::escaped;

/// The names that schemas have in a document, and the pointers of those schemas.
#[derive(Debug, Default)]
pub(crate) struct Named {
    /// Resources by their URI (`$id`): their pointers.
    resources: BTreeMap<String, String>,
    /// Resources by their pointers: what references in them start from.
    bases: BTreeMap<String, String>,
    /// Anchors, by the pointer of their resource: their pointers.
    anchors: BTreeMap<(String, String), String>,
}

impl Named {
    /// Names a resource that stands at a pointer, and all that it names itself.
    pub(crate) fn add(&mut self, schema: &Value, pointer: &str, uri: &str) {
        self.call(uri.to_owned(), pointer);
        self.note(schema, pointer, uri, pointer);
    }

    fn call(&mut self, uri: String, pointer: &str) {
        self.bases.insert(pointer.to_owned(), uri.clone());
        self.resources.insert(uri, pointer.to_owned());
    }

    /// Notes the `$id`s and anchors of a schema that stands in a resource, which has a URI and a pointer.
    pub(super) fn note(&mut self, schema: &Value, pointer: &str, uri: &str, resource: &str) {
        match schema {
            Value::Object(keywords) => {
                let (mut uri, mut resource) = (uri.to_owned(), resource.to_owned());
                if let Some(id) = keywords.get("$id").or_else(|| keywords.get("id")).and_then(Value::as_str) {
                    uri = joined(&uri, id.trim_end_matches('#'));
                    pointer.clone_into(&mut resource);
                    self.call(uri.clone(), pointer);
                }
                if let Some(anchor) = keywords.get("$anchor").and_then(Value::as_str) {
                    self.anchors.insert((resource.clone(), anchor.to_owned()), pointer.to_owned());
                }
                for (key, value) in keywords.iter().filter(|(key, _)| !is_data(key)) {
                    let pointer = format!("{pointer}/{}", escaped(key));
                    match value {
                        Value::Object(named) if holds_names(key) => {
                            for (name, schema) in named {
                                self.note(schema, &format!("{pointer}/{}", escaped(name)), &uri, &resource);
                            }
                        }
                        value => self.note(value, &pointer, &uri, &resource),
                    }
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

    /// The pointer of the resource with a URI.
    pub(super) fn resource(&self, uri: &str) -> Option<&str> {
        self.resources.get(uri).map(String::as_str)
    }

    /// Where a reference leads that stands in the schema at a pointer, as a pointer.
    pub(crate) fn target(&self, from: &str, reference: &str) -> Option<String> {
        let (uri, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let resource = self.resource_of(from);
        let base = self.bases.get(resource).map_or("", String::as_str);
        let resource = match uri {
            "" => resource,
            uri => self.resource(&joined(base, uri)).or_else(|| self.resource(uri))?,
        };
        match fragment {
            "" => Some(resource.to_owned()),
            _ if fragment.starts_with('/') => Some(format!("{resource}{}", percent_decoded(fragment)?)),
            anchor => self.anchors.get(&(resource.to_owned(), anchor.to_owned())).cloned(),
        }
    }

    /// The pointer of the resource that the schema at a pointer belongs to.
    pub(crate) fn resource_of(&self, pointer: &str) -> &str {
        let mut around = pointer;
        loop {
            match (self.bases.get_key_value(around), around.rsplit_once('/')) {
                (Some((resource, _)), _) => return resource,
                (None, Some((further, _))) => around = further,
                (None, None) => return "",
            }
        }
    }

    /// The pointer of the resource that a schema right inside another resource belongs to.
    pub(crate) fn resource_inside<'n>(&'n self, resource: &'n str, schema: &Value) -> &'n str {
        let id = schema.get("$id").or_else(|| schema.get("id")).and_then(Value::as_str);
        let base = self.bases.get(resource).map_or("", String::as_str);
        let own = id.and_then(|id| self.resource(&joined(base, id.trim_end_matches('#'))));
        own.unwrap_or(resource)
    }
}

/// Keywords whose values are documents, not schemas.
pub(super) fn is_data(keyword: &str) -> bool {
    matches!(keyword, "const" | "enum" | "examples" | "default")
}

/// Keywords whose values are schemas by names that are nobody's keywords: a property may be called `default`.
pub(super) fn holds_names(keyword: &str) -> bool {
    matches!(
        keyword,
        "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" | "dependencies"
    )
}

/// The fragment of a URI, or its path, as it was before it was made fit for one.
pub(crate) fn percent_decoded(text: &str) -> Option<String> {
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

/// A JSON pointer as the fragment of a URI.
pub(crate) fn fragment(pointer: &str) -> String {
    let mut out = String::with_capacity(pointer.len());
    for byte in pointer.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(char::from(byte)),
            _ if b"-._~!$&'()*+,;=:@/?".contains(&byte) => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// A reference as a whole URI: beside another one, unless it is whole already.
pub(super) fn joined(base: &str, reference: &str) -> String {
    let is_whole = |uri: &str| {
        let scheme = uri.split_once(':').map_or("", |(scheme, _)| scheme);
        !scheme.is_empty() && !scheme.contains('/')
    };
    if is_whole(reference) || !base.contains('/') {
        return reference.to_owned();
    }
    let authority =
        base.find("://").map_or(0, |at| base[at + 3..].find('/').map_or(base.len(), |path| at + 3 + path));
    let (authority, path) = base.split_at(authority);
    let mut steps: Vec<&str> = match reference.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => path.rsplit_once('/').map_or("", |(folder, _)| folder).split('/').skip(1).collect(),
    };
    for step in reference.trim_start_matches('/').split('/') {
        match step {
            "." => {}
            ".." => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    format!("{authority}/{}", steps.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_references_start_beside_their_document() {
        for (base, reference, whole) in [
            ("file:///a/b/c.json", "d.json", "file:///a/b/d.json"),
            ("file:///a/b/c.json", "./d.json", "file:///a/b/d.json"),
            ("file:///a/b/c.json", "../d.json", "file:///a/d.json"),
            ("https://example.com/a/b", "/d", "https://example.com/d"),
            ("https://example.com/a/b", "urn:x", "urn:x"),
            ("https://example.com", "d", "https://example.com/d"),
            ("urn:x", "d", "d"),
            ("", "d", "d"),
        ] {
            assert_eq!(joined(base, reference), whole, "{base} {reference}");
        }
    }
}
