//! The mechanism under the services: nothing lost, nothing twice, a key's order kept. Knows no event name.
//!
//! [`consumer`] hands records to a [`Handler`], [`relay`] publishes what the outbox holds.

mod boundary;
pub mod consumer;
mod handler;
mod health;
pub(crate) mod http;
mod in_hand;
#[cfg(test)]
mod jvm_tests;
#[cfg(test)]
mod kafka_tests;
mod metrics;
pub mod relay;
pub(crate) mod service;
pub(crate) mod startup;
#[cfg(test)]
pub(crate) mod testing;
mod trace;
pub mod verify;

pub use boundary::{Boundary, OnBoundary};
pub use handler::{BatchOutcome, HandleError, Handler, Handling, Outside, Performer};
pub use health::{Condition, Health};
pub use metrics::{Measured, measure};
pub use trace::{Tracing, TracingError};
