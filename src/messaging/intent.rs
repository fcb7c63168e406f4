//! Who is about to publish.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// How many of those who share a publisher are about to publish.
#[derive(Debug, Default)]
pub(crate) struct Intents {
    count: AtomicUsize,
    over: Notify,
}

/// Somebody is about to publish, until it is dropped.
#[derive(Debug, Default)]
#[must_use]
pub struct Intent(Option<Arc<Intents>>);

impl Intents {
    pub(crate) fn begin(self: &Arc<Self>) -> Intent {
        self.count.fetch_add(1, Ordering::AcqRel);
        Intent(Some(Arc::clone(self)))
    }

    /// Whether somebody is. Where nobody is, what they handed over before can be seen.
    pub(crate) fn any(&self) -> bool {
        self.count.load(Ordering::Acquire) > 0
    }

    /// Waits until nobody is any more.
    pub(crate) async fn over(&self) {
        self.over.notified().await;
    }
}

impl Drop for Intent {
    fn drop(&mut self) {
        if let Some(intents) = &self.0
            && intents.count.fetch_sub(1, Ordering::AcqRel) == 1
        {
            intents.over.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_over_when_the_last_is_and_whoever_waits_is_told() {
        let intents = Arc::<Intents>::default();
        assert!(!intents.any());
        let (one, other) = (intents.begin(), intents.begin());
        drop(one);
        assert!(intents.any());
        drop(other);
        assert!(!intents.any());
        intents.over().await;
    }
}
