//! The messaging runtime on real brokers and stores, and beside it what rdkafka alone takes for the same records.
//!
//! `messaging WHAT BROKERS STORE|- COUNT TOPIC` prints one line of JSON; `./dev bench messaging` makes tables of them.

mod consume;
mod events;
mod publish;
mod soak;

use std::time::Instant;

use consume::{Takes, bare, consume, validator};
use kafkaflow::kafka::Cluster;
use kafkaflow::store::{Connection, Location, Migration, Store};
use kafkaflow::unit::UnixMillis;

/// As in the binary.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const USAGE: &str = "usage: messaging WHAT BROKERS STORE|- COUNT TOPIC, where WHAT is fill, bare, validator, empty, judged, \
                     inbox, whole, produce, relay, produce-latency or latency; or messaging soak BROKERS STORE SECONDS TOPIC OUT";

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let [what, brokers, store, count, topic, rest @ ..] = args.as_slice() else {
        eprintln!("{USAGE}");
        std::process::exit(2);
    };
    let count: usize = count.parse().expect("COUNT is a number");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let cluster = Cluster::at(brokers).expect("brokers");
    let figures = runtime.block_on(async {
        match what.as_str() {
            "fill" => events::fill(&cluster, topic, count).await,
            "bare" => bare(brokers, topic, count),
            "validator" => validator(count),
            "empty" => consume(&cluster, store, topic, count, Takes::Nothing).await,
            "judged" => consume(&cluster, store, topic, count, Takes::Judged).await,
            "inbox" => consume(&cluster, store, topic, count, Takes::Inbox).await,
            "whole" => consume(&cluster, store, topic, count, Takes::Whole).await,
            "produce" => publish::bare(brokers, topic, count),
            "relay" => publish::relay_backlog(&cluster, store, topic, count).await,
            "produce-latency" => publish::bare_latency(&cluster, topic, count).await,
            "latency" => publish::latency(&cluster, store, topic, count).await,
            "soak" => soak::soak(&cluster, brokers, store, count, [topic, &rest[0]]).await,
            _ => {
                eprintln!("{USAGE}");
                std::process::exit(2);
            }
        }
    });
    println!("{figures}");
}

fn rate(count: usize, began: Instant) -> f64 {
    (count as f64 / began.elapsed().as_secs_f64()).round()
}

/// A store of its own for this run.
async fn open(store: &str, name: &str, migrations: &[Migration]) -> Store {
    let location: Location = store.parse().expect("a store");
    let service = format!("bench_{name}_{}", UnixMillis::now().0);
    Store::open(&location, &service, migrations, 16).await.expect("the store opens")
}

/// Ends the store and, where others would find it in their database, removes it.
async fn close(store: Store) {
    let mut tx = store.tx();
    if let Connection::Postgres(connection) = tx.connection().await.expect("a connection") {
        let drop = format!("DROP SCHEMA \"{}\" CASCADE", store.service());
        sqlx::query(sqlx::AssertSqlSafe(drop)).execute(connection).await.expect("dropped");
    }
    tx.commit().await.expect("committed");
    store.close().await;
}
