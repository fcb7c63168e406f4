//! How far groups are with what is in the broker.

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

impl Embedded {
    /// How far these groups are. No group is joined.
    pub(crate) async fn progress(&self, groups: Vec<Consuming>) -> Result<Progress, DataError> {
        let addresses = self.addresses();
        let failed = |reason: String| DataError::Kafka { reason };
        let asked = tokio::task::spawn_blocking(move || {
            let mut sum = Progress::default();
            for one in &groups {
                add(&addresses, one, &mut sum)?;
            }
            KafkaResult::Ok(sum)
        });
        let asked = asked.await.map_err(|error| failed(error.to_string()))?;
        asked.map_err(|error| failed(error.to_string()))
    }
}

fn add(addresses: &str, of: &Consuming, sum: &mut Progress) -> KafkaResult<()> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", addresses)
        .set("group.id", &of.group)
        .set("enable.auto.commit", "false")
        .create()?;
    let mut list = TopicPartitionList::new();
    for (topic, partitions) in &of.partitions {
        list.add_partition_range(topic, 0, partitions - 1);
    }
    // What is written afterwards is no lag yet, so that a group is never ahead.
    let committed = consumer.committed_offsets(list, ASK)?;
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
