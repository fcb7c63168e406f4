//! Consumers and relays on real brokers, over both stores.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::consumer::{self, Consumer, ConsumerError, Intake, Options};
use super::in_hand::InHand;
use super::relay::{self, Relay, Wake};
use super::{BatchOutcome, HandleError, Handler};
use crate::kafka::testing::{self, DEADLINE};
use crate::kafka::{Cluster, Producer};
use crate::messaging::{BackOff, Header, Outgoing, Record, RetryPolicy, publish_all};
use crate::store::outbox::{self, Event, KeyOrder};
use crate::store::testing::{TestStore, effect, effects, epochs, on_both_stores};
use crate::store::{Store, Tx};
use crate::unit::UnixMillis;

on_both_stores! { crate::store::testing::EFFECTS;
    members_come_and_go_and_every_event_has_its_effect_once_in_order,
    a_batch_that_is_not_full_waits_for_more,
    a_batch_is_in_hand_from_its_first_record_until_it_is_handled,
    what_a_handler_announces_is_published_in_order,
    a_partition_that_waits_for_long_is_not_taken_away,
    what_was_deleted_unread_is_passed_by_and_the_rest_is_read,
}

/// Writes an effect for each record, and refuses some.
#[derive(Clone)]
struct Effects {
    poison: &'static str,
    /// Records with this id fail until that time.
    fails: Option<(&'static str, Instant)>,
    announces: Option<String>,
    failures: Arc<AtomicUsize>,
    /// How many records each batch had.
    batches: Arc<Mutex<Vec<usize>>>,
    in_hand: InHand,
    /// How many batches were in hand while each was handled.
    held: Arc<Mutex<Vec<usize>>>,
}

impl Effects {
    fn new() -> Self {
        Self {
            poison: "-",
            fails: None,
            announces: None,
            failures: Arc::default(),
            batches: Arc::default(),
            in_hand: InHand::default(),
            held: Arc::default(),
        }
    }
}

impl Handler for Effects {
    async fn handle(&self, tx: &mut Tx, batch: &[Record]) -> BatchOutcome {
        self.batches.lock().unwrap().push(batch.len());
        self.held.lock().unwrap().push(self.in_hand.batches());
        self.write(tx, batch).await.into()
    }
}

impl Effects {
    async fn write(&self, tx: &mut Tx, batch: &[Record]) -> Result<(), HandleError> {
        let mut events = Vec::new();
        for record in batch {
            let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap().to_vec()).unwrap();
            let (id, key) = (text(record.header("eventId")), text(record.key()));
            if id.ends_with(self.poison) {
                return Err(HandleError::poison("poison"));
            }
            if let Some((failing, until)) = self.fails
                && id == failing
                && Instant::now() < until
            {
                self.failures.fetch_add(1, Ordering::Relaxed);
                return Err(HandleError::transient("not yet"));
            }
            effect(tx, &key, &id).await?;
            if let Some(topic) = &self.announces {
                events.push(Event {
                    id: format!("out-{id}"),
                    aggregate_type: "effect".to_owned(),
                    aggregate_id: key,
                    event_type: "Effect".to_owned(),
                    payload: format!("{{\"of\":\"{id}\"}}"),
                    topic: topic.clone(),
                    traceparent: None,
                });
            }
        }
        outbox::write(tx, &events, KeyOrder::Held, UnixMillis::now()).await?;
        Ok(())
    }
}

async fn until(what: &str, mut probe: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !probe().await {
        assert!(Instant::now() < deadline, "{what}: not within {DEADLINE:?}");
        // A probe asks the database that the consumer works on.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn cluster() -> Cluster {
    testing::brokers().into()
}

/// A consumer that runs until it is told to end.
struct Running {
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), ConsumerError>>,
}

impl Running {
    fn start(consumer: Consumer<Effects, Producer>, session: Duration) -> Self {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            consumer::run(consumer, &cluster(), None, session, stopped).await
        });
        Self { stop: Some(stop), task }
    }

    async fn end(mut self) {
        drop(self.stop.take());
        let began = Instant::now();
        self.task.await.unwrap().unwrap();
        assert!(began.elapsed() < Duration::from_secs(10), "it did not end within its grace");
    }
}

fn options(group: &str, topic: &str) -> Options {
    let intake = Intake {
        dead_letters: Some(format!("{topic}.DLT")),
        retry: RetryPolicy { attempts: 1000, backoff: BackOff::Fixed(Duration::from_millis(500)) },
        ..Intake::default()
    };
    Options::of(group, BTreeMap::from([(topic.to_owned(), intake)]))
}

fn consumer(store: &Store, handler: &Effects, options: &Options) -> Consumer<Effects, Producer> {
    let producer = cluster().producer().unwrap();
    Consumer::new(handler.clone(), producer, Some(store.clone()), options.clone())
        .showing(handler.in_hand.clone())
}

/// Publishes events `<n>` in order, of keys `key-<n modulo keys>`.
async fn produce(topic: &str, ids: std::ops::Range<usize>, keys: usize) {
    let records: Vec<Outgoing> = ids
        .map(|n| Outgoing {
            topic: topic.to_owned(),
            partition: None,
            key: Some(format!("key-{}", n % keys).into_bytes()),
            value: Some(b"{}".to_vec()),
            headers: vec![
                Header::new("eventId", format!("{n}").into_bytes()),
                Header::new("eventType", "Happened"),
            ],
            timestamp: None,
        })
        .collect();
    for outcome in publish_all(&cluster().producer().unwrap(), records).await {
        outcome.unwrap();
    }
}

fn assert_in_order(effects: &[(String, String)]) {
    let mut last: HashMap<&str, usize> = HashMap::new();
    for (key, id) in effects {
        let n: usize = id.parse().unwrap();
        let before = last.insert(key, n);
        assert!(before < Some(n), "{key}: {n} after {before:?}");
    }
}

async fn members_come_and_go_and_every_event_has_its_effect_once_in_order(test: TestStore) {
    let topic = format!("{}events", testing::prefix("members"));
    testing::topic(&topic, 6, &[]).await;
    testing::topic(&format!("{topic}.DLT"), 1, &[]).await;
    let (store, handler) = (&test.store, Effects { poison: "99", ..Effects::new() });
    let options = options(&topic, &topic);
    let session = Duration::from_secs(10);
    produce(&topic, 0..1500, 20).await;
    let first = Running::start(consumer(store, &handler, &options), session);
    until("the first works", async || effects(store).await.len() > 300).await;
    let two = Options { concurrency: Some(2), ..options.clone() };
    let second = Running::start(consumer(store, &handler, &two), session);
    produce(&topic, 1500..3000, 20).await;
    until("half is done", async || effects(store).await.len() > 1600).await;
    first.end().await;
    produce(&topic, 3000..4000, 20).await;
    until("all is done", async || effects(store).await.len() >= 3960).await;
    let third = Running::start(consumer(store, &handler, &options), session);
    second.end().await;
    third.end().await;
    let found = effects(store).await;
    let ids: BTreeSet<usize> = found.iter().map(|(_, id)| id.parse().unwrap()).collect();
    let expected: BTreeSet<usize> = (0..4000).filter(|n| n % 100 != 99).collect();
    assert_eq!((found.len(), ids), (3960, expected));
    assert_in_order(&found);
    let letters = tokio::task::spawn_blocking(move || testing::read(&format!("{topic}.DLT"), 1, 40));
    let dead: BTreeSet<String> = letters.await.unwrap()[&0]
        .iter()
        .map(|letter| String::from_utf8(letter.header("eventId").unwrap().to_vec()).unwrap())
        .collect();
    assert_eq!(dead, (0..40).map(|n| format!("{}", n * 100 + 99)).collect());
}

async fn a_batch_that_is_not_full_waits_for_more(test: TestStore) {
    let topic = format!("{}events", testing::prefix("linger"));
    testing::topic(&topic, 1, &[]).await;
    let handler = Effects::new();
    let options = Options { batch: 20, linger: Duration::from_secs(600), ..options(&topic, &topic) };
    let running = Running::start(consumer(&test.store, &handler, &options), Duration::from_secs(10));
    for n in 0..40 {
        produce(&topic, n..n + 1, 20).await;
    }
    until("all is done", async || effects(&test.store).await.len() == 40).await;
    assert_eq!(*handler.batches.lock().unwrap(), [20, 20]);
    // What waits for more holds up nobody who wants to end, and comes again afterwards.
    produce(&topic, 40..41, 20).await;
    running.end().await;
    let options = Options { linger: Duration::from_millis(1), ..options };
    let running = Running::start(consumer(&test.store, &handler, &options), Duration::from_secs(10));
    until("the last is done", async || effects(&test.store).await.len() == 41).await;
    running.end().await;
}

async fn a_batch_is_in_hand_from_its_first_record_until_it_is_handled(test: TestStore) {
    let topic = format!("{}events", testing::prefix("in-hand"));
    testing::topic(&topic, 1, &[]).await;
    let handler = Effects::new();
    let options = Options { batch: 2, linger: Duration::from_secs(600), ..options(&topic, &topic) };
    let running = Running::start(consumer(&test.store, &handler, &options), Duration::from_secs(10));
    produce(&topic, 0..1, 2).await;
    until("it waits for more", async || handler.in_hand.batches() == 1).await;
    produce(&topic, 1..2, 2).await;
    until("it is handled", async || effects(&test.store).await.len() == 2).await;
    until("nothing is in hand", async || handler.in_hand.batches() == 0).await;
    assert_eq!(*handler.held.lock().unwrap(), [1]);
    running.end().await;
}

async fn what_a_handler_announces_is_published_in_order(test: TestStore) {
    let prefix = testing::prefix("announced");
    let (source, target) = (format!("{prefix}in"), format!("{prefix}out"));
    testing::topic(&source, 3, &[]).await;
    testing::topic(&target, 3, &[]).await;
    let handler = Effects { announces: Some(target.clone()), ..Effects::new() };
    let wake = Wake::new();
    let consumer = consumer(&test.store, &handler, &options(&source, &source)).waking(wake.clone());
    let running = Running::start(consumer, Duration::from_secs(10));
    let relay_options = relay::Options { listen: true, ..relay::Options::default() };
    let relay =
        Relay::new(test.store.clone(), cluster().producer().unwrap(), relay_options, "relay of the test");
    let (stop, stopped) = oneshot::channel::<()>();
    let relay = tokio::spawn(relay::run(relay, wake, Duration::from_secs(5), async {
        let _ = stopped.await;
    }));
    produce(&source, 0..1000, 10).await;
    let read = {
        let target = target.clone();
        tokio::task::spawn_blocking(move || testing::read(&target, 3, 1000)).await.unwrap()
    };
    let mut last: HashMap<Vec<u8>, i64> = HashMap::new();
    for record in read.values().flatten() {
        let id = String::from_utf8(record.header("id").unwrap().to_vec()).unwrap();
        let n: i64 = id.trim_start_matches("out-").parse().unwrap();
        assert_eq!(record.value().unwrap(), format!("{{\"of\":\"{n}\"}}").as_bytes());
        assert!(last.insert(record.key().unwrap().to_vec(), n) < Some(n), "{record:?}");
    }
    running.end().await;
    drop(stop);
    relay.await.unwrap().unwrap();
    let mut tx = test.store.reading();
    let status = outbox::status(&mut tx, UnixMillis::now()).await.unwrap();
    assert_eq!((status.pending, status.published, status.dead), (0, 1000, 0));
}

async fn a_partition_that_waits_for_long_is_not_taken_away(test: TestStore) {
    let topic = format!("{}waits", testing::prefix("waits"));
    testing::topic(&topic, 2, &[]).await;
    // Longer than `max.poll.interval.ms` and the session.
    let until_then = Instant::now() + Duration::from_secs(13);
    let handler = Effects { fails: Some(("7", until_then)), ..Effects::new() };
    let mut config = testing::brokers();
    config.rest.push(("max.poll.interval.ms".to_owned(), crate::connection::Secret::new("10000")));
    let cluster = Cluster::from(config);
    let (stop, stopped) = oneshot::channel::<()>();
    let consumer = consumer(&test.store, &handler, &options(&topic, &topic));
    let task = tokio::spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        consumer::run(consumer, &cluster, None, Duration::from_secs(6), stopped).await
    });
    produce(&topic, 0..100, 10).await;
    // All but the keys of the partition that waits.
    let beside = (0..100).filter(|n| {
        let partition = |n: usize| crate::messaging::partition_of(format!("key-{}", n % 10).as_bytes(), 2);
        partition(*n) != partition(7)
    });
    let beside: BTreeSet<String> = beside.map(|n| n.to_string()).collect();
    until("the other partition goes on", async || {
        let found: BTreeSet<String> = effects(&test.store).await.into_iter().map(|(_, id)| id).collect();
        found.is_superset(&beside)
    })
    .await;
    assert!(Instant::now() < until_then, "the other partition waited too");
    until("all is done", async || effects(&test.store).await.len() >= 100).await;
    assert!(Instant::now() >= until_then);
    assert_in_order(&effects(&test.store).await);
    // Taken away and given back, the partition would have begun another epoch.
    assert_eq!(epochs(&test.store).await, [1, 1]);
    drop(stop);
    task.await.unwrap().unwrap();
}

async fn what_was_deleted_unread_is_passed_by_and_the_rest_is_read(test: TestStore) {
    let topic = format!("{}deleted", testing::prefix("deleted"));
    testing::topic(&topic, 1, &[]).await;
    let (handler, options) = (Effects::new(), options(&topic, &topic));
    let session = Duration::from_secs(10);
    produce(&topic, 0..100, 5).await;
    let first = Running::start(consumer(&test.store, &handler, &options), session);
    until("the first half is done", async || effects(&test.store).await.len() == 100).await;
    first.end().await;
    produce(&topic, 100..200, 5).await;
    delete_records(&topic, 150).await;
    produce(&topic, 200..210, 5).await;
    let second = Running::start(consumer(&test.store, &handler, &options), session);
    until("the rest is done", async || effects(&test.store).await.len() == 160).await;
    second.end().await;
    let ids: BTreeSet<usize> =
        effects(&test.store).await.into_iter().map(|(_, id)| id.parse().unwrap()).collect();
    assert_eq!(ids, (0..100).chain(150..210).collect());
}

/// Deletes what stands before an offset, by Apache's own tool.
async fn delete_records(topic: &str, before: i64) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("offsets.json");
    let offsets = serde_json::json!({ "partitions": [{ "topic": topic, "partition": 0, "offset": before }] });
    std::fs::write(&file, offsets.to_string()).unwrap();
    let tool = tokio::process::Command::new("./dev")
        .args(["kafka", "tool", "delete-records", "--offset-json-file"])
        .arg(&file)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .await
        .unwrap();
    assert!(tool.status.success(), "{}", String::from_utf8_lossy(&tool.stderr));
}
