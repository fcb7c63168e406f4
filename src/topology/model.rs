//! The desired state: what `topology.yaml` says, defaults and environment already applied.

use std::collections::BTreeMap;

use super::name::TopicName;
use crate::unit::{Duration, Rate};

/// A whole topology. Topics stand in file order; a dead-letter topic follows its source.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Topology {
    pub(crate) name: Option<String>,
    /// Folder of the event schemas, as written in the file.
    pub(crate) schemas: Option<String>,
    pub(crate) services: Vec<Service>,
    pub(crate) topics: Vec<Topic>,
}

impl Topology {
    /// The consumer group of a service; `None`: it has none, or is not there.
    pub(crate) fn group_of(&self, service: &str) -> Option<&str> {
        self.services.iter().find(|known| known.name == service)?.group.as_deref()
    }

    /// The topics that a service consumes, in the file's order.
    pub(crate) fn consumed_by(&self, service: &str) -> impl Iterator<Item = &Topic> {
        self.topics.iter().filter(move |topic| topic.consumers.iter().any(|name| name == service))
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) group: Option<String>,
    pub(crate) instances: Option<u32>,
    /// Time that one record takes in the handler.
    pub(crate) handler: Option<Duration>,
}

/// A topic as it should be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Topic {
    pub(crate) name: TopicName,
    /// At least 1.
    pub(crate) partitions: i32,
    /// `None`: the cluster's own default, never compared.
    pub(crate) replication: Option<i16>,
    /// Topic settings by Kafka's key (`retention:` is here as `retention.ms`); `None` = reset to
    /// the cluster's default.
    pub(crate) configs: BTreeMap<String, Option<String>>,
    /// Field of the payload that is the record key.
    pub(crate) key: Option<String>,
    pub(crate) events: Vec<String>,
    pub(crate) producers: Vec<String>,
    pub(crate) consumers: Vec<String>,
    /// What consumers do with types of events that the topic should not carry.
    pub(crate) unknown_events: UnknownEvents,
    pub(crate) rate: Option<Rate>,
    pub(crate) copartitioned_with: Option<TopicName>,
    pub(crate) rationale: Option<String>,
    pub(crate) role: TopicRole,
    /// Line of the file (1-based) where the topic begins, for messages.
    pub(crate) line: usize,
}

/// `unknown_events:`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum UnknownEvents {
    Skip,
    #[default]
    DeadLetter,
}

/// How often consumers try a record before it is a dead letter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Retry {
    /// The first one included.
    pub(crate) attempts: u32,
    /// The pause between two attempts, or the first of those that double.
    pub(crate) backoff: Duration,
    /// How long pauses get that double each time; `None`: all are as long as the first.
    pub(crate) max_backoff: Option<Duration>,
}

impl Default for Retry {
    /// Spring Kafka's ten attempts, a second apart.
    fn default() -> Self {
        Self { attempts: 10, backoff: Duration::from_millis(1000), max_backoff: None }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TopicRole {
    /// An ordinary topic, and where its failed records go after which attempts.
    Source { dead_letters: Option<TopicName>, retry: Retry },
    /// The dead-letter topic of the named one.
    DeadLettersOf(TopicName),
}
