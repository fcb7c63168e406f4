//! A whole service on kafkaflow's runtime, to be copied: it reads parcels that were handed in, keeps the weight of each
//! route, and announces a route that is full. What it keeps and what it announces are written in one transaction, and
//! each event counts once however often it comes.
//!
//! ```console
//! $ ./dev kafka start && ./dev kafka tool topics --create --topic parcels --partitions 3
//! $ ./dev kafka tool topics --create --topic parcels.DLT
//! $ ./dev kafka tool topics --create --topic routes --partitions 3
//! $ cargo run --example parcels -- 127.0.0.1:9091 sqlite:.parcels
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use kafkaflow::kafka::Cluster;
use kafkaflow::messaging::{BackOff, Record, RetryPolicy};
use kafkaflow::runtime::consumer::{self, Consumer, Intake, Options};
use kafkaflow::runtime::relay::{self, Relay, Wake};
use kafkaflow::runtime::{BatchOutcome, HandleError, Handler};
use kafkaflow::schema::{ByType, Judge, Schema};
use kafkaflow::store::outbox::{self, Event, KeyOrder};
use kafkaflow::store::{Location, Migration, Store, StoreError, Tx};
use kafkaflow::unit::UnixMillis;
use kafkaflow::with_connection;

/// A route is full at this weight.
const FULL: i64 = 1000;

/// What is not such an event never reaches the handler: it goes to `parcels.DLT`.
const PARCEL_HANDED_IN: &[u8] = br#"{
    "type": "object",
    "required": ["eventId", "eventType", "route", "grams"],
    "properties": {
        "eventId": { "type": "string" },
        "eventType": { "const": "ParcelHandedIn" },
        "route": { "type": "string", "minLength": 1 },
        "grams": { "type": "integer", "minimum": 1 }
    }
}"#;

/// The service's own tables, beside those of its inbox and its outbox.
const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "routes",
    sqlite: "CREATE TABLE route (name TEXT PRIMARY KEY, grams INTEGER NOT NULL) STRICT",
    postgres: "CREATE TABLE route (name text PRIMARY KEY, grams bigint NOT NULL)",
}];

struct Routes {
    /// Where full routes are announced.
    announcements: String,
}

impl Handler for Routes {
    async fn handle(&self, tx: &mut Tx, batch: &[Record]) -> BatchOutcome {
        self.weigh(tx, batch).await.into()
    }
}

#[derive(serde::Deserialize)]
struct ParcelHandedIn {
    route: String,
    grams: i64,
}

impl Routes {
    /// One statement for all parcels of a route in the batch, one for all announcements.
    async fn weigh(&self, tx: &mut Tx, batch: &[Record]) -> Result<(), HandleError> {
        let mut routes: BTreeMap<String, (i64, Option<String>)> = BTreeMap::new();
        for record in batch {
            let value = record.value().unwrap_or_default();
            let parcel: ParcelHandedIn = serde_json::from_slice(value).map_err(HandleError::poison)?;
            let (grams, trace) = routes.entry(parcel.route).or_default();
            *grams += parcel.grams;
            *trace = record.traceparent();
        }
        let mut full = Vec::new();
        for (route, (grams, trace)) in routes {
            let total = add(tx, &route, grams).await?;
            if total >= FULL && total - grams < FULL {
                full.push(route_full(&self.announcements, &route, total, trace));
            }
        }
        // The routes' rows are locked until the end of the transaction, and so are their keys.
        outbox::write(tx, &full, KeyOrder::Held, UnixMillis::now()).await?;
        Ok(())
    }
}

async fn add(tx: &mut Tx, route: &str, grams: i64) -> Result<i64, StoreError> {
    with_connection!(tx, |connection| {
        let total = sqlx::query_scalar(
            "INSERT INTO route (name, grams) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET grams = route.grams + excluded.grams RETURNING grams",
        )
        .bind(route)
        .bind(grams)
        .fetch_one(connection)
        .await?;
        Ok(total)
    })
}

/// Belongs to the trace of the parcel that came last.
fn route_full(topic: &str, route: &str, total: i64, traceparent: Option<String>) -> Event {
    let id = format!("full-{route}");
    let payload =
        serde_json::json!({ "eventId": id, "eventType": "RouteFull", "route": route, "grams": total });
    Event {
        id,
        aggregate_type: "route".to_owned(),
        aggregate_id: route.to_owned(),
        event_type: "RouteFull".to_owned(),
        payload: payload.to_string(),
        topic: topic.to_owned(),
        traceparent,
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(brokers), Some(store)) = (args.next(), args.next()) else {
        return Err("usage: parcels HOST:PORT,… sqlite:DIR|postgres://…".into());
    };
    // What stands before the names of topics and of the group; a test has its own.
    let prefix = args.next().unwrap_or_default();
    let cluster = Cluster::at(&brokers)?;
    let location: Location = store.parse()?;
    let store = Store::open(&location, "parcels", MIGRATIONS, 8).await?;

    let schemas = ByType::new().with("ParcelHandedIn", Schema::compile(PARCEL_HANDED_IN)?);
    let topic = format!("{prefix}parcels");
    let intake = Intake {
        handles: BTreeSet::from(["ParcelHandedIn".to_owned()]),
        judge: Some(Arc::new(Judge::by_type(schemas))),
        dead_letters: Some(format!("{topic}.DLT")),
        retry: RetryPolicy { attempts: 5, backoff: BackOff::Fixed(Duration::from_secs(1)) },
        ..Intake::default()
    };
    let wake = Wake::new();
    let handler = Routes { announcements: format!("{prefix}routes") };
    let options = Options::of(format!("{prefix}parcels"), BTreeMap::from([(topic, intake)]));
    let consumer =
        Consumer::new(handler, cluster.producer()?, Some(store.clone()), options).waking(wake.clone());
    let owner = format!("parcels-{}", std::process::id());
    let relay = Relay::new(store.clone(), cluster.producer()?, relay::Options::default(), owner);

    // One signal ends both: work in hand is finished, offsets and acknowledgements are recorded.
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let asked = |mut stopped: tokio::sync::watch::Receiver<bool>| async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let session = Duration::from_secs(45);
    let consuming = consumer::run(consumer, &cluster, None, session, asked(stopped.clone()));
    let relaying = relay::run(relay, wake, Duration::from_secs(5), asked(stopped));
    let signal = async {
        tokio::signal::ctrl_c().await?;
        let _ = stop.send(true);
        Ok::<(), Box<dyn Error>>(())
    };
    let consuming = async { Ok::<(), Box<dyn Error>>(consuming.await?) };
    let relaying = async { Ok::<(), Box<dyn Error>>(relaying.await?) };
    tokio::try_join!(consuming, relaying, signal)?;
    store.close().await;
    Ok(())
}
