//! What the inventory answers, as orders hear it.

use std::collections::BTreeSet;

use super::feed::Feed;
use super::hearing::{Consequences, Heard, hear};
use super::recent::Recent;
use super::state::{Happened, Status};
use super::store;
use crate::event::{Event, EventId, SendNotification};
use crate::messaging::Record;
use crate::runtime::{BatchOutcome, HandleError, Handler};
use crate::services::announce::Announcer;
use crate::store::outbox::{self, KeyOrder};
use crate::store::{Tx, Writes};
use crate::unit::UnixMillis;

/// What becomes of what orders hear.
#[derive(Clone)]
pub(crate) struct Ledger {
    pub(crate) announcer: Announcer,
    /// Where customers are told from.
    pub(crate) notifications: String,
    /// Whether the payment of a confirmed order is captured.
    pub(crate) capture: bool,
    pub(crate) feed: Feed,
    /// What need not be read.
    pub(crate) recent: Recent,
    pub(crate) now: fn() -> UnixMillis,
    pub(crate) new_id: fn() -> EventId,
}

impl Ledger {
    /// Records what orders hear, with everything that follows from it; the ids of orders that are not there.
    pub(crate) async fn enter(
        &self,
        tx: &mut Tx,
        heard: Vec<Heard>,
    ) -> Result<BTreeSet<String>, HandleError> {
        let ids: BTreeSet<String> = heard.iter().map(|one| one.order.as_str().to_owned()).collect();
        let mut held = match self.recent.take(&ids) {
            Some(held) if tx.is_optimistic() => held,
            _ => store::hold(tx, &ids).await?,
        };
        let missing: BTreeSet<String> = ids.iter().filter(|id| !held.contains_key(*id)).cloned().collect();
        // Of an order that waits for its outcome all is published: this is what answers to it.
        let none_waits = held.values().all(|order| order.standing.status == Status::Pending);
        let order = KeyOrder::of_held(none_waits);
        let now = (self.now)();
        let Consequences { changes, notices } =
            hear(&mut held, heard, self.capture, now, self.new_id).map_err(HandleError::poison)?;
        let rows = notices.into_iter().map(|(notice, traceparent)| self.row(notice, traceparent));
        let rows = rows.collect::<Result<Vec<_>, _>>().map_err(HandleError::poison)?;
        let mut writes = Writes::of(tx)?;
        store::save(&mut writes, &changes)?;
        // The orders' rows are held, and so are their keys.
        outbox::add(&mut writes, &rows, order, now)?;
        writes.run(tx).await?;
        let feed = self.feed.clone();
        tx.afterwards(move || feed.tell(&changes));
        Ok(missing)
    }

    fn row(
        &self,
        notice: SendNotification,
        traceparent: Option<String>,
    ) -> Result<outbox::Event, crate::services::announce::Invalid> {
        self.announcer.row(&Event::SendNotification(notice), &self.notifications, traceparent)
    }
}

/// Handles `inventory-result`.
pub(crate) struct Results(pub(crate) Ledger);

impl Handler for Results {
    const OPTIMISTIC: bool = true;

    async fn handle(&self, tx: &mut Tx, batch: &[Record]) -> BatchOutcome {
        let mut heard = Vec::new();
        let mut places = Vec::new();
        let mut poisoned = Vec::new();
        for (at, record) in batch.iter().enumerate() {
            match read(record) {
                Ok(one) => {
                    places.push((at, one.order.as_str().to_owned()));
                    heard.push(one);
                }
                Err(error) => poisoned.push((at, error)),
            }
        }
        match self.0.enter(tx, heard).await {
            Ok(missing) => {
                let unknown = places.into_iter().filter(|(_, order)| missing.contains(order));
                poisoned.extend(unknown.map(|(at, order)| {
                    (at, HandleError::poison(format!("there is no order {order} in this service's store")))
                }));
                if poisoned.is_empty() { BatchOutcome::Done } else { BatchOutcome::Poisoned(poisoned) }
            }
            Err(error) => BatchOutcome::Failed(error),
        }
    }
}

fn read(record: &Record) -> Result<Heard, HandleError> {
    let event = Event::from_json(record.value().unwrap_or_default()).map_err(HandleError::poison)?;
    Ok(Heard {
        order: event.order_id().clone(),
        happened: happened(&event)?,
        event_id: Some(event.event_id().as_str().to_owned()),
        place: Some(record.place()),
        traceparent: record.traceparent(),
    })
}

/// What an answer of the inventory means to an order.
pub(super) fn happened(answer: &Event) -> Result<Happened, HandleError> {
    match answer {
        Event::InventoryReserved(event) => Ok(Happened::Reserved(event.reservation_id.clone())),
        Event::InventoryFailed(event) => {
            Ok(Happened::NotReserved { reason: event.failure_reason.as_str().to_owned() })
        }
        Event::ReservationCancelled(_) => Ok(Happened::ReservationCancelled),
        Event::ReservationRestored(_) => Ok(Happened::ReservationRestored),
        other => {
            let kind = other.event_type();
            Err(HandleError::poison(format!("{kind} is no answer of the inventory")))
        }
    }
}
