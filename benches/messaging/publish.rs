//! The relay, and what a producer alone takes for the same rows.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kafkaflow::kafka::{Cluster, Producer};
use kafkaflow::messaging::{Delivery, Outgoing, Publisher};
use kafkaflow::runtime::relay::{self, Relay, Wake};
use kafkaflow::runtime::{Boundary, OnBoundary};
use kafkaflow::store::outbox::{self, Event, KeyOrder};
use kafkaflow::store::{Connection, Store};
use kafkaflow::unit::UnixMillis;
use rdkafka::ClientContext;
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer};

use crate::{close, events, open, rate};

const WRITTEN_AT_ONCE: usize = 1000;
/// Records that a bare producer has at most.
const IN_FLIGHT: usize = 20_000;
/// Of the latencies: rows of a transaction, and how often there is one: 2,000 rows a second.
const TOGETHER: usize = 10;
const EVERY: Duration = Duration::from_millis(5);
/// What comes before the measured ones: connections are made, the brokers' code gets warm.
const WARM: usize = 6_000;

struct CountsDeliveries(Arc<AtomicUsize>);

impl ClientContext for CountsDeliveries {}

impl ProducerContext for CountsDeliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        assert!(result.is_ok(), "acknowledged");
        self.0.fetch_add(1, Ordering::Release);
    }
}

/// The relay's records by rdkafka alone, idempotent and acknowledged by all as ours are. They are made beforehand.
pub(crate) fn bare(brokers: &str, topic: &str, count: usize) -> serde_json::Value {
    let records: Vec<Outgoing> = (0..count).map(|number| events::record_of_row(topic, number)).collect();
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let producer: ThreadedProducer<CountsDeliveries> = rdkafka::ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("linger.ms", "5")
        .set("partitioner", "murmur2_random")
        .create_with_context(CountsDeliveries(Arc::clone(&acknowledged)))
        .expect("a producer");
    let began = Instant::now();
    for (sent, record) in records.iter().enumerate() {
        while sent - acknowledged.load(Ordering::Acquire) >= IN_FLIGHT {
            std::thread::sleep(Duration::from_micros(200));
        }
        let headers = record.headers.iter().fold(OwnedHeaders::new(), |headers, header| {
            headers.insert(rdkafka::message::Header { key: &header.name, value: header.value.as_deref() })
        });
        let key = record.key.as_deref().expect("a key");
        let value = record.value.as_deref().expect("a value");
        let native = BaseRecord::to(topic).key(key).payload(value).headers(headers);
        producer.send(native).map_err(|(error, _)| error).expect("taken");
    }
    producer.flush(Duration::from_secs(60)).expect("acknowledged");
    assert_eq!(acknowledged.load(Ordering::Acquire), count);
    serde_json::json!({ "what": "produce", "per_second": rate(count, began) })
}

async fn write(store: &Store, events: &[Event]) {
    let mut tx = store.tx();
    outbox::write(&mut tx, events, KeyOrder::Held, UnixMillis::now()).await.expect("written");
    tx.commit().await.expect("committed");
}

async fn last_row(store: &Store) -> i64 {
    let mut tx = store.reading();
    let Connection::Postgres(connection) = tx.connection().await.expect("a connection") else {
        panic!("the relay is measured on PostgreSQL")
    };
    sqlx::query_scalar("SELECT max(seq) FROM outbox").fetch_one(connection).await.expect("a row")
}

/// Whether such a row waits to be published.
async fn waits(store: &Store, which: &str, last: i64) -> bool {
    let mut tx = store.reading();
    let Connection::Postgres(connection) = tx.connection().await.expect("a connection") else {
        panic!("the relay is measured on PostgreSQL")
    };
    let sql = format!("SELECT EXISTS (SELECT FROM outbox_pending WHERE {which})");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(last).fetch_one(connection).await.expect("an answer")
}

/// A backlog, published as fast as it goes.
pub(crate) async fn relay_backlog(
    cluster: &Cluster,
    store: &str,
    topic: &str,
    count: usize,
) -> serde_json::Value {
    let store = open(store, "relay", &[]).await;
    let writing = Instant::now();
    for first in (0..count).step_by(WRITTEN_AT_ONCE) {
        let last = (first + WRITTEN_AT_ONCE).min(count);
        write(&store, &(first..last).map(|number| events::row(topic, number)).collect::<Vec<_>>()).await;
    }
    let written = rate(count, writing);
    let last = last_row(&store).await;
    let producer = cluster.producer().expect("a producer");
    let relay = Relay::new(store.clone(), producer, relay::Options::default(), "bench");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let began = Instant::now();
    let relaying = tokio::spawn(relay::run(relay, Wake::new(), Duration::from_secs(5), async {
        let _ = stopped.await;
    }));
    // The last is about the last to be recorded; all are when none waits.
    while waits(&store, "seq = $1", last).await || waits(&store, "seq <= $1", last).await {
        tokio::time::sleep(EVERY).await;
    }
    let (per_second, seconds) = (rate(count, began), began.elapsed().as_secs_f64());
    drop(stop);
    relaying.await.expect("it ends").expect("it relays");
    close(store).await;
    serde_json::json!({
        "what": "relay",
        "written_per_second": written,
        "per_second": per_second,
        "seconds": seconds,
    })
}

/// When something happened to each event.
type Times = Arc<Mutex<HashMap<String, Instant>>>;

fn id_of(record: &Outgoing) -> String {
    let id = record.headers.iter().find(|header| header.name == "id").expect("an id");
    String::from_utf8(id.value.clone().expect("an id")).expect("text")
}

/// Notes when each record was handed over and when it was acknowledged.
#[derive(Clone)]
struct Watched {
    producer: Producer,
    handed_over: Times,
    acknowledged: Times,
}

impl Watched {
    fn new(cluster: &Cluster) -> Self {
        Self {
            producer: cluster.producer().expect("a producer"),
            handed_over: Times::default(),
            acknowledged: Times::default(),
        }
    }

    fn seen(&self) -> usize {
        self.acknowledged.lock().expect("times").len()
    }
}

impl Publisher for Watched {
    fn publish(&self, records: Vec<Outgoing>) -> Delivery {
        let ids: Vec<String> = records.iter().map(id_of).collect();
        let now = Instant::now();
        self.handed_over.lock().expect("times").extend(ids.iter().map(|id| (id.clone(), now)));
        let (told, delivery) = Delivery::of(ids.len());
        let mut inner = self.producer.publish(records);
        let acknowledged = Arc::clone(&self.acknowledged);
        tokio::spawn(async move {
            let mut left = ids.len();
            while left > 0 {
                for (at, outcome) in inner.next().await {
                    acknowledged.lock().expect("times").insert(ids[at].clone(), Instant::now());
                    told.tell(at, outcome);
                    left -= 1;
                }
            }
        });
        delivery
    }

    async fn partitions(&self, topic: &str) -> Option<u32> {
        self.producer.partitions(topic).await
    }
}

/// Percentiles in milliseconds.
fn percentiles(mut times: Vec<Duration>) -> serde_json::Value {
    times.sort();
    let at = |percent: usize| {
        let time = times.get((times.len().saturating_sub(1)) * percent / 100).copied().unwrap_or_default();
        (time.as_secs_f64() * 10_000.0).round() / 10.0
    };
    serde_json::json!({ "p50": at(50), "p99": at(99), "max": at(100) })
}

fn between(
    measured: &HashSet<String>,
    from: &HashMap<String, Instant>,
    to: &HashMap<String, Instant>,
) -> serde_json::Value {
    percentiles(measured.iter().map(|id| to[id].saturating_duration_since(from[id])).collect())
}

async fn all_acknowledged(watched: &Watched, count: usize) {
    while watched.seen() < count {
        tokio::time::sleep(EVERY).await;
    }
}

/// From handing over to acknowledgement, without a store: the same records at the same times.
pub(crate) async fn bare_latency(cluster: &Cluster, topic: &str, count: usize) -> serde_json::Value {
    let watched = Watched::new(cluster);
    let mut tick = tokio::time::interval(EVERY);
    let mut measured = HashSet::new();
    for first in (0..WARM + count).step_by(TOGETHER) {
        tick.tick().await;
        let records: Vec<Outgoing> =
            (first..first + TOGETHER).map(|number| events::record_of_row(topic, number)).collect();
        if first >= WARM {
            measured.extend(records.iter().map(id_of));
        }
        drop(watched.publish(records));
    }
    all_acknowledged(&watched, WARM + count).await;
    let acknowledged = between(
        &measured,
        &watched.handed_over.lock().expect("times"),
        &watched.acknowledged.lock().expect("times"),
    );
    serde_json::json!({ "what": "produce-latency", "acknowledged_ms": acknowledged })
}

/// From the commit of a row to its acknowledgement, and where that time goes.
pub(crate) async fn latency(cluster: &Cluster, store: &str, topic: &str, count: usize) -> serde_json::Value {
    let store = open(store, "latency", &[]).await;
    let wake = Wake::new();
    let watched = Watched::new(cluster);
    let recording: Arc<Mutex<(Option<Instant>, Vec<Duration>)>> = Arc::default();
    let told = Arc::clone(&recording);
    let relay = Relay::new(store.clone(), watched.clone(), relay::Options::default(), "bench").on_boundary(
        OnBoundary::new(move |boundary| {
            let mut recording = told.lock().expect("times");
            match boundary {
                Boundary::Acknowledged => recording.0 = Some(Instant::now()),
                Boundary::Recorded => {
                    if let Some(began) = recording.0.take() {
                        recording.1.push(began.elapsed());
                    }
                }
                _ => {}
            }
        }),
    );
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let relaying = tokio::spawn(relay::run(relay, wake.clone(), Duration::from_secs(5), async {
        let _ = stopped.await;
    }));
    let mut committed = HashMap::new();
    let mut committing = Vec::new();
    let mut tick = tokio::time::interval(EVERY);
    let began = Instant::now();
    let mut measured = HashSet::new();
    for first in (0..WARM + count).step_by(TOGETHER) {
        tick.tick().await;
        let rows: Vec<Event> = (first..first + TOGETHER).map(|number| events::row(topic, number)).collect();
        let begins = Instant::now();
        write(&store, &rows).await;
        let at = Instant::now();
        if first >= WARM {
            committing.push(at - begins);
            measured.extend(rows.iter().map(|row| row.id.clone()));
        }
        committed.extend(rows.into_iter().map(|event| (event.id, at)));
        wake.wake();
    }
    let written = rate(WARM + count, began);
    all_acknowledged(&watched, WARM + count).await;
    drop(stop);
    relaying.await.expect("it ends").expect("it relays");
    close(store).await;
    let (handed_over, acknowledged) =
        (watched.handed_over.lock().expect("times"), watched.acknowledged.lock().expect("times"));
    let recorded = std::mem::take(&mut recording.lock().expect("times").1);
    serde_json::json!({
        "what": "latency",
        "written_per_second": written,
        "committing_ms": percentiles(committing),
        "whole_ms": between(&measured, &committed, &acknowledged),
        "waiting_ms": between(&measured, &committed, &handed_over),
        "acknowledged_ms": between(&measured, &handed_over, &acknowledged),
        "recorded_ms": percentiles(recorded),
    })
}
