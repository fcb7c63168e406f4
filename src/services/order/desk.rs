//! The desk that takes orders in: those that arrive while it writes share its next transaction.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::recent::Recent;
use super::store::{self, Placed, Taken};
use crate::runtime::relay::Wake;
use crate::store::{Store, StoreError};
use crate::unit::UnixMillis;

/// Orders that wait to be written; more are turned away.
const WAITING: usize = 2048;
/// Orders of one transaction.
const AT_ONCE: usize = 256;
/// How long few orders wait for others after a transaction: since it began, or since it ended when it had more, as those who
/// were answered then come back at the same time. What a transaction costs both the database and us hardly depends on how
/// many it has; one that comes alone does not wait.
const APART: Duration = Duration::from_millis(3);
const FEW: usize = 16;

/// Why an order was not taken in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("too many orders wait to be written")]
    Busy,
    #[error("an order with this key is being taken in")]
    InProgress,
    #[error(transparent)]
    Store(StoreError),
    #[error("the service is ending")]
    Ending,
}

/// An order on the desk.
#[derive(Debug)]
struct HandedIn {
    placed: Placed,
    /// Held until the order is written, even if nobody waits for the answer any more.
    key: Option<InUse>,
    answer: oneshot::Sender<Result<Taken, StoreError>>,
}

/// Where orders are handed in.
#[derive(Debug)]
pub(crate) struct Desk {
    waiting: mpsc::Sender<HandedIn>,
    /// Keys of orders that are being taken in.
    keys: Arc<Mutex<HashSet<String>>>,
}

/// Who writes what is handed in.
#[derive(Debug)]
pub(crate) struct Clerk(mpsc::Receiver<HandedIn>);

/// A desk, and who works at it.
pub(crate) fn open() -> (Desk, Clerk) {
    let (waiting, orders) = mpsc::channel(WAITING);
    (Desk { waiting, keys: Arc::default() }, Clerk(orders))
}

/// A key that is in use until this is dropped.
#[derive(Debug)]
struct InUse {
    key: String,
    keys: Arc<Mutex<HashSet<String>>>,
}

impl Drop for InUse {
    fn drop(&mut self) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

impl Desk {
    /// Hands an order in; it is written when this answers.
    pub(crate) async fn hand_in(&self, placed: Placed) -> Result<Taken, Refused> {
        let key = match &placed.key {
            None => None,
            Some((key, _)) => {
                if !self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone()) {
                    return Err(Refused::InProgress);
                }
                Some(InUse { key: key.clone(), keys: Arc::clone(&self.keys) })
            }
        };
        let (answer, answered) = oneshot::channel();
        self.waiting.try_send(HandedIn { placed, key, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Refused::Busy,
            mpsc::error::TrySendError::Closed(_) => Refused::Ending,
        })?;
        answered.await.map_err(|_| Refused::Ending)?.map_err(Refused::Store)
    }
}

impl Clerk {
    /// Writes orders until nobody can hand any in.
    pub(crate) async fn run(mut self, store: Store, recent: Recent, wake: Wake, now: fn() -> UnixMillis) {
        let remembers = store.optimistic().is_some();
        let mut orders = Vec::with_capacity(AT_ONCE);
        let mut next = Instant::now();
        while self.gather(&mut orders, next).await {
            let (began, few) = (Instant::now(), orders.len() < FEW);
            let (placed, answers): (Vec<Placed>, Vec<_>) =
                orders.drain(..).map(|one| (one.placed, (one.key, one.answer))).unzip();
            let taken = async {
                let keys = placed.iter().any(|one| one.key.is_some());
                let mut tx = if keys { store.tx() } else { store.alone() };
                let taken = store::place(&mut tx, &placed, now()).await?;
                tx.commit().await.map(|()| taken)
            };
            match taken.await {
                Ok(taken) => {
                    wake.wake();
                    if remembers {
                        let new = placed.iter().zip(&taken).filter(|(_, taken)| **taken == Taken::New);
                        recent.placed(new.map(|(one, _)| one));
                    }
                    for ((key, answer), taken) in answers.into_iter().zip(taken) {
                        drop(key);
                        // A client that went away has its order all the same.
                        let _ = answer.send(Ok(taken));
                    }
                }
                Err(error) => {
                    for (key, answer) in answers {
                        drop(key);
                        let _ = answer.send(Err(error.clone()));
                    }
                }
            }
            next = if few { began } else { Instant::now() } + APART;
        }
    }

    /// The orders of the next transaction, of which few are not for long before `next`; `false`: nobody can hand any in.
    async fn gather(&mut self, orders: &mut Vec<HandedIn>, next: Instant) -> bool {
        if self.0.recv_many(orders, AT_ONCE).await == 0 {
            return false;
        }
        let company = async {
            while orders.len() < FEW && self.0.recv_many(orders, AT_ONCE - orders.len()).await > 0 {}
        };
        let _ = tokio::time::timeout_at(next, company).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::order::testing::placed;

    /// Before few orders no longer wait.
    const SOON: Duration = Duration::from_millis(2);

    fn order() -> HandedIn {
        HandedIn { placed: placed("ORD-1", "CUST-1", "{}"), key: None, answer: oneshot::channel().0 }
    }

    async fn gathered(clerk: &mut Clerk, next: Instant) -> usize {
        let mut orders = Vec::new();
        assert!(clerk.gather(&mut orders, next).await);
        orders.len()
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_comes_alone_does_not_wait_and_few_that_come_soon_wait_for_others() {
        let (desk, mut clerk) = open();
        let began = Instant::now();
        desk.waiting.try_send(order()).unwrap();
        assert_eq!(gathered(&mut clerk, began).await, 1);
        assert_eq!(Instant::now(), began);
        desk.waiting.try_send(order()).unwrap();
        let other = async {
            tokio::time::sleep(SOON).await;
            desk.waiting.try_send(order()).unwrap();
        };
        let (count, ()) = tokio::join!(gathered(&mut clerk, began + APART), other);
        assert_eq!((count, Instant::now()), (2, began + APART));
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_are_many_wait_for_nobody() {
        let (desk, mut clerk) = open();
        let began = Instant::now();
        for _ in 0..FEW - 1 {
            desk.waiting.try_send(order()).unwrap();
        }
        let last = async {
            tokio::time::sleep(SOON).await;
            desk.waiting.try_send(order()).unwrap();
        };
        let (count, ()) = tokio::join!(gathered(&mut clerk, began + APART), last);
        assert_eq!((count, Instant::now()), (FEW, began + SOON));
    }

    #[tokio::test(start_paused = true)]
    async fn a_desk_that_closes_has_its_last_orders_written() {
        let (desk, mut clerk) = open();
        desk.waiting.try_send(order()).unwrap();
        drop(desk);
        let next = Instant::now() + APART;
        assert_eq!(gathered(&mut clerk, next).await, 1);
        assert!(!clerk.gather(&mut Vec::new(), next).await);
    }
}
