//! The producer against real brokers.

use std::time::Duration;

use super::Producer;
use crate::connection::Secret;
use crate::kafka::compression::Compression;
use crate::kafka::testing::{self, DEADLINE, outgoing as record};
use crate::messaging::{Acknowledged, Header, Outgoing, PublishError, Publisher, partition_of};
use crate::unit::UnixMillis;

fn producer() -> Producer {
    Producer::open(&testing::brokers()).unwrap()
}

/// The outcomes of a batch, in its order.
async fn outcomes(producer: &Producer, records: Vec<Outgoing>) -> Vec<Result<i64, PublishError>> {
    let mut found: Vec<Option<Result<i64, PublishError>>> = vec![None; records.len()];
    let mut delivery = producer.publish(records);
    let all = async {
        loop {
            let outcomes = delivery.next().await;
            if outcomes.is_empty() {
                return;
            }
            for (at, outcome) in outcomes {
                found[at] = Some(outcome.map(|place| place.offset));
            }
        }
    };
    tokio::time::timeout(DEADLINE, all).await.expect("every record is told of");
    found.into_iter().map(|outcome| outcome.expect("every record is told of")).collect()
}

fn values(topic: &str, count: usize) -> Vec<String> {
    let records = testing::read(topic, 1, count).remove(&0).unwrap_or_default();
    records.iter().map(|record| String::from_utf8(record.value().unwrap().to_vec()).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_keys_land_where_javas_client_puts_them() {
    let prefix = testing::prefix("keys");
    let (ours, javas) = (format!("{prefix}ours"), format!("{prefix}javas"));
    testing::topic(&ours, 12, &[]).await;
    testing::topic(&javas, 12, &[]).await;
    let keys: Vec<String> = (0..10_000).map(|n| format!("ORD-{n:x}-\u{fc}{}", "x".repeat(n % 7))).collect();
    let told =
        outcomes(&producer(), keys.iter().map(|key| record(&ours, key, key)).collect::<Vec<_>>()).await;
    assert!(told.iter().all(Result::is_ok));
    let lines: Vec<String> = keys.iter().map(|key| format!("{key}\t{key}\n")).collect();
    testing::java_produces(&javas, ["--reader-property", "parse.key=true"], &lines.concat());
    for topic in [&ours, &javas] {
        for (partition, records) in testing::read(topic, 12, keys.len()) {
            for record in records {
                assert_eq!(partition_of(record.key().unwrap(), 12).cast_signed(), partition, "{record:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_compressed_by_any_of_kafkas_ways_is_read_by_librdkafka() {
    let prefix = testing::prefix("packed");
    for name in ["none", "gzip", "snappy", "lz4", "zstd"] {
        assert!(Compression::NAMES.contains(name));
        let topic = format!("{prefix}{name}");
        testing::topic(&topic, 1, &[]).await;
        let mut connection = testing::brokers();
        connection.rest.push(("compression.type".to_owned(), Secret::new(name)));
        let producer = Producer::open(&connection).unwrap();
        let long = "the same words again and again. ".repeat(5000);
        let headers = vec![
            Header::new("twice", "1"),
            Header { name: "nothing".to_owned(), value: None },
            Header::new("twice", "2"),
        ];
        let given = [
            Outgoing { headers: headers.clone(), ..record(&topic, "k", &long) },
            Outgoing {
                value: None,
                timestamp: Some(UnixMillis(1_725_185_730_123)),
                ..record(&topic, "k", "")
            },
            Outgoing { key: None, ..record(&topic, "", "no key") },
        ];
        assert_eq!(outcomes(&producer, given.to_vec()).await, [Ok(0), Ok(1), Ok(2)]);
        let read = testing::read(&topic, 1, 3).remove(&0).unwrap();
        for (read, given) in read.iter().zip(&given) {
            assert_eq!(read.key(), given.key.as_deref(), "{name}");
            assert_eq!(read.value(), given.value.as_deref(), "{name}");
        }
        let names: Vec<(&str, Option<&[u8]>)> = read[0].headers().collect();
        assert_eq!(names, [("twice", Some(&b"1"[..])), ("nothing", None), ("twice", Some(b"2"))], "{name}");
        assert_eq!(read[1].timestamp().map(|time| time.at), Some(UnixMillis(1_725_185_730_123)), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_wait_for_who_is_about_to_publish_and_go_once_that_is_over() {
    let prefix = testing::prefix("intent");
    let topic = format!("{prefix}t");
    testing::topic(&topic, 1, &[]).await;
    let producer = Producer::open_shared(&testing::brokers(), Duration::ZERO, 2 * DEADLINE).unwrap();
    assert_eq!(outcomes(&producer, vec![record(&topic, "k", "nobody is")]).await, [Ok(0)]);
    let intent = producer.intend();
    let one = producer.publish(vec![record(&topic, "k", "one")]);
    let other = producer.publish(vec![record(&topic, "k", "the other")]);
    drop(intent);
    for (offset, mut delivery) in (1..).zip([one, other]) {
        let told = tokio::time::timeout(DEADLINE, delivery.next()).await.expect("it goes at once");
        assert_eq!(told, [(0, Ok(Acknowledged { partition: 0, offset }))]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_that_means_nothing_is_refused_by_its_name() {
    for (key, value) in [
        ("compression.type", "best"),
        ("batch.size", "0"),
        ("max.request.size", "large"),
        ("linger.ms", "-1"),
    ] {
        let mut connection = testing::brokers();
        connection.rest.push((key.to_owned(), Secret::new(value)));
        let Err(error) = Producer::open(&connection) else { panic!("{key} = {value} was taken") };
        assert!(error.to_string().starts_with(key), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_overtakes_a_record_that_the_broker_refuses() {
    let topic = format!("{}refused", testing::prefix("gapless"));
    testing::topic(&topic, 1, &[("max.message.bytes", "2000")]).await;
    let producer = producer();
    let large = "x".repeat(5000);
    let before = outcomes(&producer, vec![record(&topic, "k", "first")]).await;
    assert_eq!(before, [Ok(0)]);
    // Many batches are under way behind the one that is refused.
    let batch: Vec<Outgoing> =
        (0..500).map(|n| record(&topic, "k", if n == 100 { &large } else { "small" })).collect();
    let told = outcomes(&producer, batch).await;
    let written = told.iter().take_while(|outcome| outcome.is_ok()).count();
    assert!(written <= 100, "{written}");
    assert!(told[written..].iter().all(Result::is_err), "a record overtook the refused one");
    assert!(matches!(told[100], Err(PublishError::RefusedInCompany(_) | PublishError::Unacknowledged(_))));
    let alone = outcomes(&producer, vec![record(&topic, "k", &large)]).await;
    assert!(matches!(alone[0], Err(PublishError::RefusedInCompany(_))), "{alone:?}");
    let after = outcomes(&producer, vec![record(&topic, "k", "last")]).await;
    assert!(after[0].is_ok(), "{after:?}");
    let log = values(&topic, written + 2);
    assert_eq!((log[0].as_str(), log[written + 1].as_str()), ("first", "last"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_does_not_exist_is_refused_and_others_go_on() {
    let prefix = testing::prefix("unknown");
    let topic = format!("{prefix}known");
    testing::topic(&topic, 1, &[]).await;
    let producer = producer();
    let batch = vec![record(&format!("{prefix}unknown"), "k", "1"), record(&topic, "k", "2")];
    let told = outcomes(&producer, batch).await;
    assert!(matches!(&told[0], Err(PublishError::Refused(_))), "{told:?}");
    assert!(told[1].is_ok(), "{told:?}");
    assert_eq!(producer.partitions(&topic).await, Some(1));
    assert_eq!(producer.partitions(&format!("{prefix}unknown")).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_producer_leaves_behind_is_told_to_be_unacknowledged() {
    let mut nowhere = testing::brokers();
    nowhere.bootstrap = vec![crate::connection::Address::parse("127.0.0.1:1").unwrap()];
    let producer = Producer::open(&nowhere).unwrap();
    let mut delivery = producer.publish(vec![record("t", "k", "1"), record("t", "k", "2")]);
    assert!(delivery.ready().is_empty());
    drop(producer);
    let told = tokio::time::timeout(DEADLINE, delivery.next()).await.unwrap();
    assert!(matches!(told[0], (0, Err(PublishError::Unacknowledged(_)))), "{told:?}");
}

#[test]
fn it_works_where_no_runtime_is() {
    let topic = format!("{}alone", testing::prefix("runtime"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(testing::topic(&topic, 1, &[]));
    let mut delivery = producer().publish(vec![record(&topic, "k", "1")]);
    let told = runtime.block_on(delivery.next());
    // The producer is gone by now, and with it what it had not done: either is an answer.
    assert!(matches!(told.as_slice(), [(0, Ok(_) | Err(PublishError::Unacknowledged(_)))]), "{told:?}");
    let producer = producer();
    let mut delivery = producer.publish(vec![record(&topic, "k", "2")]);
    let told = runtime.block_on(delivery.next());
    assert!(matches!(told.as_slice(), [(0, Ok(_))]), "{told:?}");
}
