//! The order service's tables. The only place of its SQL.

mod capture;
mod change;
mod place;
mod read;
#[cfg(test)]
mod tests;

pub(crate) use capture::{Capture, Outcome, claim_captures, next_capture, postpone, settle_captures};
pub(crate) use change::{Change, Held, hold, save};
pub(crate) use place::{Placed, Taken, forget_keys, place};
pub(crate) use read::{
    Entry, Order, Page, Published, cancelled_for, of_customer, order, pending, timeline, unannounced,
    versions,
};

use crate::store::Migration;

/// What the service keeps beside its inbox and outbox.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "orders",
        sqlite: include_str!("../migrations/sqlite/0001_orders.sql"),
        postgres: include_str!("../migrations/postgres/0001_orders.sql"),
    },
    Migration {
        version: 2,
        name: "room for outcomes",
        sqlite: include_str!("../migrations/sqlite/0002_room_for_outcomes.sql"),
        postgres: include_str!("../migrations/postgres/0002_room_for_outcomes.sql"),
    },
];
