//! Kafka's protocol over our own connections.

mod client;
mod code;
mod connection;
mod diagnosis;
mod error;
mod inquiry;
mod sasl;
#[cfg(test)]
mod session;
mod tls;

pub(crate) use client::{Client, Target};
pub(crate) use code::name_of;
pub(super) use connection::MAX_RESPONSE;
pub(crate) use error::WireError;
pub(super) use inquiry::{DOUBT, Inquiry, QUESTION, Said, in_time};
