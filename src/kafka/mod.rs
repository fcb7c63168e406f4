//! Real clusters. `wire` speaks the protocol (TLS, SASL, framing, routing); `admin` implements the
//! cluster ports over it, one file a concept.

pub(crate) mod admin;
#[cfg(test)]
mod contract;
mod wire;

pub(crate) use wire::{Client, Target, WireError};
