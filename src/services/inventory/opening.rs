//! Opening stock.

use super::store;
use crate::catalog::Catalog;
use crate::store::{Store, StoreError};

/// Gives products that the inventory does not know yet the stock that the catalogue says; the number of them. What is
/// known keeps its stock, which moves on its own: a service may call this whenever it starts.
pub(crate) async fn open_stock(store: &Store, catalog: &Catalog) -> Result<u64, StoreError> {
    let stock: Vec<(&str, u32)> =
        catalog.products().iter().map(|product| (product.id.as_str(), product.stock)).collect();
    let mut tx = store.tx();
    let opened = store::open(&mut tx, &stock).await?;
    tx.commit().await?;
    Ok(opened)
}
