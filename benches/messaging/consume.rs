//! What a group's consumer takes, and what a bare loop and the validator alone take.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use kafkaflow::kafka::Cluster;
use kafkaflow::messaging::Record;
use kafkaflow::runtime::consumer::{self, Consumer, Intake, Options};
use kafkaflow::runtime::{BatchOutcome, HandleError, Handler};
use kafkaflow::store::{Connection, Migration, StoreError, Tx};
use kafkaflow::unit::UnixMillis;
use rdkafka::consumer::{BaseConsumer, Consumer as _};

use crate::{close, events, open, rate};

/// As many as the peer has threads.
const LANES: usize = 3;

/// How long a run may take.
const LONGEST: Duration = Duration::from_secs(300);

/// The handler's own table: a row for every order.
const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "effects",
    sqlite: "CREATE TABLE effect (order_id TEXT NOT NULL, bytes INTEGER NOT NULL) STRICT",
    postgres: "CREATE TABLE effect (order_id text NOT NULL, bytes integer NOT NULL)",
}];

/// What is done with every record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// It is counted.
    Nothing,
    /// Its payload is judged.
    Judged,
    /// Its event's id is kept in the inbox.
    Inbox,
    /// Both, and it has one row as its effect.
    Whole,
}

/// What a loop around rdkafka takes at the least, with the settings of our consumer: with librdkafka's own it would wait
/// for a second whenever its queue was full. The clock starts with the first record.
pub(crate) fn bare(brokers: &str, topic: &str, count: usize) -> serde_json::Value {
    let consumer: BaseConsumer = rdkafka::ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", format!("bare-{}", UnixMillis::now().0))
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.offset.store", "false")
        .set("fetch.queue.backoff.ms", "5")
        .set("queued.max.messages.kbytes", "4096")
        .create()
        .expect("a consumer");
    consumer.subscribe(&[topic]).expect("a subscription");
    let (mut seen, mut bytes, mut began) = (0_usize, 0_usize, None);
    let subscribed = Instant::now();
    while seen < count {
        // Nothing comes with each step of the group's joining too.
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) {
            began.get_or_insert_with(Instant::now);
            seen += 1;
            bytes += message.payload_len();
        } else {
            assert!(subscribed.elapsed() < LONGEST, "only {seen} of {count} records are there");
        }
    }
    serde_json::json!({ "what": "bare", "per_second": rate(seen, began.expect("a record")), "bytes": bytes })
}

/// The validator alone, on one thread, over documents that lie in memory one after the other.
pub(crate) fn validator(count: usize) -> serde_json::Value {
    let judge = events::judge();
    let documents: Vec<String> = (0..count.min(100_000)).map(|number| events::order(number).value).collect();
    let began = Instant::now();
    let valid = (0..count).filter(|at| judge.is_valid(documents[at % documents.len()].as_bytes())).count();
    assert_eq!(valid, count, "the events are valid");
    serde_json::json!({ "what": "validator", "per_second": rate(count, began) })
}

struct Counts {
    seen: Arc<AtomicUsize>,
    began: Arc<OnceLock<Instant>>,
    effects: bool,
}

impl Handler for Counts {
    async fn handle(&self, tx: &mut Tx, batch: &[Record]) -> BatchOutcome {
        self.began.get_or_init(Instant::now);
        if self.effects
            && let Err(error) = write_effects(tx, batch).await
        {
            return BatchOutcome::Failed(HandleError::from(error));
        }
        self.seen.fetch_add(batch.len(), Ordering::Relaxed);
        BatchOutcome::Done
    }
}

/// One statement for the whole batch.
async fn write_effects(tx: &mut Tx, batch: &[Record]) -> Result<(), StoreError> {
    let orders: Vec<&str> = batch
        .iter()
        .map(|record| std::str::from_utf8(record.key().unwrap_or_default()).unwrap_or_default())
        .collect();
    let bytes: Vec<i32> = batch
        .iter()
        .map(|record| record.value().map_or(0, <[u8]>::len).try_into().unwrap_or(i32::MAX))
        .collect();
    match tx.connection().await? {
        Connection::Postgres(connection) => {
            sqlx::query("INSERT INTO effect SELECT * FROM unnest($1::text[], $2::int[])")
                .bind(orders)
                .bind(bytes)
                .execute(connection)
                .await?;
        }
        Connection::Sqlite(connection) => {
            let rows: Vec<_> = orders.into_iter().zip(bytes).collect();
            sqlx::query("INSERT INTO effect SELECT value ->> 0, value ->> 1 FROM json_each($1)")
                .bind(serde_json::to_string(&rows).expect("JSON"))
                .execute(connection)
                .await?;
        }
    }
    Ok(())
}

/// The runtime's consumer, from its first record to its last.
pub(crate) async fn consume(
    cluster: &Cluster,
    store: &str,
    topic: &str,
    count: usize,
    takes: Takes,
) -> serde_json::Value {
    let with_store = match store {
        "-" => None,
        store => Some(open(store, "consume", MIGRATIONS).await),
    };
    let intake = match takes {
        Takes::Nothing | Takes::Inbox => Intake::default(),
        Takes::Judged | Takes::Whole => {
            let types = BTreeSet::from([events::TYPE.to_owned()]);
            Intake { handles: types, judge: Some(events::judge()), ..Intake::default() }
        }
    };
    let group = format!("consume-{}", UnixMillis::now().0);
    let options = Options {
        batch: 2000,
        concurrency: Some(LANES),
        ..Options::of(group, BTreeMap::from([(topic.to_owned(), intake)]))
    };
    let (seen, began) = (Arc::new(AtomicUsize::new(0)), Arc::new(OnceLock::new()));
    let handler =
        Counts { seen: Arc::clone(&seen), began: Arc::clone(&began), effects: takes == Takes::Whole };
    let consumer =
        Consumer::new(handler, cluster.producer().expect("a producer"), with_store.clone(), options);
    let mut per_second = 0.0;
    let ended = async {
        let joins = Instant::now();
        while seen.load(Ordering::Relaxed) < count {
            tokio::time::sleep(Duration::from_millis(2)).await;
            assert!(joins.elapsed() < LONGEST, "only {seen:?} of {count} records are handled");
        }
        per_second = rate(count, *began.get().expect("a record"));
    };
    consumer::run(consumer, cluster, None, Duration::from_secs(45), ended).await.expect("it consumes");
    if let Some(store) = with_store {
        close(store).await;
    }
    let what = match takes {
        Takes::Nothing => "empty",
        Takes::Judged => "judged",
        Takes::Inbox => "inbox",
        Takes::Whole => "whole",
    };
    serde_json::json!({ "what": what, "store": store.split(':').next(), "per_second": per_second })
}
