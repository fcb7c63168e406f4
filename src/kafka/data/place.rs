//! Where a group is in a partition, as it is committed.
//!
//! An offset alone does not tell whether the log is still the one that was read: a leader that was elected though it had not
//! got all of it writes other records at the same offsets. So the epoch of the leader who wrote the last record that was read
//! is committed as well (KIP-320), as the commit's metadata, since librdkafka takes the epoch from C only.

use rdkafka::error::KafkaResult;
use rdkafka::{Offset, TopicPartitionList};

use crate::kafka::fetcher::Start;

const EPOCH: &str = "leader-epoch=";

/// The next record to be read, and the epoch of the leader who wrote the one before it, where that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) next: i64,
    pub(super) epoch: Option<i32>,
}

impl Place {
    /// Adds it to what is to be committed.
    pub(super) fn add_to(
        self,
        list: &mut TopicPartitionList,
        topic: &str,
        partition: i32,
    ) -> KafkaResult<()> {
        list.add_partition_offset(topic, partition, Offset::Offset(self.next))?;
        if let (Some(epoch), Some(mut added)) = (self.epoch, list.find_partition(topic, partition)) {
            added.set_metadata(format!("{EPOCH}{epoch}"));
        }
        Ok(())
    }
}

/// Where a group that has this committed reads on; `None`: that is no place.
pub(super) fn start(offset: Offset, metadata: &str) -> Option<Start> {
    let epoch = metadata.strip_prefix(EPOCH).and_then(|epoch| epoch.parse().ok());
    match (offset, epoch) {
        (Offset::Offset(next), Some(epoch)) => Some(Start::Behind { next, epoch }),
        (Offset::Offset(next), None) => Some(Start::At(next)),
        (Offset::Invalid, _) => Some(Start::Earliest),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_again_as_it_was_committed() {
        for (epoch, found) in [(Some(6), Start::Behind { next: 5, epoch: 6 }), (None, Start::At(5))] {
            let mut list = TopicPartitionList::new();
            Place { next: 5, epoch }.add_to(&mut list, "t", 3).unwrap();
            let committed = list.find_partition("t", 3).unwrap();
            assert_eq!(start(committed.offset(), committed.metadata()), Some(found));
        }
    }

    #[test]
    fn what_others_committed_is_a_place_too() {
        for words in ["", "by hand", "leader-epoch=", "leader-epoch=six"] {
            assert_eq!(start(Offset::Offset(5), words), Some(Start::At(5)), "{words}");
        }
        assert_eq!(start(Offset::Invalid, ""), Some(Start::Earliest));
        assert_eq!(start(Offset::End, ""), None);
    }
}
