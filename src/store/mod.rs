//! A service's own store: SQLite or PostgreSQL behind one [`Tx`], and the tables that messaging keeps in it.
//!
//! Every handler writes its inbox rows, its state and its outbox rows in one transaction; so what it did and what it
//! announces are one thing. [`outbox`] and [`inbox`] have the two tables, [`fence`] refuses whoever no longer owns a
//! partition, [`lease`] gives one of several processes what only one may do. The only generic SQL stands here; a
//! service's own stands in its `store.rs`.

pub(crate) mod cluster;
#[cfg(test)]
mod contract;
mod error;
pub(crate) mod exclusive;
pub mod fence;
pub mod inbox;
pub mod lease;
mod lender;
mod location;
mod migrate;
mod open;
pub mod outbox;
#[cfg(test)]
pub(crate) mod testing;
mod tx;
mod writes;

pub use error::StoreError;
pub use location::{Location, LocationError};
pub use migrate::Migration;
pub use open::{Store, services};
pub use tx::{Connection, Tx};
pub(crate) use writes::Writes;

/// Runs the same statements on whichever database a transaction is in: `with!(tx, |connection| …)`. The body is
/// compiled once for each, so queries may be written once where both databases take them.
#[macro_export]
macro_rules! with_connection {
    ($tx:expr, |$connection:ident| $body:expr) => {
        match $tx.connection().await? {
            $crate::store::Connection::Sqlite($connection) => $body,
            $crate::store::Connection::Postgres($connection) => $body,
        }
    };
}

/// Where the two databases differ in statements that are written once.
pub(crate) trait Dialect {
    /// The elements of the parameter `$1`, a JSON array, as rows to select from: each is the column `value`, of an array
    /// in turn the fields are `value ->> 0`, `value ->> 1` and so on, all of them texts in PostgreSQL.
    const EACH: &'static str;

    fn each(&self) -> &'static str {
        Self::EACH
    }
}

impl Dialect for sqlx::SqliteConnection {
    // An array stays as it was parsed; of `json_each` it would be a text that each field parses anew.
    const EACH: &'static str = "jsonb_each($1)";
}

impl Dialect for sqlx::PgConnection {
    const EACH: &'static str = "jsonb_array_elements($1::jsonb) AS each (value)";
}

/// Many values as the one parameter that [`Dialect::EACH`] takes apart.
pub(crate) fn json(values: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(values).map_err(|error| StoreError::Sql(error.to_string()))
}
