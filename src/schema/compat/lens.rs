//! What the lenient policy takes for granted, written into the schemas themselves: so what it lets
//! pass, and nothing else, is left out of search and proof.

use serde_json::{Map, Value};

use super::turned::Turned;
use crate::schema::document::{Document, Parts, matches, object, once};
use crate::schema::json::escaped;
use crate::schema::named::fragment;

/// One thing that is taken for granted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lens {
    /// Writers do not send this property, which the object at the pointer does not describe.
    Unsent { writer: String, name: String },
    /// Writers send only properties that the object at the pointer describes, or whatever else holds for it: these.
    OnlyDescribed { writer: String, names: Vec<String>, patterns: Vec<String> },
    /// Readers do not look at this property, which the objects at the pointers describe no longer.
    Ignored { reader: Vec<String>, name: String },
    /// Readers fill in this property's default before they look.
    Default { reader: String, name: String },
}

impl Lens {
    /// `known`: all that is described for the object ([`described`]). None where writers cannot do without the
    /// property, or describe it after all.
    pub(super) fn unsent(known: &Parts<'_>, writer: &Parts<'_>, name: &str) -> Option<Self> {
        let is_known = mentioned(known).iter().any(|known| known == name);
        let place = writer.all.first()?.pointer.clone();
        (!is_known).then(|| Self::Unsent { writer: place, name: name.to_owned() })
    }

    /// `known`: all that is described for the object ([`described`]), `name`: a property that writers are taken not to
    /// send. None where they do, or what is described is less than there has to be.
    pub(super) fn only_described(known: &Parts<'_>, writer: &Parts<'_>, name: &str) -> Option<Self> {
        let (names, mut patterns) = (mentioned(known), Vec::new());
        for part in &known.all {
            patterns.extend(object(part, "patternProperties").into_iter().flat_map(Map::keys).cloned());
        }
        if names.iter().any(|known| known == name) || patterns.iter().any(|pattern| matches(pattern, name)) {
            return None;
        }
        let least = known.said("minProperties").filter_map(|(_, least)| least.as_u64()).max().unwrap_or(0);
        let writer = writer.all.first()?.pointer.clone();
        let enough = !patterns.is_empty() || least <= names.len() as u64;
        enough.then_some(Self::OnlyDescribed { writer, names, patterns })
    }

    /// `around`: all that holds for the object that writers send. None where they always send the property, or it is
    /// more than any other one to the reader.
    pub(super) fn ignored(around: &Parts<'_>, reader: &Parts<'_>, name: &str) -> Option<Self> {
        let patterns = reader.all.iter().filter_map(|part| object(part, "patternProperties"));
        if around.requires(name) || patterns.flat_map(Map::keys).any(|pattern| matches(pattern, name)) {
            return None;
        }
        let closed = reader.said("additionalProperties").map(|(part, _)| part.pointer.clone());
        Some(Self::Ignored { reader: closed.collect(), name: name.to_owned() })
    }

    /// `around`: all that holds for the object, `required`: the pointer of the schema that requires the property. None
    /// unless it gives the default itself, wherever it holds, and one that is accepted.
    pub(super) fn default<'a>(
        document: &Document<'a>,
        around: &Parts<'a>,
        required: &str,
        name: &str,
    ) -> Option<Self> {
        let part = around.all.iter().find(|part| part.pointer == required)?;
        let only = Parts { all: vec![part.clone()], ..Parts::default() };
        let own = only.property(document, name);
        let (_, value) = own.said("default").next()?;
        let property = around.property(document, name);
        let fits = property.never.is_empty()
            && property.all.iter().all(|part| accepts(document.whole(), &part.pointer, value));
        fits.then(|| Self::Default { reader: required.to_owned(), name: name.to_owned() })
    }

    /// Does writing it down only take documents from the writer, or give some to the reader? `turned`: of the
    /// writer's schema and of the reader's.
    pub(super) fn is_safe(&self, [writer_turned, reader_turned]: &[Turned; 2]) -> bool {
        match self {
            Self::Unsent { writer, .. } => !writer_turned.holds(writer),
            Self::OnlyDescribed { writer, names, patterns } => {
                // What is described here counts as evaluated.
                let says_more = !names.is_empty() || !patterns.is_empty();
                let over = says_more && writer_turned.unevaluated;
                !over && !writer_turned.holds(&format!("{writer}/additionalProperties"))
            }
            Self::Ignored { reader, .. } => !reader.iter().any(|place| reader_turned.holds(place)),
            Self::Default { reader, .. } => !reader_turned.holds(reader),
        }
    }
}

/// The schemas that hold for an object, or may, beside that at `own`; where that is one of several to choose from, the
/// others are left out. `around`: what holds for it for certain.
pub(super) fn described<'a>(document: &Document<'a>, around: &Parts<'a>, own: &str) -> Parts<'a> {
    let mut all = around.clone();
    let mut next = 0;
    let is_in = |sum: &str| own.rsplit_once('/').is_some_and(|(around, _)| around == sum);
    while let Some(part) = all.all.get(next).cloned() {
        next += 1;
        for (keyword, value) in part.keywords {
            let place = format!("{}/{keyword}", part.pointer);
            let inside: Vec<(String, &Value)> = match (keyword.as_str(), value) {
                ("anyOf" | "oneOf", _) if is_in(&place) => continue,
                ("anyOf" | "oneOf", Value::Array(branches)) => {
                    branches.iter().enumerate().map(|(index, branch)| (index.to_string(), branch)).collect()
                }
                ("dependentSchemas" | "dependencies", Value::Object(named)) => {
                    named.iter().map(|(name, schema)| (escaped(name), schema)).collect()
                }
                ("if" | "then" | "else", schema) => {
                    document.gather(&place, schema, &mut all);
                    continue;
                }
                _ => continue,
            };
            for (token, schema) in inside {
                document.gather(&format!("{place}/{token}"), schema, &mut all);
            }
        }
    }
    all
}

/// The names of properties that schemas describe, require, or have others depend on.
fn mentioned(parts: &Parts<'_>) -> Vec<String> {
    let depended = parts
        .dependencies()
        .flat_map(|(name, others)| std::iter::once(name).chain(others.iter().filter_map(Value::as_str)));
    let names = parts.names().into_iter().chain(parts.required().map(|(_, name)| name)).chain(depended);
    once(names).into_iter().map(str::to_owned).collect()
}

/// Does the schema at a pointer of a document accept a value?
fn accepts(document: &Value, pointer: &str, value: &Value) -> bool {
    const DOCUMENT: &str = "urn:kafkaflow:document";
    let registry = jsonschema::Registry::new().add(DOCUMENT, document.clone());
    let Some(registry) = registry.ok().and_then(|registry| registry.prepare().ok()) else { return false };
    let schema = serde_json::json!({ "$ref": format!("{DOCUMENT}#{}", fragment(pointer)) });
    let options = jsonschema::options().should_validate_formats(true).offline().with_registry(&registry);
    options.build(&schema).is_ok_and(|judge| judge.is_valid(value))
}

/// Both schemas as the policy sees them.
pub(super) fn applied<'l>(
    writer: &Value,
    reader: &Value,
    lenses: impl IntoIterator<Item = &'l Lens>,
) -> (Value, Value) {
    let (plain, mut writer, mut reader) = (writer, writer.clone(), reader.clone());
    for lens in lenses {
        match lens {
            Lens::Unsent { writer: place, name } => describe(&mut writer, place, name, Value::Bool(false)),
            Lens::OnlyDescribed { writer: place, names, patterns } => {
                let before = plain.pointer(place).and_then(|object| object.get("additionalProperties"));
                let before = before.cloned().unwrap_or(Value::Bool(true));
                close(&mut writer, place, &before, names, patterns);
            }
            Lens::Ignored { reader: places, name } => {
                for place in places {
                    describe(&mut reader, place, name, Value::Bool(true));
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

/// Describes a property that a schema does not.
fn describe(document: &mut Value, place: &str, name: &str, schema: Value) {
    let object = document.pointer_mut(place).and_then(Value::as_object_mut);
    let properties =
        object.map(|object| object.entry("properties").or_insert_with(|| Value::Object(Map::new())));
    if let Some(properties) = properties.and_then(Value::as_object_mut) {
        properties.entry(name).or_insert(schema);
    }
}

/// Closes an object for all properties but those that it describes, and those named, for which stays what held.
fn close(document: &mut Value, place: &str, before: &Value, names: &[String], patterns: &[String]) {
    let Some(object) = document.pointer_mut(place).and_then(Value::as_object_mut) else { return };
    object.insert("additionalProperties".to_owned(), Value::Bool(false));
    let own: Vec<String> = object
        .get("patternProperties")
        .and_then(Value::as_object)
        .map_or_else(Vec::new, |patterns| patterns.keys().cloned().collect());
    if !patterns.is_empty() {
        let all = object.entry("patternProperties").or_insert_with(|| Value::Object(Map::new()));
        for pattern in patterns {
            all.as_object_mut().map(|all| all.entry(pattern).or_insert_with(|| before.clone()));
        }
    }
    for name in names.iter().filter(|name| !own.iter().any(|pattern| matches(pattern, name))) {
        describe(document, place, name, before.clone());
    }
}

fn forget(object: &mut Map<String, Value>, name: &str) {
    if let Some(required) = object.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|required| required != name);
    }
}
