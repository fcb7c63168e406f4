//! Why a document is no event.

use std::fmt;

use serde_json::value::RawValue;

use crate::text::{listed, quoted};

use super::kind::EventType;

/// Why bytes are no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// The bytes are not one JSON document.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// There is no event of the type that `eventType` says.
    #[error(
        "{} is no type of event; there are {}",
        quoted(.0),
        listed(EventType::ALL.iter().map(|kind| kind.as_str()), EventType::ALL.len())
    )]
    UnknownType(String),
    /// A field is not what it has to be.
    #[error(transparent)]
    Field(#[from] FieldError),
}

/// What is wrong with a field of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Where it is, as a JSON pointer; empty for the whole document.
    pub pointer: String,
    /// What has to be there, without a full stop: `a number from 1 to 9`.
    pub expected: String,
    /// The beginning of what is there, safe to show; `None` when nothing is.
    pub found: Option<String>,
}

impl FieldError {
    pub(super) fn new(expected: impl Into<String>, found: Option<&RawValue>) -> Self {
        let found = found.map(|raw| quoted(raw.get()));
        Self { pointer: String::new(), expected: expected.into(), found }
    }

    /// The same, seen from the object or array that holds it.
    pub(super) fn within(mut self, step: impl fmt::Display) -> Self {
        let step = step.to_string().replace('~', "~0").replace('/', "~1");
        self.pointer = format!("/{step}{}", self.pointer);
        self
    }
}

impl std::error::Error for FieldError {}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "the event".to_owned() } else { quoted(&self.pointer) };
        match &self.found {
            Some(found) => write!(f, "{place} is {found}, expected {}", self.expected),
            None => write!(f, "{place} is missing, expected {}", self.expected),
        }
    }
}
