//! Which partitions are read, and what is asked of whom next. Pure: time comes in, requests come out.

use std::collections::{BTreeMap, HashMap};

use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{FetchRequest, ListOffsetsRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use tokio::time::Instant;
use uuid::Uuid;

use super::Settings;
use super::stream::Feed;
use super::track::{Position, Start, Track};

/// Requests that a broker has of us at the same time: one that waits for news, one for what has room again meanwhile, and
/// one for what was to be read anew.
const AT_ONCE: usize = 3;
/// `ListOffsets`: the first record that there is.
const EARLIEST: i64 = -2;

#[derive(Debug)]
pub(super) struct Book {
    pub(super) settings: Settings,
    pub(super) topics: Vec<Topic>,
    /// By topic and partition.
    pub(super) tracks: BTreeMap<(usize, i32), Track>,
    /// The broker that has a request.
    pub(super) calls: HashMap<u64, i32>,
    /// Brokers that are left alone, and until when.
    pub(super) resting: HashMap<i32, Instant>,
    last_call: u64,
    pub(super) answers: u64,
}

#[derive(Debug)]
pub(super) struct Topic {
    pub(super) name: StrBytes,
    pub(super) id: Uuid,
    /// What is known of it is not all, or no longer true.
    pub(super) stale: bool,
}

/// A request, its number, and who is to have it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) call: u64,
    pub(super) broker: i32,
    pub(super) request: Request,
}

#[derive(Debug)]
pub(super) enum Request {
    Records(FetchRequest),
    Offsets(ListOffsetsRequest),
}

impl Book {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            topics: Vec::new(),
            tracks: BTreeMap::new(),
            calls: HashMap::new(),
            resting: HashMap::new(),
            last_call: 0,
            answers: 0,
        }
    }

    pub(super) fn begin(&mut self, feed: Feed, start: Start) {
        let at = match self.topics.iter().position(|topic| *topic.name == *feed.topic) {
            Some(at) => at,
            None => {
                let name = StrBytes::from_string(feed.topic.to_string());
                self.topics.push(Topic { name, id: Uuid::nil(), stale: true });
                self.topics.len() - 1
            }
        };
        // Who leads may have changed since it was read last.
        self.topics[at].stale = true;
        self.tracks.insert((at, feed.partition), Track::new(feed, start));
    }

    pub(super) fn end(&mut self, partitions: &[(String, i32)]) {
        for (topic, partition) in partitions {
            if let Some(at) = self.topics.iter().position(|known| *known.name == **topic) {
                self.tracks.remove(&(at, *partition));
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tracks.is_empty()
    }

    /// The topics that the brokers must be asked about.
    pub(super) fn asks_about(&self) -> Vec<StrBytes> {
        let is_read = |at: usize| self.tracks.range((at, i32::MIN)..=(at, i32::MAX)).next().is_some();
        let stale = self.topics.iter().enumerate().filter(|(at, topic)| topic.stale && is_read(*at));
        stale.map(|(_, topic)| topic.name.clone()).collect()
    }

    /// Has everything asked about again: leaders move.
    pub(super) fn doubt(&mut self) {
        for topic in &mut self.topics {
            topic.stale = true;
        }
    }

    /// What can be asked now: of each broker, all that it has to say something about.
    pub(super) fn ask(&mut self, now: Instant) -> Vec<Asked> {
        self.resting.retain(|_, until| *until > now);
        let mut records: BTreeMap<i32, Vec<(usize, i32)>> = BTreeMap::new();
        let mut offsets: BTreeMap<i32, Vec<(usize, i32)>> = BTreeMap::new();
        for (at, track) in &mut self.tracks {
            let Some(broker) = track.wants(now).filter(|broker| !self.resting.contains_key(broker)) else {
                continue;
            };
            let of = match track.position {
                Position::At(_) => &mut records,
                Position::Earliest { .. } => &mut offsets,
            };
            of.entry(broker).or_default().push(*at);
        }
        let mut asked = Vec::new();
        for (broker, tracks) in offsets {
            asked.extend(self.call(broker, tracks, Self::offsets));
        }
        for (broker, mut tracks) in records {
            // An answer has the first partitions first, and may be full then.
            tracks.sort_by_key(|at| self.tracks[at].served);
            asked.extend(self.call(broker, tracks, Self::records));
        }
        asked
    }

    fn call(
        &mut self,
        broker: i32,
        tracks: Vec<(usize, i32)>,
        request: impl FnOnce(&Self, &[(usize, i32)]) -> Request,
    ) -> Option<Asked> {
        if self.calls.values().filter(|other| **other == broker).count() >= AT_ONCE {
            return None;
        }
        self.last_call += 1;
        let call = self.last_call;
        self.calls.insert(call, broker);
        let request = request(self, &tracks);
        for at in tracks {
            if let Some(track) = self.tracks.get_mut(&at) {
                track.asked_by = Some(call);
            }
        }
        Some(Asked { call, broker, request })
    }

    fn records(&self, tracks: &[(usize, i32)]) -> Request {
        let Settings { wait_ms, least, most, most_of_partition, uncommitted, rack, .. } = &self.settings;
        let mut topics: Vec<(usize, FetchTopic)> = Vec::new();
        for key @ (at, partition) in tracks {
            let (topic, track) = (&self.topics[*at], &self.tracks[key]);
            let Position::At(offset) = track.position else { continue };
            // Brokers from before topics had ids do not take it.
            let read_epoch = track.read_epoch.filter(|_| track.in_doubt && !topic.id.is_nil());
            let partition = FetchPartition::default()
                .with_partition(*partition)
                .with_fetch_offset(offset)
                .with_current_leader_epoch(track.leader.map_or(-1, |(_, epoch)| epoch))
                .with_last_fetched_epoch(read_epoch.unwrap_or(-1))
                .with_partition_max_bytes(*most_of_partition);
            match topics.iter_mut().find(|(other, _)| other == at) {
                Some((_, of_topic)) => of_topic.partitions.push(partition),
                None => {
                    let of_topic = FetchTopic::default()
                        .with_topic(TopicName(topic.name.clone()))
                        .with_topic_id(topic.id)
                        .with_partitions(vec![partition]);
                    topics.push((*at, of_topic));
                }
            }
        }
        Request::Records(
            FetchRequest::default()
                .with_max_wait_ms(*wait_ms)
                .with_min_bytes(*least)
                .with_max_bytes(*most)
                .with_isolation_level(i8::from(!uncommitted))
                .with_rack_id(StrBytes::from_string(rack.clone()))
                .with_topics(topics.into_iter().map(|(_, topic)| topic).collect()),
        )
    }

    fn offsets(&self, tracks: &[(usize, i32)]) -> Request {
        let mut topics: BTreeMap<usize, Vec<ListOffsetsPartition>> = BTreeMap::new();
        for key @ (at, partition) in tracks {
            let partition = ListOffsetsPartition::default()
                .with_partition_index(*partition)
                .with_current_leader_epoch(self.tracks[key].leader.map_or(-1, |(_, epoch)| epoch))
                .with_timestamp(EARLIEST);
            topics.entry(*at).or_default().push(partition);
        }
        let topics = topics.into_iter().map(|(at, partitions)| {
            ListOffsetsTopic::default()
                .with_name(TopicName(self.topics[at].name.clone()))
                .with_partitions(partitions)
        });
        Request::Offsets(ListOffsetsRequest::default().with_topics(topics.collect()))
    }

    /// When something can be asked again that rests now.
    pub(super) fn rests_until(&self) -> Option<Instant> {
        let tracks = self.tracks.values().filter_map(Track::rests_until);
        tracks.chain(self.resting.values().copied()).min()
    }
}
