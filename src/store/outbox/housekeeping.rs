//! How an outbox stands, what is done about dead rows, and what need not be kept.

use std::collections::HashSet;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Row};

use crate::store::{Connection, Dialect, StoreError, Tx, json};
use crate::unit::UnixMillis;
use crate::with_connection;

/// How an outbox stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Rows that wait to be published, those behind dead ones included.
    pub pending: i64,
    /// Of these: rows behind a dead one of the same key.
    pub behind_dead: i64,
    /// When the oldest of those that wait was written.
    pub oldest: Option<UnixMillis>,
    pub dead: i64,
    /// Published rows that are still kept.
    pub published: i64,
    /// Rows published since a minute ago.
    pub last_minute: i64,
}

/// How the outbox stands at `now`.
pub async fn status(tx: &mut Tx, now: UnixMillis) -> Result<Status, StoreError> {
    with_connection!(tx, |connection| {
        let row = sqlx::query(
            "SELECT (SELECT count(*) FROM outbox_pending),
                    (SELECT count(*) FROM outbox_pending p JOIN outbox o ON o.seq = p.seq
                     WHERE EXISTS (SELECT 1 FROM outbox_dead d WHERE d.aggregateid = o.aggregateid AND d.seq < p.seq)),
                    (SELECT min(o.created_at) FROM outbox_pending p JOIN outbox o ON o.seq = p.seq),
                    (SELECT count(*) FROM outbox_dead),
                    (SELECT count(*) FROM outbox_published),
                    (SELECT count(*) FROM outbox_published WHERE published_at > $1)",
        )
        .bind(now.before(Duration::from_secs(60)).0)
        .fetch_one(connection)
        .await?;
        Ok(Status {
            pending: row.try_get(0)?,
            behind_dead: row.try_get(1)?,
            oldest: row.try_get::<Option<i64>, _>(2)?.map(UnixMillis),
            dead: row.try_get(3)?,
            published: row.try_get(4)?,
            last_minute: row.try_get(5)?,
        })
    })
}

/// What waits in an outbox, cheap to ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Rows that wait to be published, counted up to a million.
    pub pending: i64,
    /// When the first of them was written.
    pub oldest: Option<UnixMillis>,
    pub dead: i64,
}

/// What waits.
pub async fn backlog(tx: &mut Tx) -> Result<Backlog, StoreError> {
    with_connection!(tx, |connection| {
        let row = sqlx::query(
            "SELECT (SELECT count(*) FROM (SELECT 1 FROM outbox_pending LIMIT 1000000) AS first),
                    (SELECT created_at FROM outbox WHERE seq = (SELECT min(seq) FROM outbox_pending)),
                    (SELECT count(*) FROM outbox_dead)",
        )
        .fetch_one(connection)
        .await?;
        Ok(Backlog {
            pending: row.try_get(0)?,
            oldest: row.try_get::<Option<i64>, _>(1)?.map(UnixMillis),
            dead: row.try_get(2)?,
        })
    })
}

/// Those of `keys` that have rows which were not published yet.
pub async fn waiting_keys(tx: &mut Tx, keys: &[String]) -> Result<HashSet<String>, StoreError> {
    if keys.is_empty() {
        return Ok(HashSet::new());
    }
    let keys = json(&keys.iter().map(|key| [key]).collect::<Vec<_>>())?;
    with_connection!(tx, |connection| {
        let found: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!(
            "SELECT DISTINCT aggregateid FROM outbox
             WHERE seq IN (SELECT seq FROM outbox_pending UNION ALL SELECT seq FROM outbox_dead)
               AND aggregateid IN (SELECT value ->> 0 FROM {})",
            connection.each()
        )))
        .bind(&keys)
        .fetch_all(connection)
        .await?;
        Ok(found.into_iter().collect())
    })
}

/// Lets a dead row wait to be published again; `false`: there is none of that number.
pub async fn retry_dead(tx: &mut Tx, seq: i64) -> Result<bool, StoreError> {
    let row = with_connection!(tx, |connection| {
        let row = sqlx::query("SELECT o.topic, o.aggregateid FROM outbox_dead d JOIN outbox o ON o.seq = d.seq WHERE d.seq = $1")
            .bind(seq)
            .fetch_optional(connection)
            .await?;
        row.map(|row| Ok::<_, sqlx::Error>((row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?)))
            .transpose()?
    });
    let Some((topic, key)) = row else { return Ok(false) };
    let hash = crate::messaging::key_hash(key.as_bytes());
    with_connection!(tx, |connection| {
        sqlx::query("INSERT INTO outbox_pending (seq, topic, hash, bucket) VALUES ($1, $2, $3, $4)")
            .bind(seq)
            .bind(topic)
            .bind(hash.cast_signed())
            .bind(super::bucket_of(hash))
            .execute(&mut *connection)
            .await?;
        sqlx::query("DELETE FROM outbox_dead WHERE seq = $1").bind(seq).execute(connection).await?;
    });
    Ok(true)
}

/// Gives a dead row up, and lets those behind it go on; `false`: there is none of that number.
pub async fn drop_dead(tx: &mut Tx, seq: i64) -> Result<bool, StoreError> {
    with_connection!(tx, |connection| {
        let dropped = sqlx::query("DELETE FROM outbox_dead WHERE seq = $1")
            .bind(seq)
            .execute(&mut *connection)
            .await?
            .rows_affected();
        if dropped > 0 {
            sqlx::query("DELETE FROM outbox WHERE seq = $1").bind(seq).execute(connection).await?;
        }
        Ok(dropped > 0)
    })
}

/// Deletes at most `limit` rows that were published before `before`; how many it were.
pub async fn prune(tx: &mut Tx, before: UnixMillis, limit: u32) -> Result<u64, StoreError> {
    let limit = i64::from(limit);
    Ok(match tx.connection().await? {
        Connection::Postgres(connection) => sqlx::query(
            "WITH old AS (
                 DELETE FROM outbox_published WHERE ctid = ANY (ARRAY(
                     SELECT ctid FROM outbox_published WHERE published_at < $1 LIMIT $2))
                 RETURNING seq
             )
             DELETE FROM outbox USING old WHERE outbox.seq = old.seq",
        )
        .bind(before.0)
        .bind(limit)
        .execute(connection)
        .await?
        .rows_affected(),
        Connection::Sqlite(connection) => {
            // Rows are published about in the order of `seq`, so the old ones are found at the beginning.
            let rows: Vec<i64> = sqlx::query_scalar(
                "SELECT seq FROM (SELECT seq, published_at FROM outbox_published ORDER BY seq LIMIT $2)
                 WHERE published_at < $1",
            )
            .bind(before.0)
            .bind(limit)
            .fetch_all(&mut *connection)
            .await?;
            let seqs = crate::store::json(&rows)?;
            for statement in [
                "DELETE FROM outbox_published WHERE seq IN (SELECT value FROM json_each($1))",
                "DELETE FROM outbox WHERE seq IN (SELECT value FROM json_each($1))",
            ] {
                sqlx::query(statement).bind(&seqs).execute(&mut *connection).await?;
            }
            rows.len() as u64
        }
    })
}

/// A row that no broker took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadRow {
    pub seq: i64,
    pub id: String,
    pub topic: String,
    pub key: String,
    pub reason: String,
    /// Later rows of its key that wait.
    pub behind: i64,
}

/// The dead rows, oldest first.
pub async fn dead(tx: &mut Tx) -> Result<Vec<DeadRow>, StoreError> {
    with_connection!(tx, |connection| {
        let rows = sqlx::query(
            "SELECT d.seq, o.id, o.topic, o.aggregateid, d.reason,
                    (SELECT count(*) FROM outbox_pending p JOIN outbox w ON w.seq = p.seq
                     WHERE w.aggregateid = o.aggregateid AND p.seq > d.seq)
             FROM outbox_dead d JOIN outbox o ON o.seq = d.seq ORDER BY d.seq",
        )
        .fetch_all(connection)
        .await?;
        let mut dead = Vec::with_capacity(rows.len());
        for row in rows {
            dead.push(DeadRow {
                seq: row.try_get(0)?,
                id: row.try_get(1)?,
                topic: row.try_get(2)?,
                key: row.try_get(3)?,
                reason: row.try_get(4)?,
                behind: row.try_get(5)?,
            });
        }
        Ok(dead)
    })
}
