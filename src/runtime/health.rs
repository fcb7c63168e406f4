//! How the parts of a service are, as `/healthz` tells it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How each part of a service is. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<Mutex<BTreeMap<String, Condition>>>);

/// How a part is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It works; what there is to say of it.
    Fine(String),
    /// It does not at present, or not as it should, and why. The process goes on trying.
    Troubled(String),
}

impl Health {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub fn fine(&self, part: &str, what: impl Into<String>) {
        self.set(part, Condition::Fine(what.into()));
    }

    pub fn troubled(&self, part: &str, why: impl Into<String>) {
        self.set(part, Condition::Troubled(why.into()));
    }

    /// Each part by its name, in order.
    #[must_use]
    pub fn parts(&self) -> BTreeMap<String, Condition> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, part: &str, condition: Condition) {
        let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match parts.get_mut(part) {
            Some(known) => *known = condition,
            None => drop(parts.insert(part.to_owned(), condition)),
        }
    }
}
