//! Leases: what one of several processes may do, for a while.
//!
//! Every new owner begins a new epoch. Whoever writes in the name of a lease has its epoch checked in the same
//! transaction, so that an owner who was stopped too long is refused.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Row};

use super::{Connection, Store, StoreError, Tx};
use crate::unit::UnixMillis;
use crate::with_connection;

/// The time that leases are judged by: PostgreSQL's own, so that clocks of several machines need not agree.
pub async fn clock(store: &Store) -> Result<UnixMillis, StoreError> {
    let mut tx = store.reading();
    let now = match tx.connection().await? {
        Connection::Postgres(connection) => UnixMillis(
            sqlx::query_scalar("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
                .fetch_one(connection)
                .await?,
        ),
        Connection::Sqlite(_) => UnixMillis::now(),
    };
    tx.commit().await?;
    Ok(now)
}

/// Takes or renews those of `names` that are free, expired or the owner's own; the epochs of what it now has.
pub async fn take(
    tx: &mut Tx,
    owner: &str,
    names: &[String],
    lasts: Duration,
    now: UnixMillis,
) -> Result<BTreeMap<String, i64>, StoreError> {
    const TAKE: &str = "ON CONFLICT (name) DO UPDATE SET
             epoch = CASE WHEN lease.owner = excluded.owner THEN lease.epoch ELSE lease.epoch + 1 END,
             owner = excluded.owner, expires_at = excluded.expires_at
         WHERE lease.owner = excluded.owner OR lease.expires_at <= $3
         RETURNING name, epoch";
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let lasts = now.after(lasts).0;
    // In one order, so that no two owners wait for each other.
    let taken: Vec<(String, i64)> = match tx.connection().await? {
        Connection::Postgres(connection) => {
            sqlx::query_as(AssertSqlSafe(format!(
                "INSERT INTO lease (name, owner, epoch, expires_at)
                 SELECT name, $2, 1, $4 FROM unnest($1::text[]) AS g (name) ORDER BY name {TAKE}"
            )))
            .bind(names)
            .bind(owner)
            .bind(now.0)
            .bind(lasts)
            .fetch_all(connection)
            .await?
        }
        Connection::Sqlite(connection) => {
            sqlx::query_as(AssertSqlSafe(format!(
                "INSERT INTO lease (name, owner, epoch, expires_at)
                 SELECT value, $2, 1, $4 FROM json_each($1) WHERE true ORDER BY value {TAKE}"
            )))
            .bind(super::json(&names)?)
            .bind(owner)
            .bind(now.0)
            .bind(lasts)
            .fetch_all(connection)
            .await?
        }
    };
    Ok(taken.into_iter().collect())
}

/// Gives up what the owner has of `names`.
pub async fn release(tx: &mut Tx, owner: &str, names: &[String]) -> Result<(), StoreError> {
    const RELEASE: &str = "UPDATE lease SET expires_at = 0, owner = '' WHERE owner = $2 AND name";
    if names.is_empty() {
        return Ok(());
    }
    match tx.connection().await? {
        Connection::Postgres(connection) => {
            sqlx::query(AssertSqlSafe(format!("{RELEASE} = ANY ($1)")))
                .bind(names)
                .bind(owner)
                .execute(connection)
                .await?;
        }
        Connection::Sqlite(connection) => {
            sqlx::query(AssertSqlSafe(format!("{RELEASE} IN (SELECT value FROM json_each($1))")))
                .bind(super::json(&names)?)
                .bind(owner)
                .execute(connection)
                .await?;
        }
    }
    Ok(())
}

/// Who has a lease whose name begins with `prefix`, by name.
pub async fn held(
    tx: &mut Tx,
    prefix: &str,
    now: UnixMillis,
) -> Result<BTreeMap<String, String>, StoreError> {
    with_connection!(tx, |connection| {
        let rows =
            sqlx::query("SELECT name, owner FROM lease WHERE substr(name, 1, $2) = $1 AND expires_at > $3")
                .bind(prefix)
                .bind(i32::try_from(prefix.chars().count()).unwrap_or(i32::MAX))
                .bind(now.0)
                .fetch_all(connection)
                .await?;
        let mut held = BTreeMap::new();
        for row in rows {
            held.insert(row.try_get(0)?, row.try_get(1)?);
        }
        Ok(held)
    })
}

/// Refuses the transaction unless each lease is in this epoch still; nobody else takes one before it ends.
pub async fn check(tx: &mut Tx, leases: &BTreeMap<String, i64>) -> Result<(), StoreError> {
    let names: Vec<&str> = leases.keys().map(String::as_str).collect();
    let found: BTreeMap<String, i64> = match tx.connection().await? {
        Connection::Postgres(connection) => {
            let rows =
                sqlx::query("SELECT name, epoch FROM lease WHERE name = ANY ($1) ORDER BY name FOR SHARE")
                    .bind(names)
                    .fetch_all(connection)
                    .await?;
            rows.iter()
                .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
                .collect::<Result<_, sqlx::Error>>()?
        }
        Connection::Sqlite(connection) => {
            let rows =
                sqlx::query("SELECT name, epoch FROM lease WHERE name IN (SELECT value FROM json_each($1))")
                    .bind(super::json(&names)?)
                    .fetch_all(connection)
                    .await?;
            rows.iter()
                .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
                .collect::<Result<_, sqlx::Error>>()?
        }
    };
    for (name, ours) in leases {
        let found = found.get(name).copied().unwrap_or(0);
        if found != *ours {
            return Err(StoreError::Fenced { what: name.clone(), ours: *ours, found });
        }
    }
    Ok(())
}
