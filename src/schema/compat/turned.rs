//! Where a schema that accepts less makes the whole accept more.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::schema::document::Document;
use crate::schema::json::escaped;
use crate::schema::named::{holds_names, is_data};

/// Keywords that turn what stands in them round.
const TURNING: [&str; 4] = ["contains", "if", "not", "oneOf"];

/// The places of a document that are turned round, wherever else they may be used.
pub(super) struct Turned {
    /// Pointers: what stands there or inside.
    places: BTreeSet<String>,
    /// It cannot be said where.
    everywhere: bool,
    /// Does it depend on what is described whether something is accepted?
    pub(super) unevaluated: bool,
}

impl Turned {
    pub(super) fn of(document: &Document<'_>) -> Self {
        let mut turned = Self { places: BTreeSet::new(), everywhere: false, unevaluated: false };
        let mut referred = Vec::new();
        turned.note(document.whole(), "", false, &mut referred);
        while let Some((from, reference)) = referred.pop() {
            match document.target(&from, &reference) {
                Some((place, schema)) if turned.places.insert(place.clone()) => {
                    turned.note(schema, &place, true, &mut referred);
                }
                Some(_) => {}
                None => turned.everywhere = true,
            }
        }
        turned
    }

    pub(super) fn holds(&self, place: &str) -> bool {
        let ends = place.char_indices().filter(|(_, c)| *c == '/').map(|(at, _)| at);
        self.everywhere || ends.chain([place.len()]).any(|end| self.places.contains(&place[..end]))
    }

    /// `referred`: references from what is turned, and the places of the schemas that they stand in.
    fn note(&mut self, schema: &Value, place: &str, turned: bool, referred: &mut Vec<(String, String)>) {
        match schema {
            Value::Object(keywords) => {
                for (keyword, value) in keywords.iter().filter(|(keyword, _)| !is_data(keyword)) {
                    let inside = format!("{place}/{}", escaped(keyword));
                    let turns = TURNING.contains(&keyword.as_str());
                    self.unevaluated |= keyword == "unevaluatedProperties";
                    match (keyword.as_str(), value) {
                        ("$ref", Value::String(to)) if turned => {
                            referred.push((place.to_owned(), to.clone()));
                        }
                        ("$dynamicRef" | "$recursiveRef", Value::String(_)) => self.everywhere |= turned,
                        (keyword, Value::Object(named)) if holds_names(keyword) => {
                            for (name, schema) in named {
                                let inside = format!("{inside}/{}", escaped(name));
                                self.note(schema, &inside, turned, referred);
                            }
                        }
                        (_, value) => self.note(value, &inside, turned || turns, referred),
                    }
                    if turns {
                        self.places.insert(inside);
                    }
                }
            }
            Value::Array(schemas) => {
                for (index, schema) in schemas.iter().enumerate() {
                    self.note(schema, &format!("{place}/{index}"), turned, referred);
                }
            }
            _ => {}
        }
    }
}
