//! The stock's rows, read and changed one at a time.

use sqlx::AssertSqlSafe;

use super::{Change, Changed, Refused, next};
use crate::services::inventory::model::Level;
use crate::store::{StoreError, Tx};
use crate::with_connection;

/// Every product and how much there is of it, by id.
pub(crate) async fn levels(tx: &mut Tx) -> Result<Vec<(String, Level)>, StoreError> {
    let rows: Vec<(String, i64, i64, bool)> = with_connection!(tx, |connection| {
        sqlx::query_as("SELECT id, available, reserved, told FROM product ORDER BY id")
            .fetch_all(connection)
            .await?
    });
    Ok(rows
        .into_iter()
        .map(|(id, available, reserved, told)| (id, level(available, reserved, told)))
        .collect())
}

/// Changes the stock of a product, whose row is locked until the transaction ends: a running service waits, and goes
/// on with what is there then.
pub(crate) async fn change(
    tx: &mut Tx,
    product: &str,
    change: Change,
) -> Result<Result<Changed, Refused>, StoreError> {
    let sql = format!("SELECT available, reserved, told FROM product WHERE id = $1 {}", tx.holding()?);
    let row: Option<(i64, i64, bool)> = with_connection!(tx, |connection| {
        sqlx::query_as(AssertSqlSafe(sql)).bind(product).fetch_optional(connection).await?
    });
    let Some((available, reserved, told)) = row else { return Ok(Err(Refused::Unknown)) };
    let before = level(available, reserved, told);
    let after = match next(before, change) {
        Ok(after) => after,
        Err(refused) => return Ok(Err(refused)),
    };
    with_connection!(tx, |connection| {
        sqlx::query("UPDATE product SET available = $2, told = $3 WHERE id = $1")
            .bind(product)
            .bind(i64::try_from(after.available).unwrap_or(i64::MAX))
            .bind(after.told)
            .execute(connection)
            .await?;
    });
    Ok(Ok(Changed { before, after }))
}

/// The tables hold nothing below zero.
fn level(available: i64, reserved: i64, told: bool) -> Level {
    Level { available: available.unsigned_abs(), reserved: reserved.unsigned_abs(), told }
}
