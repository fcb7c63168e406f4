//! New orders.

use std::collections::{BTreeMap, HashMap};

use sqlx::{AssertSqlSafe, Row};

use crate::services::order::state::Status;
use crate::store::outbox::{self, Event, KeyOrder};
use crate::store::{Dialect, StoreError, Tx, Writes, json};
use crate::unit::{Money, UnixMillis};
use crate::with_connection;

/// A new order, and the event that announces it.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) id: String,
    pub(crate) customer: String,
    pub(crate) total: Money,
    /// JSON.
    pub(crate) items: String,
    pub(crate) address: String,
    pub(crate) contact: String,
    pub(crate) at: UnixMillis,
    /// `None`: its reservation is asked for by a call.
    pub(crate) announcement: Option<Event>,
    /// The client's key and the body's fingerprint.
    pub(crate) key: Option<(String, String)>,
}

/// What became of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    New,
    /// The key is known and the order the same: this one.
    Before(String),
    /// The key is known, for another order.
    OtherBody,
}

/// Writes orders with their announcements; what became of each, in their order. Keys must differ; where there are none
/// one statement does it all.
pub(crate) async fn place(tx: &mut Tx, placed: &[Placed], now: UnixMillis) -> Result<Vec<Taken>, StoreError> {
    let known = keep_keys(tx, placed, now).await?;
    let taken = |one: &Placed| match one
        .key
        .as_ref()
        .and_then(|(key, fingerprint)| Some((known.get(key)?, fingerprint)))
    {
        None => Taken::New,
        Some(((order, same), fingerprint)) if same == fingerprint => Taken::Before(order.clone()),
        Some(_) => Taken::OtherBody,
    };
    let taken: Vec<Taken> = placed.iter().map(taken).collect();
    let new: Vec<&Placed> =
        placed.iter().zip(&taken).filter(|(_, taken)| **taken == Taken::New).map(|(one, _)| one).collect();
    let mut writes = Writes::of(tx)?;
    write(&mut writes, &new)?;
    let announcements: Vec<Event> = new.iter().filter_map(|one| one.announcement.clone()).collect();
    // Nobody knows these orders yet.
    outbox::add(&mut writes, &announcements, KeyOrder::NoneWaits, now)?;
    writes.run(tx).await?;
    Ok(taken)
}

/// Keeps the keys that are new; of the others, the order and the fingerprint that they are known for.
async fn keep_keys(
    tx: &mut Tx,
    placed: &[Placed],
    now: UnixMillis,
) -> Result<HashMap<String, (String, String)>, StoreError> {
    // In one order for all transactions, so that none waits for another that waits for it.
    let keys: BTreeMap<&String, (&String, &String)> = placed
        .iter()
        .filter_map(|one| one.key.as_ref().map(|(key, print)| (key, (print, &one.id))))
        .collect();
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = json(&keys.iter().map(|(key, (print, id))| (key, print, id)).collect::<Vec<_>>())?;
    with_connection!(tx, |connection| {
        let kept: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!(
            "INSERT INTO idempotency_key (key, fingerprint, order_id, created_at)
             SELECT value ->> 0, value ->> 1, value ->> 2, $2 FROM {} WHERE true
             ON CONFLICT (key) DO NOTHING RETURNING key",
            connection.each()
        )))
        .bind(&rows)
        .bind(now.0)
        .fetch_all(&mut *connection)
        .await?;
        let lost: Vec<&&String> = keys.keys().filter(|key| !kept.contains(key)).collect();
        if lost.is_empty() {
            return Ok(HashMap::new());
        }
        let lost = json(&lost.into_iter().map(|key| [key]).collect::<Vec<_>>())?;
        let found = sqlx::query(AssertSqlSafe(format!(
            "SELECT key, order_id, fingerprint FROM idempotency_key
             WHERE key IN (SELECT value ->> 0 FROM {})",
            connection.each()
        )))
        .bind(&lost)
        .fetch_all(&mut *connection)
        .await?;
        let pairs = found.into_iter().map(|row| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?))));
        pairs.collect()
    })
}

fn write(writes: &mut Writes, placed: &[&Placed]) -> Result<(), StoreError> {
    let status = Status::Pending.name();
    let orders: Vec<_> = placed
        .iter()
        .map(|one| {
            let (total, at) = (one.total.cents(), one.at.0);
            (&one.id, &one.customer, status, total, &one.items, &one.address, &one.contact, at)
        })
        .collect();
    writes.rows(&orders, |each| {
        format!(
            "INSERT INTO orders (id, customer_id, status, version, total_cents, items, address, contact, placed_at, changed_at)
             SELECT value ->> 0, value ->> 1, value ->> 2, 1, CAST(value ->> 3 AS bigint), value ->> 4, value ->> 5,
                    value ->> 6, CAST(value ->> 7 AS bigint), CAST(value ->> 7 AS bigint) FROM {each}"
        )
    })?;
    let events: Vec<_> = placed
        .iter()
        .map(|one| (&one.id, one.at.0, status, one.announcement.as_ref().map(|event| &event.id)))
        .collect();
    writes.rows(&events, |each| {
        format!(
            "INSERT INTO order_event (order_id, version, at, kind, status, event_id)
             SELECT value ->> 0, 1, CAST(value ->> 1 AS bigint), 'placed', value ->> 2, value ->> 3 FROM {each}"
        )
    })
}

/// Deletes keys that are older.
pub(crate) async fn forget_keys(tx: &mut Tx, older_than: UnixMillis) -> Result<u64, StoreError> {
    with_connection!(tx, |connection| {
        let done = sqlx::query("DELETE FROM idempotency_key WHERE created_at < $1")
            .bind(older_than.0)
            .execute(connection)
            .await?;
        Ok(done.rows_affected())
    })
}
