//! The consumer: hands records of a group's topics to a handler, each event's effect once, a key's order kept.
//!
//! A *lane* takes batches from the partitions it has, and handles each in one transaction: inbox rows, effects, outbox
//! rows and the fence of its partitions. When a batch fails, its records are handled one by one, so that only the
//! one that cannot be handled stays behind: it is tried again while its partition waits and others go on, or goes to
//! the dead-letter topic. A partition's offset is stored up to the first record that is not finished, and only after
//! the transaction, or the acknowledgement of the dead letter, that finished those before.

mod breaker;
mod caution;
mod dead;
mod derive;
mod intake;
mod isolate;
mod lane;
#[cfg(test)]
mod optimistic_tests;
mod outside;
#[cfg(test)]
mod outside_tests;
mod run;
mod share;
mod step;
#[cfg(test)]
mod story_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use breaker::BreakerOptions;
pub use intake::{Intake, UnknownEvents};
pub use run::{ConsumerError, run};

use breaker::{Breaker, Verdict};
use caution::Caution;

use super::boundary::OnBoundary;
use super::handler::Handling;
use super::health::Health;
use super::in_hand::InHand;
use super::relay::Wake;
use super::trace::Tracing;
use crate::store::fence::Owned;
use crate::store::inbox::{self, Candidate, Claim, Death};
use crate::store::{Store, StoreError, Tx};
use crate::unit::UnixMillis;

/// How a group consumes.
#[derive(Clone, Debug)]
pub struct Options {
    pub group: String,
    /// What is taken, by topic.
    pub topics: BTreeMap<String, Intake>,
    /// Batches that are handled at the same time; `None`: one for each partition.
    pub concurrency: Option<usize>,
    /// Records of one batch.
    pub batch: usize,
    /// How long a batch that is not full waits for more records; none does by default.
    pub linger: Duration,
    /// Whether events that come again are recognised; without it a handler sees them again.
    pub inbox: bool,
    /// How long an event may come again: the longest retention of the topics of all groups that share the store, and a
    /// day more.
    pub remembered_for: Duration,
    /// How long an event that was dead-lettered may come back: the retention of the dead-letter topic, and a segment
    /// and a day more.
    pub dead_for: Duration,
    /// When the failures are too many to be the records' fault.
    pub breaker: BreakerOptions,
    /// How long work in hand may take when the consumer is told to end.
    pub grace: Duration,
}

impl Options {
    /// Of a group that keeps an inbox.
    #[must_use]
    pub fn of(group: impl Into<String>, topics: BTreeMap<String, Intake>) -> Self {
        let day = Duration::from_secs(24 * 60 * 60);
        Self {
            group: group.into(),
            topics,
            concurrency: None,
            batch: 500,
            linger: Duration::ZERO,
            inbox: true,
            remembered_for: day * 8,
            dead_for: day * 38,
            breaker: BreakerOptions::default(),
            grace: Duration::from_secs(4),
        }
    }
}

/// Everything that handling records takes. Clones share it.
pub struct Consumer<H, P> {
    pub(super) handler: H,
    pub(super) publisher: P,
    pub(super) store: Option<Store>,
    pub(super) options: Options,
    pub(super) wake: Option<Wake>,
    pub(super) tracing: Tracing,
    pub(super) health: Health,
    pub(super) in_hand: InHand,
    pub(super) boundary: OnBoundary,
    breaker: Mutex<Breaker>,
    /// Whether `/healthz` has it open.
    breaker_shown: AtomicBool,
    caution: Mutex<Caution>,
    /// How many partitions dead-letter topics have.
    letter_boxes: Mutex<BTreeMap<String, u32>>,
}

impl<H, P> Consumer<H, P> {
    /// `publisher` is for dead letters. Without a store nothing is remembered, and the handler's transaction cannot
    /// be used.
    pub fn new(handler: H, publisher: P, store: Option<Store>, options: Options) -> Self {
        let breaker = Mutex::new(Breaker::new(options.breaker));
        Self {
            handler,
            publisher,
            store,
            options,
            wake: None,
            tracing: Tracing::default(),
            health: Health::default(),
            in_hand: InHand::default(),
            boundary: OnBoundary::default(),
            breaker,
            breaker_shown: AtomicBool::new(false),
            caution: Mutex::default(),
            letter_boxes: Mutex::default(),
        }
    }

    /// The relay of the same store, woken after every commit.
    #[must_use]
    pub fn waking(mut self, wake: Wake) -> Self {
        self.wake = Some(wake);
        self
    }

    /// Makes a span for each record that is handled.
    #[must_use]
    pub fn traced(mut self, tracing: Tracing) -> Self {
        self.tracing = tracing;
        self
    }

    /// Says there how it is.
    #[must_use]
    pub fn reporting(mut self, health: Health) -> Self {
        self.health = health;
        self
    }

    /// Shows there what it has in hand.
    #[must_use]
    pub(crate) fn showing(mut self, in_hand: InHand) -> Self {
        self.in_hand = in_hand;
        self
    }

    /// Has tests told of every boundary.
    #[must_use]
    pub fn on_boundary(mut self, boundary: OnBoundary) -> Self {
        self.boundary = boundary;
        self
    }

    pub(super) fn intake(&self, topic: &str) -> Option<&Intake> {
        self.options.topics.get(topic)
    }

    /// Whether a batch may be committed, of which so many records were handled and so many would die.
    fn breaker_lets_go(&self, handled: usize, dying: usize) -> bool {
        let mut breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        let verdict = breaker.judge(handled, dying);
        let gauge = metrics::gauge!("kafkaflow_consumer_breaker_open", "group" => self.options.group.clone());
        gauge.set(f64::from(u8::from(breaker.is_open())));
        if self.breaker_shown.swap(breaker.is_open(), Ordering::Relaxed) != breaker.is_open() {
            let part = format!("breaker of {}", self.options.group);
            if breaker.is_open() {
                self.health.troubled(&part, "most records would be dead letters; one at a time is tried");
            } else {
                self.health.fine(&part, "closed");
            }
        }
        if verdict == (Verdict::Stop { opened: true }) {
            tracing::error!(
                "group {}: {dying} of {} records would be dead letters, too many to be the records' fault; \
                 one at a time is tried until one is handled",
                self.options.group,
                handled + dying
            );
        }
        verdict == Verdict::Go
    }

    fn breaker_saw(&self, handled: usize, died: usize) {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner).record(handled, died);
    }

    /// Whether most records failed lately, so that nothing is dead-lettered.
    #[must_use]
    pub fn breaker_is_open(&self) -> bool {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner).is_open()
    }

    /// Whether events that come again are recognised.
    fn remembers(&self) -> bool {
        self.store.is_some() && self.options.inbox
    }

    /// A transaction of the store, or one that cannot be used.
    pub(super) fn tx(&self) -> Tx {
        self.store.as_ref().map_or_else(Tx::without_store, Store::tx)
    }

    /// An optimistic transaction, where one is worth trying.
    fn optimistic_tx(&self) -> Option<Tx>
    where
        H: Handling,
    {
        if !H::OPTIMISTIC || !self.remembers() || self.breaker_is_open() {
            return None;
        }
        let tx = self.store.as_ref()?.optimistic()?;
        self.caution().tries().then_some(tx)
    }

    fn caution(&self) -> MutexGuard<'_, Caution> {
        self.caution.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the inbox knows of these events; those that are new are noted, and the fences held.
    pub(super) async fn claim(
        &self,
        tx: &mut Tx,
        fences: &[(Owned, i64)],
        events: &[Candidate<'_>],
        now: UnixMillis,
    ) -> Result<Vec<Claim>, StoreError> {
        if !self.remembers() {
            return Ok(vec![Claim::New; events.len()]);
        }
        inbox::claim(tx, &self.options.group, fences, events, now).await
    }

    /// The same, and nothing is noted.
    pub(super) async fn look(&self, events: &[Candidate<'_>]) -> Result<Vec<Claim>, StoreError> {
        match &self.store {
            Some(store) if self.options.inbox => {
                inbox::look(&mut store.glance(), &self.options.group, events).await
            }
            _ => Ok(vec![Claim::New; events.len()]),
        }
    }

    /// Gives records up that were claimed, or need not be.
    pub(super) async fn give_up(
        &self,
        tx: &mut Tx,
        dead: &[(String, Death)],
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        if !self.remembers() {
            return Ok(());
        }
        let group = &self.options.group;
        let ids: Vec<&str> = dead.iter().map(|(id, _)| id.as_str()).collect();
        inbox::give_back(tx, group, &ids).await?;
        for (id, death) in dead {
            inbox::give_up(tx, group, id, death, now.after(self.options.dead_for)).await?;
        }
        Ok(())
    }

    pub(super) fn part(&self) -> String {
        format!("consumer of {}", self.options.group)
    }

    pub(super) fn count(&self, what: &'static str, topic: &str, by: usize) {
        if by > 0 {
            let labels = [
                ("group", self.options.group.clone()),
                ("topic", topic.to_owned()),
                ("what", what.to_owned()),
            ];
            metrics::counter!("kafkaflow_consumer_records_total", &labels).increment(by as u64);
        }
    }
}

/// Shared by the lanes.
type Shared<H, P> = Arc<Consumer<H, P>>;
