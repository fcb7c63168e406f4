//! Records, as both planes and the services know them. Knows no event name.

mod key_hash;
mod record;

pub use key_hash::{key_hash, partition_of};
pub(crate) use record::{Header, Record};
