//! A customer placed an order.

use super::fields::Fields;
use super::id::{CustomerId, EventId, OrderId};
use super::items::{PricedItems, Total};
use super::kind::EventType;
use super::text::Text;
use super::timestamp::Timestamp;
use super::wire::object;

/// A customer placed an order; the inventory service reserves stock for it.
///
/// `totalAmount` is not kept: it is what the items cost together, [`PricedItems::total`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderPlaced {
    /// This event.
    pub event_id: EventId,
    /// The order; the record key.
    pub order_id: OrderId,
    /// Whose order it is.
    pub customer_id: CustomerId,
    /// When it was placed.
    pub timestamp: Timestamp,
    /// What was ordered, at which prices.
    pub items: PricedItems,
    /// Where it goes.
    pub shipping_address: ShippingAddress,
    /// What the schema does not name.
    pub extra: Fields,
}

object! { OrderPlaced {
    "eventId": event_id,
    "eventType" = EventType::OrderPlaced,
    "orderId": order_id,
    "customerId": customer_id,
    "timestamp": timestamp,
    "items": items,
    "totalAmount" = Total(items.total()),
    "shippingAddress": shipping_address,
} }

/// Where an order goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShippingAddress {
    /// Street and number.
    pub street: Text<200>,
    /// City.
    pub city: Text<200>,
    /// State or region.
    pub state: Text<200>,
    /// Postal code.
    pub zip: Text<200>,
    /// What the schema does not name.
    pub extra: Fields,
}

object! { ShippingAddress {
    "street": street,
    "city": city,
    "state": state,
    "zip": zip,
} }
