//! The order service: takes orders over HTTP, and moves each from PENDING to its outcome.
//!
//! An order, what it heard and what it announces are written in one transaction. Nothing here waits for Kafka: the
//! relay publishes, the inventory answers on a topic, and clients are told by polling or by a stream of events.

pub(crate) mod api;
pub(crate) mod capturing;
pub(crate) mod desk;
pub(crate) mod feed;
#[cfg(test)]
mod flow_tests;
mod giving_up;
mod hearing;
mod ids;
pub(crate) mod lost;
pub(crate) mod payment;
mod placing;
mod recent;
pub(crate) mod reserving;
pub(crate) mod results;
pub(crate) mod run;
mod state;
pub(crate) mod store;
#[cfg(test)]
mod testing;
