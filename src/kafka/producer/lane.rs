//! What waits for one partition, and the one batch of it that is under way.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::batch::{self, Identity};
use crate::kafka::compression::Compression;
use crate::messaging::{Acknowledged, Outgoing, PublishError, Told, doubled};
use crate::unit::UnixMillis;

/// How long a batch rests after a failure: at first, and at most.
const REST: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// A record that was taken over, and whom to tell what became of it.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) record: Outgoing,
    pub(super) weight: usize,
    told: Told,
    at: usize,
}

impl Waiting {
    pub(super) fn new(record: Outgoing, told: Told, at: usize) -> Self {
        Self { weight: batch::weight(&record), record, told, at }
    }

    pub(super) fn tell(self, outcome: Result<Acknowledged, PublishError>) {
        self.told.tell(self.at, outcome);
    }
}

/// A batch that is written, or not, as a whole; its bytes stay the same, so that brokers know it again.
#[derive(Debug)]
struct Sealed {
    bytes: Bytes,
    records: Vec<Waiting>,
    /// The broker that has it at the moment.
    with: Option<i32>,
    failures: u32,
}

#[derive(Debug, Default)]
pub(super) struct Lane {
    leader: Option<i32>,
    waiting: VecDeque<Waiting>,
    sealed: Option<Sealed>,
    /// Of the next batch that is sealed.
    sequence: i32,
    rests_until: Option<Instant>,
}

/// What a batch is sealed with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seal {
    pub(super) by: Identity,
    pub(super) compression: Compression,
    /// How many bytes of records it has at most, but for one that is larger alone.
    pub(super) largest: usize,
    pub(super) now: UnixMillis,
}

impl Lane {
    pub(super) fn push(&mut self, waiting: Waiting) {
        self.waiting.push_back(waiting);
    }

    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.sealed.is_none()
    }

    pub(super) fn leader(&self) -> Option<i32> {
        self.leader
    }

    /// Whether some broker has its batch at the moment.
    pub(super) fn is_under_way(&self) -> bool {
        self.sealed.as_ref().is_some_and(|sealed| sealed.with.is_some())
    }

    /// Whether that broker has it.
    pub(super) fn is_with(&self, broker: i32) -> bool {
        self.sealed.as_ref().is_some_and(|sealed| sealed.with == Some(broker))
    }

    /// Whether its batch may be given to the leader now.
    pub(super) fn is_ready(&mut self, now: Instant) -> bool {
        self.rests_until = self.rests_until.filter(|until| *until > now);
        !self.is_idle() && !self.is_under_way() && self.rests_until.is_none()
    }

    /// Until when it rests.
    pub(super) fn rests_until(&self) -> Option<Instant> {
        self.rests_until
    }

    /// The batch for the leader: that which was not acknowledged before, or the records that wait.
    pub(super) fn hand_over(&mut self, leader: i32, seal: Seal) -> Bytes {
        let sealed = self.sealed.get_or_insert_with(|| {
            let mut size = 0;
            let fit = self.waiting.iter().take_while(|waiting| {
                size += waiting.weight;
                size <= seal.largest
            });
            let count = fit.count().max(1).min(self.waiting.len());
            let records: Vec<Waiting> = self.waiting.drain(..count).collect();
            let weight = records.iter().map(|waiting| waiting.weight).sum();
            let given = records.iter().map(|waiting| &waiting.record);
            let bytes = batch::encode(given, weight, seal.compression, seal.by, self.sequence, seal.now);
            Sealed { bytes, records, with: None, failures: 0 }
        });
        sealed.with = Some(leader);
        self.rests_until = None;
        sealed.bytes.clone()
    }

    /// The leader has written the batch, the first record at that offset. How many bytes of records that was.
    pub(super) fn written(&mut self, partition: i32, first: i64) -> usize {
        let Some(sealed) = self.sealed.take() else { return 0 };
        self.sequence = after(self.sequence, sealed.records.len());
        let mut weight = 0;
        for (offset, waiting) in (first..).zip(sealed.records) {
            weight += waiting.weight;
            waiting.tell(Ok(Acknowledged { partition, offset }));
        }
        weight
    }

    /// Nobody knows whether the batch was written, or it was not: the same one goes to the leader again. `at_once`: where
    /// it is the first time, since a connection that was closed while nothing was said is the usual reason.
    pub(super) fn again(&mut self, at_once: bool, now: Instant) {
        if let Some(sealed) = &mut self.sealed {
            sealed.with = None;
            self.rests_until =
                (sealed.failures > 0 || !at_once).then(|| now + doubled(REST, sealed.failures));
            sealed.failures += 1;
        }
    }

    /// Another broker leads; there is no reason to wait for it.
    pub(super) fn led_by(&mut self, leader: Option<i32>) {
        if self.leader != leader {
            self.leader = leader;
            self.rests_until = None;
        }
    }

    /// How many records its batch has, and their bytes.
    pub(super) fn sealed(&self) -> (usize, usize) {
        let records = self.sealed.iter().flat_map(|sealed| &sealed.records);
        records.fold((0, 0), |(count, weight), waiting| (count + 1, weight + waiting.weight))
    }

    /// The batch was not written: its records wait again, before all others.
    pub(super) fn unseal(&mut self) {
        let records = self.sealed.take().map(|sealed| sealed.records).unwrap_or_default();
        for waiting in records.into_iter().rev() {
            self.waiting.push_front(waiting);
        }
    }

    /// What it has, in its order; it has nothing then.
    pub(super) fn empty(&mut self) -> Vec<Waiting> {
        self.unseal();
        self.waiting.drain(..).collect()
    }

    /// Another identity numbers its batches anew.
    pub(super) fn renumber(&mut self) {
        self.unseal();
        self.sequence = 0;
    }

    /// Gives up its batch for that reason, and what waits behind it since it may not overtake. How many bytes of records
    /// that was.
    pub(super) fn give_up(&mut self, why: &PublishError) -> usize {
        let behind = PublishError::Unacknowledged(format!("one before it was not written: {why}"));
        let records = self.sealed.take().map(|sealed| sealed.records).unwrap_or_default();
        let weight = tell_all(records, why);
        weight + tell_all(self.waiting.drain(..), &behind)
    }
}

/// How many bytes of records that was.
pub(super) fn tell_all(records: impl IntoIterator<Item = Waiting>, why: &PublishError) -> usize {
    let mut weight = 0;
    for waiting in records {
        weight += waiting.weight;
        waiting.tell(Err(why.clone()));
    }
    weight
}

/// `DefaultRecordBatch.incrementSequence` of Apache Kafka: behind the largest comes 0.
fn after(sequence: i32, count: usize) -> i32 {
    let sum = i64::from(sequence) + i64::try_from(count).unwrap_or(0);
    i32::try_from(sum % (i64::from(i32::MAX) + 1)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_go_round() {
        assert_eq!(after(0, 5), 5);
        assert_eq!(after(i32::MAX, 1), 0);
        assert_eq!(after(i32::MAX - 1, 3), 1);
    }
}
