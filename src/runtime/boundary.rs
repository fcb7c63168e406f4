//! Places in the work at which a process may die without costing anything: tests kill it there.

use std::sync::Arc;

/// Between two steps, the first of which is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Boundary {
    /// The consumer has taken records.
    Polled,
    /// The store knows what will be done outside of it; nothing is.
    Claimed,
    /// All of it was done outside of the store, which does not know.
    Performed,
    /// The handler is done with a batch; nothing is committed.
    Handled,
    /// The store has a batch's effects; no offset is stored.
    Committed,
    /// Dead letters were handed to the producer.
    Burying,
    /// Dead letters are acknowledged; no offset is stored.
    Buried,
    /// Offsets are stored; they are committed some time later.
    Stored,
    /// Partitions are taken away.
    Revoked,
    /// The relay has taken rows.
    Taken,
    /// Records of rows are acknowledged; the store does not know.
    Acknowledged,
    /// The store knows what was published.
    Recorded,
}

impl Boundary {
    /// Those of a relay, and of a consumer that does nothing outside of its store.
    pub const ALL: [Self; 10] = [
        Self::Polled,
        Self::Handled,
        Self::Committed,
        Self::Burying,
        Self::Buried,
        Self::Stored,
        Self::Revoked,
        Self::Taken,
        Self::Acknowledged,
        Self::Recorded,
    ];
}

/// Is told of every boundary that is reached; by default nobody is.
#[derive(Clone)]
pub struct OnBoundary(Arc<dyn Fn(Boundary) + Send + Sync>);

impl OnBoundary {
    pub fn new(told: impl Fn(Boundary) + Send + Sync + 'static) -> Self {
        Self(Arc::new(told))
    }

    pub(super) fn reach(&self, boundary: Boundary) {
        (self.0)(boundary);
    }
}

impl Default for OnBoundary {
    fn default() -> Self {
        Self::new(|_| {})
    }
}
