//! The messaging runtime on real brokers and stores: relay, consumer, and a bare rdkafka loop beside it.
//!
//! `messaging WHAT BROKERS STORE [COUNT]` prints one line of JSON; `./dev bench messaging` makes tables of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kafkaflow::kafka::{Cluster, Producer};
use kafkaflow::messaging::{Header, Outgoing, Publisher, Record};
use kafkaflow::runtime::consumer::{self, Consumer, Intake, Options};
use kafkaflow::runtime::relay::{self, Relay, Wake};
use kafkaflow::runtime::{BatchOutcome, Handler};
use kafkaflow::store::outbox::{self, Event, KeyOrder};
use kafkaflow::store::{Location, Store, Tx};
use kafkaflow::unit::UnixMillis;
use rdkafka::consumer::{BaseConsumer, Consumer as _};

/// The design document's event is about as long.
const VALUE: usize = 384;
const WRITTEN_AT_ONCE: usize = 1000;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let [what, brokers, store, rest @ ..] = args.as_slice() else {
        eprintln!("usage: messaging fill|bare|consume|relay|latency BROKERS STORE|- [COUNT] [TOPIC]");
        std::process::exit(2);
    };
    let count: usize = rest.first().and_then(|count| count.parse().ok()).unwrap_or(200_000);
    let topic = rest.get(1).cloned().unwrap_or_else(|| "bench.messaging".to_owned());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let cluster = Cluster::at(brokers).expect("brokers");
    let figures = runtime.block_on(async {
        match what.as_str() {
            "fill" => fill(&cluster, &topic, count).await,
            "bare" => bare(brokers, &topic, count),
            "consume" => consume(&cluster, store, &topic, count).await,
            "relay" => relay_backlog(&cluster, store, &topic, count).await,
            "latency" => latency(&cluster, store, &topic, count).await,
            other => panic!("there is no {other}"),
        }
    });
    println!("{figures}");
}

async fn acknowledged(producer: &Producer, records: Vec<Outgoing>) {
    let mut left = records.len();
    let mut delivery = producer.publish(records);
    while left > 0 {
        for (_, outcome) in delivery.next().await {
            outcome.expect("acknowledged");
            left -= 1;
        }
    }
}

async fn fill(cluster: &Cluster, topic: &str, count: usize) -> serde_json::Value {
    let producer = cluster.producer().expect("a producer");
    let began = Instant::now();
    for first in (0..count).step_by(20_000) {
        let records = (first..(first + 20_000).min(count)).map(|n| Outgoing {
            topic: topic.to_owned(),
            partition: None,
            key: Some(format!("ORD-{n}").into_bytes()),
            value: Some(vec![b'x'; VALUE]),
            headers: vec![
                Header::new("eventId", format!("evt-{n}").into_bytes()),
                Header::new("eventType", "OrderPlaced"),
            ],
            timestamp: None,
        });
        acknowledged(&producer, records.collect()).await;
    }
    serde_json::json!({ "what": "fill", "per_second": rate(count, began) })
}

fn rate(count: usize, began: Instant) -> f64 {
    (count as f64 / began.elapsed().as_secs_f64()).round()
}

/// What a loop around rdkafka costs at the least. The clock starts with the first record.
fn bare(brokers: &str, topic: &str, count: usize) -> serde_json::Value {
    let consumer: BaseConsumer = rdkafka::ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", format!("bare-{}", UnixMillis::now().0))
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.offset.store", "false")
        .create()
        .expect("a consumer");
    consumer.subscribe(&[topic]).expect("a subscription");
    let (mut seen, mut bytes, mut began) = (0_usize, 0_usize, None);
    while seen < count {
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) {
            began.get_or_insert_with(Instant::now);
            seen += 1;
            bytes += message.payload_len();
        }
    }
    serde_json::json!({ "what": "bare", "per_second": rate(seen, began.expect("a record")), "bytes": bytes })
}

struct Counts {
    seen: Arc<AtomicUsize>,
    began: Arc<std::sync::OnceLock<Instant>>,
}

impl Handler for Counts {
    async fn handle(&self, _: &mut Tx, batch: &[Record]) -> BatchOutcome {
        self.began.get_or_init(Instant::now);
        self.seen.fetch_add(batch.len(), Ordering::Relaxed);
        BatchOutcome::Done
    }
}

async fn open(store: &str, service: &str) -> Store {
    let location: Location = store.parse().expect("a store");
    Store::open(&location, service, &[], 16).await.expect("the store opens")
}

/// The consumer with a handler that only counts; with a store, each event's id in its inbox.
async fn consume(cluster: &Cluster, store: &str, topic: &str, count: usize) -> serde_json::Value {
    let with_store = match store {
        "-" => None,
        store => Some(open(store, &format!("consume{}", UnixMillis::now().0)).await),
    };
    let group = format!("consume-{}", UnixMillis::now().0);
    let options = Options {
        batch: 2000,
        concurrency: with_store.is_none().then_some(1).or(Some(3)),
        ..Options::of(group, BTreeMap::from([(topic.to_owned(), Intake::default())]))
    };
    let (seen, began) = (Arc::new(AtomicUsize::new(0)), Arc::new(std::sync::OnceLock::new()));
    let handler = Counts { seen: Arc::clone(&seen), began: Arc::clone(&began) };
    let consumer = Consumer::new(handler, cluster.producer().expect("a producer"), with_store, options);
    let done = async {
        while seen.load(Ordering::Relaxed) < count {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let mut per_second = 0.0;
    let ended = async {
        done.await;
        per_second = rate(count, *began.get().expect("a record"));
    };
    consumer::run(consumer, cluster, None, Duration::from_secs(45), ended).await.expect("it consumes");
    serde_json::json!({ "what": "consume", "store": store.split(':').next(), "per_second": per_second })
}

fn event(topic: &str, n: usize) -> Event {
    Event {
        id: format!("evt-{}-{n}", UnixMillis::now().0),
        aggregate_type: "order".to_owned(),
        aggregate_id: format!("ORD-{n}"),
        event_type: "OrderPlaced".to_owned(),
        payload: "x".repeat(VALUE),
        topic: topic.to_owned(),
        traceparent: None,
    }
}

async fn write(store: &Store, events: &[Event]) {
    let mut tx = store.tx();
    outbox::write(&mut tx, events, KeyOrder::Held, UnixMillis::now()).await.expect("written");
    tx.commit().await.expect("committed");
}

/// A backlog, published as fast as it goes.
async fn relay_backlog(cluster: &Cluster, store: &str, topic: &str, count: usize) -> serde_json::Value {
    let store = open(store, &format!("relay{}", UnixMillis::now().0)).await;
    let writing = Instant::now();
    for first in (0..count).step_by(WRITTEN_AT_ONCE) {
        let events: Vec<Event> =
            (first..(first + WRITTEN_AT_ONCE).min(count)).map(|n| event(topic, n)).collect();
        write(&store, &events).await;
    }
    let written = rate(count, writing);
    let options = relay::Options { batch: 5000, ..relay::Options::default() };
    let mut relay = Relay::new(store, cluster.producer().expect("a producer"), options, "bench");
    relay.refresh(UnixMillis::now()).await.expect("keys");
    let began = Instant::now();
    let mut published = 0;
    while published < count {
        published += relay.relay_once(UnixMillis::now()).await.expect("a round").published;
    }
    serde_json::json!({ "what": "relay", "written_per_second": written, "per_second": rate(count, began) })
}

/// From the commit of a row to its acknowledgement, at 2,000 rows a second in transactions of ten.
async fn latency(cluster: &Cluster, store: &str, topic: &str, count: usize) -> serde_json::Value {
    let store = open(store, &format!("latency{}", UnixMillis::now().0)).await;
    let wake = Wake::new();
    let acknowledged: Arc<std::sync::Mutex<BTreeMap<String, Instant>>> = Arc::default();
    let watched = Watched {
        producer: cluster.producer().expect("a producer"),
        acknowledged: Arc::clone(&acknowledged),
    };
    let relay = Relay::new(store.clone(), watched, relay::Options::default(), "bench");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let relaying = tokio::spawn(relay::run(relay, wake.clone(), Duration::from_secs(5), async {
        let _ = stopped.await;
    }));
    let mut committed = BTreeMap::new();
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    for first in (0..count).step_by(10) {
        tick.tick().await;
        let events: Vec<Event> = (first..first + 10).map(|n| event(topic, n)).collect();
        write(&store, &events).await;
        let at = Instant::now();
        committed.extend(events.into_iter().map(|event| (event.id, at)));
        wake.wake();
    }
    while acknowledged.lock().expect("times").len() < committed.len() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(stop);
    relaying.await.expect("it ends").expect("it relays");
    let times = acknowledged.lock().expect("times");
    let mut millis: Vec<f64> = committed
        .iter()
        .map(|(id, at)| times[id].saturating_duration_since(*at).as_secs_f64() * 1000.0)
        .collect();
    millis.sort_by(f64::total_cmp);
    let at = |percent: usize| (millis[(millis.len() - 1) * percent / 100] * 10.0).round() / 10.0;
    serde_json::json!({ "what": "latency", "p50_ms": at(50), "p99_ms": at(99), "max_ms": at(100) })
}

/// Notes when each record was acknowledged.
struct Watched {
    producer: Producer,
    acknowledged: Arc<std::sync::Mutex<BTreeMap<String, Instant>>>,
}

impl Publisher for Watched {
    fn publish(&self, records: Vec<Outgoing>) -> kafkaflow::messaging::Delivery {
        let ids: Vec<String> = records
            .iter()
            .map(|record| {
                let id = record.headers.iter().find(|header| header.name == "id").expect("an id");
                String::from_utf8(id.value.clone().expect("an id")).expect("text")
            })
            .collect();
        let (told, delivery) = kafkaflow::messaging::Delivery::of(ids.len());
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
