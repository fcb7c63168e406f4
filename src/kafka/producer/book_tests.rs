//! The book against brokers that fail as they like.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol::messages::{MetadataResponse, TopicName};
use kafka_protocol::protocol::StrBytes;
use proptest::prelude::*;
use tokio::time::Instant;

use super::Settings;
use super::book::{Book, Shipment};
use super::fakes::{BROKERS_LIMIT, Cluster, Does, PARTITIONS, TOPIC, UNKNOWN_TOPIC};
use crate::kafka::compression::Compression;
use crate::messaging::{Acknowledged, Delivery, Outgoing, PublishError};
use crate::unit::UnixMillis;

const NOW: UnixMillis = UnixMillis(1_725_185_730_000);
const SETTINGS: Settings = Settings {
    compression: Compression::None,
    batch: 1000,
    largest: 100_000,
    most: 1_000_000,
    linger: None,
    intended: Duration::ZERO,
    timeout: Duration::from_secs(30),
};

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
        Self::set(does, SETTINGS)
    }

    fn set(does: impl IntoIterator<Item = Does>, settings: Settings) -> Self {
        Self {
            book: Book::new(settings),
            cluster: Cluster::new(),
            now: Instant::now(),
            does: does.into_iter().collect(),
            deliveries: Vec::new(),
        }
    }

    fn publish(&mut self, records: Vec<Outgoing>) {
        let (told, delivery) = Delivery::of(records.len());
        self.book.take(records, &told, self.now);
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
        for shipment in self.book.ship(self.now, NOW, false) {
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
        linger in proptest::option::of((0_u64..3000).prop_map(Duration::from_millis)),
    ) {
        let mut play = Play::set(does, Settings { linger, ..SETTINGS });
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
    let shipments = play.book.ship(play.now, NOW, false);
    assert_eq!(shipments.len(), 2);
    for shipment in &shipments {
        assert_eq!(shipment.request.topic_data[0].partition_data.len(), 2);
    }
    assert!(play.book.ship(play.now, NOW, false).is_empty(), "each has one at a time");
}

/// A producer that knows the cluster, and for how long few records wait for others.
fn waiting(linger: Duration, intended: Duration) -> Play {
    let mut play = Play::set([], Settings { linger: Some(linger), intended, ..SETTINGS });
    play.publish(vec![record(0, "known")]);
    play.play_on();
    play
}

fn partitions(shipments: &[Shipment]) -> usize {
    shipments.iter().map(|shipment| shipment.request.topic_data[0].partition_data.len()).sum()
}

#[test]
fn few_records_wait_for_others_to_go_with_them_and_many_do_not() {
    const LINGER: Duration = Duration::from_millis(2);
    let mut play = waiting(LINGER, Duration::ZERO);
    play.publish(vec![record(0, "one service's")]);
    assert!(play.book.ship(play.now, NOW, true).is_empty());
    assert_eq!(play.book.rests_until(true), Some(play.now + LINGER));
    play.now += LINGER / 2;
    play.publish(vec![record(1, "the other's")]);
    assert!(play.book.ship(play.now, NOW, true).is_empty());
    play.now += LINGER / 2;
    assert_eq!(partitions(&play.book.ship(play.now, NOW, true)), 2);
    assert_eq!(play.book.rests_until(true), None);

    let mut play = waiting(LINGER, LINGER * 4);
    play.publish((0..40).map(|_| record(0, &"x".repeat(500))).collect());
    assert_eq!(partitions(&play.book.ship(play.now, NOW, true)), 1);
}

#[test]
fn they_wait_longer_for_who_is_about_to_publish_until_they_have_or_it_takes_too_long() {
    const LINGER: Duration = Duration::from_millis(1);
    const INTENDED: Duration = Duration::from_millis(8);
    for comes in [true, false] {
        let mut play = waiting(LINGER, INTENDED);
        let began = play.now;
        play.publish(vec![record(0, "one service's")]);
        assert!(play.book.ship(play.now, NOW, true).is_empty());
        assert_eq!(play.book.rests_until(true), Some(began + INTENDED));
        play.now += LINGER * 3;
        assert!(play.book.ship(play.now, NOW, true).is_empty());
        if comes {
            play.publish(vec![record(1, "the other's")]);
            assert_eq!(partitions(&play.book.ship(play.now, NOW, false)), 2);
        } else {
            play.now = began + INTENDED;
            assert_eq!(partitions(&play.book.ship(play.now, NOW, true)), 1);
        }
        assert_eq!(play.book.rests_until(true), None);
    }
}
