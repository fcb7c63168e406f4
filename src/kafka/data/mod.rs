//! Consumer groups, and readers without one: rdkafka. Its calls block; none of them runs on a tokio worker.

mod config;
mod context;
mod group;
mod place;
#[cfg(test)]
mod planes_test;
mod reader;
mod record;
#[cfg(test)]
pub(crate) mod testing;

pub use group::Membership;
pub(crate) use group::{Done, GroupConsumer, GroupEvent, Stream};
pub(crate) use reader::{Read, Reader};

pub(crate) use super::fetcher::Moved;
use context::Context;

use super::wire::{Client, WireError};
use crate::connection::ConnectionConfig;

/// Why the data plane cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DataError {
    #[error("{key}: {reason}")]
    Setting { key: String, reason: String },
    /// No broker could be reached or logged in to; librdkafka's own words.
    #[error("{reason}")]
    Unreached { reason: String },
    #[error("{reason}")]
    Kafka { reason: String },
}

impl DataError {
    /// librdkafka's own words name the property, never its value.
    fn of_config(error: &rdkafka::error::KafkaError) -> Self {
        match error {
            rdkafka::error::KafkaError::ClientConfig(_, reason, key, _) => {
                Self::Setting { key: key.clone(), reason: reason.clone() }
            }
            other => Self::Kafka { reason: other.to_string() },
        }
    }
}

impl DataError {
    /// The same failure in the words of the admin plane, which tells more failures apart: it tries the same
    /// connection once.
    pub(crate) async fn explained(self, connection: &ConnectionConfig) -> Explained {
        if let Self::Unreached { .. } = self
            && let Err(error) = Client::connect(connection.clone()).await
        {
            return Explained::Wire(error);
        }
        Explained::Data(self)
    }
}

/// A failure of the data plane in the words that tell most.
#[derive(Debug)]
pub(crate) enum Explained {
    Wire(WireError),
    /// The admin plane has no trouble there.
    Data(DataError),
}

impl Explained {
    /// What to type next.
    pub(crate) fn help(&self) -> Option<String> {
        match self {
            Self::Wire(error) => error.help(),
            Self::Data(_) => None,
        }
    }
}

impl std::fmt::Display for Explained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Wire(error) => error.fmt(f),
            Self::Data(error) => error.fmt(f),
        }
    }
}

fn unreached(context: &Context) -> DataError {
    DataError::Unreached { reason: context.complaint().unwrap_or_else(|| "no broker answers".to_owned()) }
}
