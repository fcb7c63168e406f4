//! One suite over both databases: what the rest of the house may rely on.

mod inbox;
mod lender;
mod open;
mod optimistic;
mod outbox;
mod owners;
mod writes;

use std::time::Duration;

use super::outbox::{Event, Followers, KeyOrder, Pending, Skip, pending};
use super::testing::until_somebody_waits_for_a_lock;
use super::{Migration, Store, StoreError, Tx, outbox as rows_of};
use crate::unit::UnixMillis;

const NOW: UnixMillis = UnixMillis(1_725_185_730_000);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "effects",
    sqlite: "CREATE TABLE effect (id INTEGER PRIMARY KEY, key TEXT) STRICT",
    postgres: "CREATE TABLE effect (id bigint PRIMARY KEY, key text)",
}];

fn event(n: u32, key: &str) -> Event {
    Event {
        id: format!("evt-{n}"),
        aggregate_type: "order".to_owned(),
        aggregate_id: key.to_owned(),
        event_type: "OrderPlaced".to_owned(),
        payload: format!("{{\"n\": {n}}}"),
        topic: "orders".to_owned(),
        traceparent: None,
    }
}

async fn write(store: &Store, events: &[Event]) {
    let mut tx = store.tx();
    rows_of::write(&mut tx, events, KeyOrder::Lock, NOW).await.unwrap();
    tx.commit().await.unwrap();
}

async fn pending_ids(store: &Store, skip: &[Skip], followers: Followers) -> Vec<String> {
    rows(store, skip, followers).await.into_iter().map(|row| row.id).collect()
}

async fn rows(store: &Store, skip: &[Skip], followers: Followers) -> Vec<Pending> {
    let mut tx = store.reading();
    pending(&mut tx, &all_buckets(), skip, &[], followers, 1000).await.unwrap()
}

fn all_buckets() -> Vec<i16> {
    (0..i16::try_from(rows_of::BUCKETS).unwrap()).collect()
}

async fn effect(tx: &mut Tx, id: i64, key: &str) -> Result<(), StoreError> {
    crate::with_connection!(tx, |connection| {
        sqlx::query("INSERT INTO effect (id, key) VALUES ($1, $2)")
            .bind(id)
            .bind(key)
            .execute(connection)
            .await?;
    });
    Ok(())
}

async fn effects(store: &Store) -> Vec<i64> {
    async fn ask(store: &Store) -> Result<Vec<i64>, StoreError> {
        let mut tx = store.reading();
        Ok(crate::with_connection!(tx, |connection| {
            sqlx::query_scalar("SELECT id FROM effect ORDER BY id").fetch_all(connection).await?
        }))
    }
    ask(store).await.unwrap()
}
