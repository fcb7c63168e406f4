//! Orders whose records ended with the broker that had them: they are cancelled, and their stock is given back.
//!
//! Only the embedded broker ends with its process. What a real cluster acknowledged comes again by itself.

use std::collections::HashSet;

use super::giving_up::GiveUp;
use super::results::Ledger;
use super::run::{NAME, Settings};
use super::store;
use crate::event::EventType;
use crate::runtime::HandleError;
use crate::runtime::service::ServiceError;
use crate::runtime::startup::outlet;
use crate::services::announce::{Announcer, new_event_id};
use crate::store::outbox;
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
    let commands = outlet(topology, NAME, EventType::CancelReservation.as_str())?.name.to_string();
    let ledger = Ledger {
        announcer: Announcer::new(settings.judge.clone()),
        notifications: outlet(topology, NAME, EventType::SendNotification.as_str())?.name.to_string(),
        capture: settings.payments.is_some(),
        feed: super::feed::Feed::default(),
        recent: super::recent::Recent::default(),
        now: UnixMillis::now,
        new_id: new_event_id,
    };
    let give_up = GiveUp { ledger, commands, reason: REASON, saga: "lost" };
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
        give_up.end(orders, &lost, true).await.map_err(failed)?;
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
        give_up.end(orders, &untold, false).await.map_err(failed)?;
    }
    Ok(cancelled)
}

fn failed(error: HandleError) -> ServiceError {
    match error {
        HandleError::Store(error) => ServiceError::Store(error),
        other => ServiceError::Store(StoreError::Sql(other.to_string())),
    }
}

#[cfg(test)]
#[path = "lost_tests.rs"]
mod tests;
