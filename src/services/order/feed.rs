//! Who waits for an order to change is told, whichever instance changed it.
//!
//! What this instance writes is told as soon as it is committed, as it was written. Changes by others are found by asking
//! for the versions of all orders that somebody waits for, as often as that costs little.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::store::{self, Change, Entry};
use crate::store::{Store, StoreError};

/// How often all are asked for, at least; more seldom when the answer takes long.
const ALL: Duration = Duration::from_millis(100);
/// How many times as long as an answer takes nobody asks again.
const REST: u32 = 10;
/// Orders that are asked for at a time.
const AT_ONCE: usize = 5000;
/// Entries of an order that are kept for those who wait for it; who missed more reads the store.
const KEPT: usize = 4;

/// Tells what orders hear. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Feed(Arc<Mutex<Watched>>);

/// Orders that somebody waits for.
type Watched = HashMap<String, watch::Sender<News>>;

/// What is known of an order.
#[derive(Debug, Default)]
struct News {
    version: i64,
    /// The newest entries, one version after the other up to `version`; none where only that is known.
    entries: VecDeque<Entry>,
}

impl News {
    /// Whether the order had not that version yet.
    fn has_version(&mut self, version: i64) -> bool {
        let newer = version > self.version;
        if newer {
            self.version = version;
            self.entries.clear();
        }
        newer
    }

    /// Whether it was none that is known.
    fn has(&mut self, entry: Entry) -> bool {
        if entry.version <= self.version {
            return false;
        }
        if entry.version > self.version + 1 {
            self.entries.clear();
        }
        self.version = entry.version;
        self.entries.push_back(entry);
        if self.entries.len() > KEPT {
            self.entries.pop_front();
        }
        true
    }

    /// What the order heard after its version `seen`; `None`: the store has to be asked.
    fn after(&self, seen: i64) -> Option<Vec<Entry>> {
        let known = self.version - i64::try_from(self.entries.len()).unwrap_or(0);
        (known <= seen).then(|| self.entries.iter().filter(|entry| entry.version > seen).cloned().collect())
    }
}

/// The news of an order, while it is held.
#[derive(Debug)]
pub(crate) struct Watch {
    feed: Feed,
    order: String,
    news: watch::Receiver<News>,
}

impl Watch {
    /// Waits until the order may have heard something after its version `seen`, and says what; `None`: it is in the store.
    pub(crate) async fn heard(&mut self, seen: i64) -> Option<Vec<Entry>> {
        // The sender lives as long as this.
        let _ = self.news.changed().await;
        self.news.borrow_and_update().after(seen)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watched = self.feed.watched();
        // This receiver is still counted.
        if watched.get(&self.order).is_some_and(|sender| sender.receiver_count() <= 1) {
            watched.remove(&self.order);
        }
    }
}

impl Feed {
    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for changes of an order from now on.
    pub(crate) fn watch(&self, order: &str) -> Watch {
        let mut watched = self.watched();
        let news = watched.entry(order.to_owned()).or_default().subscribe();
        Watch { feed: self.clone(), order: order.to_owned(), news }
    }

    /// Orders that somebody waits for.
    #[cfg(test)]
    pub(crate) fn waited_for(&self) -> usize {
        self.watched().len()
    }

    /// Tells what was committed to whoever waits for it.
    pub(crate) fn tell(&self, changes: &[Change]) {
        let watched = self.watched();
        if watched.is_empty() {
            return;
        }
        for change in changes {
            if let Some(sender) = watched.get(&change.order) {
                sender.send_if_modified(|news| news.has(change.entry()));
            }
        }
    }

    /// Looks for the changes of others until `shutdown` completes.
    pub(crate) async fn run(&self, store: &Store, shutdown: impl Future<Output = ()>) {
        let mut shutdown = std::pin::pin!(shutdown);
        let mut due = Instant::now() + ALL;
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => return,
                () = tokio::time::sleep_until(due) => {
                    let began = Instant::now();
                    if let Err(error) = self.look(store).await {
                        tracing::info!("feed: {error}");
                    }
                    due = Instant::now() + ALL.max(began.elapsed() * REST);
                }
            }
        }
    }

    /// Asks for the versions of all orders that somebody waits for, and tells those who do.
    pub(crate) async fn look(&self, store: &Store) -> Result<(), StoreError> {
        let ids: Vec<String> = self.watched().keys().cloned().collect();
        for some in ids.chunks(AT_ONCE) {
            let mut tx = store.glance();
            let versions = store::versions(&mut tx, some).await?;
            tx.commit().await?;
            let watched = self.watched();
            for (order, version) in versions {
                if let Some(sender) = watched.get(&order) {
                    sender.send_if_modified(|news| news.has_version(version));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::order::state::Status;
    use crate::unit::UnixMillis;

    fn entry(version: i64) -> Entry {
        Entry {
            version,
            at: UnixMillis(0),
            kind: "inventory-reserved".to_owned(),
            status: Status::Confirmed,
            ignored: None,
            reason: None,
            event_id: None,
            heard: None,
            published: None,
        }
    }

    /// The versions that are told to who has seen that one; `None`: the store has to be asked.
    fn told(news: &News, seen: i64) -> Option<Vec<i64>> {
        news.after(seen).map(|entries| entries.iter().map(|entry| entry.version).collect())
    }

    #[test]
    fn who_missed_nothing_that_is_kept_need_not_ask_the_store() {
        let mut news = News::default();
        assert_eq!(told(&news, 0), Some(vec![]));
        assert!(news.has(entry(2)));
        assert_eq!((told(&news, 0), told(&news, 1), told(&news, 2)), (None, Some(vec![2]), Some(vec![])));
        assert!(news.has(entry(3)) && !news.has(entry(3)) && !news.has(entry(2)));
        assert_eq!((told(&news, 1), told(&news, 2)), (Some(vec![2, 3]), Some(vec![3])));
        assert!((4..=7).all(|version| news.has(entry(version))));
        assert_eq!((told(&news, 2), told(&news, 3)), (None, Some(vec![4, 5, 6, 7])));
    }

    #[test]
    fn what_another_instance_wrote_is_in_the_store() {
        let mut news = News::default();
        assert!(news.has_version(1) && !news.has_version(1));
        assert!(news.has(entry(2)));
        assert!(!news.has_version(2));
        assert_eq!(told(&news, 1), Some(vec![2]));
        // Version 3 is not ours.
        assert!(news.has(entry(4)));
        assert_eq!((told(&news, 2), told(&news, 3)), (None, Some(vec![4])));
        assert!(news.has_version(5));
        assert_eq!((told(&news, 4), told(&news, 5)), (None, Some(vec![])));
    }
}
