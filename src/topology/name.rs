//! Names as Kafka accepts them.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest topic name that Kafka accepts (`org.apache.kafka.common.internals.Topic`).
pub(crate) const MAX_TOPIC_NAME: usize = 249;

/// A topic name that Kafka accepts: 1 to 249 characters of `[a-zA-Z0-9._-]`, not `.` or `..`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct TopicName(String);

/// Why a text is no topic name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TopicNameError {
    #[error("a topic name must not be empty")]
    Empty,
    #[error("a topic name has at most {MAX_TOPIC_NAME} characters, this one has {0}")]
    TooLong(usize),
    #[error("`{0}` is not allowed in a topic name; use letters, digits, `.`, `_` and `-`")]
    Character(char),
    #[error("a topic cannot be called `.` or `..`")]
    Dots,
}

impl TopicName {
    pub(crate) fn parse(text: &str) -> Result<Self, TopicNameError> {
        if text.is_empty() {
            return Err(TopicNameError::Empty);
        }
        if let Some(character) =
            text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')))
        {
            return Err(TopicNameError::Character(character));
        }
        if text.len() > MAX_TOPIC_NAME {
            return Err(TopicNameError::TooLong(text.len()));
        }
        if text == "." || text == ".." {
            return Err(TopicNameError::Dots);
        }
        Ok(Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as Kafka's metrics write it: topics that differ only in `.` and `_` collide there,
    /// so the broker refuses the second one.
    pub(crate) fn collision_key(&self) -> String {
        self.0.replace('.', "_")
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Borrow<str> for TopicName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TopicName {
    type Error = TopicNameError;
    fn try_from(text: String) -> Result<Self, TopicNameError> {
        Self::parse(&text)
    }
}

impl From<TopicName> for String {
    fn from(name: TopicName) -> Self {
        name.0
    }
}
