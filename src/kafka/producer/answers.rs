//! What brokers say, and what it means for what the producer has in hand. Pure.

use std::time::Duration;

use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol::messages::produce_response::PartitionProduceResponse;
use kafka_protocol::messages::{MetadataResponse, ProduceResponse};
use tokio::time::Instant;

use super::book::Book;
use super::lane::{Lane, tell_all};
use super::verdict::Verdict;
use crate::kafka::wire::name_of;
use crate::messaging::PublishError;

/// How long the brokers may say that a topic does not exist before it is believed: one that was just started answers
/// before it knows its topics, for longer the more it has.
const UNKNOWN_TOPIC: Duration = Duration::from_secs(30);

impl Book {
    /// Takes over what brokers say about topics.
    pub(super) fn learn(&mut self, answer: &MetadataResponse, now: Instant) {
        for told in &answer.topics {
            let Some(place) = told.name.as_ref().and_then(|name| self.places.get(name.as_str())) else {
                continue;
            };
            self.learn_of(*place, told, now);
        }
    }

    fn learn_of(&mut self, at: usize, told: &MetadataResponseTopic, now: Instant) {
        let topic = &mut self.topics[at];
        match Verdict::of(told.error_code) {
            Verdict::Written => {}
            Verdict::NoTopic => return self.refuse(at, &PublishError::Refused(name_of(told.error_code))),
            Verdict::Forbidden => {
                return self.refuse(at, &PublishError::Unacknowledged(name_of(told.error_code)));
            }
            _ if told.partitions.is_empty() => {
                let since = *topic.unknown.get_or_insert(now);
                if now.duration_since(since) >= UNKNOWN_TOPIC {
                    let reason = format!("{}: no broker knows the topic", name_of(told.error_code));
                    self.refuse(at, &PublishError::Refused(reason));
                }
                return;
            }
            // It exists, though its leaders are still being chosen.
            _ => {}
        }
        topic.unknown = None;
        if topic.id != told.topic_id && !topic.id.is_nil() {
            // Another topic of that name, which has nothing of ours.
            if topic.lanes.iter().any(Lane::is_under_way) {
                return;
            }
            let lanes = std::mem::take(&mut topic.lanes);
            topic.parked.splice(0..0, lanes.into_iter().flat_map(|mut lane| lane.empty()));
            self.active.retain(|(active, _)| *active != at);
        }
        topic.id = told.topic_id;
        let last = told.partitions.iter().map(|partition| partition.partition_index).max();
        let count = last.and_then(|last| usize::try_from(last + 1).ok()).unwrap_or(0);
        if topic.lanes.len() < count {
            topic.lanes.resize_with(count, Lane::default);
        }
        for partition in &told.partitions {
            let lane = usize::try_from(partition.partition_index).ok().and_then(|at| topic.lanes.get_mut(at));
            if let Some(lane) = lane {
                lane.led_by((partition.leader_id.0 >= 0).then_some(partition.leader_id.0));
            }
        }
        topic.stale = topic.lanes.iter().any(|lane| lane.leader().is_none());
        for waiting in std::mem::take(&mut topic.parked) {
            match waiting.record.partition {
                Some(partition)
                    if usize::try_from(partition).map_or(true, |partition| partition >= count) =>
                {
                    let reason = format!("the topic has no partition {partition}, it has {count} of them");
                    self.weight -= tell_all([waiting], &PublishError::Refused(reason));
                }
                _ => self.put(at, waiting),
            }
        }
    }

    /// Gives up all that is for a topic but for what brokers have, which is told of when they answer.
    fn refuse(&mut self, at: usize, why: &PublishError) {
        let topic = &mut self.topics[at];
        for lane in topic.lanes.iter_mut().filter(|lane| !lane.is_under_way()) {
            self.weight -= tell_all(lane.empty(), why);
        }
        self.weight -= tell_all(topic.parked.drain(..), why);
        // A record that comes later has it asked about anew: by a broker's answer, or because there are no partitions.
        topic.unknown = None;
        topic.stale = false;
        let lanes = &topic.lanes;
        self.active.retain(|(topic, partition)| *topic != at || !lanes[*partition].is_idle());
    }

    /// A broker has answered a request. What is to be tried again, and why.
    pub(super) fn answered(&mut self, broker: i32, answer: &ProduceResponse, now: Instant) -> Vec<String> {
        let mut again = Vec::new();
        for topic in &answer.responses {
            let named = self.places.get(topic.name.as_str()).copied();
            let place = named.or_else(|| self.topics.iter().position(|known| known.id == topic.topic_id));
            let Some(at) = place else { continue };
            for told in &topic.partition_responses {
                let partition = usize::try_from(told.index).unwrap_or(usize::MAX);
                if self.topics[at].lanes.get(partition).is_some_and(|lane| lane.is_with(broker)) {
                    again.extend(self.judge((at, partition), told, now));
                }
            }
        }
        // What it says nothing about is as good as lost on the way.
        self.lost(broker, now);
        again
    }

    /// What a partition's answer means; why its batch is to be tried again, if it is.
    fn judge(
        &mut self,
        (at, partition): (usize, usize),
        told: &PartitionProduceResponse,
        now: Instant,
    ) -> Option<String> {
        let topic = &mut self.topics[at];
        let lane = &mut topic.lanes[partition];
        let reason = || match &told.error_message {
            Some(message) => format!("{}: {message}", name_of(told.error_code)),
            None => name_of(told.error_code),
        };
        let mut again = None;
        match Verdict::of(told.error_code) {
            Verdict::Written => self.weight -= lane.written(told.index, told.base_offset),
            later @ (Verdict::Again | Verdict::Elsewhere | Verdict::Stranger) => {
                again = Some(format!("{}/{partition}: {}", topic.name, reason()));
                lane.again(later != Verdict::Elsewhere, now);
                topic.stale |= later == Verdict::Elsewhere;
                if later == Verdict::Stranger {
                    self.identity = None;
                }
            }
            Verdict::TooLarge => match lane.sealed() {
                (0 | 1, _) => self.weight -= lane.give_up(&PublishError::RefusedInCompany(reason())),
                (_, weight) => {
                    lane.unseal();
                    topic.largest = topic.largest.min(weight / 2).max(1);
                }
            },
            Verdict::Refused => self.weight -= lane.give_up(&PublishError::RefusedInCompany(reason())),
            Verdict::NoTopic => self.weight -= lane.give_up(&PublishError::Refused(reason())),
            Verdict::Forbidden => self.weight -= lane.give_up(&PublishError::Unacknowledged(reason())),
        }
        if lane.is_idle() {
            self.active.remove(&(at, partition));
        }
        again
    }

    /// Whether a broker got a request is not known.
    pub(super) fn lost(&mut self, broker: i32, now: Instant) {
        self.busy.remove(&broker);
        for (at, partition) in &self.active {
            let topic = &mut self.topics[*at];
            let lane = &mut topic.lanes[*partition];
            if lane.is_with(broker) {
                lane.again(true, now);
                topic.stale = true;
            }
        }
    }
}
