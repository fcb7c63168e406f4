//! What a consumer has in hand, for a relay that waits for what comes of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// Clones tell of the same consumer.
#[derive(Clone, Debug, Default)]
pub(crate) struct InHand(Arc<Batches>);

#[derive(Debug, Default)]
struct Batches {
    count: AtomicUsize,
    finished: Notify,
}

/// A batch is in hand, until this is dropped.
#[derive(Debug)]
#[must_use]
pub(crate) struct Taken(Arc<Batches>);

impl InHand {
    /// A batch is taken: its first records are there.
    pub(crate) fn take(&self) -> Taken {
        self.0.count.fetch_add(1, Ordering::AcqRel);
        Taken(Arc::clone(&self.0))
    }

    /// How many are in hand.
    #[cfg(test)]
    pub(super) fn batches(&self) -> usize {
        self.0.count.load(Ordering::Acquire)
    }

    /// Waits until one of the batches in hand is finished, at most for `most`; at once where there is none.
    pub(crate) async fn one_finished(&self, most: Duration) {
        let finished = self.0.finished.notified();
        let mut finished = std::pin::pin!(finished);
        // Before it is asked whether there is any, or the last might end in between unheard.
        finished.as_mut().enable();
        if self.0.count.load(Ordering::Acquire) > 0 {
            let _ = tokio::time::timeout(most, finished).await;
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::AcqRel);
        self.0.finished.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    const MOST: Duration = Duration::from_millis(6);

    async fn waited(in_hand: &InHand) -> Duration {
        let began = Instant::now();
        in_hand.one_finished(MOST).await;
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_where_nothing_is_in_hand() {
        let in_hand = InHand::default();
        assert_eq!(waited(&in_hand).await, Duration::ZERO);
        drop(in_hand.take());
        assert_eq!(waited(&in_hand).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_goes_on_with_the_first_that_is_finished() {
        let in_hand = InHand::default();
        let (_longer, shorter) = (in_hand.take(), in_hand.take());
        let finishing = async {
            tokio::time::sleep(Duration::from_millis(2)).await;
            drop(shorter);
        };
        let (waited, ()) = tokio::join!(waited(&in_hand), finishing);
        assert_eq!(waited, Duration::from_millis(2));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_is_said() {
        let in_hand = InHand::default();
        let _taken = in_hand.take();
        assert_eq!(waited(&in_hand).await, MOST);
    }
}
