//! Everything at once for minutes: records come in, are remembered, announced by the outbox and relayed; memory is watched.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kafkaflow::kafka::Cluster;
use kafkaflow::messaging::Record;
use kafkaflow::runtime::consumer::{self, Consumer, Intake, Options};
use kafkaflow::runtime::relay::{self, Relay, Wake};
use kafkaflow::runtime::{BatchOutcome, HandleError, Handler};
use kafkaflow::store::outbox::{self, Event, KeyOrder};
use kafkaflow::store::{Store, Tx};
use kafkaflow::unit::UnixMillis;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use tokio::sync::watch;

use crate::{close, events, open};

/// Records of one turn of the producer, and how long that is: 1,000 a second.
const TOGETHER: usize = 100;
const TURN: Duration = Duration::from_millis(100);
const SAMPLE: Duration = Duration::from_secs(5);
/// How long the end may take.
const LAST: Duration = Duration::from_secs(60);
/// Published rows are forgotten soon, so that forgetting belongs to what is watched.
const KEEP: Duration = Duration::from_secs(60);

/// Announces each record on another topic.
struct Announces {
    topic: String,
    count: Arc<AtomicUsize>,
}

impl Handler for Announces {
    async fn handle(&self, tx: &mut Tx, batch: &[Record]) -> BatchOutcome {
        let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
        let events: Vec<Event> = batch
            .iter()
            .map(|record| Event {
                id: format!("of-{}", text(record.header("eventId"))),
                aggregate_type: "order".to_owned(),
                aggregate_id: text(record.key()),
                event_type: events::TYPE.to_owned(),
                payload: text(record.value()),
                topic: self.topic.clone(),
                traceparent: None,
            })
            .collect();
        if let Err(error) = outbox::write(tx, &events, KeyOrder::Held, UnixMillis::now()).await {
            return BatchOutcome::Failed(HandleError::from(error));
        }
        self.count.fetch_add(batch.len(), Ordering::Relaxed);
        BatchOutcome::Done
    }
}

pub(crate) async fn soak(
    cluster: &Cluster,
    brokers: &str,
    store: &str,
    seconds: usize,
    [topic, out]: [&str; 2],
) -> serde_json::Value {
    let kind = store.split(':').next().unwrap_or_default().to_owned();
    let store = open(store, "soak", &[]).await;
    let handled = Arc::new(AtomicUsize::new(0));
    let (stop, stopped) = watch::channel(false);
    let (stop_relay, relay_stopped) = watch::channel(false);
    let asked = |mut stopped: watch::Receiver<bool>| async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let wake = Wake::new();
    let announces = Announces { topic: out.to_owned(), count: Arc::clone(&handled) };
    let options = Options {
        concurrency: Some(3),
        ..Options::of(
            format!("soak-{}", UnixMillis::now().0),
            BTreeMap::from([(topic.to_owned(), Intake::default())]),
        )
    };
    let consumer =
        Consumer::new(announces, cluster.producer().expect("a producer"), Some(store.clone()), options)
            .waking(wake.clone());
    let options = relay::Options { keep: KEEP, ..relay::Options::default() };
    let relay = Relay::new(store.clone(), cluster.producer().expect("a producer"), options, "soak");
    let relaying = tokio::spawn(relay::run(relay, wake, Duration::from_secs(5), asked(relay_stopped)));
    let consuming = {
        let (cluster, stopped) = (cluster.clone(), asked(stopped));
        tokio::spawn(async move {
            consumer::run(consumer, &cluster, None, Duration::from_secs(45), stopped).await
        })
    };

    let source = cluster.producer().expect("a producer");
    let began = Instant::now();
    let lasts = Duration::from_secs(seconds as u64);
    let (mut samples, mut last_taken) = (Vec::new(), None::<Instant>);
    let mut produced = 0;
    let mut turn = tokio::time::interval(TURN);
    while began.elapsed() < lasts {
        turn.tick().await;
        if last_taken.is_none_or(|at| at.elapsed() >= SAMPLE) {
            last_taken = Some(Instant::now());
            samples.push((began.elapsed().as_secs_f64().round(), memory_kb()));
        }
        events::place(&source, topic, produced..produced + TOGETHER).await;
        produced += TOGETHER;
    }
    let per_second = crate::rate(produced, began);
    let deadline = Instant::now() + LAST;
    while handled.load(Ordering::Relaxed) < produced {
        assert!(Instant::now() < deadline, "{handled:?} of {produced} handled");
        tokio::time::sleep(TURN).await;
    }
    samples.push((began.elapsed().as_secs_f64().round(), memory_kb()));
    // What is counted is committed when the consumer has ended, and no sooner.
    stop.send_replace(true);
    consuming.await.expect("it ends").expect("it consumes");
    loop {
        let left = waiting(&store).await;
        if left == 0 {
            break;
        }
        assert!(Instant::now() < deadline, "{left} rows wait");
        tokio::time::sleep(TURN).await;
    }
    stop_relay.send_replace(true);
    relaying.await.expect("it ends").expect("it relays");
    close(store).await;
    assert_eq!(handled.load(Ordering::Relaxed), produced, "each once");
    serde_json::json!({
        "what": "soak",
        "store": kind,
        "produced": produced,
        "per_second": per_second,
        "published": records_of(brokers, out),
        "samples": samples,
    })
}

async fn waiting(store: &Store) -> u64 {
    let mut tx = store.reading();
    let status = outbox::status(&mut tx, UnixMillis::now()).await.expect("a status");
    tx.commit().await.expect("read");
    u64::try_from(status.pending).unwrap_or(0)
}

/// What this process holds in memory.
fn memory_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// How many records were ever written to a topic.
fn records_of(brokers: &str, topic: &str) -> i64 {
    let consumer: BaseConsumer =
        rdkafka::ClientConfig::new().set("bootstrap.servers", brokers).create().expect("a consumer");
    let wait = Duration::from_secs(10);
    let metadata = consumer.fetch_metadata(Some(topic), wait).expect("metadata");
    let partitions = metadata.topics().first().expect("the topic").partitions();
    partitions
        .iter()
        .map(|partition| consumer.fetch_watermarks(topic, partition.id(), wait).expect("watermarks").1)
        .sum()
}
