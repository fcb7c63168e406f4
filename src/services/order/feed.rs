//! Who waits for an order to change is told, whichever instance changed it.
//!
//! This instance's own changes are noted before their transaction ends, and looked at after it: at once, and alone.
//! Those of others are found by asking for the versions of all orders that somebody waits for, as often as that costs
//! little.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::store;
use crate::store::{Store, StoreError};

/// How often all are asked for, at least; more seldom when the answer takes long.
const ALL: Duration = Duration::from_millis(500);
/// How many times as long as an answer takes nobody asks again.
const REST: u32 = 10;
/// The least time between two looks at noted changes.
const NOTED: Duration = Duration::from_millis(2);
/// How long a change that was noted, and undone perhaps, is looked for.
const FORGOTTEN: Duration = Duration::from_secs(2);
/// Orders that are asked for at a time.
const AT_ONCE: usize = 5000;

/// Tells versions of orders. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Feed(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    watched: Mutex<HashMap<String, watch::Sender<i64>>>,
    /// Changes that may be committed by now: order, version, until when it is looked for.
    noted: Mutex<BTreeMap<String, (i64, Instant)>>,
    committed: Arc<Notify>,
}

/// The versions of an order, while it is held.
#[derive(Debug)]
pub(crate) struct Watch {
    feed: Feed,
    order: String,
    versions: watch::Receiver<i64>,
}

impl Watch {
    /// Waits until the order may have a higher version than was seen.
    pub(crate) async fn changed(&mut self) {
        // The sender lives as long as this.
        let _ = self.versions.changed().await;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watched = self.feed.0.watched.lock().unwrap_or_else(PoisonError::into_inner);
        // This receiver is still counted.
        if watched.get(&self.order).is_some_and(|sender| sender.receiver_count() <= 1) {
            watched.remove(&self.order);
        }
    }
}

impl Feed {
    /// Waits for changes of an order from now on.
    pub(crate) fn watch(&self, order: &str) -> Watch {
        let mut watched = self.0.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let versions = watched.entry(order.to_owned()).or_insert_with(|| watch::Sender::new(0)).subscribe();
        Watch { feed: self.clone(), order: order.to_owned(), versions }
    }

    /// Orders that somebody waits for.
    #[cfg(test)]
    pub(crate) fn watched(&self) -> usize {
        self.0.watched.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Notes versions that orders have once a transaction is committed.
    pub(crate) fn may_have_changed(&self, orders: impl Iterator<Item = (String, i64)>) {
        let watched = self.0.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.is_empty() {
            return;
        }
        let until = Instant::now() + FORGOTTEN;
        let mut noted = self.0.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.extend(
            orders
                .filter(|(order, _)| watched.contains_key(order))
                .map(|(order, version)| (order, (version, until))),
        );
    }

    /// Notified after every commit.
    pub(crate) fn committed(&self) -> Arc<Notify> {
        Arc::clone(&self.0.committed)
    }

    /// Looks for changes until `shutdown` completes.
    pub(crate) async fn run(&self, store: &Store, shutdown: impl Future<Output = ()>) {
        let mut shutdown = std::pin::pin!(shutdown);
        let mut all = Instant::now() + ALL;
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => return,
                () = self.0.committed.notified() => {
                    if let Err(error) = self.look_at_noted(store).await {
                        tracing::info!("feed: {error}");
                    }
                    tokio::time::sleep(NOTED).await;
                }
                () = tokio::time::sleep_until(all) => {
                    let began = Instant::now();
                    if let Err(error) = self.look_at_all(store).await {
                        tracing::info!("feed: {error}");
                    }
                    all = Instant::now() + ALL.max(began.elapsed() * REST);
                }
            }
        }
    }

    pub(crate) async fn look_at_noted(&self, store: &Store) -> Result<(), StoreError> {
        let now = Instant::now();
        let wanted: BTreeMap<String, i64> = {
            let mut noted = self.0.noted.lock().unwrap_or_else(PoisonError::into_inner);
            noted.retain(|_, (_, until)| *until > now);
            noted.iter().map(|(order, (version, _))| (order.clone(), *version)).collect()
        };
        let ids: Vec<String> = wanted.keys().cloned().collect();
        for (order, version) in self.ask(store, &ids).await? {
            let mut noted = self.0.noted.lock().unwrap_or_else(PoisonError::into_inner);
            if noted.get(&order).is_some_and(|(noted, _)| *noted <= version) {
                noted.remove(&order);
            }
        }
        Ok(())
    }

    pub(crate) async fn look_at_all(&self, store: &Store) -> Result<(), StoreError> {
        let ids: Vec<String> =
            self.0.watched.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect();
        for some in ids.chunks(AT_ONCE) {
            self.ask(store, some).await?;
        }
        Ok(())
    }

    /// Asks for versions, and tells whoever waits.
    async fn ask(&self, store: &Store, ids: &[String]) -> Result<Vec<(String, i64)>, StoreError> {
        let mut tx = store.glance();
        let versions = store::versions(&mut tx, ids).await?;
        tx.commit().await?;
        let watched = self.0.watched.lock().unwrap_or_else(PoisonError::into_inner);
        for (order, version) in &versions {
            if let Some(sender) = watched.get(order) {
                sender.send_if_modified(|known| {
                    let newer = *version > *known;
                    *known = (*known).max(*version);
                    newer
                });
            }
        }
        Ok(versions)
    }
}
