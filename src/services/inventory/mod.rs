//! The inventory: reserves stock for orders, gives it back when a refund asks for that, and tells operations when a
//! product runs short.
//!
//! `decide` says what a batch of commands comes to, `store` reads and writes, `shelf` remembers what need not be read, and
//! `handler` puts them into the transaction of the runtime.

mod api;
mod changes;
mod command;
#[cfg(test)]
mod contract;
mod decide;
mod handler;
mod ids;
#[cfg(test)]
mod kafka_tests;
mod lines;
mod model;
mod opening;
#[cfg(test)]
mod optimistic_tests;
pub(crate) mod run;
mod shelf;
pub(crate) mod stock;
mod store;
#[cfg(test)]
mod testing;

pub(crate) use handler::{Inventory, Settings};
pub(crate) use ids::Uuids;
pub(crate) use model::Level;
pub(crate) use opening::open_stock;
pub(crate) use store::MIGRATIONS;

/// The service's name in the topology, and that of its store.
pub(crate) const NAME: &str = "inventory-service";
