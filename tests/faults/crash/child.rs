//! The process that is killed: a consumer and a relay over one store, until standard input ends or it kills itself.

use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kafkaflow::kafka::Cluster;
use kafkaflow::messaging::{BackOff, Record, RetryPolicy};
use kafkaflow::runtime::consumer::{self, Consumer, Intake, Options};
use kafkaflow::runtime::relay::{self, Relay, Wake};
use kafkaflow::runtime::{BatchOutcome, Boundary, HandleError, Handler, OnBoundary};
use kafkaflow::store::outbox::{self, Event, KeyOrder};
use kafkaflow::store::{Migration, Store, Tx};
use kafkaflow::unit::UnixMillis;

/// What a child does.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Orders {
    pub(super) brokers: String,
    pub(super) store: String,
    /// Topics are `<name>.in`, `<name>.in.DLT` and `<name>.out`; the group is `<name>`.
    pub(super) name: String,
    /// A static member's name.
    pub(super) instance: Option<String>,
    pub(super) session_ms: u64,
    /// At which boundary, when it is reached for which time, the process does what to itself.
    pub(super) fate: Option<(usize, usize, Signal)>,
    pub(super) concurrency: Option<usize>,
    /// Batches are tried without holding what is read; an announcement is all the effect that an input has.
    pub(super) optimistic: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Signal {
    Kill,
    Stop,
}

const ORDERS: &str = "KAFKAFLOW_TEST_CRASH_ORDERS";

impl Orders {
    /// Starts a process that carries them out; it ends when its standard input does.
    pub(super) fn start(&self) -> Child {
        Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "crash::child::body_of_a_child", "--ignored", "--nocapture"])
            .env(ORDERS, serde_json::to_string(self).expect("orders"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("a child")
    }
}

pub(super) const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "effects",
    sqlite: "CREATE TABLE effect (n INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, id TEXT NOT NULL) STRICT",
    postgres: "CREATE TABLE effect (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text NOT NULL,
                                    id text NOT NULL)",
}];

/// Every such input can never be handled.
pub(super) fn is_poison(id: u64) -> bool {
    id % 37 == 5
}

/// Every such input fails once in each process.
fn fails_once(id: u64) -> bool {
    id % 23 == 7
}

/// Such an input's key has no other.
pub(super) fn is_alone(id: u64) -> bool {
    id / 40 % 2 == 1
}

struct Effects {
    out: String,
    failed: Mutex<HashSet<u64>>,
}

/// The same without the table of effects.
struct Announcements(Effects);

impl Handler for Effects {
    async fn handle(&self, tx: &mut Tx, batch: &[Record]) -> BatchOutcome {
        self.write(tx, batch, true).await.into()
    }
}

impl Handler for Announcements {
    const OPTIMISTIC: bool = true;

    async fn handle(&self, tx: &mut Tx, batch: &[Record]) -> BatchOutcome {
        self.0.write(tx, batch, false).await.into()
    }
}

impl Effects {
    async fn write(&self, tx: &mut Tx, batch: &[Record], effects: bool) -> Result<(), HandleError> {
        let mut events = Vec::new();
        let mut order = KeyOrder::NoneWaits;
        for record in batch {
            let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
            let (id, key) = (text(record.header("eventId")), text(record.key()));
            let number: u64 = id.parse().map_err(HandleError::poison)?;
            if is_poison(number) {
                return Err(HandleError::poison("poison"));
            }
            if fails_once(number) && self.failed.lock().unwrap().insert(number) {
                return Err(HandleError::transient("not the first time"));
            }
            if effects {
                effect(tx, &key, &id).await?;
            }
            if !is_alone(number) {
                order = KeyOrder::Held;
            }
            events.push(Event {
                id: format!("out-{id}"),
                aggregate_type: "effect".to_owned(),
                aggregate_id: key,
                event_type: "Effect".to_owned(),
                payload: "{}".to_owned(),
                topic: self.out.clone(),
                traceparent: None,
            });
        }
        outbox::write(tx, &events, order, UnixMillis::now()).await?;
        Ok(())
    }
}

async fn effect(tx: &mut Tx, key: &str, id: &str) -> Result<(), kafkaflow::store::StoreError> {
    kafkaflow::with_connection!(tx, |connection| {
        sqlx::query("INSERT INTO effect (key, id) VALUES ($1, $2)")
            .bind(key)
            .bind(id)
            .execute(connection)
            .await?;
    });
    Ok(())
}

#[test]
#[ignore = "the body of the processes that other tests start"]
fn body_of_a_child() {
    let orders = std::env::var(ORDERS).expect("orders");
    let orders: Orders = serde_json::from_str(&orders).expect("orders");
    tokio::runtime::Runtime::new().unwrap().block_on(carry_out(orders));
}

async fn carry_out(orders: Orders) {
    let boundary = doom(&orders);
    let store = loop {
        match Store::open(&orders.store.parse().unwrap(), "crash", MIGRATIONS, 8).await {
            Ok(store) => break store,
            Err(error) if error.is_transient() => tokio::time::sleep(Duration::from_millis(200)).await,
            Err(error) => panic!("{error}"),
        }
    };
    let cluster = Cluster::at(&orders.brokers).unwrap();
    let source = format!("{}.in", orders.name);
    let intake = Intake {
        dead_letters: Some(format!("{source}.DLT")),
        retry: RetryPolicy { attempts: 5, backoff: BackOff::Fixed(Duration::from_millis(20)) },
        ..Intake::default()
    };
    let options = Options {
        concurrency: orders.concurrency,
        batch: 7,
        ..Options::of(orders.name.clone(), BTreeMap::from([(source, intake)]))
    };
    let handler = Effects { out: format!("{}.out", orders.name), failed: Mutex::default() };
    if orders.optimistic {
        Box::pin(run(orders, Announcements(handler), boundary, store, &cluster, options)).await;
    } else {
        Box::pin(run(orders, handler, boundary, store, &cluster, options)).await;
    }
}

async fn run(
    orders: Orders,
    handler: impl Handler,
    boundary: OnBoundary,
    store: Store,
    cluster: &Cluster,
    options: Options,
) {
    let wake = Wake::new();
    let consumer = Consumer::new(handler, cluster.producer().unwrap(), Some(store.clone()), options)
        .waking(wake.clone())
        .on_boundary(boundary.clone());
    let relay_options =
        relay::Options { batch: 10, lease: Duration::from_millis(1500), ..relay::Options::default() };
    let relay = Relay::new(
        store.clone(),
        cluster.producer().unwrap(),
        relay_options,
        format!("relay-{}-{}", std::process::id(), UnixMillis::now().0),
    )
    .on_boundary(boundary);
    let (stop, stopped) = tokio::sync::watch::channel(false);
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = stop.send(true);
    });
    let ended = |mut stopped: tokio::sync::watch::Receiver<bool>| async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let consuming = consumer::run(
        consumer,
        cluster,
        orders.instance.clone(),
        Duration::from_millis(orders.session_ms),
        ended(stopped.clone()),
    );
    let relaying = relay::run(relay, wake, Duration::from_secs(5), ended(stopped));
    // Whichever fails ends the process, as a service would.
    let consuming = async { consuming.await.map_err(|error| error.to_string()) };
    let relaying = async { relaying.await.map_err(|error| error.to_string()) };
    tokio::try_join!(consuming, relaying).unwrap();
    store.close().await;
}

/// What the process does to itself, and when.
fn doom(orders: &Orders) -> OnBoundary {
    let Some((boundary, times, signal)) = orders.fate else { return OnBoundary::default() };
    let (fatal, reached) = (Boundary::ALL[boundary], Arc::new(AtomicUsize::new(0)));
    OnBoundary::new(move |boundary| {
        if boundary == fatal && reached.fetch_add(1, Ordering::SeqCst) + 1 == times {
            let flag = match signal {
                Signal::Kill => "-KILL",
                Signal::Stop => "-STOP",
            };
            let pid = std::process::id().to_string();
            Command::new("kill").args([flag, &pid]).status().expect("kill");
            // Nothing happens on this thread between the signal's sending and its arrival.
            if signal == Signal::Kill {
                loop {
                    std::thread::park();
                }
            }
        }
    })
}
