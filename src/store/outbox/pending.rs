//! What waits to be published, and what becomes of it.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::BUCKETS;
use crate::store::open::Pool;
use crate::store::{Connection, Dialect, Store, StoreError, Tx, lease};
use crate::unit::UnixMillis;

/// A row that waits to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    pub seq: i64,
    pub id: String,
    pub key: String,
    pub event_type: String,
    pub payload: String,
    pub topic: String,
    pub traceparent: Option<String>,
}

/// Rows that are not wanted now: those of a topic, or of one partition of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skip {
    pub topic: String,
    /// The partition and how many the topic has; `None`: the whole topic.
    pub partition: Option<(u32, u32)>,
}

/// What becomes of the rows behind a dead one of the same key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Followers {
    /// They wait until somebody decides about it; order is kept.
    #[default]
    Wait,
    /// They are published without it.
    Pass,
}

/// A row that a broker has acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    pub seq: i64,
    pub partition: i32,
    pub offset: i64,
}

/// A row that no broker will take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dead {
    pub seq: i64,
    pub key: String,
    pub reason: String,
}

/// The first rows of these buckets that may be published now, in the order of `seq`; not those that are `taken` already.
pub async fn pending(
    tx: &mut Tx,
    buckets: &[i16],
    skip: &[Skip],
    taken: &[i64],
    followers: Followers,
    limit: u32,
) -> Result<Vec<Pending>, StoreError> {
    if buckets.is_empty() {
        return Ok(Vec::new());
    }
    let postgres = matches!(tx.connection().await?, Connection::Postgres(_));
    let limits = Limits {
        buckets: buckets.len() < BUCKETS as usize,
        skips: !skip.is_empty(),
        taken: !taken.is_empty(),
    };
    let sql = question(postgres, limits, followers);
    let limit = i64::from(limit);
    let rows = match tx.connection().await? {
        Connection::Postgres(connection) => {
            let counts: Vec<i32> =
                skip.iter().map(|skip| skip.partition.map_or(0, |(_, count)| count.cast_signed())).collect();
            let partitions: Vec<i32> = skip
                .iter()
                .map(|skip| skip.partition.map_or(0, |(partition, _)| partition.cast_signed()))
                .collect();
            let topics: Vec<&str> = skip.iter().map(|skip| skip.topic.as_str()).collect();
            sqlx::query(AssertSqlSafe(sql))
                .bind(limit)
                .bind(buckets)
                .bind(topics)
                .bind(partitions)
                .bind(counts)
                .bind(taken)
                .fetch_all(connection)
                .await?
                .iter()
                .map(read)
                .collect::<Result<Vec<_>, _>>()?
        }
        Connection::Sqlite(connection) => {
            let skip: Vec<_> = skip
                .iter()
                .map(|skip| {
                    let (partition, count) = skip.partition.unwrap_or((0, 0));
                    (&skip.topic, partition, count)
                })
                .collect();
            sqlx::query(AssertSqlSafe(sql))
                .bind(limit)
                .bind(crate::store::json(&buckets)?)
                .bind(crate::store::json(&skip)?)
                .bind(crate::store::json(&taken)?)
                .fetch_all(connection)
                .await?
                .iter()
                .map(read)
                .collect::<Result<Vec<_>, _>>()?
        }
    };
    Ok(rows)
}

/// What keeps rows out of an answer.
#[derive(Clone, Copy)]
struct Limits {
    buckets: bool,
    skips: bool,
    taken: bool,
}

fn question(postgres: bool, limits: Limits, followers: Followers) -> String {
    let mut sql =
        "SELECT o.seq, o.id, o.aggregateid, o.type, o.payload, o.topic, o.traceparent FROM outbox_pending p
         CROSS JOIN "
            .to_owned();
    // Row by row of those that wait, however many and however few there were when the statement was planned.
    sql.push_str(if postgres {
        "LATERAL (SELECT * FROM outbox WHERE outbox.seq = p.seq OFFSET 0) o WHERE true"
    } else {
        "outbox o WHERE o.seq = p.seq"
    });
    if postgres {
        // Every parameter has its type even where it is not used.
        sql.push_str(" AND ($2::smallint[] IS NOT NULL AND $3::text[] IS NOT NULL AND $4::int[] IS NOT NULL AND $5::int[] IS NOT NULL AND $6::bigint[] IS NOT NULL)");
    } else {
        sql.push_str(" AND ($2 IS NOT NULL AND $3 IS NOT NULL AND $4 IS NOT NULL)");
    }
    if limits.buckets {
        sql.push_str(if postgres {
            " AND p.bucket = ANY ($2)"
        } else {
            " AND p.bucket IN (SELECT value FROM json_each($2))"
        });
    }
    if limits.skips {
        sql.push_str(if postgres {
            " AND NOT EXISTS (SELECT 1 FROM unnest($3, $4, $5) AS s (topic, partition, count)
                  WHERE s.topic = p.topic AND (s.count = 0 OR p.hash % s.count = s.partition))"
        } else {
            " AND NOT EXISTS (SELECT 1 FROM jsonb_each($3) s
                  WHERE s.value ->> 0 = p.topic AND (s.value ->> 2 = 0 OR p.hash % (s.value ->> 2) = s.value ->> 1))"
        });
    }
    if limits.taken {
        // A subselect is hashed once, however many they are.
        sql.push_str(if postgres {
            " AND p.seq NOT IN (SELECT unnest($6))"
        } else {
            " AND p.seq NOT IN (SELECT value FROM json_each($4))"
        });
    }
    if followers == Followers::Wait {
        sql.push_str(
            " AND NOT EXISTS (SELECT 1 FROM outbox_dead d WHERE d.aggregateid = o.aggregateid AND d.seq < p.seq)",
        );
    }
    sql.push_str(" ORDER BY p.seq LIMIT $1");
    sql
}

fn read<R: Row>(row: &R) -> Result<Pending, sqlx::Error>
where
    usize: sqlx::ColumnIndex<R>,
    for<'r> i64: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    for<'r> String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    for<'r> Option<String>: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    Ok(Pending {
        seq: row.try_get(0)?,
        id: row.try_get(1)?,
        key: row.try_get(2)?,
        event_type: row.try_get(3)?,
        payload: row.try_get(4)?,
        topic: row.try_get(5)?,
        traceparent: row.try_get(6)?,
    })
}

/// Records what became of rows, unless one of the leases is in another epoch by now ([`StoreError::Fenced`]).
pub(crate) async fn settle_leased(
    store: &Store,
    leases: &BTreeMap<String, i64>,
    published: &[Published],
    dead: &[Dead],
    now: UnixMillis,
) -> Result<(), StoreError> {
    // What was published is true whoever has the keys a moment later; so one statement does, which holds no lease.
    if dead.is_empty() && matches!(store.pool, Pool::Postgres(_)) {
        let mut alone = store.alone();
        if let Connection::Postgres(connection) = alone.connection().await?
            && settle_published(connection, leases, published, now).await?
        {
            return alone.commit().await;
        }
        // Which of them is not, the transaction says.
    }
    let mut tx = store.tx();
    lease::check(&mut tx, leases).await?;
    settle(&mut tx, published, dead, now).await?;
    tx.commit().await
}

/// Whether all leases were in their epochs; else it changed nothing.
async fn settle_published(
    connection: &mut PgConnection,
    leases: &BTreeMap<String, i64>,
    published: &[Published],
    now: UnixMillis,
) -> Result<bool, StoreError> {
    let held = sqlx::query_scalar(
        "WITH held AS (
             SELECT count(*) = cardinality($5) AS all_of_them
             FROM lease JOIN unnest($5::text[], $6::bigint[]) AS ours (name, epoch) USING (name, epoch)
         ), gone AS (
             DELETE FROM outbox_pending WHERE seq = ANY ($1) AND (SELECT all_of_them FROM held)
         ), noted AS (
             INSERT INTO outbox_published (seq, partition, \"offset\", published_at)
             SELECT seq, partition, \"offset\", $4
             FROM unnest($1::bigint[], $2::int[], $3::bigint[]) AS g (seq, partition, \"offset\")
             WHERE (SELECT all_of_them FROM held)
             ON CONFLICT DO NOTHING
         )
         SELECT all_of_them FROM held",
    )
    .bind(published.iter().map(|row| row.seq).collect::<Vec<_>>())
    .bind(published.iter().map(|row| row.partition).collect::<Vec<_>>())
    .bind(published.iter().map(|row| row.offset).collect::<Vec<_>>())
    .bind(now.0)
    .bind(leases.keys().map(String::as_str).collect::<Vec<_>>())
    .bind(leases.values().copied().collect::<Vec<_>>())
    .fetch_one(connection)
    .await?;
    Ok(held)
}

/// Records what became of rows. Whoever settles a row that another settled before changes nothing.
pub async fn settle(
    tx: &mut Tx,
    published: &[Published],
    dead: &[Dead],
    now: UnixMillis,
) -> Result<(), StoreError> {
    if !published.is_empty() {
        match tx.connection().await? {
            Connection::Postgres(connection) => {
                settle_published(connection, &BTreeMap::new(), published, now).await?;
            }
            Connection::Sqlite(connection) => {
                let rows: Vec<_> = published.iter().map(|row| (row.seq, row.partition, row.offset)).collect();
                let (rows, each) = (crate::store::json(&rows)?, connection.each());
                sqlx::query(AssertSqlSafe(format!(
                    "INSERT INTO outbox_published (seq, partition, \"offset\", published_at)
                     SELECT value ->> 0, value ->> 1, value ->> 2, $2 FROM {each} WHERE true
                     ON CONFLICT DO NOTHING"
                )))
                .bind(&rows)
                .bind(now.0)
                .execute(&mut *connection)
                .await?;
                sqlx::query(AssertSqlSafe(format!(
                    "DELETE FROM outbox_pending WHERE seq IN (SELECT value ->> 0 FROM {each})"
                )))
                .bind(&rows)
                .execute(connection)
                .await?;
            }
        }
    }
    for row in dead {
        crate::with_connection!(tx, |connection| {
            let gone = sqlx::query("DELETE FROM outbox_pending WHERE seq = $1")
                .bind(row.seq)
                .execute(&mut *connection)
                .await?;
            if gone.rows_affected() > 0 {
                sqlx::query(
                    "INSERT INTO outbox_dead (seq, aggregateid, reason, failed_at) VALUES ($1, $2, $3, $4)",
                )
                .bind(row.seq)
                .bind(&row.key)
                .bind(&row.reason)
                .bind(now.0)
                .execute(connection)
                .await?;
            }
        });
    }
    Ok(())
}
