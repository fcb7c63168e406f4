//! The kind of cluster that a store's events are published to.
//!
//! What was published is nowhere else any more, and offsets mean nothing elsewhere: a store stays with its cluster.

use super::{StoreError, Tx};

/// Where the records of a store are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClusterKind {
    /// Brokers that outlive this process.
    Kafka,
    /// The broker inside of `kafkaflow up`, whose records end with it.
    Embedded,
}

impl ClusterKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Kafka => "a Kafka cluster",
            Self::Embedded => "the embedded broker",
        }
    }
}

/// Notes the kind of cluster in a store that has none yet, and refuses another kind than the one it has.
pub(crate) async fn stay_with(tx: &mut Tx, kind: ClusterKind) -> Result<(), StoreError> {
    let ours = kind.name();
    let found: String = crate::with_connection!(tx, |connection| {
        sqlx::query("INSERT INTO published_to (one, cluster) VALUES (1, $1) ON CONFLICT (one) DO NOTHING")
            .bind(ours)
            .execute(&mut *connection)
            .await?;
        sqlx::query_scalar("SELECT cluster FROM published_to").fetch_one(connection).await?
    });
    if found == ours { Ok(()) } else { Err(StoreError::OtherCluster { found, ours: ours.to_owned() }) }
}
