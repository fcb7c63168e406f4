//! The notification service: sends mails, text messages and words to the operators, as `SendNotification` asks.
//!
//! A letter is sent once, as long as nobody dies: its event's id is in the inbox as soon as the provider has taken it, and
//! Kafka's offset follows. What may be sent again is exactly what a provider had taken when the process died, lost its
//! partition, or could not reach its store, before the inbox knew: at most the letters of one call a partition under way and
//! of the slice of a second before it. It is sent with the same `Message-ID`, or `Idempotency-Key`, so that a provider that looks at
//! them drops it.
//!
//! Letters of one order that one provider delivers are sent in their order. Those of different providers, such as a mail and a
//! text message, are not ordered to each other.

mod letter;
mod notifier;
pub(crate) mod provider;
pub(crate) mod run;
pub(crate) mod templates;

pub(crate) use notifier::Providers;

use crate::store::Migration;

/// The name in the topology.
pub(crate) const NAME: &str = "notification-service";
/// It has an inbox, which the store brings, and nothing else.
pub(crate) const MIGRATIONS: &[Migration] = &[];
