//! Orders of which the inventory's answer will not come: they are cancelled, and what it may have reserved is given back.

use std::collections::BTreeSet;

use super::hearing::Heard;
use super::results::Ledger;
use super::state::Happened;
use super::store;
use crate::event::{CancelReservation, Event, Extent, Fields, OrderId, SagaId, Text, Timestamp};
use crate::runtime::HandleError;
use crate::store::Store;
use crate::store::outbox::{self, KeyOrder};
use crate::unit::UnixMillis;

/// How orders are given up.
#[derive(Clone)]
pub(super) struct GiveUp {
    pub(super) ledger: Ledger,
    /// Where the inventory is told.
    pub(super) commands: String,
    /// Why, as the customer reads it.
    pub(super) reason: &'static str,
    /// Begins the name of the saga that gives stock back; one for each order, however often it is said.
    pub(super) saga: &'static str,
}

impl GiveUp {
    /// One transaction: what the orders hear, unless they heard it before, and the word to the inventory.
    pub(super) async fn end(&self, orders: &Store, ids: &[String], heard: bool) -> Result<(), HandleError> {
        if ids.is_empty() {
            return Ok(());
        }
        let ids: Vec<OrderId> =
            ids.iter().map(OrderId::new).collect::<Result<_, _>>().map_err(HandleError::poison)?;
        let mut tx = orders.tx();
        if heard {
            let heard = ids.iter().map(|id| Heard {
                order: id.clone(),
                happened: Happened::Lost { reason: self.reason.to_owned() },
                event_id: None,
                place: None,
                traceparent: None,
            });
            self.ledger.enter(&mut tx, heard.collect()).await?;
        } else {
            // The orders' rows are held, and so are their keys.
            let held: BTreeSet<String> = ids.iter().map(|id| id.as_str().to_owned()).collect();
            store::hold(&mut tx, &held).await?;
        }
        let now = (self.ledger.now)();
        let rows = ids.iter().map(|id| {
            let command = Event::CancelReservation(self.release(id, now).map_err(HandleError::poison)?);
            self.ledger.announcer.row(&command, &self.commands, None).map_err(HandleError::poison)
        });
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        outbox::write(&mut tx, &rows, KeyOrder::Held, now).await?;
        tx.commit().await?;
        Ok(())
    }

    fn release(
        &self,
        order: &OrderId,
        now: UnixMillis,
    ) -> Result<CancelReservation, Box<dyn std::error::Error + Send + Sync>> {
        Ok(CancelReservation {
            event_id: (self.ledger.new_id)(),
            order_id: order.clone(),
            timestamp: Timestamp::from_unix_millis(now.0)?,
            saga_id: SagaId::new(format!("{}-{order}", self.saga))?,
            reason: Text::new(self.reason)?,
            items: Extent::Everything,
            extra: Fields::new(),
        })
    }
}
