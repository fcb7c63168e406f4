//! Real clusters. `wire` speaks the protocol (TLS, SASL, framing, routing); `admin` implements the
//! cluster ports over it, one file a concept; `data` is rdkafka: producers and consumers;
//! `embedded` is a broker inside of this process.

pub(crate) mod admin;
#[cfg(test)]
mod contract;
pub(crate) mod data;
pub(crate) mod embedded;
mod reach;
#[cfg(test)]
pub(crate) mod testing;
mod wire;

pub use data::{DataError, Membership, Producer};
pub use reach::{Cluster, ConnectionError};
pub(crate) use wire::{Client, Target, WireError};
