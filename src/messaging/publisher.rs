//! Publishing records, whoever does it.

use tokio::sync::mpsc;

use super::{Header, Intent};
use crate::unit::UnixMillis;

/// Outcomes that are taken at once.
const AT_ONCE: usize = 4096;

/// A record to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    pub topic: String,
    /// `None`: the key's own partition, as Java's default partitioner has it.
    pub partition: Option<i32>,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<Header>,
    /// `None`: the time of publishing.
    pub timestamp: Option<UnixMillis>,
}

/// Where a record is that all in-sync replicas have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    pub partition: i32,
    pub offset: i64,
}

/// Why a record was not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// No broker will take it, now or later.
    #[error("{0}")]
    Refused(String),
    /// A broker refused it together with others, one of which may be meant. Sent alone, it is this one.
    #[error("{0}")]
    RefusedInCompany(String),
    /// Whether it was written is not known, or it was not sent; sending it again is right.
    #[error("{0}")]
    Unacknowledged(String),
}

/// What became of a record, by its place in the batch.
pub type Outcome = (usize, Result<Acknowledged, PublishError>);

/// The outcomes of one batch, as they come.
#[derive(Debug)]
pub struct Delivery {
    outcomes: mpsc::Receiver<Outcome>,
}

/// Says what became of records of one batch; dropped without a word it says that nobody knows.
#[derive(Clone, Debug)]
pub struct Told(mpsc::Sender<Outcome>);

impl Delivery {
    /// For a batch of `count` records, each of which is told of once.
    #[must_use]
    pub fn of(count: usize) -> (Told, Self) {
        let (sender, outcomes) = mpsc::channel(count.max(1));
        (Told(sender), Self { outcomes })
    }

    /// Waits for outcomes and takes those that are there; empty: there will be no more.
    pub async fn next(&mut self) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        self.outcomes.recv_many(&mut outcomes, AT_ONCE).await;
        outcomes
    }

    /// The outcomes that are there already.
    pub fn ready(&mut self) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        while let Ok(outcome) = self.outcomes.try_recv() {
            outcomes.push(outcome);
        }
        outcomes
    }
}

impl Told {
    /// There is room for every record's outcome, so this never waits.
    pub fn tell(&self, at: usize, outcome: Result<Acknowledged, PublishError>) {
        let _ = self.0.try_send((at, outcome));
    }
}

/// Publishes records.
pub trait Publisher: Send + Sync + 'static {
    /// Takes the records over, in this order, and returns at once. Of records with one key and topic, none is
    /// acknowledged unless all before it are.
    fn publish(&self, records: Vec<Outgoing>) -> Delivery;

    /// Says that records will be handed over in a moment, or that there are none after all: until it is dropped, few records
    /// of others who share the publisher wait for them, but for no more than some milliseconds.
    fn intend(&self) -> Intent {
        Intent::default()
    }

    /// How many partitions a topic has, if that is known.
    fn partitions(&self, topic: &str) -> impl Future<Output = Option<u32>> + Send;
}

/// Publishes records and waits for their outcomes, which come in the records' order.
pub async fn publish_all(
    publisher: &impl Publisher,
    records: Vec<Outgoing>,
) -> Vec<Result<Acknowledged, PublishError>> {
    let mut left = records.len();
    let unknown = || Err(PublishError::Unacknowledged("the producer ended".to_owned()));
    let mut outcomes: Vec<_> = records.iter().map(|_| unknown()).collect();
    let mut delivery = publisher.publish(records);
    while left > 0 {
        let some = delivery.next().await;
        if some.is_empty() {
            break;
        }
        left -= some.len();
        for (at, outcome) in some {
            outcomes[at] = outcome;
        }
    }
    outcomes
}

/// Publishes one record and waits for its outcome.
pub async fn publish_alone(
    publisher: &impl Publisher,
    record: Outgoing,
) -> Result<Acknowledged, PublishError> {
    publish_all(publisher, vec![record]).await.remove(0)
}
