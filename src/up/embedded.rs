//! What a broker needs whose records end with this process: stores that know of it, and an end that waits for them.

use std::time::Duration;

use tokio::time::Instant;

use crate::kafka::embedded::{Consuming, Onlooker};
use crate::runtime::Health;
use crate::runtime::service::ServiceError;
use crate::runtime::startup::open_store;
use crate::services::inventory::{self, MIGRATIONS as OF_STOCK};
use crate::services::notification::{self, MIGRATIONS as OF_LETTERS};
use crate::services::order::lost;
use crate::services::order::run::{NAME as ORDERS, Settings};
use crate::services::order::store::MIGRATIONS as OF_ORDERS;
use crate::store::cluster::{ClusterKind, stay_with};
use crate::store::exclusive::Exclusive;
use crate::store::{Location, Store, StoreError, fence, outbox};
use crate::topology::Topology;

/// Connections of each store here: one looks while another waits.
const CONNECTIONS: u32 = 2;
/// The pause before a database that is away is asked again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a database may take to notice that a process was killed.
const GIVEN_UP: Duration = Duration::from_secs(2);
/// How often is looked whether everything is done.
const LOOK: Duration = Duration::from_millis(50);

/// The stores of all services, beside the services themselves.
pub(crate) struct Stores {
    orders: Store,
    stock: Store,
    letters: Store,
    alone: Exclusive,
}

/// Why the stores cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoresError {
    /// Its orders are not lost: its broker lives.
    #[error("another `kafkaflow up` with an embedded broker uses the same stores")]
    Taken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OnTheWay {
    /// Outbox rows that are not published, other than those behind dead ones.
    pub(crate) rows: i64,
    /// Records that were published and not handled.
    pub(crate) records: i64,
}

impl Stores {
    /// Opens them and forgets the offsets of the broker before this one.
    pub(crate) async fn open(location: &Location) -> Result<Self, StoresError> {
        let given_up_by = Instant::now() + GIVEN_UP;
        let alone = loop {
            match Exclusive::take(location).await {
                Ok(Some(alone)) => break alone,
                Ok(None) if Instant::now() >= given_up_by => return Err(StoresError::Taken),
                Ok(None) => tokio::time::sleep(LOOK).await,
                Err(error) if error.is_transient() => {
                    tracing::warn!("waiting for the stores in {location}: {error}");
                    tokio::time::sleep(AGAIN).await;
                }
                Err(error) => return Err(error.into()),
            }
        };
        let health = Health::new();
        let mut opened = Vec::new();
        for (name, migrations) in
            [(ORDERS, OF_ORDERS), (inventory::NAME, OF_STOCK), (notification::NAME, OF_LETTERS)]
        {
            let store = open_store(location, name, migrations, CONNECTIONS, &health).await?;
            let fit = async {
                let mut tx = store.tx();
                stay_with(&mut tx, ClusterKind::Embedded).await?;
                fence::forget_offsets(&mut tx).await?;
                tx.commit().await
            };
            fit.await?;
            opened.push(store);
        }
        let [orders, stock, letters] =
            opened.try_into().unwrap_or_else(|_| unreachable!("three were opened"));
        Ok(Self { orders, stock, letters, alone })
    }

    /// Cancels orders whose records ended with the broker before this one; their ids.
    pub(crate) async fn cancel_lost<P>(
        &self,
        settings: &Settings<P>,
        topology: &Topology,
    ) -> Result<Vec<String>, ServiceError> {
        let waiting = async |orders: &[String]| outbox::waiting_keys(&mut self.stock.glance(), orders).await;
        lost::cancel(settings, topology, &self.orders, waiting).await
    }

    async fn rows(&self) -> Result<i64, ServiceError> {
        let mut rows = 0;
        for store in [&self.orders, &self.stock, &self.letters] {
            let status = outbox::status(&mut store.glance(), crate::unit::UnixMillis::now()).await?;
            rows += status.pending - status.behind_dead;
        }
        Ok(rows)
    }

    /// Waits until nothing is on its way any more: all outboxes are empty, and every group has handled what the broker
    /// has. `Err`: what is left after `within`.
    pub(crate) async fn drained(&self, onlooker: &Onlooker, within: Duration) -> Result<(), OnTheWay> {
        let deadline = Instant::now() + within;
        let mut left = OnTheWay::default();
        while Instant::now() < deadline {
            match self.look(onlooker).await {
                Ok(None) => return Ok(()),
                Ok(Some(found)) => left = found,
                Err(error) => tracing::info!("ending: {error}"),
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(left)
    }

    /// What a group has handled may have announced something, and what was announced be handled anew: only where nothing
    /// was written while all was looked at is nothing on its way.
    async fn look(&self, onlooker: &Onlooker) -> Result<Option<OnTheWay>, Box<dyn std::error::Error>> {
        let before = onlooker.progress().await?;
        let rows = self.rows().await?;
        let after = onlooker.progress().await?;
        let quiet = before == after && before.lag == 0 && rows == 0;
        Ok((!quiet).then_some(OnTheWay { rows, records: after.lag }))
    }

    pub(crate) async fn close(self) {
        for store in [self.orders, self.stock, self.letters] {
            store.close().await;
        }
        self.alone.give_up().await;
    }
}

/// The groups of all services, and what each consumes.
pub(crate) fn groups(topology: &Topology) -> Vec<Consuming> {
    let of = |service: &str| {
        let group = topology.group_of(service)?.to_owned();
        let consumed = topology.consumed_by(service);
        let partitions = consumed.map(|topic| (topic.name.as_str().to_owned(), topic.partitions)).collect();
        Some(Consuming { group, partitions })
    };
    [ORDERS, inventory::NAME, notification::NAME].into_iter().filter_map(of).collect()
}
