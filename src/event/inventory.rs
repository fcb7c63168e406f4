//! What came of the attempt to reserve stock for an order.

use super::fields::Fields;
use super::id::{EventId, OrderId, ReservationId};
use super::items::Items;
use super::kind::EventType;
use super::text::Text;
use super::timestamp::Timestamp;
use super::wire::{EmptyArray, Forbidden, Null, object};

/// Stock is reserved for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InventoryReserved {
    /// This event.
    pub event_id: EventId,
    /// The order; the record key.
    pub order_id: OrderId,
    /// What the inventory holds back for it.
    pub reservation_id: ReservationId,
    /// When it was reserved.
    pub timestamp: Timestamp,
    /// What is held back.
    pub reserved_items: Items,
    /// What the schema does not name.
    pub extra: Fields,
}

object! { InventoryReserved {
    "eventId": event_id,
    "eventType" = EventType::InventoryReserved,
    "orderId": order_id,
    "reservationId": reservation_id,
    "timestamp": timestamp,
    "status" = "RESERVED",
    "failureReason" = Null,
    "reservedItems": reserved_items,
} }

/// No stock could be reserved for an order; nothing of it is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InventoryFailed {
    /// This event.
    pub event_id: EventId,
    /// The order; the record key.
    pub order_id: OrderId,
    /// When the attempt failed.
    pub timestamp: Timestamp,
    /// Why, for people.
    pub failure_reason: Text<1000>,
    /// What the schema does not name.
    pub extra: Fields,
}

object! { InventoryFailed {
    "eventId": event_id,
    "eventType" = EventType::InventoryFailed,
    "orderId": order_id,
    "reservationId" = Forbidden,
    "timestamp": timestamp,
    "status" = "FAILED",
    "failureReason": failure_reason,
    "reservedItems" = EmptyArray,
} }
