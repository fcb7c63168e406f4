//! What the producer has taken over, and what is to be done about it next. Pure: time comes in, requests come out.

use std::collections::{BTreeSet, HashMap};

use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{ProduceRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use tokio::time::Instant;
use uuid::Uuid;

use super::Settings;
use super::batch::Identity;
use super::lane::{Lane, Seal, Waiting, tell_all};
use crate::messaging::{Outgoing, PublishError, Told, partition_of};
use crate::unit::UnixMillis;

/// How much one request has at most, beyond its first batch.
const REQUEST: usize = 8 * 1024 * 1024;
/// Bytes of records that wait for no others.
const PLENTY: usize = 16 * 1024;
/// All in-sync replicas.
const ALL: i16 = -1;

#[derive(Debug)]
pub(super) struct Book {
    settings: Settings,
    pub(super) identity: Option<Identity>,
    pub(super) topics: Vec<Topic>,
    pub(super) places: HashMap<String, usize>,
    /// Lanes with something in them: topic and partition.
    pub(super) active: BTreeSet<(usize, usize)>,
    /// Brokers that have a request of ours.
    pub(super) busy: BTreeSet<i32>,
    /// Bytes of records that nobody was told of.
    pub(super) weight: usize,
    gathers: Option<Gathering>,
    /// Where the next request begins to look, so that all partitions have their turn.
    turn: usize,
    /// Partitions of records without a key, in turn.
    keyless: usize,
}

/// Records that came wait for others.
#[derive(Clone, Copy, Debug)]
struct Gathering {
    /// When it is over, unless they have become many before.
    until: Instant,
    /// The same, while somebody is about to publish.
    until_intended: Instant,
    bytes: usize,
}

impl Gathering {
    fn until(&self, intended: bool) -> Instant {
        if intended { self.until_intended } else { self.until }
    }
}

#[derive(Debug)]
pub(super) struct Topic {
    pub(super) name: StrBytes,
    pub(super) id: Uuid,
    pub(super) lanes: Vec<Lane>,
    /// Records for partitions that are not known yet.
    pub(super) parked: Vec<Waiting>,
    /// What is known of it is not all, or no longer true.
    pub(super) stale: bool,
    /// Since when nobody knows it.
    pub(super) unknown: Option<Instant>,
    /// How many bytes of records a batch has at most.
    pub(super) largest: usize,
}

/// A request, and who is to have it.
#[derive(Debug)]
pub(super) struct Shipment {
    pub(super) broker: i32,
    pub(super) request: ProduceRequest,
}

impl Book {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            identity: None,
            topics: Vec::new(),
            places: HashMap::new(),
            active: BTreeSet::new(),
            busy: BTreeSet::new(),
            weight: 0,
            gathers: None,
            turn: 0,
            keyless: 0,
        }
    }

    /// Bytes of records that nobody was told of.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    /// Whether nothing more is to be taken over for now.
    pub(super) fn is_full(&self) -> bool {
        self.weight >= self.settings.most
    }

    pub(super) fn is_empty(&self) -> bool {
        self.weight == 0
    }

    /// Takes records over, in this order.
    pub(super) fn take(&mut self, records: Vec<Outgoing>, told: &Told, now: Instant) {
        self.keyless = self.keyless.wrapping_add(1);
        let before = self.weight;
        for (at, record) in records.into_iter().enumerate() {
            let waiting = Waiting::new(record, told.clone(), at);
            if waiting.weight > self.settings.largest {
                let reason = format!("{} bytes are more than a request may have", waiting.weight);
                waiting.tell(Err(PublishError::RefusedInCompany(reason)));
                continue;
            }
            self.weight += waiting.weight;
            let topic = self.place_of(&waiting.record.topic);
            self.put(topic, waiting);
        }
        if let Some(linger) = self.settings.linger {
            let until_intended = now + linger.max(self.settings.intended);
            let gathering = Gathering { until: now + linger, until_intended, bytes: 0 };
            self.gathers.get_or_insert(gathering).bytes += self.weight - before;
        }
    }

    fn place_of(&mut self, name: &str) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        self.topics.push(Topic {
            name: StrBytes::from_string(name.to_owned()),
            id: Uuid::nil(),
            lanes: Vec::new(),
            parked: Vec::new(),
            stale: true,
            unknown: None,
            largest: self.settings.batch,
        });
        self.places.insert(name.to_owned(), self.topics.len() - 1);
        self.topics.len() - 1
    }

    pub(super) fn put(&mut self, at: usize, waiting: Waiting) {
        let topic = &mut self.topics[at];
        let count = u32::try_from(topic.lanes.len()).unwrap_or(u32::MAX);
        let partition = match (&waiting.record.partition, &waiting.record.key) {
            (Some(partition), _) => usize::try_from(*partition).unwrap_or(usize::MAX),
            (None, Some(key)) => partition_of(key, count) as usize,
            (None, None) => self.keyless % topic.lanes.len().max(1),
        };
        match topic.lanes.get_mut(partition) {
            Some(lane) => {
                lane.push(waiting);
                self.active.insert((at, partition));
            }
            None => {
                topic.stale = true;
                topic.parked.push(waiting);
            }
        }
    }

    /// The topics that the brokers must be asked about.
    pub(super) fn asks_about(&self) -> Vec<StrBytes> {
        let stale = self.topics.iter().filter(|topic| topic.stale);
        stale.map(|topic| topic.name.clone()).collect()
    }

    /// Has everything that is in use asked about again: leaders move, and topics grow.
    pub(super) fn doubt(&mut self) {
        for topic in &mut self.topics {
            topic.stale = true;
        }
    }

    /// Whether it must be asked who we are.
    pub(super) fn asks_for_identity(&self) -> bool {
        self.identity.is_none() && self.busy.is_empty() && !self.active.is_empty()
    }

    /// Goes on as somebody new, whose batches are numbered from 0.
    pub(super) fn identify(&mut self, identity: Identity) {
        self.identity = Some(identity);
        for lane in self.topics.iter_mut().flat_map(|topic| &mut topic.lanes) {
            lane.renumber();
        }
    }

    /// Requests for brokers that have none: of every partition that is theirs and has something, one batch. `intended`:
    /// somebody is about to publish.
    pub(super) fn ship(&mut self, now: Instant, time: UnixMillis, intended: bool) -> Vec<Shipment> {
        let Some(by) = self.identity else { return Vec::new() };
        self.gathers =
            self.gathers.filter(|gathering| gathering.until(intended) > now && gathering.bytes < PLENTY);
        if self.gathers.is_some() {
            return Vec::new();
        }
        let mut loads: HashMap<i32, (usize, HashMap<usize, Vec<PartitionProduceData>>)> = HashMap::new();
        self.turn = self.turn.wrapping_add(1);
        let mut ready: Vec<(usize, usize)> = self.active.iter().copied().collect();
        let turned = self.turn % ready.len().max(1);
        ready.rotate_left(turned);
        for (at, partition) in ready {
            let topic = &mut self.topics[at];
            let lane = &mut topic.lanes[partition];
            // Asked first: it ends the rest that is over, or that would be waited for without end.
            if !lane.is_ready(now) {
                continue;
            }
            let Some(leader) = lane.leader().filter(|leader| !self.busy.contains(leader)) else { continue };
            let (size, topics) = loads.entry(leader).or_default();
            if *size >= REQUEST {
                continue;
            }
            let seal = Seal { by, compression: self.settings.compression, largest: topic.largest, now: time };
            let batch = lane.hand_over(leader, seal);
            *size += batch.len();
            let data = PartitionProduceData::default()
                .with_index(i32::try_from(partition).unwrap_or(i32::MAX))
                .with_records(Some(batch));
            topics.entry(at).or_default().push(data);
        }
        let shipment = |(broker, (_, topics)): (i32, (usize, HashMap<usize, Vec<_>>))| {
            let topics = topics.into_iter().map(|(at, partitions)| {
                TopicProduceData::default()
                    .with_name(TopicName(self.topics[at].name.clone()))
                    .with_topic_id(self.topics[at].id)
                    .with_partition_data(partitions)
            });
            let request = ProduceRequest::default()
                .with_acks(ALL)
                .with_timeout_ms(i32::try_from(self.settings.timeout.as_millis()).unwrap_or(i32::MAX))
                .with_topic_data(topics.collect());
            Shipment { broker, request }
        };
        let shipments: Vec<Shipment> = loads.into_iter().map(shipment).collect();
        self.busy.extend(shipments.iter().map(|shipment| shipment.broker));
        shipments
    }

    /// When something may go on that rests, or waits for others; `intended`: somebody is about to publish.
    pub(super) fn rests_until(&self, intended: bool) -> Option<Instant> {
        self.identity?;
        let lanes = self.active.iter().map(|(at, partition)| &self.topics[*at].lanes[*partition]);
        lanes
            .filter_map(Lane::rests_until)
            .chain(self.gathers.map(|gathering| gathering.until(intended)))
            .min()
    }

    /// Tells everybody that nothing more is known.
    pub(super) fn abandon(&mut self, why: &str) {
        let why = PublishError::Unacknowledged(why.to_owned());
        for topic in &mut self.topics {
            topic.lanes.iter_mut().for_each(|lane| _ = tell_all(lane.empty(), &why));
            tell_all(topic.parked.drain(..), &why);
        }
        self.active.clear();
        self.weight = 0;
    }
}

/// What it waits for.
impl std::fmt::Display for Book {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lanes = self.active.iter().map(|(at, partition)| &self.topics[*at].lanes[*partition]);
        let (mut with, mut leaderless) = (0, 0);
        for lane in lanes.clone() {
            with += usize::from(lane.is_under_way());
            leaderless += usize::from(lane.leader().is_none());
        }
        let parked: usize = self.topics.iter().map(|topic| topic.parked.len()).sum();
        write!(
            f,
            "{} bytes for {} partitions, of which brokers {:?} have {with} and {leaderless} have no leader; {parked} \
             records for partitions that are not known{}",
            self.weight,
            lanes.count(),
            self.busy,
            if self.identity.is_none() { "; no broker has said who we are" } else { "" },
        )
    }
}
