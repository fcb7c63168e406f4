//! How far groups are with what is in the broker.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::Embedded;
use crate::kafka::data::DataError;

/// How long an answer may take.
const ASK: Duration = Duration::from_secs(2);

/// A group, and its topics with how many partitions each has.
#[derive(Clone, Debug)]
pub(crate) struct Consuming {
    pub(crate) group: String,
    pub(crate) partitions: Vec<(String, i32)>,
}

/// Sums over all partitions of all groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Records that were ever written.
    pub(crate) written: i64,
    /// Records that no group has committed yet.
    pub(crate) lag: i64,
}

/// Looks at groups, without joining any. Clones share its clients.
#[derive(Clone)]
pub(crate) struct Onlooker(Arc<Vec<(BaseConsumer, TopicPartitionList)>>);

impl Embedded {
    /// Who looks at these groups.
    pub(crate) fn onlooker(&self, groups: &[Consuming]) -> Result<Onlooker, DataError> {
        let addresses = self.addresses();
        let looking: KafkaResult<Vec<_>> = groups.iter().map(|one| client(&addresses, one)).collect();
        looking.map(|looking| Onlooker(Arc::new(looking))).map_err(|error| failed(&error))
    }
}

impl Onlooker {
    /// How far the groups are.
    pub(crate) async fn progress(&self) -> Result<Progress, DataError> {
        let looking = self.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let mut sum = Progress::default();
            for (consumer, partitions) in looking.0.iter() {
                add(consumer, partitions, &mut sum)?;
            }
            KafkaResult::Ok(sum)
        });
        asked.await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
    }

    /// Ends its clients, which takes a moment.
    pub(crate) async fn end(self) {
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}

fn failed(error: &impl std::fmt::Display) -> DataError {
    DataError::Kafka { reason: error.to_string() }
}

fn client(addresses: &str, of: &Consuming) -> KafkaResult<(BaseConsumer, TopicPartitionList)> {
    let consumer = ClientConfig::new()
        .set("bootstrap.servers", addresses)
        .set("group.id", &of.group)
        .set("enable.auto.commit", "false")
        .create()?;
    let mut list = TopicPartitionList::new();
    for (topic, partitions) in &of.partitions {
        list.add_partition_range(topic, 0, partitions - 1);
    }
    Ok((consumer, list))
}

fn add(consumer: &BaseConsumer, partitions: &TopicPartitionList, sum: &mut Progress) -> KafkaResult<()> {
    // What is written afterwards is no lag yet, so that a group is never ahead.
    let committed = consumer.committed_offsets(partitions.clone(), ASK)?;
    for one in committed.elements() {
        let (first, end) = consumer.fetch_watermarks(one.topic(), one.partition(), ASK)?;
        let at = match one.offset() {
            Offset::Offset(at) => at,
            _ => first,
        };
        sum.written += end;
        sum.lag += (end - at).max(0);
    }
    Ok(())
}
