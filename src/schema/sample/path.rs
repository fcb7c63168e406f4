//! Places in a document.

use std::fmt;

use serde_json::Value;

use crate::schema::json::{escaped, tokens};

/// A step from a value to one inside it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Name(String),
    Index(usize),
}

impl Step {
    /// The value one step inside another.
    pub(super) fn of<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        match self {
            Self::Name(name) => value.get(name),
            Self::Index(index) => value.get(index),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "/{}", escaped(name)),
            Self::Index(index) => write!(f, "/{index}"),
        }
    }
}

/// The value that steps lead to.
pub(super) fn at<'a>(value: &'a mut Value, path: &[Step]) -> Option<&'a mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Name(name) => value.get_mut(name),
        Step::Index(index) => value.get_mut(index),
    })
}

/// The value that steps lead to, to be looked at.
pub(super) fn get<'a>(value: &'a Value, path: &[Step]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, step| step.of(value))
}

/// The steps of a JSON pointer into a document.
pub(crate) fn steps(document: &Value, pointer: &str) -> Vec<Step> {
    let mut around = Some(document);
    let mut path = Vec::new();
    for token in tokens(pointer) {
        // A property may be called `007`.
        let index = around.filter(|around| around.is_array()).and_then(|_| token.parse().ok());
        let step = index.map_or(Step::Name(token), Step::Index);
        around = around.and_then(|around| step.of(around));
        path.push(step);
    }
    path
}

/// Every place of a document, the whole one first.
pub(crate) fn places(value: &Value) -> Vec<Vec<Step>> {
    let mut found = Vec::new();
    collect(value, &mut Vec::new(), &mut found);
    found
}

fn collect(value: &Value, path: &mut Vec<Step>, found: &mut Vec<Vec<Step>>) {
    found.push(path.clone());
    let inside: Vec<(Step, &Value)> = match value {
        Value::Object(members) => {
            members.iter().map(|(name, value)| (Step::Name(name.clone()), value)).collect()
        }
        Value::Array(elements) => {
            elements.iter().enumerate().map(|(index, value)| (Step::Index(index), value)).collect()
        }
        _ => Vec::new(),
    };
    for (step, value) in inside {
        path.push(step);
        collect(value, path, found);
        path.pop();
    }
}
