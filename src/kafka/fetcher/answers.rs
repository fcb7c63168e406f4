//! What brokers say, and what it means for the partitions that are read. Pure.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::error::ResponseError as E;
use kafka_protocol::messages::fetch_response::{AbortedTransaction, PartitionData};
use kafka_protocol::messages::list_offsets_response::ListOffsetsPartitionResponse;
use kafka_protocol::messages::{FetchResponse, ListOffsetsResponse, MetadataResponse};
use tokio::time::Instant;
use uuid::Uuid;

use super::Moved;
use super::batch::{Batch, Damage};
use super::book::Book;
use super::queue::Wanted;
use super::track::{Position, Track};
use crate::kafka::wire::name_of;

/// A partition's part of an answer is copied where it is less than this part of all of it: it would keep the rest in memory.
const SMALL: usize = 4;
/// Bytes of an answer that are little: what is asked for next may well be more in a moment.
const LITTLE: usize = 16 * 1024;

/// What is to be said of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Notice {
    Moved(Moved),
    /// It is asked of another broker from now on, as the leader wants it.
    Nearer(String),
    /// Something is tried again.
    Again(String),
    /// Somebody must know.
    Grave(String),
}

impl Book {
    /// Takes over what brokers say about topics.
    pub(super) fn learn(&mut self, answer: &MetadataResponse) {
        for told in &answer.topics {
            let Some(name) = &told.name else { continue };
            let Some(at) = self.topics.iter().position(|topic| topic.name == **name) else { continue };
            self.topics[at].id = told.topic_id;
            let mut all = true;
            for (key, track) in self.tracks.range_mut((at, i32::MIN)..=(at, i32::MAX)) {
                let partition = told.partitions.iter().find(|partition| partition.partition_index == key.1);
                let leader = partition
                    .filter(|partition| partition.leader_id.0 >= 0)
                    .map(|partition| (partition.leader_id.0, partition.leader_epoch));
                track.led_by(leader);
                all &= leader.is_some();
            }
            self.topics[at].stale = !all;
        }
    }

    /// A broker does not answer.
    pub(super) fn lost(&mut self, call: u64, now: Instant) {
        self.calls.remove(&call);
        for ((at, _), track) in &mut self.tracks {
            if track.asked_by == Some(call) {
                track.failed(now);
                track.read_from(None, now);
                self.topics[*at].stale = true;
            }
        }
    }

    /// A broker has answered with records.
    pub(super) fn fetched(&mut self, call: u64, answer: FetchResponse, now: Instant) -> Vec<Notice> {
        let broker = self.ended(call, answer.throttle_time_ms, now);
        let mut notices = Vec::new();
        if answer.error_code != 0 {
            notices.push(Notice::Again(name_of(answer.error_code)));
        }
        self.answers += 1;
        let sizes = answer.responses.iter().flat_map(|topic| &topic.partitions);
        let whole: usize = sizes.map(|part| part.records.as_ref().map_or(0, Bytes::len)).sum();
        let mut more = false;
        for topic in answer.responses {
            let Some(at) = self.place_of(topic.topic.as_str(), topic.topic_id) else { continue };
            for part in topic.partitions {
                let Some(track) = self.tracks.get_mut(&(at, part.partition_index)) else { continue };
                if track.asked_by != Some(call) {
                    continue;
                }
                track.asked_by = None;
                let end = readable_end(&part, self.settings.uncommitted);
                let mut reading = Reading {
                    track,
                    stale: &mut self.topics[at].stale,
                    uncommitted: self.settings.uncommitted,
                    broker,
                    now,
                    notices: &mut notices,
                };
                if reading.read(part, whole) {
                    track.served = self.answers;
                }
                more |= matches!(track.position, Position::At(next) if next < end);
            }
        }
        // Records that were written together are seen one partition after the other, as the replicas follow: the first of them
        // would be an answer of its own, and so would the second. Not where the broker has more: librdkafka's mock answers
        // with one batch of a partition, however many there are.
        if let Some(broker) = broker
            && (1..LITTLE).contains(&whole)
            && !more
        {
            self.rests(broker, self.settings.rest, now);
        }
        // What it says nothing about is as good as lost on the way.
        self.lost(call, now);
        notices
    }

    /// A broker has said where partitions begin.
    pub(super) fn located(&mut self, call: u64, answer: &ListOffsetsResponse, now: Instant) -> Vec<Notice> {
        self.ended(call, answer.throttle_time_ms, now);
        let mut notices = Vec::new();
        for topic in &answer.topics {
            let Some(at) = self.place_of(topic.name.as_str(), Uuid::nil()) else { continue };
            for part in &topic.partitions {
                let Some(track) = self.tracks.get_mut(&(at, part.partition_index)) else { continue };
                if track.asked_by == Some(call) {
                    track.asked_by = None;
                    notices.extend(locate(track, part, &mut self.topics[at].stale, now));
                }
            }
        }
        self.lost(call, now);
        notices
    }

    /// The broker, which may want to be left alone.
    fn ended(&mut self, call: u64, throttle_ms: i32, now: Instant) -> Option<i32> {
        let broker = self.calls.remove(&call)?;
        self.rests(broker, Duration::from_millis(u64::try_from(throttle_ms).unwrap_or(0)), now);
        Some(broker)
    }

    /// Leaves a broker alone for that time, or for longer where that was said before.
    fn rests(&mut self, broker: i32, time: Duration, now: Instant) {
        if !time.is_zero() {
            let until = self.resting.entry(broker).or_insert(now);
            *until = (now + time).max(*until);
        }
    }

    /// By its name, or by its id where the answer has only that.
    fn place_of(&self, name: &str, id: Uuid) -> Option<usize> {
        let is_it = |name_known: &str, id_known: Uuid| {
            if name.is_empty() { id_known == id } else { name_known == name }
        };
        self.topics.iter().position(|topic| is_it(topic.name.as_str(), topic.id))
    }
}

/// The offset up to which a partition can be read at present.
fn readable_end(part: &PartitionData, uncommitted: bool) -> i64 {
    // Fetch before version 4 does not say it.
    if uncommitted || part.last_stable_offset < 0 { part.high_watermark } else { part.last_stable_offset }
}

fn locate(
    track: &mut Track,
    part: &ListOffsetsPartitionResponse,
    stale: &mut bool,
    now: Instant,
) -> Option<Notice> {
    let Position::Earliest { instead_of } = track.position else { return None };
    if part.error_code != 0 {
        track.failed(now);
        *stale = true;
        return Some(again(track, part.error_code));
    }
    track.went_well();
    track.position = Position::At(part.offset);
    // What was read before says nothing of what is there.
    track.read_epoch = None;
    track.in_doubt = false;
    let lost = |position: i64| {
        Notice::Moved(Moved {
            topic: track.feed.topic.to_string(),
            partition: track.feed.partition,
            deleted: (part.offset - position).max(0),
            at: part.offset,
        })
    };
    instead_of.map(lost)
}

fn again(track: &Track, code: i16) -> Notice {
    Notice::Again(format!("{}: {}", track.feed, name_of(code)))
}

/// A partition's part of an answer.
struct Reading<'a> {
    track: &'a mut Track,
    stale: &'a mut bool,
    uncommitted: bool,
    broker: Option<i32>,
    now: Instant,
    notices: &'a mut Vec<Notice>,
}

impl Reading<'_> {
    /// Whether it had records.
    fn read(&mut self, part: PartitionData, whole: usize) -> bool {
        let Position::At(position) = self.track.position else { return false };
        match E::try_from_code(part.error_code) {
            None => {}
            // Another replica may have less than the leader.
            Some(E::OffsetOutOfRange) if self.broker.is_some_and(|broker| self.track.is_near(broker)) => {
                self.track.read_from(None, self.now);
                return false;
            }
            // Nor can a broker say of every epoch where it ended.
            Some(E::OffsetOutOfRange) if self.track.in_doubt => {
                self.track.in_doubt = false;
                return false;
            }
            Some(E::OffsetOutOfRange) => {
                self.track.position = Position::Earliest { instead_of: Some(position) };
                return false;
            }
            Some(error) => {
                self.failed(error, part.error_code);
                return false;
            }
        }
        self.track.went_well();
        let diverging = &part.diverging_epoch;
        if diverging.end_offset >= 0 && diverging.end_offset < position {
            self.diverged(position, diverging.end_offset);
            return false;
        }
        self.track.in_doubt = false;
        if part.preferred_read_replica.0 >= 0 {
            let replica = part.preferred_read_replica.0;
            self.track.read_from(Some(replica), self.now);
            let feed = &self.track.feed;
            let nearer = format!("{feed} is read from broker {replica}, whose replica is near");
            self.notices.push(Notice::Nearer(nearer));
        }
        let Some(records) = part.records.filter(|records| !records.is_empty()) else { return false };
        let small = records.len() < whole / SMALL;
        let aborted = part.aborted_transactions.unwrap_or_default();
        if let Err(damage) = self.take(records, position, aborted, small) {
            self.track.damaged(self.now);
            let feed = &self.track.feed;
            self.notices
                .push(Notice::Grave(format!("{feed}: {damage}; it is read again until it can be used")));
        }
        true
    }

    fn failed(&mut self, error: E, code: i16) {
        self.track.failed(self.now);
        self.track.read_from(None, self.now);
        // Of these, asking who leads changes nothing.
        let alike = matches!(error, E::TopicAuthorizationFailed | E::CorruptMessage | E::UnknownServerError);
        *self.stale |= !alike;
        self.notices.push(again(self.track, code));
    }

    /// The leader has not got all that was read of the leader before: that was elected though it had not got it.
    fn diverged(&mut self, position: i64, end: i64) {
        let feed = &self.track.feed;
        self.notices.push(Notice::Grave(format!(
            "{feed}: the records from {end} to {} are lost: they were read, and the broker that leads now never had \
             them; reading goes on at {end}",
            position - 1
        )));
        self.track.position = Position::At(end);
        self.track.read_epoch = None;
        self.track.in_doubt = false;
    }

    fn take(
        &mut self,
        mut records: Bytes,
        mut position: i64,
        aborted: Vec<AbortedTransaction>,
        small: bool,
    ) -> Result<(), Damage> {
        let mut aborts = Aborts::of(aborted);
        while let Some(batch) = Batch::split_off(&mut records)? {
            if batch.next() <= position {
                continue;
            }
            let from = std::mem::replace(&mut position, batch.next());
            self.track.position = Position::At(position);
            self.track.read_epoch = (batch.epoch() >= 0).then_some(batch.epoch());
            let aborted = aborts.covers(&batch) && !self.uncommitted;
            if batch.is_control() || aborted {
                aborts.passed(&batch);
                continue;
            }
            let batch = if small { batch.detached() } else { batch };
            self.track.feed.queue.push(Wanted { batch, from });
        }
        Ok(())
    }
}

/// Which batches belong to transactions that were aborted: from an offset on those of a producer, until its next control
/// record says so.
struct Aborts {
    waiting: VecDeque<AbortedTransaction>,
    open: HashSet<i64>,
}

impl Aborts {
    fn of(mut aborted: Vec<AbortedTransaction>) -> Self {
        aborted.sort_by_key(|aborted| aborted.first_offset);
        Self { waiting: aborted.into(), open: HashSet::new() }
    }

    fn covers(&mut self, batch: &Batch) -> bool {
        while self.waiting.front().is_some_and(|next| next.first_offset < batch.next()) {
            self.open.extend(self.waiting.pop_front().map(|next| next.producer_id.0));
        }
        batch.is_transactional() && self.open.contains(&batch.producer())
    }

    fn passed(&mut self, batch: &Batch) {
        if batch.is_abort() {
            self.open.remove(&batch.producer());
        }
    }
}
