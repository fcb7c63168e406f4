//! Offsets of a topic's partitions.

use crate::cluster::port::{ClusterError, Log, OffsetSpec};
use crate::kafka::admin::Admin;
use crate::topology::TopicName;

/// The offset of each partition of a topic, in their order; `None` where nobody answers for it.
pub(crate) async fn of_partitions(
    admin: &Admin,
    topic: &TopicName,
    partitions: &[i32],
    spec: OffsetSpec,
) -> Result<Vec<Option<i64>>, ClusterError> {
    let questions: Vec<_> = partitions.iter().map(|partition| (topic.clone(), *partition, spec)).collect();
    admin.offsets(&questions).await
}
