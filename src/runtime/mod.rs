//! The mechanism under the services: nothing lost, nothing twice, a key's order kept. Knows no event name.
//!
//! [`relay`] publishes what the outbox holds.

pub mod relay;
