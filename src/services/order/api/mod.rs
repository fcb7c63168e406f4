//! The order service's HTTP API.

mod answer;
mod place;
mod show;
mod stream;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use tokio::sync::{Semaphore, watch};

use super::desk::Desk;
use super::feed::Feed;
use super::ids::OrderIds;
use super::reserving::Reserving;
use crate::event::EventId;
use crate::runtime::http::{AGAIN, MOST_BYTES, Problem, Token, guarded, opened};
use crate::services::announce::Announcer;
use crate::store::{Store, StoreError};
use crate::unit::{Money, UnixMillis};

/// Streams of events that are open at a time.
const MOST_STREAMS: usize = 15_000;

/// What the API needs.
pub(crate) struct Api {
    pub(crate) desk: Desk,
    pub(crate) feed: Feed,
    /// As soon as it is open.
    pub(crate) store: watch::Receiver<Option<Store>>,
    pub(crate) prices: Arc<HashMap<String, Money>>,
    pub(crate) announcer: Announcer,
    /// Where orders are announced.
    pub(crate) topic: Arc<str>,
    pub(crate) now: fn() -> UnixMillis,
    pub(crate) new_event_id: fn() -> EventId,
    pub(crate) order_ids: OrderIds,
    /// Who may use it; `None`: anybody.
    pub(crate) token: Option<Token>,
    /// Whether the service is about to end: streams end then.
    pub(crate) ending: watch::Receiver<bool>,
    pub(crate) streams: Arc<Semaphore>,
    /// Whether new orders are turned away, because what is on its way is finished before the service ends.
    pub(crate) closed: watch::Receiver<bool>,
    /// Who reserves while the client waits; `None`: nobody waits.
    pub(crate) reserving: Option<Reserving>,
}

impl Api {
    /// Places for streams of events.
    pub(crate) fn streams() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(MOST_STREAMS))
    }

    fn store(&self) -> Result<Store, Problem> {
        opened(&self.store)
    }
}

/// A store's failure, as a client is told: nothing of what is behind it.
fn store_failed(error: &StoreError) -> Problem {
    tracing::warn!("a request failed: {error}");
    Problem::unavailable("store", "the store does not answer; nothing was lost", AGAIN)
}

/// What is served beside the API.
#[derive(Clone, Default)]
pub(crate) struct Beside {
    pub(crate) open: Router,
    /// For those alone who may use the API.
    pub(crate) guarded: Router,
}

/// The API's routes.
pub(crate) fn routes(api: Api, beside: Beside) -> Router {
    let token = api.token.clone();
    let orders = Router::new()
        .route("/orders", get(show::of_customer).post(place::place))
        .route("/orders/{id}", get(show::order))
        .route("/orders/{id}/timeline", get(show::timeline))
        .route("/orders/{id}/events", get(stream::events))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .with_state(Arc::new(api));
    guarded(orders.merge(beside.guarded), token).route("/openapi.json", get(openapi)).merge(beside.open)
}

async fn openapi() -> ([(axum::http::HeaderName, &'static str); 1], &'static str) {
    ([(CONTENT_TYPE, "application/json")], include_str!("openapi.json"))
}
