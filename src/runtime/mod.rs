//! The mechanism under the services: nothing lost, nothing twice, a key's order kept. Knows no event name.
//!
//! [`consumer`] hands records to a [`Handler`], [`relay`] publishes what the outbox holds.

mod boundary;
pub mod consumer;
mod handler;
#[cfg(test)]
mod jvm_tests;
#[cfg(test)]
mod kafka_tests;
pub mod relay;
#[cfg(test)]
pub(crate) mod testing;

pub mod verify;

pub use boundary::{Boundary, OnBoundary};
pub use handler::{BatchOutcome, HandleError, Handler};
