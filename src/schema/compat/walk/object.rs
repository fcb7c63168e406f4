//! What holds for the properties of objects: by name, and as their content models (open, partially
//! open, closed) have it.

use serde_json::{Map, Value};

use super::array::{first, is_open};
use super::{Lens, Sides, Walk, place, said, whole};
use crate::schema::compat::lens::described;
use crate::schema::document::{Part, Parts, is_plain, object, once};
use crate::schema::json::escaped;
use crate::schema::sample::{Pin, PinTo, Step, matching};

impl<'a> Walk<'a, '_> {
    pub(super) fn objects(&mut self, writer: &Parts<'a>, reader: &Parts<'a>) {
        self.required(writer, reader);
        let names = once(writer.names().into_iter().chain(reader.names()));
        for name in &names {
            let (sent, read) = (describes(writer, name), describes(reader, name));
            self.property(writer, reader, name, sent, read);
        }
        self.patterns(writer, reader);
        let other =
            ["unexpected", "unexpected-", "unexpected--"].into_iter().find(|name| !names.contains(name));
        self.other_properties(writer, reader, other.unwrap_or("unexpected---"));
        self.names(writer, reader);
        self.dependencies(writer, reader);
        self.unevaluated(
            writer,
            reader,
            "unevaluatedProperties",
            ["UNEVALUATED_PROPERTIES_REMOVED", "UNEVALUATED_PROPERTIES_NARROWED"],
        );
    }

    fn required(&mut self, writer: &Parts<'a>, reader: &Parts<'a>) {
        for (part, name) in reader.required() {
            if writer.requires(name) {
                continue;
            }
            let property = reader.property(self.reader, name);
            let default = property.said("default").next().is_some();
            let rule = match (describes(writer, name), is_open_model(writer), default) {
                (true, _, false) => "REQUIRED_ATTRIBUTE_ADDED",
                (true, _, true) => "REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED",
                (false, true, false) => "REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL",
                (false, true, true) => "REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL",
                (false, false, false) => "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL",
                (false, false, true) => "REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL",
            };
            let lens = Lens::default(self.reader, &reader.within(&self.here.1), &part.pointer, name);
            let sides =
                Sides { writer: place(writer, "required"), reader: format!("{}/required", part.pointer) };
            let detail = format!("required {}", Value::from(name));
            self.note_in(Step::Name(name.to_owned()), rule, sides, detail, PinTo::Absent, lens);
        }
    }

    /// `sent`, `read`: is the property described by the writer's schema, by the reader's?
    fn property(&mut self, writer: &Parts<'a>, reader: &Parts<'a>, name: &str, sent: bool, read: bool) {
        let step = Step::Name(name.to_owned());
        let from = writer.property(self.writer, name);
        let to = reader.property(self.reader, name);
        if sent && read {
            return self.inside(step, from, to);
        }
        let unsent = |walk: &Self| Lens::unsent(&walk.described(writer), writer, name);
        let sides = Sides {
            writer: if sent { first(&from).unwrap_or_default() } else { whole(writer) },
            reader: first(&to).unwrap_or_else(|| whole(reader)),
        };
        let detail = format!("property {}", Value::from(name));
        let open = if sent { is_open(&to) } else { is_open(&from) };
        let (rule, lens) = match (sent, open) {
            (true, false) if !to.never.is_empty() && from.never.is_empty() => {
                ("PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL", None)
            }
            (true, false) if to.never.is_empty() && self.differs(&step, &from, &to) => {
                let lens = Lens::ignored(&writer.within(&self.here.0), reader, name);
                ("PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", lens)
            }
            (false, true) if !is_open(&to) => ("OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL", unsent(self)),
            (false, false) if from.never.is_empty() && self.differs(&step, &from, &to) => {
                ("PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", unsent(self))
            }
            // The reader does not look at it, or accepts all that is sent.
            _ => return,
        };
        self.note_in(step, rule, sides, detail, PinTo::Present, lens);
    }

    /// Properties by the patterns of their names: compared at a name of each pattern.
    fn patterns(&mut self, writer: &Parts<'a>, reader: &Parts<'a>) {
        for part in &reader.all {
            for pattern in object(part, "patternProperties").into_iter().flat_map(Map::keys) {
                let Some(name) = matching(pattern) else { continue };
                let step = Step::Name(name.clone());
                let from = writer.property(self.writer, &name);
                let to = reader.property(self.reader, &name);
                let pointer = format!("{}/patternProperties/{}", part.pointer, escaped(pattern));
                if is_open(&from) && !is_open(&to) {
                    let sides = Sides { writer: whole(writer), reader: pointer };
                    let lens = Lens::only_described(&self.described(writer), writer, &name);
                    let detail = format!("properties like {}", Value::from(pattern.as_str()));
                    let rule = "ADDITIONAL_PROPERTIES_NARROWED";
                    self.note_in(step, rule, sides, detail, PinTo::Present, lens);
                } else {
                    self.inside(step, from, to);
                }
            }
        }
    }

    /// Properties that neither side describes.
    fn other_properties(&mut self, writer: &Parts<'a>, reader: &Parts<'a>, name: &str) {
        let step = Step::Name(name.to_owned());
        let from = writer.property(self.writer, name);
        let to = reader.property(self.reader, name);
        let (rule, pointer) = match (to.never.first(), first(&to)) {
            (Some(never), _) if from.never.is_empty() => ("ADDITIONAL_PROPERTIES_REMOVED", never.clone()),
            (None, Some(pointer)) if is_open(&from) && !is_open(&to) => {
                ("ADDITIONAL_PROPERTIES_NARROWED", pointer)
            }
            (None, _) => return self.inside(step, from, to),
            _ => return,
        };
        let sides = Sides { writer: place(writer, "additionalProperties"), reader: pointer };
        let lens = Lens::only_described(&self.described(writer), writer, name);
        self.note_in(step, rule, sides, "properties that are not described", PinTo::Present, lens);
    }

    fn names(&mut self, writer: &Parts<'a>, reader: &Parts<'a>) {
        for (part, wanted) in reader.said("propertyNames") {
            self.sure &= is_plain(wanted);
            if writer.said("propertyNames").any(|(_, known)| known == wanted) {
                continue;
            }
            let known = said(writer, "propertyNames").is_some();
            let rule = if known { "PROPERTY_NAMES_CHANGED" } else { "PROPERTY_NAMES_ADDED" };
            let sides = Sides {
                writer: place(writer, "propertyNames"),
                reader: format!("{}/propertyNames", part.pointer),
            };
            self.note(rule, sides, "names of properties");
        }
    }

    fn dependencies(&mut self, writer: &Parts<'a>, reader: &Parts<'a>) {
        for keyword in ["dependentRequired", "dependentSchemas", "dependencies"] {
            for part in &reader.all {
                for (name, wanted) in object(part, keyword).into_iter().flatten() {
                    self.dependency(writer, part, keyword, name, wanted);
                }
            }
        }
    }

    fn dependency(
        &mut self,
        writer: &Parts<'a>,
        reader: &Part<'a>,
        keyword: &str,
        name: &str,
        wanted: &'a Value,
    ) {
        let known = ["dependentRequired", "dependentSchemas", "dependencies"].iter().find_map(|keyword| {
            writer.all.iter().find_map(|part| Some((part, *keyword, object(part, keyword)?.get(name)?)))
        });
        let sides = Sides {
            writer: known.map_or_else(
                || whole(writer),
                |(part, keyword, _)| format!("{}/{keyword}/{}", part.pointer, escaped(name)),
            ),
            reader: format!("{}/{keyword}/{}", reader.pointer, escaped(name)),
        };
        self.sure &= is_plain(wanted);
        let rule = match (wanted.as_array(), known.map(|(_, _, known)| known)) {
            (_, Some(known)) if known == wanted => return,
            (Some(names), Some(Value::Array(known))) => match names.iter().all(|name| known.contains(name)) {
                true => return,
                false if known.iter().all(|name| names.contains(name)) => "DEPENDENCY_ARRAY_EXTENDED",
                false => "DEPENDENCY_ARRAY_CHANGED",
            },
            (Some(_), _) => "DEPENDENCY_ARRAY_ADDED",
            (None, Some(known)) if !known.is_array() => {
                // What changed inside says more.
                let from = self.writer.parts(&sides.writer, known);
                let to = self.reader.parts(&sides.reader, wanted);
                return self.schemas(&from, &to);
            }
            (None, _) => "DEPENDENCY_SCHEMA_ADDED",
        };
        self.note(rule, sides, format!("with property {}", Value::from(name)));
    }

    /// What may hold for the object that writers send.
    fn described(&self, writer: &Parts<'a>) -> Parts<'a> {
        described(self.writer, &writer.within(&self.here.0), &whole(writer))
    }

    fn note_in(
        &mut self,
        step: Step,
        rule: &'static str,
        sides: Sides,
        detail: impl Into<String>,
        to: PinTo,
        lens: Option<Lens>,
    ) {
        let mut path = self.path.clone();
        path.push(step);
        self.note_at(rule, sides, detail, Pin { path, to }, lens);
    }
}

/// Is a property described by its name?
fn describes(parts: &Parts<'_>, name: &str) -> bool {
    parts.all.iter().any(|part| object(part, "properties").is_some_and(|known| known.contains_key(name)))
}

/// May there be properties that the object does not describe, of any kind?
fn is_open_model(parts: &Parts<'_>) -> bool {
    parts.all.iter().all(|part| {
        let additional = part.keywords.get("additionalProperties");
        additional.is_none_or(|schema| schema == &Value::Bool(true))
            && object(part, "patternProperties").is_none_or(Map::is_empty)
    })
}
