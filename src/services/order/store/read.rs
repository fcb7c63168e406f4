//! What clients are shown.

use sqlx::{AssertSqlSafe, Row};

use crate::services::order::state::Status;
use crate::services::order::store::change::damaged;
use crate::store::{Dialect, StoreError, Tx, json};
use crate::unit::{Money, UnixMillis};
use crate::with_connection;

/// An order as its customer sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) customer: String,
    pub(crate) status: Status,
    pub(crate) reason: Option<String>,
    pub(crate) reservation: Option<String>,
    pub(crate) paid: bool,
    pub(crate) version: i64,
    pub(crate) total: Money,
    /// JSON.
    pub(crate) items: String,
    pub(crate) address: String,
    pub(crate) placed_at: UnixMillis,
    pub(crate) changed_at: UnixMillis,
}

/// Something that an order heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) version: i64,
    pub(crate) at: UnixMillis,
    pub(crate) kind: String,
    pub(crate) status: Status,
    pub(crate) ignored: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) event_id: Option<String>,
    /// topic/partition/offset of what it heard.
    pub(crate) heard: Option<String>,
    /// Of what it announced.
    pub(crate) published: Option<Published>,
}

/// Where brokers have an announcement, as long as the outbox keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Published {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) at: UnixMillis,
}

/// From where a customer's orders are listed: the last one that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) placed_at: UnixMillis,
    pub(crate) id: String,
}

const COLUMNS: &str = "id, customer_id, status, reason, reservation_id, paid, version, total_cents, items, address, \
                       placed_at, changed_at";

pub(crate) async fn order(tx: &mut Tx, id: &str) -> Result<Option<Order>, StoreError> {
    with_connection!(tx, |connection| {
        let row = sqlx::query(AssertSqlSafe(format!("SELECT {COLUMNS} FROM orders WHERE id = $1")))
            .bind(id)
            .fetch_optional(connection)
            .await?;
        row.as_ref().map(order_of).transpose()
    })
}

/// A customer's orders, the newest first, from behind `after` on.
pub(crate) async fn of_customer(
    tx: &mut Tx,
    customer: &str,
    after: Option<&Page>,
    limit: u32,
) -> Result<Vec<Order>, StoreError> {
    let (at, id) = after.map_or((i64::MAX, ""), |page| (page.placed_at.0, page.id.as_str()));
    with_connection!(tx, |connection| {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM orders WHERE customer_id = $1 AND (placed_at, id) < ($2, $3)
             ORDER BY placed_at DESC, id DESC LIMIT $4"
        )))
        .bind(customer)
        .bind(at)
        .bind(id)
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
        rows.iter().map(order_of).collect()
    })
}

fn order_of<'r, R>(row: &'r R) -> Result<Order, StoreError>
where
    R: Row,
    usize: sqlx::ColumnIndex<R>,
    String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    i64: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    let status: String = row.try_get(2)?;
    Ok(Order {
        id: row.try_get(0)?,
        customer: row.try_get(1)?,
        status: status.parse().map_err(damaged)?,
        reason: row.try_get(3)?,
        reservation: row.try_get(4)?,
        paid: row.try_get::<i64, _>(5)? != 0,
        version: row.try_get(6)?,
        total: Money::from_cents(row.try_get(7)?).map_err(damaged)?,
        items: row.try_get(8)?,
        address: row.try_get(9)?,
        placed_at: UnixMillis(row.try_get(10)?),
        changed_at: UnixMillis(row.try_get(11)?),
    })
}

/// What an order heard after its version `after`, in order.
pub(crate) async fn timeline(tx: &mut Tx, id: &str, after: i64) -> Result<Vec<Entry>, StoreError> {
    with_connection!(tx, |connection| {
        let rows = sqlx::query(
            r#"SELECT e.version, e.at, e.kind, e.status, e.ignored, e.reason, e.event_id, e.place,
                    o.topic, p.partition, p."offset", p.published_at
             FROM order_event e
             LEFT JOIN outbox o ON o.id = e.event_id AND e.place IS NULL
             LEFT JOIN outbox_published p ON p.seq = o.seq
             WHERE e.order_id = $1 AND e.version > $2 ORDER BY e.version"#,
        )
        .bind(id)
        .bind(after)
        .fetch_all(connection)
        .await?;
        let entries = rows.into_iter().map(|row| {
            let status: String = row.try_get(3)?;
            let published = match row.try_get::<Option<i64>, _>(10)? {
                None => None,
                Some(offset) => Some(Published {
                    topic: row.try_get(8)?,
                    partition: row.try_get(9)?,
                    offset,
                    at: UnixMillis(row.try_get(11)?),
                }),
            };
            Ok(Entry {
                version: row.try_get(0)?,
                at: UnixMillis(row.try_get(1)?),
                kind: row.try_get(2)?,
                status: status.parse().map_err(damaged)?,
                ignored: row.try_get(4)?,
                reason: row.try_get(5)?,
                event_id: row.try_get(6)?,
                heard: row.try_get(7)?,
                published,
            })
        });
        entries.collect()
    })
}

/// The versions of these orders.
pub(crate) async fn versions(tx: &mut Tx, ids: &[String]) -> Result<Vec<(String, i64)>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids = json(&ids.iter().map(|id| [id]).collect::<Vec<_>>())?;
    with_connection!(tx, |connection| {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT id, version FROM orders WHERE id IN (SELECT value ->> 0 FROM {})",
            connection.each()
        )))
        .bind(&ids)
        .fetch_all(connection)
        .await?;
        rows.into_iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    })
}

/// Ids of orders that are PENDING, in order from behind `after` on.
pub(crate) async fn pending(tx: &mut Tx, after: &str, limit: u32) -> Result<Vec<String>, StoreError> {
    with_connection!(tx, |connection| {
        let found =
            sqlx::query_scalar("SELECT id FROM orders WHERE status = $1 AND id > $2 ORDER BY id LIMIT $3")
                .bind(Status::Pending.name())
                .bind(after)
                .bind(i64::from(limit))
                .fetch_all(connection)
                .await?;
        Ok(found)
    })
}

/// Ids of orders behind `after` that are PENDING since before `older`, and were announced to nobody.
pub(crate) async fn unannounced(
    tx: &mut Tx,
    after: &str,
    older: UnixMillis,
    limit: u32,
) -> Result<Vec<String>, StoreError> {
    with_connection!(tx, |connection| {
        let found = sqlx::query_scalar(
            "SELECT id FROM orders o WHERE id > $3 AND status = $1 AND placed_at < $2 AND EXISTS (
                 SELECT 1 FROM order_event e WHERE e.order_id = o.id AND e.version = 1 AND e.event_id IS NULL)
             ORDER BY id LIMIT $4",
        )
        .bind(Status::Pending.name())
        .bind(older.0)
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
        Ok(found)
    })
}

/// Ids of orders that were cancelled for this reason and did not hear that their stock was given back, in order from
/// behind `after` on.
pub(crate) async fn cancelled_for(
    tx: &mut Tx,
    reason: &str,
    after: &str,
    limit: u32,
) -> Result<Vec<String>, StoreError> {
    with_connection!(tx, |connection| {
        let found = sqlx::query_scalar(
            "SELECT id FROM orders o WHERE status = $1 AND reason = $2 AND id > $3 AND NOT EXISTS (
                 SELECT 1 FROM order_event e WHERE e.order_id = o.id AND e.kind = 'reservation-cancelled')
             ORDER BY id LIMIT $4",
        )
        .bind(Status::Cancelled.name())
        .bind(reason)
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
        Ok(found)
    })
}
