//! What is owed to the payment provider.

use std::collections::HashSet;

use sqlx::{AssertSqlSafe, Row};

use crate::services::order::store::change::damaged;
use crate::store::{Connection, Dialect, StoreError, Tx, json};
use crate::unit::{Money, UnixMillis};
use crate::with_connection;

/// An amount that is to be captured for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Capture {
    pub(crate) order: String,
    pub(crate) amount: Money,
    /// How often it was tried before.
    pub(crate) attempts: i32,
    pub(crate) traceparent: Option<String>,
}

/// How a capture ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Captured,
    Declined,
}

/// Takes captures that are due; nobody else takes them before `until`.
pub(crate) async fn claim_captures(
    tx: &mut Tx,
    now: UnixMillis,
    until: UnixMillis,
    limit: u32,
) -> Result<Vec<Capture>, StoreError> {
    // Who claims at the same time takes others.
    let skip = match tx.connection().await? {
        Connection::Postgres(_) => "FOR UPDATE SKIP LOCKED",
        Connection::Sqlite(_) => "",
    };
    with_connection!(tx, |connection| {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "UPDATE capture SET due_at = $2, attempts = attempts + 1 WHERE order_id IN (
                 SELECT order_id FROM capture WHERE outcome IS NULL AND due_at <= $1 ORDER BY due_at LIMIT $3 {skip})
             RETURNING order_id, amount_cents, attempts, traceparent"
        )))
        .bind(now.0)
        .bind(until.0)
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
        let captures = rows.into_iter().map(|row| {
            let attempts: i32 = row.try_get(2)?;
            Ok(Capture {
                order: row.try_get(0)?,
                amount: Money::from_cents(row.try_get(1)?).map_err(damaged)?,
                attempts: attempts - 1,
                traceparent: row.try_get(3)?,
            })
        });
        captures.collect()
    })
}

/// When the next capture is due.
pub(crate) async fn next_capture(tx: &mut Tx) -> Result<Option<UnixMillis>, StoreError> {
    with_connection!(tx, |connection| {
        let due: Option<i64> = sqlx::query_scalar("SELECT min(due_at) FROM capture WHERE outcome IS NULL")
            .fetch_one(connection)
            .await?;
        Ok(due.map(UnixMillis))
    })
}

/// Records how captures ended; the orders of those that were not known to have ended before.
pub(crate) async fn settle_captures(
    tx: &mut Tx,
    ended: &[(&str, Outcome)],
) -> Result<HashSet<String>, StoreError> {
    if ended.is_empty() {
        return Ok(HashSet::new());
    }
    let name = |outcome| match outcome {
        Outcome::Captured => "captured",
        Outcome::Declined => "declined",
    };
    let ended = json(&ended.iter().map(|(order, outcome)| (order, name(*outcome))).collect::<Vec<_>>())?;
    with_connection!(tx, |connection| {
        let settled: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!(
            "UPDATE capture SET outcome = ended.value ->> 1, last_error = NULL
             FROM (SELECT value FROM {}) AS ended
             WHERE capture.order_id = ended.value ->> 0 AND capture.outcome IS NULL RETURNING capture.order_id",
            connection.each()
        )))
        .bind(&ended)
        .fetch_all(connection)
        .await?;
        Ok(settled.into_iter().collect())
    })
}

/// Nothing is known of a capture; it is tried again at `due`, with the same key.
pub(crate) async fn postpone(
    tx: &mut Tx,
    order: &str,
    due: UnixMillis,
    error: &str,
) -> Result<(), StoreError> {
    with_connection!(tx, |connection| {
        sqlx::query(
            "UPDATE capture SET due_at = $2, last_error = $3 WHERE order_id = $1 AND outcome IS NULL",
        )
        .bind(order)
        .bind(due.0)
        .bind(error)
        .execute(connection)
        .await?;
    });
    Ok(())
}
