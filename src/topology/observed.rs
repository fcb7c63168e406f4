//! The observed state: what a cluster reported. Its JSON is the snapshot format and the fixture
//! format of tests.

use std::collections::BTreeMap;

use super::name::TopicName;
use super::topic_id::TopicId;
use serde::{Deserialize, Serialize};

/// Version of the JSON form.
pub(crate) const SNAPSHOT_VERSION: u32 = 1;

/// A cluster as it reported itself at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClusterState {
    pub(crate) version: u32,
    pub(crate) cluster_id: String,
    pub(crate) brokers: Vec<Broker>,
    /// Level of the `eligible.leader.replicas.version` feature; 0 = off or not known to the
    /// cluster (Kafka before 4.0).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) elr_version: i16,
    /// What holds where a topic says nothing: setting -> effective value, as most topics report it.
    pub(crate) defaults: BTreeMap<String, Setting>,
    pub(crate) topics: BTreeMap<TopicName, ObservedTopic>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(value: &i16) -> bool {
    *value == 0
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Broker {
    pub(crate) id: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rack: Option<String>,
}

/// A topic as the cluster reported it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObservedTopic {
    /// Identity of this incarnation of the name; nil where a broker does not report one.
    pub(crate) id: TopicId,
    /// Kafka's own (`__consumer_offsets`, …): never touched.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) internal: bool,
    /// Replica brokers by partition; the index is the partition.
    pub(crate) partitions: Vec<Vec<i32>>,
    /// Settings held by the topic itself (`DYNAMIC_TOPIC_CONFIG`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) overrides: BTreeMap<String, Option<String>>,
    /// Inherited settings that differ from [`ClusterState::defaults`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) inherited: BTreeMap<String, Setting>,
}

/// An effective value and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Setting {
    /// `None`: not reported (a sensitive value, or no value).
    pub(crate) value: Option<String>,
    pub(crate) source: Source,
}

/// Kafka's `ConfigSource`, as `DescribeConfigs` reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Source {
    Topic,
    DynamicBroker,
    DynamicDefaultBroker,
    StaticBroker,
    Default,
    DynamicBrokerLogger,
    ClientMetrics,
    Group,
    Unknown,
}

impl ObservedTopic {
    pub(crate) fn partition_count(&self) -> i32 {
        i32::try_from(self.partitions.len()).unwrap_or(i32::MAX)
    }

    /// The replica counts found among the partitions, smallest and largest; a reassignment or a
    /// hand-made placement can leave them unequal.
    pub(crate) fn replication(&self) -> (usize, usize) {
        let counts = || self.partitions.iter().map(Vec::len);
        (counts().min().unwrap_or(0), counts().max().unwrap_or(0))
    }
}

impl ClusterState {
    /// The effective value of a setting of `topic`; `None` when the cluster reported no such key.
    pub(crate) fn effective<'a>(
        &'a self,
        topic: &'a ObservedTopic,
        key: &str,
    ) -> Option<(Option<&'a str>, Source)> {
        if let Some(value) = topic.overrides.get(key) {
            return Some((value.as_deref(), Source::Topic));
        }
        topic
            .inherited
            .get(key)
            .or_else(|| self.defaults.get(key))
            .map(|setting| (setting.value.as_deref(), setting.source))
    }
}
