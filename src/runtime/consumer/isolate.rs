//! A part's records one by one, when handling them together failed: each is undone alone.

use std::error::Error;

use super::Consumer;
use super::share::{Fate, Share, Stop, Work};
use super::step::{BREAKER, Trouble, candidate};
use crate::messaging::Publisher;
use crate::messaging::dead_letter::{Cause, Class};
use crate::runtime::handler::{BatchOutcome, HandleError, Handling};
use crate::store::inbox::Claim;
use crate::store::{StoreError, Tx};
use crate::unit::UnixMillis;

/// Handles records up to the first that has to be tried again; commits what was handled.
pub(super) async fn one_by_one<H: Handling, P: Publisher>(
    consumer: &Consumer<H, P>,
    share: &mut Share,
    now: UnixMillis,
    chance: f64,
) {
    let worked = async {
        let mut tx = consumer.tx();
        let open = |share: &Share| {
            let left = share.works.iter().filter(|work| matches!(work.fate, Fate::Open { .. }));
            left.count()
        };
        let before = open(share);
        let (dying, stop) = until_one_fails(consumer, &mut tx, share, now, chance).await?;
        let handled = before - open(share) - dying;
        if !consumer.breaker_lets_go(handled, dying) {
            return Err(Trouble::Breaker);
        }
        consumer.commit(tx, std::slice::from_ref(share), &[]).await?;
        consumer.breaker_saw(handled, dying);
        consumer.count_handled(share, handled);
        Ok::<_, Trouble>(stop)
    };
    match worked.await {
        Ok(stop) => share.stop = stop,
        Err(error) => {
            for work in &mut share.works {
                work.fate = consumer.fate(&work.record);
            }
            share.stop = Some(match error {
                Trouble::Store(error @ StoreError::Fenced { .. }) => Stop::Fenced(error.to_string()),
                Trouble::Store(other) => Stop::Wait(other.to_string()),
                Trouble::Handler | Trouble::Breaker => Stop::Wait(BREAKER.to_owned()),
            });
        }
    }
}

/// How many are to die, and why not all were decided about.
async fn until_one_fails<H: Handling, P: Publisher>(
    consumer: &Consumer<H, P>,
    tx: &mut Tx,
    share: &mut Share,
    now: UnixMillis,
    chance: f64,
) -> Result<(usize, Option<Stop>), StoreError> {
    let mut dying = 0;
    for work in &mut share.works {
        let Fate::Open { id, .. } = &work.fate else { continue };
        let id = id.clone();
        let Some(error) = alone(consumer, tx, work, &id, now).await? else {
            dying += usize::from(matches!(work.fate, Fate::Dead { .. }));
            continue;
        };
        let offset = work.record.offset();
        let attempts = match share.failing {
            Some((failed, attempts)) if failed == offset => attempts + 1,
            _ => 1,
        };
        let policy = consumer.intake(work.record.topic()).map(|intake| intake.retry).unwrap_or_default();
        consumer.count("retried", work.record.topic(), 1);
        if let Some(after) = policy.delay(attempts, chance) {
            tracing::info!(attempts, "{:?}: {error}", work.record);
            return Ok((dying, Some(Stop::Retry { offset, attempts, after })));
        }
        let mut cause = Cause::of(Class::RetriesExhausted, error.as_ref());
        cause.message = format!("{attempts} attempts: {}", cause.message);
        work.fate = Fate::Doomed { id, cause: Box::new(cause) };
        consumer.doom(tx, std::iter::once(work), now).await?;
        dying += 1;
    }
    Ok((dying, None))
}

/// Handles one record; the error is one after which it may be tried again, and has left no trace.
async fn alone<H: Handling, P: Publisher>(
    consumer: &Consumer<H, P>,
    tx: &mut Tx,
    work: &mut Work,
    id: &str,
    now: UnixMillis,
) -> Result<Option<Box<dyn Error + Send + Sync>>, StoreError> {
    let stored = consumer.store.is_some();
    if stored {
        tx.savepoint().await?;
    }
    let claim = consumer.claim(tx, &[], &[candidate(id, &work.record)], now).await?.pop();
    if consumer.settle(work, claim.unwrap_or(Claim::New)) {
        let outcome = consumer.handled(tx, std::slice::from_mut(&mut work.record)).await;
        let error = match outcome {
            BatchOutcome::Done => None,
            BatchOutcome::Poisoned(poisoned) => poisoned.into_iter().next().map(|(_, error)| error),
            BatchOutcome::Failed(error) => Some(error),
        };
        match error {
            None => work.fate = Fate::Finished,
            Some(HandleError::Store(error)) => return Err(error),
            Some(error @ (HandleError::Waits(_) | HandleError::Later { .. })) => {
                return Err(StoreError::Unavailable(error.to_string()));
            }
            Some(HandleError::Transient(error)) => {
                if stored {
                    tx.back_to_savepoint().await?;
                }
                return Ok(Some(error));
            }
            Some(poison) => {
                let cause = Box::new(Cause::of(Class::Poison, &poison));
                work.fate = Fate::Doomed { id: id.to_owned(), cause };
            }
        }
    }
    if matches!(work.fate, Fate::Doomed { .. }) {
        if stored {
            tx.back_to_savepoint().await?;
        }
        // At once: a copy of the event may follow.
        consumer.doom(tx, std::iter::once(work), now).await?;
    } else if stored {
        tx.release_savepoint().await?;
    }
    Ok(None)
}
