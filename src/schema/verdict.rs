//! What is wrong with a document.

use std::fmt;
use std::ops::Range;

use super::json::JsonError;

/// One thing that is wrong with a document, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer (RFC 6901) of the value; empty for the whole document.
    pub pointer: String,
    /// The bytes of the document to look at.
    pub place: Range<usize>,
    /// The schema's keyword, the rule's name, or `json` for a text that is no JSON.
    pub rule: String,
    /// What would be right: `at least 1`.
    pub expected: String,
    /// What is there: `0`.
    pub found: String,
    /// What to type next, where that can be said.
    pub help: Option<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.pointer.is_empty() {
            write!(f, "{}: ", self.pointer)?;
        }
        write!(f, "expected {}, found {} ({})", self.expected, self.found, self.rule)
    }
}

impl From<JsonError> for Violation {
    fn from(error: JsonError) -> Self {
        Self {
            pointer: String::new(),
            place: error.span.start..error.span.end,
            rule: "json".to_owned(),
            expected: error.mistake.expected(),
            found: error.mistake.found(),
            help: error.mistake.help(),
        }
    }
}
