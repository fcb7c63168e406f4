//! The inventory's tables, in both databases. What a batch of new orders needs is read by one statement and written by one.
//!
//! Rows are locked in one order, by every transaction: orders that are known, then products, each by their ids; so no
//! two wait for each other. An order that two transactions hear of at the same time is written by the first, and the
//! second begins anew.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::Serialize;
use sqlx::AssertSqlSafe;

use super::changes::Changes;
use super::command::Command;
use super::model::{Book, Done, Level, Order, Outcome, ReservedItem, Saga};
use crate::event::{OrderId, ProductId, Quantity, ReservationId, SagaId, Text};
use crate::store::outbox::{self, KeyOrder};
use crate::store::{Dialect, Migration, StoreError, Tx, Writes, json};
use crate::unit::UnixMillis;
use crate::with_connection;

/// The tables, beside those of messaging.
pub(crate) const MIGRATIONS: &[Migration] = crate::migrations!("migrations":
    1 "stock" "0001_stock",
    2 "fewer checks" "0002_fewer_checks",
    3 "few statistics" "0003_few_statistics",
);

/// Reads and locks what these commands are about. An optimistic transaction locks nothing, and is only for orders that are
/// new: [`StoreError::Conflict`] else.
pub(super) async fn load(tx: &mut Tx, commands: &[Command]) -> Result<Book, StoreError> {
    let ids: BTreeSet<&OrderId> = commands.iter().map(Command::order_id).collect();
    let mut named: BTreeSet<&ProductId> = commands.iter().flat_map(Command::products).collect();
    // What others than new orders are about shows when their reservations are read, and all products are locked in one order.
    let all_named = commands.iter().all(|command| matches!(command, Command::Place(_)));
    let not_yet = BTreeSet::new();
    let (mut orders, mut products) = held(tx, &ids, if all_named { &named } else { &not_yet }).await?;
    if tx.is_optimistic() && !(all_named && orders.is_empty()) {
        return Err(StoreError::Conflict("orders are known that were taken for new".to_owned()));
    }
    if !orders.is_empty() {
        let known = json(&singly(orders.keys()))?;
        read_items(tx, &known, &mut orders).await?;
        read_sagas(tx, &known, &mut orders).await?;
    }
    // An order that is placed again is answered as before: what it has reserved stays, and is not locked behind the rest.
    if !all_named {
        for order in orders.values() {
            if let Some(Outcome::Reserved { items, .. }) = &order.outcome {
                named.extend(items.iter().map(|item| &item.product));
            }
        }
        if !named.is_empty() {
            products = held(tx, &BTreeSet::new(), &named).await?.1;
        }
    }
    Ok(Book { products, orders })
}

/// Orders that are known, without their items, and products; all of them locked.
type Rows = (BTreeMap<OrderId, Order>, BTreeMap<ProductId, Level>);

/// Orders first, then products, each by their ids.
async fn held(
    tx: &mut Tx,
    orders: &BTreeSet<&OrderId>,
    products: &BTreeSet<&ProductId>,
) -> Result<Rows, StoreError> {
    type Row = (String, Option<String>, Option<String>, Option<i64>, Option<i64>, Option<bool>);
    let (orders, products) = (json(&singly(orders))?, json(&singly(products))?);
    let holding = tx.holding()?;
    let rows: Vec<Row> = with_connection!(tx, |connection| {
        let each = connection.each();
        let of_products = each.replace("$1", "$2");
        let sql = format!(
            "WITH known AS (
                 SELECT order_id, reservation_id, reason FROM reservation
                 WHERE order_id IN (SELECT value ->> 0 FROM {each}) ORDER BY order_id {holding}
             ), level AS (
                 SELECT id, available, reserved, told FROM product
                 WHERE id IN (SELECT value ->> 0 FROM {of_products}) ORDER BY id {holding}
             )
             SELECT order_id, reservation_id, reason, NULL, NULL, NULL FROM known
             UNION ALL SELECT id, NULL, NULL, available, reserved, told FROM level"
        );
        sqlx::query_as(AssertSqlSafe(sql)).bind(&orders).bind(&products).fetch_all(connection).await?
    });
    let mut held = Rows::default();
    for (id, reservation, reason, available, reserved, told) in rows {
        if let (Some(available), Some(reserved), Some(told)) = (available, reserved, told) {
            let available = u64::try_from(available).map_err(damaged)?;
            let reserved = u64::try_from(reserved).map_err(damaged)?;
            held.1.insert(ProductId::new(id).map_err(damaged)?, Level { available, reserved, told });
            continue;
        }
        let outcome = match (reservation, reason) {
            (Some(id), _) => {
                Some(Outcome::Reserved { id: ReservationId::new(id).map_err(damaged)?, items: Vec::new() })
            }
            (None, Some(reason)) => Some(Outcome::Failed { reason: Text::new(reason).map_err(damaged)? }),
            (None, None) => None,
        };
        held.0.insert(OrderId::new(id).map_err(damaged)?, Order { outcome, sagas: BTreeMap::new() });
    }
    Ok(held)
}

async fn read_items(
    tx: &mut Tx,
    known: &str,
    orders: &mut BTreeMap<OrderId, Order>,
) -> Result<(), StoreError> {
    let rows: Vec<(String, String, i64, i64)> = with_connection!(tx, |connection| {
        let sql = format!(
            "SELECT order_id, product_id, ordered, held FROM reservation_item
             WHERE order_id IN (SELECT value ->> 0 FROM {}) ORDER BY order_id, place",
            connection.each(),
        );
        sqlx::query_as(AssertSqlSafe(sql)).bind(known).fetch_all(connection).await?
    });
    for (order, product, ordered, held) in rows {
        let order = orders.get_mut(&OrderId::new(order).map_err(damaged)?);
        if let Some(Outcome::Reserved { items, .. }) = order.and_then(|order| order.outcome.as_mut()) {
            let ordered = u32::try_from(ordered).map_err(damaged)?;
            items.push(ReservedItem {
                product: ProductId::new(product).map_err(damaged)?,
                ordered: Quantity::new(ordered).map_err(damaged)?,
                held: u32::try_from(held).map_err(damaged)?,
            });
        }
    }
    let without =
        |order: &Order| matches!(&order.outcome, Some(Outcome::Reserved { items, .. }) if items.is_empty());
    match orders.iter().find(|(_, order)| without(order)) {
        Some((id, _)) => Err(damaged(format!("the reservation of order {id} has no items"))),
        None => Ok(()),
    }
}

async fn read_sagas(
    tx: &mut Tx,
    known: &str,
    orders: &mut BTreeMap<OrderId, Order>,
) -> Result<(), StoreError> {
    let rows: Vec<(String, String, Option<String>, Option<String>)> = with_connection!(tx, |connection| {
        let sql = format!(
            "SELECT order_id, saga_id, cancelled, restored FROM saga_step
             WHERE order_id IN (SELECT value ->> 0 FROM {})",
            connection.each(),
        );
        sqlx::query_as(AssertSqlSafe(sql)).bind(known).fetch_all(connection).await?
    });
    let done = |text: Option<String>| -> Result<Option<Done>, StoreError> {
        text.map(|text| serde_json::from_str(&text).map_err(damaged)).transpose()
    };
    for (order, saga, cancelled, restored) in rows {
        if let Some(order) = orders.get_mut(&OrderId::new(order).map_err(damaged)?) {
            let steps = Saga { cancelled: done(cancelled)?, restored: done(restored)? };
            order.sagas.insert(SagaId::new(saga).map_err(damaged)?, steps);
        }
    }
    Ok(())
}

/// Writes what a batch came to, with what it announces; `before` is what [`load`] read.
///
/// [`StoreError::Conflict`] when another transaction wrote one of the orders meanwhile. Afterwards the transaction
/// holds every order of `after`, by its row, and so their keys.
pub(super) async fn save(
    tx: &mut Tx,
    before: &Book,
    after: &Book,
    announced: &[outbox::Event],
    now: UnixMillis,
) -> Result<(), StoreError> {
    let mut writes = Writes::of(tx)?;
    let changes = Changes::between(before, after);
    let new_orders: Vec<_> = changes.new_orders.iter().map(|row| (row.0, row.1, row.2, now.0)).collect();
    writes.rows(&new_orders, |each| {
        format!(
            "INSERT INTO reservation (order_id, reservation_id, reason, created_at)
             SELECT value ->> 0, value ->> 1, value ->> 2, CAST(value ->> 3 AS bigint)
             FROM {each} ORDER BY 1"
        )
    })?;
    writes.rows(&changes.placed_later, |each| {
        format!(
            "UPDATE reservation SET reservation_id = new.value ->> 1, reason = new.value ->> 2
             FROM (SELECT value FROM {each}) AS new WHERE reservation.order_id = new.value ->> 0"
        )
    })?;
    writes.rows(&changes.new_items, |each| {
        format!(
            "INSERT INTO reservation_item (order_id, product_id, place, ordered, held)
             SELECT value ->> 0, value ->> 1, CAST(value ->> 2 AS integer), CAST(value ->> 3 AS bigint),
                    CAST(value ->> 4 AS bigint) FROM {each}"
        )
    })?;
    writes.rows(&changes.held, |each| {
        format!(
            "UPDATE reservation_item SET held = CAST(new.value ->> 2 AS bigint) FROM (SELECT value FROM {each}) AS new
             WHERE reservation_item.order_id = new.value ->> 0 AND reservation_item.product_id = new.value ->> 1"
        )
    })?;
    writes.rows(&changes.sagas, |each| {
        format!(
            "INSERT INTO saga_step (order_id, saga_id, cancelled, restored)
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM {each} WHERE true
             ON CONFLICT (order_id, saga_id) DO UPDATE
             SET cancelled = excluded.cancelled, restored = excluded.restored"
        )
    })?;
    writes.rows_as_read(&changes.levels, |each| {
        format!(
            "UPDATE product SET available = CAST(new.value ->> 1 AS bigint), reserved = CAST(new.value ->> 2 AS bigint),
                                told = CAST(new.value ->> 3 AS boolean)
             FROM (SELECT value FROM {each}) AS new
             WHERE product.id = new.value ->> 0 AND product.available = CAST(new.value ->> 4 AS bigint)
               AND product.reserved = CAST(new.value ->> 5 AS bigint) AND product.told = CAST(new.value ->> 6 AS boolean)"
        )
    })?;
    let new: HashSet<&str> = changes.new_orders.iter().map(|row| row.0.as_str()).collect();
    let none_waits = announced.iter().all(|row| new.contains(row.aggregate_id.as_str()));
    let order = KeyOrder::of_held(none_waits);
    outbox::add(&mut writes, announced, order, now)?;
    writes.run(tx).await.map_err(|error| match error {
        // Somebody else heard of the same order at the same time.
        StoreError::Duplicate(words) if words.contains("reservation") => StoreError::Conflict(words),
        other => other,
    })
}

/// Adds products that are not known yet; the number of them.
pub(super) async fn open(tx: &mut Tx, stock: &[(&str, u32)]) -> Result<u64, StoreError> {
    let mut stock = stock.to_vec();
    // In one order, as every transaction takes them.
    stock.sort_unstable();
    let rows = json(&stock)?;
    Ok(with_connection!(tx, |connection| {
        let sql = format!(
            "INSERT INTO product (id, available, reserved)
             SELECT value ->> 0, CAST(value ->> 1 AS bigint), 0 FROM {} WHERE true ON CONFLICT DO NOTHING",
            connection.each(),
        );
        sqlx::query(AssertSqlSafe(sql)).bind(&rows).execute(connection).await?.rows_affected()
    }))
}

/// Each id as a row of its own.
fn singly<I: Serialize>(ids: impl IntoIterator<Item = I>) -> Vec<[I; 1]> {
    ids.into_iter().map(|id| [id]).collect()
}

fn damaged(error: impl std::fmt::Display) -> StoreError {
    StoreError::Sql(format!("a row is damaged: {error}"))
}
