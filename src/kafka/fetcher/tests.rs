//! The fetcher against real brokers.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use super::{Fetcher, Moved, Settings, Start, Stream};
use crate::cluster::port::{Scope, Topics};
use crate::connection::{ConnectionConfig, Secret};
use crate::kafka::Producer;
use crate::kafka::data::testing as librdkafka;
use crate::kafka::testing::{self, DEADLINE};
use crate::messaging::{Header, Outgoing, Record, publish_all};

fn with(properties: &[(&str, &str)]) -> ConnectionConfig {
    let mut connection = testing::brokers();
    let properties = properties.iter().map(|(key, value)| ((*key).to_owned(), Secret::new(*value)));
    connection.rest.extend(properties);
    connection
}

fn record(topic: &str, key: &str, value: &str) -> Outgoing {
    let headers = vec![Header::new("twice", "1"), Header { name: "nothing".to_owned(), value: None }];
    Outgoing { headers, ..testing::outgoing(topic, key, value) }
}

async fn publish(producer: &Producer, records: Vec<Outgoing>) {
    let told = publish_all(producer, records).await;
    assert!(told.iter().all(Result::is_ok), "{told:?}");
}

/// A fetcher that reads one partition.
struct Reading {
    fetcher: Fetcher,
    stream: Stream,
    ready: Arc<Notify>,
    moved: mpsc::Receiver<Moved>,
    task: JoinHandle<()>,
}

impl Reading {
    async fn begin(connection: &ConnectionConfig, topic: &str, start: Start) -> Self {
        let runtime = tokio::runtime::Handle::current();
        let (fetcher, moved, task) = Fetcher::open(connection, Duration::ZERO, &runtime).unwrap();
        let (stream, ready) = (fetcher.stream(topic, 0), Arc::new(Notify::new()));
        stream.notify(Arc::clone(&ready));
        let (also, feed) = (fetcher.clone(), stream.feed().clone());
        tokio::task::spawn_blocking(move || also.begin(&feed, start)).await.unwrap();
        Self { fetcher, stream, ready, moved, task }
    }

    async fn take(&mut self, count: usize) -> Vec<Record> {
        let mut taken = VecDeque::new();
        let all = async {
            while taken.len() < count {
                if !self.stream.take(count - taken.len(), &mut taken) {
                    self.ready.notified().await;
                }
            }
        };
        let ended = tokio::time::timeout(DEADLINE, all).await;
        assert!(ended.is_ok(), "{} of {count} records came", taken.len());
        taken.into()
    }

    async fn end(self) {
        drop(self.fetcher);
        tokio::time::timeout(DEADLINE, self.task).await.expect("it ends").unwrap();
    }
}

fn values(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| std::str::from_utf8(record.value().unwrap()).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_compressed_by_our_own_by_librdkafka_and_by_javas_client_is_read() {
    let prefix = testing::prefix("fetched");
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let topic = format!("{prefix}{codec}");
        testing::topic(&topic, 1, &[]).await;
        let long = "the same words again and again. ".repeat(5000);
        let ours = Producer::open(&with(&[("compression.type", codec)])).unwrap();
        publish(&ours, vec![record(&topic, "k", &long), record(&topic, "k", "ours")]).await;
        let (to, words) = (topic.clone(), long.clone());
        tokio::task::spawn_blocking(move || {
            librdkafka::produce(codec, &to, &[&words, "librdkafka's"]);
            testing::java_produces(&to, ["--compression-codec", codec], &format!("{words}\nJava's\n"));
        })
        .await
        .unwrap();
        let mut reading = Reading::begin(&testing::brokers(), &topic, Start::Earliest).await;
        let records = reading.take(6).await;
        assert_eq!(
            values(&records),
            [long.as_str(), "ours", &long, "librdkafka's", &long, "Java's"],
            "{codec}"
        );
        let headers = [("twice", Some(&b"1"[..])), ("nothing", None)];
        assert_eq!(records[0].headers().collect::<Vec<_>>(), headers, "{codec}");
        assert_eq!(records[5].headers().count(), 0, "{codec}");
        reading.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_transaction_took_back_is_read_by_nobody_who_reads_the_committed() {
    let topic = format!("{}aborted", testing::prefix("transactions"));
    testing::topic(&topic, 1, &[]).await;
    let to = topic.clone();
    tokio::task::spawn_blocking(move || librdkafka::transactions(&to, &[true, false, false, true]))
        .await
        .unwrap();
    let mut committed = Reading::begin(&testing::brokers(), &topic, Start::Earliest).await;
    let records = committed.take(4).await;
    assert_eq!(values(&records), ["first of 0", "second of 0", "first of 3", "second of 3"]);
    committed.end().await;
    let uncommitted = with(&[("isolation.level", "read_uncommitted")]);
    let mut uncommitted = Reading::begin(&uncommitted, &topic, Start::At(1)).await;
    assert_eq!(values(&uncommitted.take(7).await)[..3], ["second of 0", "first of 1", "second of 1"]);
    uncommitted.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_larger_than_an_answer_may_be_is_read_all_the_same() {
    let topic = format!("{}large", testing::prefix("sizes"));
    testing::topic(&topic, 1, &[("max.message.bytes", "5000000")]).await;
    let producer = Producer::open(&with(&[("batch.size", "4000000")])).unwrap();
    let large = "x".repeat(3_000_000);
    publish(&producer, vec![record(&topic, "k", &large), record(&topic, "k", "small")]).await;
    let small = with(&[("fetch.max.bytes", "1000"), ("max.partition.fetch.bytes", "1000")]);
    let mut reading = Reading::begin(&small, &topic, Start::Earliest).await;
    assert_eq!(values(&reading.take(2).await), [large.as_str(), "small"]);
    reading.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_an_offset_is_not_there_reading_goes_on_at_the_first_record_and_it_is_told() {
    let topic = format!("{}behind", testing::prefix("moved"));
    testing::topic(&topic, 1, &[]).await;
    let producer = Producer::open(&testing::brokers()).unwrap();
    publish(&producer, vec![record(&topic, "k", "0"), record(&topic, "k", "1")]).await;
    let mut reading = Reading::begin(&testing::brokers(), &topic, Start::At(4711)).await;
    assert_eq!(values(&reading.take(2).await), ["0", "1"]);
    let moved = tokio::time::timeout(DEADLINE, reading.moved.recv()).await.unwrap();
    assert_eq!(moved, Some(Moved { topic, partition: 0, deleted: 0, at: 0 }));
    reading.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn news_come_at_once_though_a_broker_may_wait_for_them() {
    let topic = format!("{}news", testing::prefix("waits"));
    testing::topic(&topic, 1, &[]).await;
    // As long as a request may take.
    let patient = with(&[("fetch.wait.max.ms", "600000")]);
    let mut reading = Reading::begin(&patient, &topic, Start::Earliest).await;
    let producer = Producer::open(&testing::brokers()).unwrap();
    for value in ["1", "2", "3"] {
        publish(&producer, vec![record(&topic, "k", value)]).await;
        assert_eq!(values(&reading.take(1).await), [value]);
    }
    reading.end().await;
}

/// A file of what is logged on this thread, until the guard is dropped.
fn logged() -> (tempfile::NamedTempFile, tracing::subscriber::DefaultGuard) {
    let log = tempfile::NamedTempFile::new().unwrap();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(Arc::new(log.reopen().unwrap()))
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

// On one thread, where the fetcher's task logs as well.
#[tokio::test]
async fn whoever_says_where_it_is_reads_the_replica_there_and_the_leader_where_that_is_as_near() {
    let topic = format!("{}near", testing::prefix("racks"));
    testing::topic(&topic, 1, &[]).await;
    let producer = Producer::open(&testing::brokers()).unwrap();
    publish(&producer, vec![record(&topic, "k", "0"), record(&topic, "k", "1")]).await;
    let admin = testing::admin("KAFKAFLOW_TEST_BROKERS").await;
    let brokers = admin.list(Scope::Only(&[])).await.unwrap().brokers;
    let mut near = Vec::new();
    for broker in &brokers {
        let (log, _guard) = logged();
        let rack = broker.rack.as_deref().expect("a rack");
        let mut reading = Reading::begin(&with(&[("client.rack", rack)]), &topic, Start::Earliest).await;
        assert_eq!(values(&reading.take(2).await), ["0", "1"]);
        reading.end().await;
        let said = std::fs::read_to_string(log.path()).unwrap();
        let reads = format!("{topic}/0 is read from broker ");
        let named: Vec<&str> = said.lines().filter_map(|line| line.split(&reads).nth(1)).collect();
        let own = format!("{}, whose replica is near", broker.id);
        assert!(named.iter().all(|named| *named == own), "{}: {named:?}", broker.id);
        near.extend(named.first().map(|_| broker.id));
    }
    assert_eq!((brokers.len(), near.len()), (3, 2), "all but the leader: {near:?}");
}

#[test]
fn settings_have_the_names_of_librdkafka_and_of_javas_client() {
    let given = [
        ("fetch.max.wait.ms", "7"),
        ("fetch.min.bytes", "2"),
        ("fetch.max.bytes", "3"),
        ("fetch.message.max.bytes", "4"),
        ("queued.max.messages.kbytes", "5"),
        ("isolation.level", "read_uncommitted"),
        ("check.crcs", "false"),
        ("client.rack", "b"),
    ];
    let settings = Settings {
        wait_ms: 7,
        least: 2,
        most: 3,
        most_of_partition: 4,
        ahead: 5 * 1024,
        uncommitted: true,
        checked: false,
        rack: "b".to_owned(),
        rest: Duration::ZERO,
    };
    assert_eq!(Settings::of(&with(&given)), Ok(settings));
    for (key, value, why) in [
        ("fetch.min.bytes", "few", "it is a number of bytes"),
        ("fetch.wait.max.ms", "-1", "it is a number of milliseconds"),
        ("isolation.level", "none", "it is read_committed or read_uncommitted"),
        ("check.crcs", "1", "it is true or false"),
    ] {
        let error = Settings::of(&with(&[(key, value)])).unwrap_err();
        assert_eq!(error.to_string(), format!("{key}: {why}"));
    }
}
