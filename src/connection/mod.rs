//! How to reach a cluster: `-b`, `-X` and `client.properties` as text, read into one
//! [`ConnectionConfig`] that configures the admin plane and the data plane alike. No I/O: files
//! that a property names are opened by whoever connects.

mod address;
mod config;
mod jaas;
mod properties;
mod secret;
mod settings;
mod table;

pub(crate) use address::Address;
pub(crate) use config::{ConnectionConfig, Login, Pem, Tls, TokenSource, bearer_token};
pub(crate) use properties::parse_properties;
#[cfg(test)]
pub(crate) use secret::Secret;
pub(crate) use settings::Given;
pub(crate) use table::{HONOURED, OF_RECORDS};
