//! Events: each is judged by the schema of its type.

use std::collections::BTreeMap;

use super::json::{self, Kind, Node, scan};
use super::program::Places;
use super::{Schema, Violation, alone};
use crate::text::{listed, nearest, quoted};

/// The field that says an event's type.
const TYPE_FIELD: &str = "eventType";
/// Types of events that a message lists.
const MOST_LISTED: usize = 10;

/// Schemas by type of event.
#[derive(Debug, Default)]
pub struct ByType {
    schemas: BTreeMap<String, Schema>,
}

impl ByType {
    /// No event is known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the schema of a type of event, or replaces it.
    #[must_use]
    pub fn with(mut self, event: impl Into<String>, schema: Schema) -> Self {
        self.schemas.insert(event.into(), schema);
        self
    }

    /// The schema of a type of event.
    #[must_use]
    pub fn get(&self, event: &str) -> Option<&Schema> {
        self.schemas.get(event)
    }

    /// The types of events, in order.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.schemas.keys().map(String::as_str)
    }
}

/// What a topic may carry.
#[derive(Clone, Debug)]
pub struct Carries {
    pub topic: String,
    pub events: Vec<String>,
    /// The field that is the record key.
    pub key: Option<String>,
}

/// Judges documents.
#[derive(Debug)]
pub struct Judge {
    pick: Pick,
    carries: Option<Carries>,
}

#[derive(Debug)]
enum Pick {
    One(Schema),
    ByType(ByType),
    /// Whatever the documents say of themselves.
    AsType(ByType, String),
}

impl Judge {
    /// One schema for every document.
    #[must_use]
    pub fn one(schema: Schema) -> Self {
        Self { pick: Pick::One(schema), carries: None }
    }

    /// Every event by the schema of its `eventType`.
    #[must_use]
    pub fn by_type(schemas: ByType) -> Self {
        Self { pick: Pick::ByType(schemas), carries: None }
    }

    /// Every document as an event of one type.
    #[must_use]
    pub fn as_type(schemas: ByType, event: impl Into<String>) -> Self {
        Self { pick: Pick::AsType(schemas, event.into()), carries: None }
    }

    /// Also asks whether a topic may carry the event, and whether its key is there.
    #[must_use]
    pub fn carried_by(mut self, carries: Carries) -> Self {
        self.carries = Some(carries);
        self
    }

    /// Whether the bytes are one valid document.
    #[must_use]
    pub fn is_valid(&self, document: &[u8]) -> bool {
        let surely = |text: &str, at, places: &mut Places| self.surely_valid(text, at, places);
        alone::is_valid(document, surely, || self.violations(document))
    }

    /// Whether the bytes are beyond doubt one valid document that calls itself an `event`; `false` says nothing.
    pub(crate) fn is_surely(&self, document: &[u8], event: &[u8]) -> bool {
        alone::is_surely_valid(document, |text, at, places| {
            if peek_type(text, at)?.as_bytes() != event {
                return None;
            }
            self.surely_valid(text, at, places)
        })
    }

    /// Everything that is wrong with the bytes as one document; places are bytes of `document`.
    #[must_use]
    pub fn violations(&self, document: &[u8]) -> Vec<Violation> {
        alone::violations(document, |text, node| self.judge(text, node))
    }

    /// Whether an array stands for the documents in it.
    pub(crate) fn lists(&self) -> bool {
        match &self.pick {
            Pick::One(schema) => !schema.takes_arrays(),
            Pick::ByType(_) | Pick::AsType(..) => true,
        }
    }

    /// The end of the document that begins at `at` if nothing is wrong with it for sure.
    pub(crate) fn surely_valid(&self, text: &str, at: usize, places: &mut Places) -> Option<usize> {
        let (schema, event) = match &self.pick {
            Pick::One(schema) => (schema, None),
            Pick::ByType(schemas) => {
                let event = peek_type(text, at)?;
                (schemas.get(event)?, Some(event))
            }
            Pick::AsType(schemas, event) => (schemas.get(event)?, Some(event.as_str())),
        };
        if let Some(carries) = &self.carries {
            let allowed = event.is_some_and(|event| carries.events.iter().any(|allowed| allowed == event));
            let keyed = carries.key.as_ref().is_none_or(|key| schema.requires_text(key));
            if !allowed || !keyed {
                return None;
            }
        }
        schema.surely_valid(text, at, places)
    }

    /// Whether a document that could be read has nothing wrong.
    pub(crate) fn holds(&self, text: &[u8], node: &Node) -> bool {
        match (&self.pick, &self.carries) {
            (Pick::One(schema), None) => schema.holds(text, node),
            (Pick::ByType(schemas), None) => node
                .member(TYPE_FIELD)
                .and_then(|member| schemas.get(member.value.as_str()?))
                .is_some_and(|schema| schema.holds(text, node)),
            _ => self.judge(text, node).is_empty(),
        }
    }

    /// What is wrong with a document that could be read.
    pub(crate) fn judge(&self, text: &[u8], node: &Node) -> Vec<Violation> {
        let picked = match &self.pick {
            Pick::One(schema) => Ok(schema),
            Pick::ByType(schemas) => picked(schemas, node),
            Pick::AsType(schemas, event) => {
                schemas.get(event).ok_or_else(|| Box::new(unknown(schemas, event, node)))
            }
        };
        let mut found = match picked {
            Ok(schema) => schema.judge(text, node),
            Err(violation) => vec![*violation],
        };
        if let Some(carries) = &self.carries {
            found.extend(not_carried(carries, node));
            found.extend(without_key(carries, node, &found));
            found.sort_by_key(|violation| violation.place.start);
        }
        found
    }
}

fn picked<'s>(schemas: &'s ByType, node: &Node) -> Result<&'s Schema, Box<Violation>> {
    let missing = |found: String| Violation {
        pointer: String::new(),
        place: node.span.start..node.span.start + 1,
        rule: "event-type".to_owned(),
        expected: format!("an event: an object with {}", quoted(TYPE_FIELD)),
        found,
        help: Some("`--type NAME` says which event it is, `--schema FILE` takes any schema".to_owned()),
    };
    if !matches!(node.kind, Kind::Object(_)) {
        return Err(Box::new(missing(node.kind_name().to_owned())));
    }
    let Some(member) = node.member(TYPE_FIELD) else {
        let names = node.members().iter().map(|member| member.name.as_str());
        let likely = nearest(TYPE_FIELD, names).and_then(|likely| node.member(likely));
        return Err(Box::new(match likely {
            Some(likely) => Violation {
                place: likely.name_span.start..likely.name_span.end,
                help: Some(format!("rename it to {}", quoted(TYPE_FIELD))),
                ..missing(quoted(&likely.name))
            },
            None => missing("none of that name".to_owned()),
        }));
    };
    let event = member.value.as_str().ok_or_else(|| {
        Box::new(Violation {
            pointer: format!("/{TYPE_FIELD}"),
            place: member.value.span.start..member.value.span.end,
            ..missing(member.value.kind_name().to_owned())
        })
    })?;
    schemas.get(event).ok_or_else(|| Box::new(unknown(schemas, event, &member.value)))
}

fn unknown(schemas: &ByType, event: &str, at: &Node) -> Violation {
    let types: Vec<&str> = schemas.types().collect();
    Violation {
        pointer: format!("/{TYPE_FIELD}"),
        place: at.span.start..at.span.end,
        rule: "event-type".to_owned(),
        expected: format!(
            "a type of event that has a schema: {}",
            listed(types.iter().copied(), MOST_LISTED)
        ),
        found: quoted(event),
        help: nearest(event, types).map(|likely| format!("did you mean {}?", quoted(likely))),
    }
}

fn not_carried(carries: &Carries, node: &Node) -> Option<Violation> {
    let value = &node.member(TYPE_FIELD)?.value;
    let event = value.as_str()?;
    if carries.events.iter().any(|allowed| allowed == event) {
        return None;
    }
    let events = listed(carries.events.iter().map(String::as_str), MOST_LISTED);
    Some(Violation {
        pointer: format!("/{TYPE_FIELD}"),
        place: value.span.start..value.span.end,
        rule: "topic".to_owned(),
        expected: format!("an event that {} carries: {events}", quoted(&carries.topic)),
        found: quoted(event),
        help: Some("send it to its own topic, or add it to the topic's `events:`".to_owned()),
    })
}

/// The key must be a text with something in it; what the schema says of it already is not said again.
fn without_key(carries: &Carries, node: &Node, said: &[Violation]) -> Option<Violation> {
    let key = carries.key.as_ref()?;
    let violation = |place: std::ops::Range<usize>, pointer: String, found: String| Violation {
        pointer,
        place,
        rule: "key".to_owned(),
        expected: format!("{}, the record key of {}", quoted(key), quoted(&carries.topic)),
        found,
        help: None,
    };
    let pointer = format!("/{}", json::escaped(key));
    let missing = quoted(key);
    let known = |violation: &Violation| {
        violation.pointer == pointer
            || (violation.rule == "required" && violation.expected.ends_with(&missing))
    };
    if said.iter().any(known) {
        return None;
    }
    match node.member(key) {
        None => {
            let start = node.span.start;
            Some(violation(start..start + 1, String::new(), "none of that name".to_owned()))
        }
        Some(member) => match &member.value.kind {
            Kind::String(text) if !text.is_empty() => None,
            Kind::String(_) => {
                let span = member.value.span;
                Some(violation(span.start..span.end, pointer, "an empty text".to_owned()))
            }
            _ => {
                let span = member.value.span;
                Some(violation(span.start..span.end, pointer, member.value.kind_name().to_owned()))
            }
        },
    }
}

/// The type of the event that begins at `at`, when it is easily seen.
fn peek_type(text: &str, at: usize) -> Option<&str> {
    let bytes = text.as_bytes();
    let mut at = scan::skip_blanks(bytes, at);
    if bytes.get(at) != Some(&b'{') {
        return None;
    }
    loop {
        at = scan::skip_blanks(bytes, at + 1);
        if bytes.get(at) != Some(&b'"') {
            return None;
        }
        let name_end = scan::plain_until(bytes, at + 1);
        let is_it = &bytes[at + 1..name_end] == TYPE_FIELD.as_bytes();
        at = scan::skip_blanks(bytes, scan::skip_string(bytes, at)?);
        if bytes.get(at) != Some(&b':') {
            return None;
        }
        at = scan::skip_blanks(bytes, at + 1);
        if is_it {
            let plain = bytes.get(at) == Some(&b'"');
            let end = scan::plain_until(bytes, at + 1);
            return (plain && bytes.get(end) == Some(&b'"')).then(|| &text[at + 1..end]);
        }
        at = scan::skip_blanks(bytes, scan::skip_value(bytes, at)?);
        if bytes.get(at) != Some(&b',') {
            return None;
        }
    }
}

#[cfg(test)]
#[path = "by_type_tests.rs"]
mod tests;
