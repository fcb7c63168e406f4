//! The inbox: which events have had their effects, so that none has them twice.
//!
//! Ids of ordinary events live as long as their source keeps records; ids that were dead-lettered live as long as the
//! dead-letter topic, since a replay may bring them back. An id that is only dead is no duplicate: its replay runs.

mod claim;

use std::sync::atomic::Ordering;

use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};

pub(in crate::store) use claim::Note;
pub use claim::{Candidate, Claim, claim, look};

use super::open::Pool;
use super::{Connection, Store, StoreError, Tx};
use crate::unit::UnixMillis;

/// Days for which PostgreSQL's inbox is made in advance.
const AHEAD: i32 = 2;
/// The longest id that is kept as it is.
const LONGEST: usize = 255;

/// An id as the tables have it: itself, or a hash of one that a database would not take.
#[must_use]
pub fn id_of(id: &[u8]) -> String {
    match std::str::from_utf8(id) {
        Ok(text) if text.len() <= LONGEST && !text.contains('\0') => text.to_owned(),
        _ => {
            let digest = ring::digest::digest(&ring::digest::SHA256, id);
            digest.as_ref().iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
        }
    }
}

/// Why an event was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    pub place: String,
    pub class: String,
    pub reason: String,
}

async fn set_applied<S: AsRef<str>>(
    tx: &mut Tx,
    group: &str,
    ids: &[S],
    applied: bool,
) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let all: Vec<&str> = ids.iter().map(AsRef::as_ref).collect();
    match tx.connection().await? {
        Connection::Postgres(connection) => {
            // They are few, and each is found by its key, which `= ANY` of a young table is not.
            for id in all {
                sqlx::query("UPDATE inbox_dead SET applied = $3 WHERE consumer_group = $1 AND event_id = $2")
                    .bind(group)
                    .bind(id)
                    .bind(applied)
                    .execute(&mut *connection)
                    .await?;
            }
        }
        Connection::Sqlite(connection) => {
            sqlx::query(
                "UPDATE inbox_dead SET applied = $3
                 WHERE consumer_group = $1 AND event_id IN (SELECT value FROM json_each($2))",
            )
            .bind(group)
            .bind(super::json(&all)?)
            .bind(applied)
            .execute(connection)
            .await?;
        }
    }
    Ok(())
}

/// Undoes [`claim`] for ids whose events turned out not to be handled in this transaction.
pub async fn give_back<S: AsRef<str>>(tx: &mut Tx, group: &str, ids: &[S]) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let all: Vec<&str> = ids.iter().map(AsRef::as_ref).collect();
    match tx.connection().await? {
        Connection::Postgres(connection) => {
            for id in all {
                sqlx::query("DELETE FROM inbox WHERE consumer_group = $1 AND event_id = $2")
                    .bind(group)
                    .bind(id)
                    .execute(&mut *connection)
                    .await?;
            }
        }
        Connection::Sqlite(connection) => {
            sqlx::query(
                "DELETE FROM inbox WHERE consumer_group = $1 AND event_id IN (SELECT value FROM json_each($2))",
            )
            .bind(group)
            .bind(super::json(&all)?)
            .execute(connection)
            .await?;
        }
    }
    set_applied(tx, group, ids, false).await
}

/// Notes that an event is given up: what stands at its place is dead-lettered however often it is read, and the same
/// event from elsewhere, until `expires`, is a replay that is to be handled.
///
/// In the transaction of the records that are handled after it; so none of them is handled before it by a later run.
pub async fn give_up(
    tx: &mut Tx,
    group: &str,
    id: &str,
    death: &Death,
    expires: UnixMillis,
) -> Result<(), StoreError> {
    crate::with_connection!(tx, |connection| {
        sqlx::query(
            "INSERT INTO inbox_dead (consumer_group, event_id, place, class, reason, applied, expires_at)
             VALUES ($1, $2, $3, $4, $5, false, $6)
             ON CONFLICT (consumer_group, event_id) DO UPDATE SET
                 place = excluded.place, class = excluded.class, reason = excluded.reason,
                 applied = false, expires_at = excluded.expires_at",
        )
        .bind(group)
        .bind(id)
        .bind(&death.place)
        .bind(&death.class)
        // A database takes no NUL in a text.
        .bind(death.reason.replace('\0', "\u{fffd}"))
        .bind(expires.0)
        .execute(connection)
        .await?;
    });
    Ok(())
}

/// Forgets ids of days before `oldest_day` and dead ones that expired; at most `limit` at a time on SQLite, whole days
/// on PostgreSQL. `true`: there may be more.
pub async fn prune(
    store: &Store,
    oldest: UnixMillis,
    now: UnixMillis,
    limit: u32,
) -> Result<bool, StoreError> {
    let mut tx = store.tx();
    crate::with_connection!(tx, |connection| {
        sqlx::query("DELETE FROM inbox_dead WHERE expires_at < $1").bind(now.0).execute(connection).await?;
    });
    let mut more = false;
    if let Connection::Sqlite(connection) = tx.connection().await? {
        let gone = sqlx::query(
            "DELETE FROM inbox WHERE (consumer_group, event_id) IN
                 (SELECT consumer_group, event_id FROM inbox WHERE day < $1 LIMIT $2)",
        )
        .bind(oldest.day())
        .bind(i64::from(limit))
        .execute(connection)
        .await?;
        more = gone.rows_affected() >= u64::from(limit);
    }
    tx.commit().await?;
    // Statements that stand alone.
    let mut apart = store.glance();
    if let Connection::Postgres(connection) = apart.connection().await? {
        for (name, day) in days(connection).await? {
            if day < oldest.day() {
                // Taken out without waiting for readers, then dropped alone.
                let detach = format!("ALTER TABLE inbox DETACH PARTITION \"{name}\"");
                if connection.execute(AssertSqlSafe(format!("{detach} CONCURRENTLY"))).await.is_err() {
                    // Somebody began and was interrupted.
                    connection.execute(AssertSqlSafe(format!("{detach} FINALIZE"))).await?;
                }
                connection.execute(AssertSqlSafe(format!("DROP TABLE \"{name}\""))).await?;
            }
        }
    }
    apart.commit().await?;
    Ok(more)
}

/// How many ids the inbox holds; on PostgreSQL by its statistics.
pub async fn size(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(match tx.connection().await? {
        Connection::Postgres(connection) => {
            sqlx::query_scalar(
                "SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint
                 FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'inbox'::regclass",
            )
            .fetch_one(connection)
            .await?
        }
        Connection::Sqlite(connection) => {
            sqlx::query_scalar("SELECT count(*) FROM inbox").fetch_one(connection).await?
        }
    })
}

/// The days that PostgreSQL's inbox has places for.
async fn days(connection: &mut PgConnection) -> Result<Vec<(String, i32)>, StoreError> {
    let rows = sqlx::query(
        "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'inbox'::regclass ORDER BY 1",
    )
    .fetch_all(connection)
    .await?;
    let mut days = Vec::new();
    for row in rows {
        let name: String = row.try_get(0)?;
        if let Some(day) = name.strip_prefix("inbox_").and_then(|day| day.parse().ok()) {
            days.push((name, day));
        }
    }
    Ok(days)
}

/// Makes a place for a day and the next ones, on a connection of its own: it lasts whatever becomes of the batch.
async fn make_days(store: &Store, day: i32) -> Result<(), StoreError> {
    if matches!(store.pool, Pool::Postgres(_)) {
        let mut tx = store.tx();
        let Connection::Postgres(connection) = tx.connection().await? else { return Ok(()) };
        connection.execute("SELECT pg_advisory_xact_lock(hashtext(current_schema()), -2)").await?;
        let there: Vec<i32> = days(connection).await?.into_iter().map(|(_, day)| day).collect();
        for day in (day..=day + AHEAD).filter(|day| !there.contains(day)) {
            // Made beside the inbox and then attached, which waits for nobody who uses it.
            for statement in [
                format!("CREATE TABLE \"inbox_{day}\" (LIKE inbox INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"),
                format!("ALTER TABLE inbox ATTACH PARTITION \"inbox_{day}\" FOR VALUES IN ({day})"),
            ] {
                connection.execute(AssertSqlSafe(statement)).await?;
            }
        }
        tx.commit().await?;
    }
    store.inbox_until.fetch_max(day + AHEAD, Ordering::Relaxed);
    Ok(())
}
