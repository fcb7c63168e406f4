//! Orders whose records ended with the broker that had them: they are cancelled, and their stock is given back.
//!
//! Only the embedded broker ends with its process. What a real cluster acknowledged comes again by itself.

use std::collections::{BTreeSet, HashSet};

use super::hearing::Heard;
use super::results::Ledger;
use super::run::{NAME, Settings};
use super::state::Happened;
use super::store;
use crate::event::{CancelReservation, Event, EventType, Extent, Fields, OrderId, SagaId, Text, Timestamp};
use crate::runtime::HandleError;
use crate::runtime::service::ServiceError;
use crate::runtime::startup::outlet;
use crate::services::announce::{Announcer, new_event_id};
use crate::store::outbox::{self, KeyOrder};
use crate::store::{Store, StoreError};
use crate::topology::Topology;
use crate::unit::UnixMillis;

/// Why such an order was cancelled, as its customer reads it.
pub(crate) const REASON: &str = "The record of the order ended with the embedded broker";
/// Orders that are looked at in one transaction.
const AT_ONCE: u32 = 1000;

/// Cancels what is lost. `waiting`: of which orders the inventory's answer is still in its own outbox, and so not lost.
/// The ids of those that were cancelled, in order.
pub(crate) async fn cancel<P>(
    settings: &Settings<P>,
    topology: &Topology,
    orders: &Store,
    waiting: impl AsyncFn(&[String]) -> Result<HashSet<String>, StoreError>,
) -> Result<Vec<String>, ServiceError> {
    let commands = outlet(topology, NAME, EventType::CancelReservation.as_str())?;
    let ledger = Ledger {
        announcer: Announcer::new(settings.judge.clone()),
        notifications: outlet(topology, NAME, EventType::SendNotification.as_str())?,
        capture: settings.payments.is_some(),
        feed: super::feed::Feed::default(),
        now: UnixMillis::now,
        new_id: new_event_id,
    };
    let mut cancelled = Vec::new();
    let mut after = String::new();
    loop {
        let found = store::pending(&mut orders.glance(), &after, AT_ONCE).await?;
        let Some(newest) = found.last() else { break };
        after.clone_from(newest);
        let here = outbox::waiting_keys(&mut orders.glance(), &found).await?;
        let there = waiting(&found).await?;
        let lost: Vec<String> =
            found.into_iter().filter(|id| !here.contains(id) && !there.contains(id)).collect();
        end(&ledger, &commands, orders, &lost, true).await.map_err(failed)?;
        cancelled.extend(lost);
    }
    // The inventory was told of these, and perhaps the broker ended again before it heard.
    let mut after = String::new();
    loop {
        let unanswered = store::cancelled_for(&mut orders.glance(), REASON, &after, AT_ONCE).await?;
        let Some(newest) = unanswered.last() else { break };
        after.clone_from(newest);
        let waiting = outbox::waiting_keys(&mut orders.glance(), &unanswered).await?;
        let untold: Vec<String> = unanswered.into_iter().filter(|id| !waiting.contains(id)).collect();
        end(&ledger, &commands, orders, &untold, false).await.map_err(failed)?;
    }
    Ok(cancelled)
}

fn failed(error: HandleError) -> ServiceError {
    match error {
        HandleError::Store(error) => ServiceError::Store(error),
        other => ServiceError::Store(StoreError::Sql(other.to_string())),
    }
}

/// One transaction: what the orders hear, and the word to the inventory.
async fn end(
    ledger: &Ledger,
    commands: &str,
    orders: &Store,
    ids: &[String],
    heard: bool,
) -> Result<(), HandleError> {
    if ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<OrderId> =
        ids.iter().map(OrderId::new).collect::<Result<_, _>>().map_err(HandleError::poison)?;
    let mut tx = orders.tx();
    if heard {
        let heard = ids.iter().map(|id| Heard {
            order: id.clone(),
            happened: Happened::Lost { reason: REASON.to_owned() },
            event_id: None,
            place: None,
            traceparent: None,
        });
        ledger.enter(&mut tx, heard.collect()).await?;
    } else {
        // The orders' rows are held, and so are their keys.
        let held: BTreeSet<String> = ids.iter().map(|id| id.as_str().to_owned()).collect();
        store::hold(&mut tx, &held).await?;
    }
    let now = (ledger.now)();
    let rows = ids.iter().map(|id| {
        let command = release(ledger, id, now).map_err(HandleError::poison)?;
        ledger.announcer.row(&Event::CancelReservation(command), commands, None).map_err(HandleError::poison)
    });
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    outbox::write(&mut tx, &rows, KeyOrder::Held, now).await?;
    tx.commit().await?;
    Ok(())
}

/// One for each order, however often it is said.
fn release(
    ledger: &Ledger,
    order: &OrderId,
    now: UnixMillis,
) -> Result<CancelReservation, Box<dyn std::error::Error + Send + Sync>> {
    Ok(CancelReservation {
        event_id: (ledger.new_id)(),
        order_id: order.clone(),
        timestamp: Timestamp::from_unix_millis(now.0)?,
        saga_id: SagaId::new(format!("lost-{order}"))?,
        reason: Text::new(REASON)?,
        items: Extent::Everything,
        extra: Fields::new(),
    })
}

#[cfg(test)]
#[path = "lost_tests.rs"]
mod tests;
