//! What the inventory knows: how much there is of each product, and what became of each order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::{OrderId, ProductId, Quantity, ReservationId, SagaId, Text};

/// How much there is of a product. What is reserved for orders and what is available add up to what is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) available: u64,
    pub(crate) reserved: u64,
    /// Operations were told that it is short, and it was not restocked since.
    pub(crate) told: bool,
}

/// A product and how many pieces of it.
pub(crate) type Line = (ProductId, Quantity);

/// What became of an order. One that only a cancellation has named has no outcome yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) outcome: Option<Outcome>,
    pub(crate) sagas: BTreeMap<SagaId, Saga>,
}

/// The answer to an order, which never changes: whoever asks again is told the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Reserved {
        id: ReservationId,
        /// Each product once, in the order in which it was asked for.
        items: Vec<ReservedItem>,
    },
    Failed {
        reason: Text<1000>,
    },
}

/// One product of a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReservedItem {
    pub(crate) product: ProductId,
    /// How many were reserved.
    pub(crate) ordered: Quantity,
    /// How many of them are still held back: fewer once some were given back.
    pub(crate) held: u32,
}

/// What a run of the refund saga did to an order: each step once for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Saga {
    pub(crate) cancelled: Option<Done>,
    pub(crate) restored: Option<Done>,
}

/// A step that was done, and what was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Done {
    pub(crate) reservation: Option<ReservationId>,
    pub(crate) items: Vec<Line>,
}

/// The part of all this that a batch is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Book {
    pub(crate) products: BTreeMap<ProductId, Level>,
    pub(crate) orders: BTreeMap<OrderId, Order>,
}

impl Order {
    /// Whether a saga has given up this order, and has not taken that back.
    pub(crate) fn is_given_up(&self) -> bool {
        self.sagas.values().any(|saga| saga.cancelled.is_some() && saga.restored.is_none())
    }

    pub(crate) fn reservation(&self) -> Option<&ReservationId> {
        match &self.outcome {
            Some(Outcome::Reserved { id, .. }) => Some(id),
            _ => None,
        }
    }
}

impl Level {
    /// Takes pieces back from what is reserved.
    pub(crate) fn give_back(&mut self, pieces: u32) {
        self.reserved = self.reserved.saturating_sub(pieces.into());
        self.available += u64::from(pieces);
    }

    /// Reserves pieces that are available.
    pub(crate) fn take(&mut self, pieces: u32) {
        self.available = self.available.saturating_sub(pieces.into());
        self.reserved += u64::from(pieces);
    }
}
