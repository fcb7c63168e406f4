//! The identity of one incarnation of a topic name.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// Kafka's topic id, written as Kafka's tools write it: 22 characters of URL-safe base64
/// (`org.apache.kafka.common.Uuid`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct TopicId([u8; 16]);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a topic id; Kafka writes one as 22 characters of URL-safe base64")]
pub(crate) struct TopicIdError(String);

impl TopicId {
    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl TryFrom<String> for TopicId {
    type Error = TopicIdError;
    fn try_from(text: String) -> Result<Self, TopicIdError> {
        let bytes = URL_SAFE_NO_PAD.decode(&text).ok();
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(TopicIdError(text))
    }
}

impl From<TopicId> for String {
    fn from(id: TopicId) -> Self {
        id.to_string()
    }
}
