//! What differs between two states of the book, as the rows that the tables take.

use serde::Serialize;

use super::model::{Book, Level, Order, Outcome, ReservedItem};
use crate::event::{OrderId, ProductId, Quantity, ReservationId, SagaId};

/// Rows to be written. Those of a kind are in the order of their keys.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes<'b> {
    pub(super) new_orders: Vec<OrderRow<'b>>,
    /// Orders that only a cancellation had named, and that were placed since.
    pub(super) placed_later: Vec<OrderRow<'b>>,
    pub(super) new_items: Vec<ItemRow<'b>>,
    /// Items of which another number is held back now.
    pub(super) held: Vec<HeldRow<'b>>,
    pub(super) sagas: Vec<SagaRow<'b>>,
    pub(super) levels: Vec<LevelRow<'b>>,
}

/// Order, reservation, and the reason of its failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct OrderRow<'b>(
    pub(super) &'b OrderId,
    pub(super) Option<&'b ReservationId>,
    pub(super) Option<&'b str>,
);

/// Order, product, its place in the order, how many were ordered, and how many are held.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct ItemRow<'b>(&'b OrderId, &'b ProductId, usize, Quantity, u32);

/// Order, product, and how many are held.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct HeldRow<'b>(&'b OrderId, &'b ProductId, u32);

/// Order, saga, and what was answered to its cancellation and to its restoration.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct SagaRow<'b>(&'b OrderId, &'b SagaId, Option<String>, Option<String>);

/// Product, available, reserved, and whether operations were told; then the three as they were before.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct LevelRow<'b>(&'b ProductId, u64, u64, bool, u64, u64, bool);

impl<'b> Changes<'b> {
    pub(super) fn between(before: &Book, after: &'b Book) -> Self {
        let mut changes = Self::default();
        for (id, order) in &after.orders {
            changes.of_order(id, before.orders.get(id), order);
        }
        for (id, level) in &after.products {
            // A product that was not read is not reserved.
            let Some(old) = before.products.get(id).filter(|old| *old != level) else { continue };
            let Level { available, reserved, told } = *level;
            changes.levels.push(LevelRow(
                id,
                available,
                reserved,
                told,
                old.available,
                old.reserved,
                old.told,
            ));
        }
        changes
    }

    fn of_order(&mut self, order_id: &'b OrderId, before: Option<&Order>, after: &'b Order) {
        let reason = match &after.outcome {
            Some(Outcome::Failed { reason }) => Some(reason.as_str()),
            _ => None,
        };
        let row = OrderRow(order_id, after.reservation(), reason);
        match before {
            None => self.new_orders.push(row),
            Some(before) if before.outcome.is_none() && after.outcome.is_some() => {
                self.placed_later.push(row);
            }
            Some(_) => {}
        }
        let known = items(before);
        for (place, item) in items(Some(after)).iter().enumerate() {
            match known.get(place) {
                None => {
                    let (product, ordered) = (&item.product, item.ordered);
                    self.new_items.push(ItemRow(order_id, product, place, ordered, item.held));
                }
                Some(known) if known != item => self.held.push(HeldRow(order_id, &item.product, item.held)),
                Some(_) => {}
            }
        }
        for (saga_id, saga) in &after.sagas {
            if before.and_then(|before| before.sagas.get(saga_id)) != Some(saga) {
                let json = |done| serde_json::to_string(done).expect("ids and numbers have a form in JSON");
                let (cancelled, restored) = (saga.cancelled.as_ref(), saga.restored.as_ref());
                self.sagas.push(SagaRow(order_id, saga_id, cancelled.map(json), restored.map(json)));
            }
        }
    }
}

fn items(order: Option<&Order>) -> &[ReservedItem] {
    match order.and_then(|order| order.outcome.as_ref()) {
        Some(Outcome::Reserved { items, .. }) => items,
        _ => &[],
    }
}
