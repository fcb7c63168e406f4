//! Who owns a partition of Kafka, as the database has it.
//!
//! A consumer that was stopped longer than its session lasts does not know, when it goes on, that its partitions have
//! another owner. Kafka refuses its commits of offsets, but cannot refuse its effects: the database does.

use sqlx::Row;

use super::writes::Parts;
use super::{Connection, StoreError, Tx};

/// A partition and the epoch in which it is owned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owned {
    pub topic: String,
    pub partition: i32,
    pub epoch: i64,
}

/// Begins a new epoch of these partitions, which ends those before. Waits for transactions of the owners before.
pub async fn own(tx: &mut Tx, group: &str, partitions: &[(String, i32)]) -> Result<Vec<Owned>, StoreError> {
    let mut sorted = partitions.to_vec();
    sorted.sort();
    let mut owned = Vec::with_capacity(sorted.len());
    for (topic, partition) in sorted {
        let epoch: i64 = crate::with_connection!(tx, |connection| {
            sqlx::query_scalar(
                "INSERT INTO consumer_partition (consumer_group, topic, partition, epoch) VALUES ($1, $2, $3, 1)
                 ON CONFLICT (consumer_group, topic, partition)
                 DO UPDATE SET epoch = consumer_partition.epoch + 1
                 RETURNING epoch",
            )
            .bind(group)
            .bind(&topic)
            .bind(partition)
            .fetch_one(connection)
            .await?
        });
        owned.push(Owned { topic, partition, epoch });
    }
    Ok(owned)
}

/// Holds these partitions until the transaction ends, and notes the offset that follows the batch; refused when one
/// of them has another owner.
pub async fn hold(tx: &mut Tx, group: &str, batch: &[(Owned, i64)]) -> Result<(), StoreError> {
    let sorted = sorted(batch);
    let held = match tx.connection().await? {
        Connection::Postgres(connection) => {
            let mut parts = Parts::default();
            let group = parts.bind(group)?;
            let update = update(&mut parts, &group, &sorted)?;
            parts.query("held", &update);
            parts.fetch("SELECT FROM held", connection).await?.len()
        }
        Connection::Sqlite(connection) => {
            let mut held = 0_u64;
            for (owned, next) in &sorted {
                held += sqlx::query(
                    "UPDATE consumer_partition SET next_offset = $5
                     WHERE consumer_group = $1 AND topic = $2 AND partition = $3 AND epoch = $4",
                )
                .bind(group)
                .bind(&owned.topic)
                .bind(owned.partition)
                .bind(owned.epoch)
                .bind(next)
                .execute(&mut *connection)
                .await?
                .rows_affected();
            }
            usize::try_from(held).unwrap_or(0)
        }
    };
    if held == sorted.len() { Ok(()) } else { Err(refusal(tx, group, &sorted).await?) }
}

/// The fences in the order in which every transaction takes them.
pub(super) fn sorted(batch: &[(Owned, i64)]) -> Vec<&(Owned, i64)> {
    let mut sorted: Vec<&(Owned, i64)> = batch.iter().collect();
    sorted.sort();
    sorted
}

/// What [`hold`] does in PostgreSQL: it returns as many rows as it holds partitions. `group` is a parameter already.
pub(super) fn update(parts: &mut Parts, group: &str, sorted: &[&(Owned, i64)]) -> Result<String, StoreError> {
    let topics = parts.bind(sorted.iter().map(|(owned, _)| owned.topic.as_str()).collect::<Vec<_>>())?;
    let partitions = parts.bind(sorted.iter().map(|(owned, _)| owned.partition).collect::<Vec<_>>())?;
    let epochs = parts.bind(sorted.iter().map(|(owned, _)| owned.epoch).collect::<Vec<_>>())?;
    let offsets = parts.bind(sorted.iter().map(|(_, next)| *next).collect::<Vec<_>>())?;
    Ok(format!(
        "UPDATE consumer_partition c SET next_offset = g.next_offset
         FROM unnest({topics}::text[], {partitions}::int[], {epochs}::bigint[], {offsets}::bigint[])
              AS g (topic, partition, epoch, next_offset)
         WHERE c.consumer_group = {group} AND c.topic = g.topic AND c.partition = g.partition AND c.epoch = g.epoch
         RETURNING 1"
    ))
}

/// Why one of these partitions is not held.
pub(super) async fn refusal(
    tx: &mut Tx,
    group: &str,
    sorted: &[&(Owned, i64)],
) -> Result<StoreError, StoreError> {
    for (owned, _) in sorted {
        let found = epoch(tx, group, &owned.topic, owned.partition).await?.unwrap_or(0);
        if found != owned.epoch {
            let what = format!("{}/{} of group {group}", owned.topic, owned.partition);
            return Ok(StoreError::Fenced { what, ours: owned.epoch, found });
        }
    }
    Ok(StoreError::Conflict("a partition's owner changed".to_owned()))
}

async fn epoch(tx: &mut Tx, group: &str, topic: &str, partition: i32) -> Result<Option<i64>, StoreError> {
    crate::with_connection!(tx, |connection| {
        let row = sqlx::query(
            "SELECT epoch FROM consumer_partition WHERE consumer_group = $1 AND topic = $2 AND partition = $3",
        )
        .bind(group)
        .bind(topic)
        .bind(partition)
        .fetch_optional(connection)
        .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    })
}

/// The offset that follows what was handled last, as evidence for checks; reading never starts from it.
pub async fn next_offset(
    tx: &mut Tx,
    group: &str,
    topic: &str,
    partition: i32,
) -> Result<Option<i64>, StoreError> {
    crate::with_connection!(tx, |connection| {
        let row = sqlx::query(
            "SELECT next_offset FROM consumer_partition
             WHERE consumer_group = $1 AND topic = $2 AND partition = $3",
        )
        .bind(group)
        .bind(topic)
        .bind(partition)
        .fetch_optional(connection)
        .await?;
        Ok(row.map(|row| row.try_get::<Option<i64>, _>(0)).transpose()?.flatten())
    })
}

/// Forgets the offsets of partitions whose records are gone.
pub(crate) async fn forget_offsets(tx: &mut Tx) -> Result<(), StoreError> {
    crate::with_connection!(tx, |connection| {
        sqlx::query("UPDATE consumer_partition SET next_offset = NULL").execute(connection).await?;
    });
    Ok(())
}
