//! The book against brokers that fail as they like: they keep logs, know repeated batches by identity and sequence, and
//! answer, refuse, or say nothing.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
use kafka_protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use kafka_protocol::messages::{MetadataResponse, ProduceResponse, TopicName};
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::RecordBatchDecoder;
use proptest::prelude::*;
use tokio::time::Instant;
use uuid::Uuid;

use super::Settings;
use super::batch::Identity;
use super::book::{Book, Shipment};
use super::compression::Compression;
use crate::messaging::{Acknowledged, Delivery, Outgoing, PublishError};
use crate::unit::UnixMillis;

const NOW: UnixMillis = UnixMillis(1_725_185_730_000);
const TOPIC: &str = "t";
const PARTITIONS: i32 = 4;
const BROKERS: i32 = 2;
/// More bytes than this are refused in one batch.
const BROKERS_LIMIT: usize = 700;
const SETTINGS: Settings = Settings {
    compression: Compression::None,
    batch: 1000,
    largest: 100_000,
    most: 1_000_000,
    timeout: Duration::from_secs(30),
};

const NOT_LEADER: i16 = 6;
const TOO_LARGE: i16 = 10;
const NOT_ENOUGH_REPLICAS_AFTER_APPEND: i16 = 20;
const INVALID_RECORD: i16 = 87;
const OUT_OF_ORDER: i16 = 45;
const UNKNOWN_PRODUCER: i16 = 59;
const UNKNOWN_TOPIC: i16 = 3;

/// What a broker does with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Answers,
    /// It writes and says that too few have it.
    WritesAndComplains,
    /// It writes, and its answer is lost.
    WritesInSilence,
    /// The request is lost.
    Loses,
    /// Another broker leads from now on.
    Resigns,
    /// It has forgotten who produces.
    Forgets,
}

#[derive(Debug, Default)]
struct Log {
    leader: i32,
    values: Vec<String>,
    /// The last batches: identity, first sequence, count, first offset.
    known: VecDeque<(i64, i32, usize, i64)>,
}

#[derive(Debug)]
struct Cluster {
    logs: Vec<Log>,
    identities: i64,
    poison: bool,
}

impl Cluster {
    fn new() -> Self {
        let log = |partition| Log { leader: partition % BROKERS, ..Log::default() };
        Self { logs: (0..PARTITIONS).map(log).collect(), identities: 0, poison: false }
    }

    fn identity(&mut self) -> Identity {
        self.identities += 1;
        Identity { id: self.identities, epoch: 0 }
    }

    fn metadata(&self) -> MetadataResponse {
        let partitions = self.logs.iter().zip(0..).map(|(log, at)| {
            MetadataResponsePartition::default().with_partition_index(at).with_leader_id(log.leader.into())
        });
        MetadataResponse::default().with_topics(vec![
            MetadataResponseTopic::default()
                .with_name(Some(TopicName(StrBytes::from_static_str(TOPIC))))
                .with_topic_id(Uuid::from_u128(1))
                .with_partitions(partitions.collect()),
        ])
    }

    /// The code, and the first record's offset.
    fn append(&mut self, broker: i32, partition: i32, mut batch: Bytes) -> (i16, i64) {
        let log = &mut self.logs[usize::try_from(partition).unwrap()];
        if log.leader != broker {
            return (NOT_LEADER, -1);
        }
        if batch.len() > BROKERS_LIMIT {
            return (TOO_LARGE, -1);
        }
        let records = RecordBatchDecoder::decode(&mut batch).unwrap().records;
        let (id, sequence) = (records[0].producer_id, records[0].sequence);
        let values: Vec<String> = records
            .iter()
            .map(|record| String::from_utf8(record.value.as_ref().unwrap().to_vec()).unwrap())
            .collect();
        if self.poison && values.iter().any(|value| value.starts_with("poison")) {
            return (INVALID_RECORD, -1);
        }
        let repeated =
            log.known.iter().find(|known| (known.0, known.1, known.2) == (id, sequence, values.len()));
        if let Some((.., offset)) = repeated {
            return (0, *offset);
        }
        let next = log.known.iter().rev().find(|known| known.0 == id);
        let next = next.map_or(sequence, |(_, first, count, _)| first + i32::try_from(*count).unwrap());
        if sequence != next {
            return (OUT_OF_ORDER, -1);
        }
        let offset = i64::try_from(log.values.len()).unwrap();
        log.known.push_back((id, sequence, values.len(), offset));
        if log.known.len() > 5 {
            log.known.pop_front();
        }
        log.values.extend(values);
        (0, offset)
    }

    /// What the broker says; nothing where the answer does not arrive.
    fn handle(&mut self, shipment: &Shipment, does: Does) -> Option<ProduceResponse> {
        if does == Does::Loses {
            return None;
        }
        let mut answers = Vec::new();
        for topic in &shipment.request.topic_data {
            for data in &topic.partition_data {
                let log = &mut self.logs[usize::try_from(data.index).unwrap()];
                match does {
                    Does::Resigns => log.leader = (log.leader + 1) % BROKERS,
                    Does::Forgets => log.known.clear(),
                    _ => {}
                }
                let batch = data.records.clone().unwrap();
                let (mut code, offset) = match does {
                    Does::Forgets => (UNKNOWN_PRODUCER, -1),
                    _ => self.append(shipment.broker, data.index, batch),
                };
                if does == Does::WritesAndComplains && code == 0 {
                    code = NOT_ENOUGH_REPLICAS_AFTER_APPEND;
                }
                answers.push(
                    PartitionProduceResponse::default()
                        .with_index(data.index)
                        .with_error_code(code)
                        .with_base_offset(offset),
                );
            }
        }
        (does != Does::WritesInSilence).then(|| {
            let topic = TopicProduceResponse::default()
                .with_topic_id(Uuid::from_u128(1))
                .with_partition_responses(answers);
            ProduceResponse::default().with_responses(vec![topic])
        })
    }
}

fn record(partition: i32, value: &str) -> Outgoing {
    Outgoing {
        topic: TOPIC.to_owned(),
        partition: Some(partition),
        key: None,
        value: Some(value.as_bytes().to_vec()),
        headers: Vec::new(),
        timestamp: None,
    }
}

/// What became of the records of a batch, by their place.
type Outcomes = BTreeMap<usize, Result<Acknowledged, PublishError>>;

/// Brokers do what the list says, and at its end they answer.
struct Play {
    book: Book,
    cluster: Cluster,
    now: Instant,
    does: VecDeque<Does>,
    deliveries: Vec<Delivery>,
}

impl Play {
    fn new(does: impl IntoIterator<Item = Does>) -> Self {
        Self {
            book: Book::new(SETTINGS),
            cluster: Cluster::new(),
            now: Instant::now(),
            does: does.into_iter().collect(),
            deliveries: Vec::new(),
        }
    }

    fn publish(&mut self, records: Vec<Outgoing>) {
        let (told, delivery) = Delivery::of(records.len());
        self.book.take(records, &told);
        self.deliveries.push(delivery);
    }

    /// Asks, ships and answers once.
    fn step(&mut self) {
        if !self.book.asks_about().is_empty() {
            self.book.learn(&self.cluster.metadata(), self.now);
        }
        if self.book.asks_for_identity() {
            self.book.identify(self.cluster.identity());
        }
        for shipment in self.book.ship(self.now, NOW) {
            let does = self.does.pop_front().unwrap_or(Does::Answers);
            match self.cluster.handle(&shipment, does) {
                Some(answer) => drop(self.book.answered(shipment.broker, &answer, self.now)),
                None => self.book.lost(shipment.broker, self.now),
            }
        }
        self.now += Duration::from_secs(1);
    }

    fn play_on(&mut self) {
        for _ in 0..1000 {
            if self.book.is_empty() {
                return;
            }
            self.step();
        }
        panic!("it never ends: {:?}", self.book);
    }

    fn outcomes(&mut self) -> Vec<Outcomes> {
        self.deliveries.iter_mut().map(|delivery| delivery.ready().into_iter().collect()).collect()
    }

    fn log(&self, partition: usize) -> &[String] {
        &self.cluster.logs[partition].values
    }
}

fn does() -> impl Strategy<Value = Does> {
    prop_oneof![
        3 => Just(Does::Answers),
        1 => Just(Does::WritesAndComplains),
        1 => Just(Does::WritesInSilence),
        1 => Just(Does::Loses),
        1 => Just(Does::Resigns),
    ]
}

proptest! {
    #[test]
    fn every_record_is_written_once_and_in_order_whatever_brokers_do(
        batches in proptest::collection::vec(proptest::collection::vec((0..PARTITIONS, 0_usize..400), 1..30), 1..8),
        does in proptest::collection::vec(does(), 0..40),
    ) {
        let mut play = Play::new(does);
        let mut expected: HashMap<i32, Vec<String>> = HashMap::new();
        let mut number = 0;
        for batch in &batches {
            let mut records = Vec::new();
            for (partition, size) in batch {
                number += 1;
                let value = format!("{number}-{}", "x".repeat(*size));
                records.push(record(*partition, &value));
                expected.entry(*partition).or_default().push(value);
            }
            play.publish(records);
            play.step();
        }
        play.play_on();
        prop_assert_eq!(play.book.weight(), 0);
        for partition in 0..PARTITIONS {
            let written = play.log(usize::try_from(partition).unwrap());
            prop_assert_eq!(written, expected.remove(&partition).unwrap_or_default());
        }
        for (batch, outcomes) in batches.iter().zip(play.outcomes()) {
            prop_assert_eq!(outcomes.len(), batch.len());
            for (at, outcome) in outcomes {
                let place = outcome.unwrap();
                prop_assert_eq!(place.partition, batch[at].0);
                let log = play.log(usize::try_from(place.partition).unwrap());
                let value = &log[usize::try_from(place.offset).unwrap()];
                prop_assert_eq!(value.split_once('-').unwrap().1.len(), batch[at].1);
            }
        }
    }

    #[test]
    fn a_broker_that_forgets_who_produces_gets_first_occurrences_in_order(
        counts in proptest::collection::vec(1_usize..10, 1..10),
        does in proptest::collection::vec(prop_oneof![does(), Just(Does::Forgets)], 0..30),
    ) {
        let mut play = Play::new(does);
        let mut expected = Vec::new();
        for count in counts {
            let values: Vec<String> = (0..count).map(|at| format!("{}", expected.len() + at)).collect();
            play.publish(values.iter().map(|value| record(0, value)).collect());
            expected.extend(values);
            play.step();
        }
        play.play_on();
        let mut first = Vec::new();
        for value in play.log(0) {
            if !first.contains(value) {
                first.push(value.clone());
            }
        }
        prop_assert_eq!(first, expected);
    }

    #[test]
    fn nothing_overtakes_what_is_refused(
        poisoned in 0_usize..20,
        does in proptest::collection::vec(does(), 0..20),
    ) {
        let mut play = Play::new(does);
        play.cluster.poison = true;
        let value = |at: usize| if at == poisoned { "poison".to_owned() } else { format!("{at}") };
        play.publish((0..20).map(|at| record(0, &value(at))).collect());
        play.play_on();
        let outcomes = play.outcomes().remove(0);
        let written = outcomes.values().take_while(|outcome| outcome.is_ok()).count();
        prop_assert!(written <= poisoned);
        prop_assert!(outcomes.values().skip(written).all(Result::is_err));
        prop_assert_eq!(play.log(0).len(), written);
        // What is published afterwards is written.
        play.cluster.poison = false;
        play.publish(vec![record(0, "later")]);
        play.play_on();
        prop_assert_eq!(play.log(0).last().map(String::as_str), Some("later"));
    }
}

#[test]
fn a_batch_that_is_too_large_is_divided_and_a_record_that_is_too_large_is_refused() {
    let mut play = Play::new([]);
    let large = "x".repeat(BROKERS_LIMIT);
    let values: Vec<String> =
        (0..10).map(|at| if at == 7 { large.clone() } else { format!("{at}{}", "y".repeat(90)) }).collect();
    play.publish(values.iter().map(|value| record(0, value)).collect());
    play.play_on();
    assert_eq!(play.log(0), &values[..7]);
    let outcomes = play.outcomes().remove(0);
    assert!(matches!(&outcomes[&7], Err(PublishError::RefusedInCompany(_))), "{outcomes:?}");
    assert!(matches!(&outcomes[&8], Err(PublishError::Unacknowledged(_))), "{outcomes:?}");
}

#[test]
fn a_topic_that_nobody_knows_for_long_enough_is_refused_and_one_that_appears_is_not() {
    let unknown = MetadataResponse::default().with_topics(vec![
        MetadataResponseTopic::default()
            .with_name(Some(TopicName(StrBytes::from_static_str(TOPIC))))
            .with_error_code(UNKNOWN_TOPIC),
    ]);
    let mut play = Play::new([]);
    play.publish(vec![record(0, "1")]);
    play.book.learn(&unknown, play.now);
    play.book.learn(&unknown, play.now + Duration::from_secs(29));
    assert!(!play.book.is_empty());
    assert_eq!(play.book.asks_about(), [StrBytes::from_static_str(TOPIC)]);
    play.play_on();
    assert_eq!(play.log(0), ["1"]);
    let mut play = Play::new([]);
    play.publish(vec![record(0, "1")]);
    play.book.learn(&unknown, play.now);
    play.book.learn(&unknown, play.now + Duration::from_secs(30));
    assert!(play.book.is_empty());
    assert!(matches!(play.outcomes()[0][&0], Err(PublishError::Refused(_))));
    play.publish(vec![record(0, "2")]);
    play.play_on();
    assert_eq!(play.log(0), ["2"]);
}

#[test]
fn a_partition_that_there_is_not_is_refused_when_the_brokers_were_asked() {
    let mut play = Play::new([]);
    play.publish(vec![record(0, "1"), record(PARTITIONS, "2"), record(-1, "3")]);
    play.play_on();
    let outcomes = play.outcomes().remove(0);
    assert!(outcomes[&0].is_ok());
    for at in [1, 2] {
        assert!(matches!(&outcomes[&at], Err(PublishError::Refused(_))), "{outcomes:?}");
    }
}

#[test]
fn a_broker_gets_one_request_with_all_that_is_its_own() {
    let mut play = Play::new([]);
    play.publish((0..PARTITIONS).map(|partition| record(partition, "v")).collect());
    play.book.learn(&play.cluster.metadata(), play.now);
    play.book.identify(play.cluster.identity());
    let shipments = play.book.ship(play.now, NOW);
    assert_eq!(shipments.len(), 2);
    for shipment in &shipments {
        assert_eq!(shipment.request.topic_data[0].partition_data.len(), 2);
    }
    assert!(play.book.ship(play.now, NOW).is_empty(), "each has one at a time");
}
