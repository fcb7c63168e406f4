//! Records, as both planes and the services know them. Knows no event name.

pub mod dead_letter;
mod intent;
mod key_hash;
mod publisher;
mod record;
mod retry;
mod trace;
mod varint;
mod wait;

pub use intent::Intent;
pub(crate) use intent::Intents;
pub use key_hash::{key_hash, partition_of};
pub use publisher::{
    Acknowledged, Delivery, Outcome, Outgoing, PublishError, Publisher, Told, publish_all, publish_alone,
};
pub use record::{Header, Record, Timestamp, TimestampKind};
pub(crate) use retry::doubled;
pub use retry::{BackOff, RetryPolicy};
pub use trace::{NoTraceContext, TRACEPARENT, TraceContext};
pub(crate) use varint::{put_sized, put_varint, take_varint, varint_length};
pub(crate) use wait::until;
