//! What became of rows that were handed over, and how the store comes to know.

use std::collections::HashSet;

use tokio::time::Instant;

use super::flight::Landed;
use super::{Relay, Relayed};
use crate::messaging::{PublishError, Publisher, publish_alone};
use crate::runtime::boundary::Boundary;
use crate::store::StoreError;
use crate::store::outbox::{self, Dead, Published};
use crate::unit::UnixMillis;

impl<P: Publisher> Relay<P> {
    /// Records what is to be recorded by then; how many rows.
    pub(super) async fn record_due(&mut self, by: Instant, now: UnixMillis) -> Result<usize, StoreError> {
        if self.recording_due().is_some_and(|due| due <= by) { self.record(&[], now).await } else { Ok(0) }
    }

    /// When what was acknowledged is to be recorded; `None`: there is none.
    pub(super) fn recording_due(&self) -> Option<Instant> {
        self.unrecorded.due()
    }

    /// Takes note of what is known, and records all of it.
    pub(super) async fn land(&mut self, relayed: &mut Relayed, now: UnixMillis) -> Result<(), StoreError> {
        let dead = self.note(relayed).await;
        relayed.published += self.record(&dead, now).await?;
        Ok(())
    }

    /// Takes note of what is known; the rows that no broker takes.
    pub(super) async fn note(&mut self, relayed: &mut Relayed) -> Vec<Dead> {
        let mut acknowledged = Vec::new();
        let mut suspects = Vec::new();
        let mut dead = Vec::new();
        for flight in &mut self.flights {
            let Landed { published, dead: refused, suspects: asked, unacknowledged, reason } = flight.land();
            dead.extend(refused);
            acknowledged.extend(published);
            suspects.extend(asked);
            relayed.unacknowledged += unacknowledged;
            relayed.reason = reason.or(relayed.reason.take());
        }
        for over in self.flights.extract_if(.., |flight| flight.is_over()) {
            self.company.flew(over.flew());
        }
        let mut undecided: HashSet<String> = HashSet::new();
        self.doing = "publishes rows alone";
        for row in suspects {
            if undecided.contains(&row.key) {
                continue;
            }
            let (record, span) = self.outgoing(&row);
            let alone = publish_alone(&self.publisher, record);
            let outcome = tokio::time::timeout(self.options.patience * 10, alone).await;
            if let (Some(span), Ok(outcome)) = (span, &outcome) {
                span.ended(outcome);
            }
            match outcome {
                Ok(Ok(place)) => acknowledged.push(Published {
                    seq: row.seq,
                    partition: place.partition,
                    offset: place.offset,
                }),
                Ok(Err(PublishError::Refused(reason) | PublishError::RefusedInCompany(reason))) => {
                    dead.push(Dead { seq: row.seq, key: row.key, reason });
                }
                Ok(Err(PublishError::Unacknowledged(reason))) => {
                    relayed.unacknowledged += 1;
                    relayed.reason = Some(reason);
                    undecided.insert(row.key);
                }
                Err(_) => {
                    relayed.unacknowledged += 1;
                    undecided.insert(row.key);
                }
            }
        }
        for row in &dead {
            tracing::error!(row = row.seq, reason = %row.reason, "no broker takes a row of the outbox");
        }
        relayed.acknowledged += acknowledged.len();
        self.unrecorded.add(acknowledged, Instant::now());
        relayed.dead += dead.len();
        if relayed.unacknowledged > 0 {
            self.store.fresh().others();
        }
        let stuck = self.flights.iter().filter(|flight| flight.is_stuck(self.options.patience));
        relayed.in_flight = stuck.map(|flight| flight.flying().count()).sum();
        dead
    }

    /// Has the store know all that was acknowledged, and who is dead; how many of the former.
    pub(super) async fn record(&mut self, dead: &[Dead], now: UnixMillis) -> Result<usize, StoreError> {
        let rows = self.unrecorded.rows();
        let count = rows.len();
        if rows.is_empty() && dead.is_empty() {
            return Ok(0);
        }
        self.boundary.reach(Boundary::Acknowledged);
        self.doing = "records rows";
        let settled = outbox::settle_leased(&self.store, self.buckets.leases(), rows, dead, now);
        match settled.await {
            Ok(()) => {}
            Err(error @ StoreError::Fenced { .. }) => {
                // Another relay has some of these keys and publishes them again, which every consumer bears.
                self.unrecorded.forget();
                self.buckets.forget();
                return Err(error);
            }
            Err(error) => return Err(error),
        }
        self.unrecorded.forget();
        self.boundary.reach(Boundary::Recorded);
        Ok(count)
    }
}
