//! The refund saga's commands about reserved stock, and their answers.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::error::FieldError;
use super::fields::Fields;
use super::id::{EventId, OrderId, ReservationId, SagaId};
use super::items::{Item, Items};
use super::kind::EventType;
use super::text::Text;
use super::timestamp::Timestamp;
use super::wire::{self, Part, object};

/// Give reserved stock back; a command of the refund saga.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CancelReservation {
    /// This event.
    pub event_id: EventId,
    /// The order; the record key.
    pub order_id: OrderId,
    /// When it was commanded.
    pub timestamp: Timestamp,
    /// The saga that commands it.
    pub saga_id: SagaId,
    /// Why, for people.
    pub reason: Text<1000>,
    /// What to give back.
    pub items: Extent,
    /// What the schema does not name.
    pub extra: Fields,
}

object! { CancelReservation {
    "eventId": event_id,
    "eventType" = EventType::CancelReservation,
    "orderId": order_id,
    "timestamp": timestamp,
    "sagaId": saga_id,
    "reason": reason,
    "items": items,
} }

/// How much of a reservation a command is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All that is held; the field is absent.
    Everything,
    /// These items.
    Items(Items),
}

impl Part for Extent {
    fn read(raw: &RawValue) -> Result<Self, FieldError> {
        Items::read(raw).map(Self::Items)
    }

    fn absent() -> Option<Self> {
        Some(Self::Everything)
    }

    fn is_absent(&self) -> bool {
        *self == Self::Everything
    }
}

/// `Everything` has no form of its own in JSON: null stands for it outside an event.
impl Serialize for Extent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Everything => serializer.serialize_none(),
            Self::Items(items) => items.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Extent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items: Option<Items> = wire::deserialize(deserializer)?;
        Ok(items.map_or(Self::Everything, Self::Items))
    }
}

/// Reserve again what a rolled back refund had given back; a command of the refund saga.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreReservation {
    /// This event.
    pub event_id: EventId,
    /// The order; the record key.
    pub order_id: OrderId,
    /// When it was commanded.
    pub timestamp: Timestamp,
    /// The saga that commands it.
    pub saga_id: SagaId,
    /// What to reserve again.
    pub items: Items,
    /// What the schema does not name.
    pub extra: Fields,
}

object! { RestoreReservation {
    "eventId": event_id,
    "eventType" = EventType::RestoreReservation,
    "orderId": order_id,
    "timestamp": timestamp,
    "sagaId": saga_id,
    "items": items,
} }

/// Reserved stock was given back; the answer to [`CancelReservation`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReservationCancelled {
    /// This event.
    pub event_id: EventId,
    /// The order; the record key.
    pub order_id: OrderId,
    /// When it was given back.
    pub timestamp: Timestamp,
    /// The saga that commanded it.
    pub saga_id: SagaId,
    /// The reservation; `None` when there was none.
    pub reservation_id: Option<ReservationId>,
    /// What was given back; empty when there was no reservation.
    pub items: Items<Item, 0>,
    /// What the schema does not name.
    pub extra: Fields,
}

object! { ReservationCancelled {
    "eventId": event_id,
    "eventType" = EventType::ReservationCancelled,
    "orderId": order_id,
    "timestamp": timestamp,
    "sagaId": saga_id,
    "reservationId": reservation_id,
    "items": items,
} }

/// Stock is reserved again; the answer to [`RestoreReservation`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReservationRestored {
    /// This event.
    pub event_id: EventId,
    /// The order; the record key.
    pub order_id: OrderId,
    /// When it was reserved again.
    pub timestamp: Timestamp,
    /// The saga that commanded it.
    pub saga_id: SagaId,
    /// The reservation; `None` when there was none.
    pub reservation_id: Option<ReservationId>,
    /// What is reserved again; empty when there was no reservation, or too little stock for all of it.
    pub items: Items<Item, 0>,
    /// What the schema does not name.
    pub extra: Fields,
}

object! { ReservationRestored {
    "eventId": event_id,
    "eventType" = EventType::ReservationRestored,
    "orderId": order_id,
    "timestamp": timestamp,
    "sagaId": saga_id,
    "reservationId": reservation_id,
    "items": items,
} }
