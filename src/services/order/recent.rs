//! Orders as this process has placed them, so that what they hear next is written without reading them first.
//!
//! Only a hint: who goes by it does so in an optimistic transaction, which is refused when an order is no longer so.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::state::Standing;
use super::store::{Held, Placed};

/// Orders that are remembered; the oldest make room. Most hear within a second.
const MOST: usize = 10_000;

/// The orders. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    orders: HashMap<String, Held>,
    /// Their ids and those of some that were taken, the oldest first.
    ids: VecDeque<String>,
}

impl Recent {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers orders that were just written, and that nobody has told anything yet.
    pub(super) fn placed<'p>(&self, placed: impl IntoIterator<Item = &'p Placed>) {
        let mut inner = self.inner();
        for one in placed {
            let Ok(contact) = serde_json::from_str(&one.contact) else { continue };
            let held = Held {
                standing: Standing::PLACED,
                version: 1,
                customer: one.customer.clone(),
                total: one.total,
                contact,
            };
            inner.orders.insert(one.id.clone(), held);
            inner.ids.push_back(one.id.clone());
            if inner.ids.len() > MOST
                && let Some(oldest) = inner.ids.pop_front()
            {
                inner.orders.remove(&oldest);
            }
        }
    }

    /// These orders, which are about to hear something and so are forgotten; `None`: not all of them are remembered.
    pub(super) fn take(&self, ids: &BTreeSet<String>) -> Option<HashMap<String, Held>> {
        let mut inner = self.inner();
        let taken: HashMap<_, _> = ids.iter().filter_map(|id| inner.orders.remove_entry(id)).collect();
        (taken.len() == ids.len()).then_some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::order::feed::Feed;
    use crate::services::order::hearing::Heard;
    use crate::services::order::state::{Happened, Status};
    use crate::services::order::store;
    use crate::services::order::testing::{ledger, place, placed};
    use crate::store::StoreError;
    use crate::store::testing::{TestStore, on_both_stores};

    on_both_stores! { crate::services::order::store::MIGRATIONS;
        what_was_just_placed_hears_without_being_read,
    }

    async fn what_was_just_placed_hears_without_being_read(test: TestStore) {
        let Some(mut tx) = test.store.optimistic() else { return };
        let orders = ["ORD-1", "ORD-2"].map(|id| placed(id, "CUST-1", "{}"));
        place(&test, &orders).await;
        let ledger = ledger(false, Feed::default());
        ledger.recent.placed(&orders);
        let heard = |order: &str, reason: &str| Heard {
            order: crate::event::OrderId::new(order).unwrap(),
            happened: Happened::NotReserved { reason: reason.to_owned() },
            event_id: None,
            place: None,
            traceparent: None,
        };
        assert!(ledger.enter(&mut tx, vec![heard("ORD-1", "sold out")]).await.unwrap().is_empty());
        assert!(!tx.has_begun());
        tx.commit().await.unwrap();
        // Another instance is quicker.
        let (other, mut held) =
            (crate::services::order::testing::ledger(false, Feed::default()), test.store.tx());
        other.enter(&mut held, vec![heard("ORD-2", "gone")]).await.unwrap();
        held.commit().await.unwrap();
        let mut tx = test.store.optimistic().unwrap();
        ledger.enter(&mut tx, vec![heard("ORD-2", "late")]).await.unwrap();
        assert!(!tx.has_begun());
        let refused = tx.commit().await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
        // From now on it is read.
        let mut tx = test.store.optimistic().unwrap();
        ledger.enter(&mut tx, vec![heard("ORD-2", "late")]).await.unwrap();
        assert!(tx.has_begun());
        tx.commit().await.unwrap();
        for (id, reason, version) in [("ORD-1", "sold out", 2), ("ORD-2", "gone", 3)] {
            let order = store::order(&mut test.store.reading(), id).await.unwrap().unwrap();
            let found = (order.status, order.reason.as_deref(), order.version);
            assert_eq!(found, (Status::Cancelled, Some(reason), version));
        }
    }

    fn ids(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn orders_are_taken_together_once() {
        let recent = Recent::default();
        recent
            .placed(&[placed("a", "CUST-1", r#"{"email":"ada@example.com"}"#), placed("b", "CUST-2", "{}")]);
        recent.placed(&[placed("c", "CUST-3", "{}")]);
        assert!(recent.take(&ids(&["c", "d"])).is_none());
        assert!(recent.take(&ids(&["c"])).is_none());
        let taken = recent.take(&ids(&["a", "b"])).unwrap();
        let a = &taken["a"];
        assert_eq!((&a.standing, a.version, a.customer.as_str()), (&Standing::PLACED, 1, "CUST-1"));
        assert_eq!((a.total.cents(), a.contact.email.as_deref()), (11_993, Some("ada@example.com")));
        assert!(recent.take(&ids(&["a"])).is_none());
    }

    #[test]
    fn the_oldest_make_room() {
        let recent = Recent::default();
        recent.placed(&[placed("first", "C", "{}"), placed("second", "C", "{}")]);
        recent.take(&ids(&["first"])).unwrap();
        for n in 0..MOST - 1 {
            recent.placed(&[placed(&n.to_string(), "C", "{}")]);
        }
        assert!(recent.take(&ids(&["second"])).is_some());
        recent.placed(&[placed("last", "C", "{}"), placed("very last", "C", "{}")]);
        assert!(recent.take(&ids(&["0"])).is_none());
        assert!(recent.take(&ids(&["1", "very last"])).is_some());
        assert_eq!(recent.inner().ids.len(), MOST);
    }
}
