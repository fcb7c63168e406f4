//! What the shop sells, and how much of it there is.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tokio::sync::OnceCell;

use crate::catalog::Catalog;
use crate::runtime::http::Problem;
use crate::services::inventory::{MIGRATIONS, NAME, stock};
use crate::store::{Location, Store, StoreError};
use crate::unit::Money;

/// When a client may ask again.
const AGAIN: Duration = Duration::from_secs(1);

/// How much there is of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OnHand {
    pub(crate) product: String,
    pub(crate) available: u64,
    pub(crate) reserved: u64,
}

/// Who knows the stock.
pub(crate) trait Stock: Send + Sync + 'static {
    /// Of every product that it knows.
    fn on_hand(&self) -> impl Future<Output = Result<Vec<OnHand>, StoreError>> + Send;
}

/// The inventory's own store, which is opened when somebody asks first.
pub(crate) struct Shelves {
    location: Location,
    store: OnceCell<Store>,
}

impl Shelves {
    pub(crate) fn new(location: Location) -> Self {
        Self { location, store: OnceCell::new() }
    }

    pub(crate) async fn close(&self) {
        if let Some(store) = self.store.get() {
            store.close().await;
        }
    }
}

impl Stock for Shelves {
    async fn on_hand(&self) -> Result<Vec<OnHand>, StoreError> {
        let store = self.store.get_or_try_init(|| Store::open(&self.location, NAME, MIGRATIONS, 2)).await?;
        let levels = stock::levels(&mut store.glance()).await?;
        let on_hand = levels.into_iter().map(|(product, level)| OnHand {
            product,
            available: level.available,
            reserved: level.reserved,
        });
        Ok(on_hand.collect())
    }
}

/// `GET /products`
pub(crate) fn products(catalog: Catalog, stock: Arc<impl Stock>) -> Router {
    Router::new().route("/products", get(list)).with_state((Arc::new(catalog), stock))
}

#[derive(Serialize)]
struct ProductsBody<'a> {
    products: Vec<ProductBody<'a>>,
}

/// Of what the inventory does not know (yet), nothing is said.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProductBody<'a> {
    product_id: &'a str,
    name: &'a str,
    price: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reserved: Option<u64>,
}

async fn list(State((catalog, stock)): State<(Arc<Catalog>, Arc<impl Stock>)>) -> Result<Response, Problem> {
    let on_hand = stock.on_hand().await.map_err(|error| {
        tracing::warn!("the stock cannot be read: {error}");
        Problem::unavailable("store", "the inventory's store does not answer", AGAIN)
    })?;
    let products = catalog.products().iter().map(|product| {
        let level = on_hand.iter().find(|one| one.product == product.id);
        ProductBody {
            product_id: &product.id,
            name: &product.name,
            price: product.price,
            available: level.map(|level| level.available),
            reserved: level.map(|level| level.reserved),
        }
    });
    let body = ProductsBody { products: products.collect() };
    Ok(([(CACHE_CONTROL, "no-store")], Json(body)).into_response())
}
