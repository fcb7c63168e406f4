//! The relay: publishes what the outbox holds, in order for each key, at least once.
//!
//! A batch of rows is taken by their state, handed to the producer, acknowledged, and recorded a little later together with
//! others; no transaction is open across a call to Kafka. Several batches are in flight at the same time, but of a key only
//! rows of one: so what fails is never overtaken by what follows it. What is not acknowledged in time stays with the
//! producer: its partitions count as stuck, and later rows of these alone wait. What no broker takes, even alone, goes to
//! `outbox_dead` with the reason.
//!
//! Several relays share the keys by leases. One that was stopped too long may publish rows again that another
//! publishes as well; each of them sends a key's rows in order, so the first occurrences are in order whatever happens.

mod buckets;
mod company;
mod flight;
#[cfg(test)]
mod fresh_tests;
mod recording;
mod round;
mod run;
#[cfg(test)]
mod tests;
mod unrecorded;

use std::time::Duration;

pub use round::{Relay, Relayed};
pub use run::{Wake, run};

use crate::store::outbox::Followers;

/// How a relay works.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Rows of one round.
    pub batch: u32,
    /// How long a round waits after the last acknowledgement before it goes on without the others.
    pub patience: Duration,
    /// The beat of the clock at which the batch behind one that was not full is taken: the next beat, or a later one where
    /// rows are many or batches fly long.
    pub beat: Duration,
    /// What becomes of the rows behind one that no broker takes.
    pub followers: Followers,
    /// How long published rows are kept, for `outbox verify`.
    pub keep: Duration,
    /// How long others wait for a relay that no longer says anything.
    pub lease: Duration,
    /// How long the relay sleeps when nothing waits: at first, and at most.
    pub poll: (Duration, Duration),
    /// Ask the database to say when rows were written (PostgreSQL's LISTEN).
    pub listen: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            batch: 2000,
            patience: Duration::from_millis(500),
            beat: Duration::from_millis(12),
            followers: Followers::Wait,
            keep: Duration::from_secs(24 * 60 * 60),
            lease: Duration::from_secs(10),
            poll: (Duration::from_millis(20), Duration::from_millis(500)),
            listen: false,
        }
    }
}
