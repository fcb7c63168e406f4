//! Orders that hear something.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sqlx::{AssertSqlSafe, Row};

use super::Entry;
use crate::event::ReservationId;
use crate::services::order::placing::Contact;
use crate::services::order::state::Standing;
use crate::store::{Dialect, StoreError, Tx, Writes, json};
use crate::unit::{Money, UnixMillis};
use crate::with_connection;

/// An order that this transaction has for itself.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) standing: Standing,
    pub(crate) version: i64,
    pub(crate) customer: String,
    pub(crate) total: Money,
    pub(crate) contact: Contact,
}

/// Something that an order heard, and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) order: String,
    /// The order's version afterwards.
    pub(crate) version: i64,
    pub(crate) standing: Standing,
    pub(crate) kind: &'static str,
    pub(crate) ignored: Option<&'static str>,
    pub(crate) reason: Option<String>,
    pub(crate) event_id: Option<String>,
    pub(crate) place: Option<String>,
    pub(crate) at: UnixMillis,
    /// What the payment provider is to be asked for now.
    pub(crate) capture: Option<Money>,
    pub(crate) traceparent: Option<String>,
}

impl Change {
    /// As the timeline has it when it is written; nothing that it announces is published then.
    pub(crate) fn entry(&self) -> Entry {
        Entry {
            version: self.version,
            at: self.at,
            kind: self.kind.to_owned(),
            status: self.standing.status,
            ignored: self.ignored.map(str::to_owned),
            reason: self.reason.clone(),
            event_id: self.event_id.clone(),
            heard: self.place.clone(),
            published: None,
        }
    }
}

/// Orders by their ids, which nobody else changes before the transaction ends (an optimistic one is refused if somebody
/// does); unknown ones are absent.
pub(crate) async fn hold(tx: &mut Tx, ids: &BTreeSet<String>) -> Result<HashMap<String, Held>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids = json(&ids.iter().map(|id| [id]).collect::<Vec<_>>())?;
    let holding = tx.holding()?;
    with_connection!(tx, |connection| {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT id, status, reason, reservation_id, paid, version, customer_id, total_cents, contact
             FROM orders WHERE id IN (SELECT value ->> 0 FROM {}) ORDER BY id {holding}",
            connection.each(),
        )))
        .bind(&ids)
        .fetch_all(connection)
        .await?;
        let held = rows.into_iter().map(|row| {
            let status: String = row.try_get(1)?;
            let reservation: Option<String> = row.try_get(3)?;
            let contact: String = row.try_get(8)?;
            let standing = Standing {
                status: status.parse().map_err(damaged)?,
                reason: row.try_get(2)?,
                reservation: reservation.map(ReservationId::new).transpose().map_err(damaged)?,
                paid: row.try_get::<i64, _>(4)? != 0,
            };
            let held = Held {
                standing,
                version: row.try_get(5)?,
                customer: row.try_get(6)?,
                total: Money::from_cents(row.try_get(7)?).map_err(damaged)?,
                contact: serde_json::from_str(&contact).map_err(damaged)?,
            };
            Ok((row.try_get(0)?, held))
        });
        held.collect()
    })
}

pub(super) fn damaged(error: impl std::fmt::Display) -> StoreError {
    StoreError::Sql(format!("a row is damaged: {error}"))
}

/// Records what orders heard, in that order, and where each of them stands now. The orders must be held.
pub(crate) fn save(writes: &mut Writes, changes: &[Change]) -> Result<(), StoreError> {
    let events: Vec<_> = changes
        .iter()
        .map(|one| {
            (
                &one.order,
                one.version,
                one.at.0,
                one.kind,
                one.standing.status.name(),
                one.ignored,
                &one.reason,
                &one.event_id,
                &one.place,
            )
        })
        .collect();
    // The last of an order's changes has where it stands. In one order, in which their rows are held.
    let mut spans: BTreeMap<&str, (&Change, &Change)> = BTreeMap::new();
    for one in changes {
        spans.entry(&one.order).or_insert((one, one)).1 = one;
    }
    let orders: Vec<_> = spans
        .values()
        .map(|(first, one)| {
            (
                &one.order,
                one.standing.status.name(),
                &one.standing.reason,
                one.standing.reservation.as_ref().map(ReservationId::as_str),
                i64::from(one.standing.paid),
                one.version,
                one.at.0,
                first.version - 1,
            )
        })
        .collect();
    let captures: Vec<_> = changes
        .iter()
        .filter_map(|one| Some((&one.order, one.capture?.cents(), one.at.0, &one.traceparent)))
        .collect();
    writes.rows(&events, |each| {
        format!(
            "INSERT INTO order_event (order_id, version, at, kind, status, ignored, reason, event_id, place)
             SELECT value ->> 0, CAST(value ->> 1 AS bigint), CAST(value ->> 2 AS bigint), value ->> 3, value ->> 4,
                    value ->> 5, value ->> 6, value ->> 7, value ->> 8 FROM {each}"
        )
    })?;
    writes.rows_as_read(&orders, |each| {
        format!(
            "UPDATE orders SET status = new.value ->> 1, reason = new.value ->> 2, reservation_id = new.value ->> 3,
                    paid = CAST(new.value ->> 4 AS bigint), version = CAST(new.value ->> 5 AS bigint),
                    changed_at = CAST(new.value ->> 6 AS bigint)
             FROM (SELECT value FROM {each}) AS new
             WHERE orders.id = new.value ->> 0 AND orders.version = CAST(new.value ->> 7 AS bigint)"
        )
    })?;
    writes.rows(&captures, |each| {
        format!(
            "INSERT INTO capture (order_id, amount_cents, due_at, traceparent)
             SELECT value ->> 0, CAST(value ->> 1 AS bigint), CAST(value ->> 2 AS bigint), value ->> 3
             FROM {each} WHERE true ON CONFLICT (order_id) DO NOTHING"
        )
    })
}
