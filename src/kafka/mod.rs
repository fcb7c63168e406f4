//! Real clusters. `wire` speaks the protocol (TLS, SASL, framing, routing); `admin` implements the
//! cluster ports over it, one file a concept; `producer` publishes over it and `fetcher` reads; `data` is rdkafka: groups;
//! `embedded` is a broker inside of this process.

pub(crate) mod admin;
mod compression;
#[cfg(test)]
mod contract;
pub(crate) mod data;
pub(crate) mod embedded;
mod fetcher;
mod layout;
mod producer;
mod reach;
#[cfg(test)]
pub(crate) mod testing;
mod wire;

pub use data::{DataError, Membership};
pub use producer::Producer;
pub use reach::{Cluster, ConnectionError};
pub(crate) use wire::{Client, Target, WireError};
