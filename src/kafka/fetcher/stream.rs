//! What takes the records of a partition.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::Notify;

use super::batch::{Damage, Records};
use super::queue::Queue;
use crate::messaging::Record;

/// How many changes of the leader are known of: records are not finished long after they are taken.
const EPOCHS: usize = 16;

/// The records of one partition, in their order.
pub(crate) struct Stream {
    feed: Feed,
    records: Option<Records>,
    checked: bool,
    /// Where records begin that the leader of an epoch wrote; the last few that were taken.
    epochs: VecDeque<(i64, i32)>,
}

/// What fills a stream.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    pub(super) topic: Arc<str>,
    pub(super) partition: i32,
    pub(super) queue: Arc<Queue>,
}

impl std::fmt::Display for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.topic, self.partition)
    }
}

impl Stream {
    pub(super) fn new(topic: Arc<str>, partition: i32, queue: Arc<Queue>, checked: bool) -> Self {
        Self { feed: Feed { topic, partition, queue }, records: None, checked, epochs: VecDeque::new() }
    }

    pub(crate) fn feed(&self) -> &Feed {
        &self.feed
    }

    pub(crate) fn topic(&self) -> &Arc<str> {
        &self.feed.topic
    }

    pub(crate) fn partition(&self) -> i32 {
        self.feed.partition
    }

    /// From now on this is notified when there may be something to take.
    pub(crate) fn notify(&self, ready: Arc<Notify>) {
        self.feed.queue.notify(ready);
    }

    /// Takes at most `most` records, without waiting; whether there may be more.
    pub(crate) fn take(&mut self, most: usize, into: &mut VecDeque<Record>) -> bool {
        let Feed { topic, partition, queue } = &self.feed;
        let mut taken = 0;
        while taken < most {
            let Some(records) = &mut self.records else {
                let Some(wanted) = queue.pop() else { return false };
                of_epoch(&mut self.epochs, wanted.from, wanted.batch.epoch());
                match wanted.batch.records(wanted.from, self.checked) {
                    Ok(records) => self.records = Some(records),
                    Err(damage) => return self.damaged(&damage, wanted.from),
                }
                continue;
            };
            match records.next(topic, *partition) {
                Some(Ok(record)) => {
                    into.push_back(record);
                    taken += 1;
                }
                Some(Err(damage)) => {
                    let from = records.from();
                    return self.damaged(&damage, from);
                }
                None => self.records = None,
            }
        }
        true
    }

    /// The epoch of the leader who wrote the record before that offset, as far as it was taken here not long ago.
    pub(crate) fn epoch_before(&self, next: i64) -> Option<i32> {
        let (_, epoch) = self.epochs.iter().rfind(|(from, _)| *from < next)?;
        (*epoch >= 0).then_some(*epoch)
    }

    /// It is read again from there on; nothing is passed by.
    fn damaged(&mut self, damage: &Damage, from: i64) -> bool {
        tracing::error!("{}: {damage}; it is read again until it can be used", self.feed);
        self.records = None;
        self.feed.queue.damaged_at(from);
        false
    }
}

/// Notes that records from there on are of that epoch. A log that lost its end is read again from before that.
fn of_epoch(epochs: &mut VecDeque<(i64, i32)>, from: i64, epoch: i32) {
    while epochs.pop_back_if(|(known, _)| *known >= from).is_some() {}
    if epochs.back().is_none_or(|(_, last)| *last != epoch) {
        epochs.push_back((from, epoch));
        if epochs.len() > EPOCHS {
            epochs.pop_front();
        }
    }
}
