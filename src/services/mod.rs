//! The services of the seed's design. None imports another: what connects them is Kafka, or whoever wires a port.

mod announce;
mod consume;
pub(crate) mod inventory;
pub(crate) mod notification;
pub(crate) mod order;
pub(crate) mod payment;
