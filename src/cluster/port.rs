//! The ports: what an adapter (a real cluster, the in-memory one) must be able to do. Every call
//! takes a batch and answers for each item, because one bad topic must not hide its neighbours.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::topology::TopicId;
use crate::topology::TopicName;
use crate::topology::observed::{Broker, Setting};

/// A call as a whole failed: nobody answered, or not in a way that can be understood.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ClusterError {
    pub(crate) message: String,
    /// What to type next.
    pub(crate) help: Option<String>,
    /// The request may have been carried out, but its answer was lost.
    pub(crate) outcome_unknown: bool,
}

/// A broker refused one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Kafka's name of the error, as in `TOPIC_AUTHORIZATION_FAILED`.
    pub(crate) error: String,
    /// The broker's own words, where it had any.
    pub(crate) message: Option<String>,
    pub(crate) kind: RefusalKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefusalKind {
    /// The login lacks the right.
    Unauthorized,
    AlreadyExists,
    Unknown,
    /// A controller quota is used up; ask again after this long.
    Throttled(Duration),
    /// The same request may succeed in a moment (another controller, a broker that is behind).
    Retriable,
    /// The request as a whole was too much, or fell under a policy: its items may pass by themselves.
    WholeRequest,
    /// The item itself is wrong, or anything that asking again does not change.
    Final,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => write!(f, "{}: {message}", self.error),
            None => f.write_str(&self.error),
        }
    }
}

/// Which topics are of interest.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scope<'a> {
    Whole,
    Only(&'a [TopicName]),
}

/// What a broker's metadata says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    pub(crate) cluster_id: String,
    pub(crate) brokers: Vec<Broker>,
    pub(crate) elr_version: i16,
    pub(crate) topics: Vec<ListedTopic>,
    /// Topics of [`Scope::Only`] that the broker refused to describe; unknown ones are absent.
    pub(crate) refused: Vec<(TopicName, Refusal)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedTopic {
    pub(crate) name: TopicName,
    pub(crate) id: TopicId,
    pub(crate) internal: bool,
    /// Replica brokers by partition.
    pub(crate) partitions: Vec<Vec<i32>>,
}

/// One setting of a topic, borrowed from the answer it came in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reported<'a> {
    pub(crate) key: &'a str,
    pub(crate) value: Option<&'a str>,
    pub(crate) source: crate::topology::observed::Source,
}

impl Reported<'_> {
    pub(crate) fn to_setting(self) -> Setting {
        Setting { value: self.value.map(str::to_owned), source: self.source }
    }
}

/// A topic to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewTopic {
    pub(crate) name: TopicName,
    pub(crate) partitions: i32,
    /// `None`: the cluster's default.
    pub(crate) replication: Option<i16>,
    pub(crate) configs: BTreeMap<String, String>,
}

/// A topic that gets more partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MorePartitions {
    pub(crate) name: TopicName,
    /// How many there shall be in all.
    pub(crate) total: i32,
}

/// Settings of a topic to set (`Some`) or reset (`None`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AlterTopic {
    pub(crate) name: TopicName,
    pub(crate) configs: BTreeMap<String, Option<String>>,
}

/// Do it, or only ask whether it could be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    ValidateOnly,
    Execute,
}

/// One answer for each item of a request, in the request's order.
pub(crate) type Answers = Vec<Result<(), Refusal>>;

/// Receives each topic's settings as they arrive, in no promised order.
pub(crate) type SettingsSink<'a> = &'a mut dyn FnMut(&TopicName, Result<&[Reported<'_>], Refusal>);

/// Topics and their settings.
pub(crate) trait Topics {
    /// The brokers that are alive, as far as the cluster tells.
    async fn brokers(&self) -> Result<Vec<i32>, ClusterError>;

    /// The topics in scope, as the broker that was reached first knows them.
    async fn list(&self, scope: Scope<'_>) -> Result<Listing, ClusterError>;

    /// The topics as `broker` knows them; brokers lag behind the controller.
    async fn list_from(&self, broker: i32, scope: Scope<'_>) -> Result<Listing, ClusterError>;

    /// All settings of the named topics.
    async fn settings(&self, topics: &[TopicName], sink: SettingsSink<'_>) -> Result<(), ClusterError>;

    /// The settings called `keys` of the named topics, as `broker` knows them.
    async fn settings_from(
        &self,
        broker: i32,
        topics: &[TopicName],
        keys: &[String],
        sink: SettingsSink<'_>,
    ) -> Result<(), ClusterError>;

    async fn create(&self, topics: &[NewTopic], mode: Mode) -> Result<Answers, ClusterError>;

    async fn add_partitions(&self, topics: &[MorePartitions], mode: Mode) -> Result<Answers, ClusterError>;

    async fn alter(&self, topics: &[AlterTopic], mode: Mode) -> Result<Answers, ClusterError>;
}

/// Which offset of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OffsetSpec {
    /// The first one kept.
    Earliest,
    /// The end of the log: one past the last record (the high watermark).
    Latest,
    /// The first record at or after this time (milliseconds since the epoch).
    At(i64),
}

/// What the logs hold.
pub(crate) trait Log {
    /// For each question the offset, or `None` when there is no such record (or no answer for
    /// that partition).
    async fn offsets(
        &self,
        questions: &[(TopicName, i32, OffsetSpec)],
    ) -> Result<Vec<Option<i64>>, ClusterError>;
}
