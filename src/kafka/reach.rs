//! A cluster as a service of one's own names it.

use std::time::Duration;

use super::data::DataError;
use super::producer::Producer;
use crate::connection::{ConnectionConfig, Given, parse_properties};

/// How to reach a cluster. Nothing is sent before it is used.
#[derive(Clone, Debug)]
pub struct Cluster {
    config: ConnectionConfig,
    /// That of all who publish, where they share one.
    producer: Option<Producer>,
}

/// Why a connection cannot be configured; every reason, with where it was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .reasons.join("; "))]
pub struct ConnectionError {
    pub reasons: Vec<String>,
}

impl Cluster {
    /// The brokers of a cluster without login: `127.0.0.1:9091,127.0.0.1:9092`.
    pub fn at(brokers: &str) -> Result<Self, ConnectionError> {
        Self::from_properties(&format!("bootstrap.servers={brokers}"))
    }

    /// The text of a `client.properties`, as Java's clients read it.
    pub fn from_properties(text: &str) -> Result<Self, ConnectionError> {
        let given: Vec<Given> = parse_properties(text)
            .into_iter()
            .map(|property| Given {
                origin: format!("line {}", property.line),
                key: property.key,
                value: property.value,
            })
            .collect();
        ConnectionConfig::build(&given).map(Self::from).map_err(|problems| ConnectionError {
            reasons: problems
                .into_iter()
                .map(|problem| format!("{}: {}", problem.origin, problem.message))
                .collect(),
        })
    }

    /// A producer: idempotent, acknowledged by all replicas, keys partitioned as Java does.
    pub fn producer(&self) -> Result<Producer, DataError> {
        match &self.producer {
            Some(producer) => Ok(producer.clone()),
            None => Producer::open(&self.config),
        }
    }

    /// For several services in one process: all have the same producer, which sends together what they publish within
    /// `linger`, or within `intended` where they said that they would.
    pub(crate) fn sharing_a_producer(self, linger: Duration, intended: Duration) -> Result<Self, DataError> {
        let producer = Some(Producer::open_shared(&self.config, linger, intended)?);
        Ok(Self { producer, ..self })
    }

    pub(crate) fn config(&self) -> &ConnectionConfig {
        &self.config
    }
}

impl From<ConnectionConfig> for Cluster {
    fn from(config: ConnectionConfig) -> Self {
        Self { config, producer: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_why_a_connection_cannot_be_configured_is_said() {
        let error = Cluster::from_properties("bootstrap.servers=x:y\nsecurity.protocol=MAGIC").unwrap_err();
        assert_eq!(error.reasons.len(), 2, "{error}");
        assert!(
            error.reasons[0].starts_with("line 1: ") && error.reasons[1].starts_with("line 2: "),
            "{error}"
        );
        assert!(Cluster::at("127.0.0.1:9092,localhost:9093").is_ok());
    }
}
