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
pub(crate) const MIGRATIONS: &[Migration] = crate::migrations!("../migrations":
    1 "orders" "0001_orders",
    2 "room for outcomes" "0002_room_for_outcomes",
    3 "few statistics" "0003_few_statistics",
);
