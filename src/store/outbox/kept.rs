//! Everything that is still in an outbox, for whoever compares it with the topics.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, Row};

use crate::store::{Connection, StoreError, Tx};
use crate::unit::UnixMillis;
use crate::with_connection;

/// A row and what became of it so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub seq: i64,
    pub id: String,
    pub key: String,
    pub topic: String,
    pub created_at: UnixMillis,
    pub state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Pending,
    Published { partition: i32, offset: i64 },
    Dead { reason: String },
}

/// At most `limit` rows with a `seq` greater than `after`, in its order.
pub async fn kept(tx: &mut Tx, after: i64, limit: u32) -> Result<Vec<Kept>, StoreError> {
    with_connection!(tx, |connection| {
        let rows = sqlx::query(
            "SELECT o.seq, o.id, o.aggregateid, o.topic, o.created_at, p.partition, p.\"offset\", d.reason
             FROM outbox o
             LEFT JOIN outbox_published p ON p.seq = o.seq
             LEFT JOIN outbox_dead d ON d.seq = o.seq
             WHERE o.seq > $1 ORDER BY o.seq LIMIT $2",
        )
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
        let mut kept = Vec::with_capacity(rows.len());
        for row in rows {
            let place = (row.try_get::<Option<i32>, _>(5)?, row.try_get::<Option<i64>, _>(6)?);
            let state = match (place, row.try_get::<Option<String>, _>(7)?) {
                ((Some(partition), Some(offset)), _) => State::Published { partition, offset },
                (_, Some(reason)) => State::Dead { reason },
                _ => State::Pending,
            };
            kept.push(Kept {
                seq: row.try_get(0)?,
                id: row.try_get(1)?,
                key: row.try_get(2)?,
                topic: row.try_get(3)?,
                created_at: UnixMillis(row.try_get(4)?),
                state,
            });
        }
        Ok(kept)
    })
}

/// A row of the outbox, found by its event's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub seq: i64,
    pub key: String,
    pub topic: String,
}

/// The rows of these events, by id; those that are not of this outbox, or no longer kept, are missing.
pub async fn find(tx: &mut Tx, ids: &[String]) -> Result<HashMap<String, Found>, StoreError> {
    let sql = |given: &str| format!("SELECT id, seq, aggregateid, topic FROM outbox WHERE id {given}");
    let rows: Vec<(String, i64, String, String)> = match tx.connection().await? {
        Connection::Postgres(connection) => {
            sqlx::query_as(AssertSqlSafe(sql("= ANY ($1)"))).bind(ids).fetch_all(connection).await?
        }
        Connection::Sqlite(connection) => {
            let given = crate::store::json(&ids)?;
            sqlx::query_as(AssertSqlSafe(sql("IN (SELECT value FROM json_each($1))")))
                .bind(given)
                .fetch_all(connection)
                .await?
        }
    };
    Ok(rows.into_iter().map(|(id, seq, key, topic)| (id, Found { seq, key, topic })).collect())
}
