//! kafkaflow holds an event-driven Kafka system as code.
//!
//! Modules are floors: a module imports only from floors below its own, never from a sibling.
//! The list is read by a test (`tests/it/floors.rs`), which finds every `crate::` path in the code.
//!
//! ```text
//! 8 cli
//! 7 up
//! 6 services
//! 5 runtime
//! 4 kafka store
//! 3 cluster
//! 2 plan event export catalog
//! 1 topology schema messaging
//! 0 unit text connection
//! ```

pub(crate) mod catalog;
pub mod cli;
pub(crate) mod cluster;
pub(crate) mod connection;
pub mod event;
pub(crate) mod export;
pub mod kafka;
pub mod messaging;
pub(crate) mod plan;
pub mod runtime;
pub mod schema;
pub(crate) mod services;
pub mod store;
pub(crate) mod text;
pub(crate) mod topology;
pub mod unit;
pub(crate) mod up;
