//! The events of the system as types, and the rules about them that JSON Schema cannot state.
//!
//! A field has the name that the schemas in `schemas/` give it, written in Rust's way. An event that
//! is read and written again is the same JSON value, unknown fields included; what is written is
//! what the schemas and [`rules`] accept.

mod audit;
mod error;
mod fields;
mod id;
mod inventory;
mod items;
mod kind;
mod notification;
mod order_placed;
mod quantity;
mod reservation;
mod rules;
mod schemas;
mod settle;
mod text;
mod timestamp;
mod wire;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub(crate) use audit::audit;
pub use error::{EventError, FieldError};
pub use fields::Fields;
pub use id::{CustomerId, EventId, OrderId, ProductId, ReservationId, SagaId};
pub use inventory::{InventoryFailed, InventoryReserved};
pub use items::{Item, Items, ItemsError, MAX_ITEMS, PricedItem, PricedItems};
pub use kind::{Event, EventType};
pub use notification::{Channel, SendNotification};
pub use order_placed::{OrderPlaced, ShippingAddress};
pub use quantity::{Quantity, QuantityError};
pub use reservation::{
    CancelReservation, Extent, ReservationCancelled, ReservationRestored, RestoreReservation,
};
pub use rules::rules;
pub(crate) use schemas::SCHEMAS;
pub use schemas::judge;
pub(crate) use settle::settle;
pub use text::{Text, TextError};
pub use timestamp::{Timestamp, TimestampError};
