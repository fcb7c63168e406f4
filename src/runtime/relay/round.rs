//! One round of the relay.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use super::Options;
use super::buckets::Buckets;
use super::company::Company;
use super::flight::{Flight, admit, record_of};
use super::unrecorded::{GATHERED, Unrecorded};
use crate::messaging::{Outgoing, Publisher, key_hash};
use crate::runtime::boundary::{Boundary, OnBoundary};
use crate::runtime::health::Health;
use crate::runtime::in_hand::InHand;
use crate::runtime::trace::{Sending, Tracing};
use crate::store::outbox::{self, Pending, Skip};
use crate::store::{Store, StoreError};
use crate::unit::UnixMillis;

/// Full batches that are in flight at the same time: while one is acknowledged the next is read, and the one before
/// recorded.
const FLIGHTS: usize = 4;
/// How long rows that other processes write may stay unseen while this one hands over its own.
const UNSEEN: Duration = Duration::from_millis(100);

/// Publishes the rows of one store.
pub struct Relay<P> {
    pub(super) store: Store,
    pub(super) publisher: P,
    pub(super) options: Options,
    /// Who this is; unlike every other relay that ever was.
    pub(super) owner: String,
    pub(super) buckets: Buckets,
    /// Rows that the producer still has.
    pub(super) flights: Vec<Flight>,
    pub(super) unrecorded: Unrecorded,
    /// How many partitions topics have, asked when one is stuck.
    partitions: HashMap<String, u32>,
    /// When rows were last looked for in the store.
    pub(super) looked: Option<Instant>,
    /// When the next batch may be taken, where the last one was not full.
    next: Option<Instant>,
    pub(super) company: Company,
    /// Of the consumer that writes most of the rows, and how long a round waits for it at most.
    behind: Option<(InHand, Duration)>,
    pub(super) health: Health,
    tracing: Tracing,
    pub(super) boundary: OnBoundary,
    /// For whoever finds that a round does not end.
    pub(super) doing: &'static str,
}

/// When rows may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    Now,
    /// After so long, or when something has landed.
    In(Duration),
    /// When something has landed.
    WhenLanded,
}

/// What a round came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relayed {
    /// Rows that were found waiting.
    pub found: usize,
    /// Those of them that the producer was handed.
    pub taken: usize,
    /// Rows that brokers acknowledged.
    pub acknowledged: usize,
    /// Rows that are recorded as published.
    pub published: usize,
    pub dead: usize,
    /// Rows that go on waiting because no broker acknowledged them.
    pub unacknowledged: usize,
    /// Why the last of these was not.
    pub reason: Option<String>,
    /// Rows that the producer still has, of partitions that are stuck.
    pub in_flight: usize,
}

impl<P: Publisher> Relay<P> {
    /// A relay that has no keys yet: [`Relay::refresh`] gets it some.
    pub fn new(store: Store, publisher: P, options: Options, owner: impl Into<String>) -> Self {
        store.fresh().want();
        Self {
            store,
            publisher,
            options,
            owner: owner.into(),
            buckets: Buckets::default(),
            flights: Vec::new(),
            unrecorded: Unrecorded::new(GATHERED),
            partitions: HashMap::new(),
            looked: None,
            next: None,
            company: Company::default(),
            behind: None,
            health: Health::default(),
            tracing: Tracing::default(),
            boundary: OnBoundary::default(),
            doing: "begins",
        }
    }

    /// Says there how it is.
    #[must_use]
    pub fn reporting(mut self, health: Health) -> Self {
        self.health = health;
        self
    }

    /// Makes a span for each record that is sent.
    #[must_use]
    pub fn traced(mut self, tracing: Tracing) -> Self {
        self.tracing = tracing;
        self
    }

    /// Publishes what that consumer answers with: a round waits for the batch that is in hand, whose rows would wait for the
    /// next one otherwise, at most for `most`. So do all who share the producer.
    #[must_use]
    pub(crate) fn behind(mut self, in_hand: InHand, most: Duration) -> Self {
        self.behind = Some((in_hand, most));
        self
    }

    /// Has tests told of every boundary.
    #[must_use]
    pub fn on_boundary(mut self, boundary: OnBoundary) -> Self {
        self.boundary = boundary;
        self
    }

    /// Renews its leases and takes its share of the keys. To be called well within the leases' duration.
    pub async fn refresh(&mut self, now: UnixMillis) -> Result<(), StoreError> {
        // Whoever gets some of the keys would find what is not recorded, and publish it again.
        self.record(&[], now).await?;
        self.doing = "renews its leases";
        self.buckets.refresh(&self.store, &self.owner, self.options.lease, now).await
    }

    /// Publishes what waits, at most one batch of it, and records what became of it.
    ///
    /// When the store fails afterwards the acknowledgements are kept and recorded first thing in the next round.
    pub async fn relay_once(&mut self, now: UnixMillis) -> Result<Relayed, StoreError> {
        let mut relayed = self.take_off(now).await?;
        if relayed.taken > 0
            && let Some(newest) = self.flights.last_mut()
        {
            newest.wait(self.options.patience).await;
        }
        self.land(&mut relayed, now).await?;
        Ok(relayed)
    }

    /// Takes note of what is known by now, and records it when that is due; waits for no acknowledgement.
    pub(super) async fn hear(&mut self, now: UnixMillis) -> Result<Relayed, StoreError> {
        let mut relayed = self.hear_ready(now).await?;
        relayed.published += self.record_due(Instant::now(), now).await?;
        Ok(relayed)
    }

    /// Takes note of what is known by now.
    async fn hear_ready(&mut self, now: UnixMillis) -> Result<Relayed, StoreError> {
        let mut relayed = Relayed::default();
        for flight in &mut self.flights {
            flight.hear_ready();
        }
        let dead = self.note(&mut relayed).await;
        if !dead.is_empty() {
            relayed.published += self.record(&dead, now).await?;
        }
        Ok(relayed)
    }

    /// As [`Self::hear`], and publishes what waits, at most one batch of it, before it records what is due before the next
    /// beat. That counts from `now`, however long all this takes.
    pub(super) async fn take_off(&mut self, now: UnixMillis) -> Result<Relayed, StoreError> {
        let began = Instant::now();
        let mut relayed = self.hear_ready(now).await?;
        if self.young().count() < FLIGHTS {
            self.publish(&mut relayed, began, now).await?;
        }
        relayed.published += self.record_due(began + self.options.beat, now).await?;
        Ok(relayed)
    }

    async fn publish(
        &mut self,
        relayed: &mut Relayed,
        began: Instant,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        self.doing = "asks for partitions";
        let skip = self.stuck().await;
        let _intent = self.publisher.intend();
        // Behind a full batch rows wait already.
        if let Some((in_hand, most)) = self.behind.as_ref().filter(|_| self.next.is_some()) {
            self.doing = "waits for its consumer";
            in_hand.one_finished(*most).await;
        }
        self.doing = "reads rows";
        let rows = self.waiting(&skip).await?;
        relayed.found = rows.len();
        let busy: HashSet<&str> =
            self.flights.iter().flat_map(Flight::flying).map(|row| row.key.as_str()).collect();
        let rows = admit(rows, &busy);
        relayed.taken = rows.len();
        if relayed.taken < relayed.found {
            self.store.fresh().others();
        }
        if !rows.is_empty() {
            let full = relayed.found >= self.options.batch as usize;
            self.next = (!full).then(|| began + self.company.after(relayed.found, self.options.beat, now));
            self.boundary.reach(Boundary::Taken);
            let (records, spans) = rows.iter().map(|row| self.outgoing(row)).unzip();
            // Kept before it is waited for: whoever drops this future loses nothing.
            self.flights.push(Flight::new(rows, spans, self.publisher.publish(records)));
        }
        Ok(())
    }

    /// A row's record, and the span in which it is sent.
    pub(super) fn outgoing(&self, row: &Pending) -> (Outgoing, Option<Sending>) {
        let mut record = record_of(row);
        let span = self.tracing.sending(&mut record, row.traceparent.as_deref());
        (record, span)
    }

    /// Flights of which more is to be heard soon.
    fn young(&mut self) -> impl Iterator<Item = &mut Flight> {
        let patience = self.options.patience;
        self.flights.iter_mut().filter(move |flight| flight.is_flying() && !flight.is_stuck(patience))
    }

    /// When the next batch may be taken.
    pub(super) fn room(&mut self) -> Room {
        let flying = self.young().count();
        if flying >= FLIGHTS {
            return Room::WhenLanded;
        }
        let now = Instant::now();
        match self.next.filter(|next| *next > now) {
            Some(next) => Room::In(next - now),
            None => Room::Now,
        }
    }

    /// Waits until all is known of some flight, or nothing was heard of it for too long; for ever where there is none.
    pub(super) async fn one_landed(&mut self) {
        let patience = self.options.patience;
        let waiting: Vec<_> = self.young().map(|flight| Box::pin(flight.wait(patience))).collect();
        if waiting.is_empty() {
            return std::future::pending().await;
        }
        futures_util::future::select_all(waiting).await;
    }

    /// Waits for what the producer has, and records it; takes no new rows.
    pub async fn finish(&mut self, wait: Duration, now: UnixMillis) -> Result<Relayed, StoreError> {
        let flights = &mut self.flights;
        let all = async {
            for flight in flights {
                while flight.is_flying() && flight.hear().await {}
            }
        };
        let _ = tokio::time::timeout(wait, all).await;
        let mut relayed = Relayed::default();
        self.land(&mut relayed, now).await?;
        Ok(relayed)
    }

    /// Rows that the producer still has.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.flights.iter().map(|flight| flight.flying().count()).sum()
    }

    /// The keys that it publishes, as buckets.
    #[must_use]
    pub fn buckets(&self) -> Vec<i16> {
        self.buckets.numbers()
    }

    /// What waits: what this process has just committed, if nothing else is to be expected, or what the store has.
    async fn waiting(&mut self, skip: &[Skip]) -> Result<Vec<Pending>, StoreError> {
        let (fresh, most) = (self.store.fresh(), self.options.batch as usize);
        let now = Instant::now();
        let may =
            skip.is_empty() && self.buckets.are_all() && self.looked.is_some_and(|at| now < at + UNSEEN);
        if may && let Some(rows) = fresh.take(most) {
            return Ok(rows);
        }
        fresh.look_begins();
        self.looked = Some(now);
        let rows = self.fetch(skip).await;
        fresh.look_ended();
        if rows.as_ref().map_or(true, |rows| rows.len() >= most) {
            fresh.others();
        }
        rows
    }

    async fn fetch(&self, skip: &[Skip]) -> Result<Vec<Pending>, StoreError> {
        let mut tx = self.store.glance();
        let buckets = self.buckets.numbers();
        let unrecorded = self.unrecorded.rows().iter().map(|row| row.seq);
        let taken: Vec<i64> = self.flights.iter().flat_map(Flight::taken).chain(unrecorded).collect();
        let rows =
            outbox::pending(&mut tx, &buckets, skip, &taken, self.options.followers, self.options.batch)
                .await?;
        tx.commit().await?;
        Ok(rows)
    }

    /// The partitions whose records nobody acknowledges at present.
    async fn stuck(&mut self) -> Vec<Skip> {
        let mut stuck = BTreeSet::new();
        let patience = self.options.patience;
        let flights = self.flights.iter().filter(|flight| flight.is_stuck(patience));
        // Nobody may know, and that takes a while: once is enough.
        let mut asked = HashSet::new();
        for row in flights.flat_map(Flight::flying) {
            if !self.partitions.contains_key(&row.topic)
                && asked.insert(row.topic.as_str())
                && let Some(count) = self.publisher.partitions(&row.topic).await
            {
                self.partitions.insert(row.topic.clone(), count);
            }
            let partition =
                self.partitions.get(&row.topic).map(|count| (key_hash(row.key.as_bytes()) % count, *count));
            stuck.insert(Skip { topic: row.topic.clone(), partition });
        }
        if stuck.is_empty() {
            // Asked anew next time: topics grow.
            self.partitions.clear();
        }
        stuck.into_iter().collect()
    }
}
