//! `/metrics`, `/healthz`, `/readyz`.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use serde::Serialize;
use tokio::sync::watch;

use super::Problem;
use crate::runtime::health::{Condition, Health};
use crate::runtime::metrics::Measured;
use crate::store::Store;

/// How long the store may take to answer before the service counts as not ready.
const STORE_ANSWERS_WITHIN: Duration = Duration::from_secs(2);
const AGAIN: Duration = Duration::from_secs(5);

/// What is told to whoever operates a service.
#[derive(Clone)]
pub(crate) struct Operations {
    pub(crate) service: &'static str,
    pub(crate) health: Health,
    /// `None`: the process measures nothing.
    pub(crate) measured: Option<Measured>,
    /// The store, as soon as it is open.
    pub(crate) store: watch::Receiver<Option<Store>>,
    /// Whether the service is about to end.
    pub(crate) ending: watch::Receiver<bool>,
}

pub(crate) fn operations(of: Operations) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .with_state(of)
}

async fn metrics(State(of): State<Operations>) -> Response {
    match &of.measured {
        Some(measured) => ([(CONTENT_TYPE, "text/plain; version=0.0.4")], measured.render()).into_response(),
        None => Problem::unavailable("not-measured", "this process measures nothing", AGAIN).into_response(),
    }
}

#[derive(Serialize)]
struct Report {
    service: &'static str,
    status: &'static str,
    parts: BTreeMap<String, Part>,
}

#[derive(Serialize)]
struct Part {
    status: &'static str,
    detail: String,
}

/// Always 200 while the process answers: restarting it mends nothing that is told here.
async fn health(State(of): State<Operations>) -> impl IntoResponse {
    let part = |condition| match condition {
        Condition::Fine(detail) => Part { status: "ok", detail },
        Condition::Troubled(detail) => Part { status: "troubled", detail },
    };
    let mut parts: BTreeMap<String, Part> =
        of.health.parts().into_iter().map(|(name, condition)| (name, part(condition))).collect();
    let store = match store_answers(&of).await {
        Ok(()) => Condition::Fine("it answers".to_owned()),
        Err(why) => Condition::Troubled(why),
    };
    parts.insert("store".to_owned(), part(store));
    let status = if parts.values().all(|part| part.status == "ok") { "ok" } else { "troubled" };
    ([(CACHE_CONTROL, "no-store")], Json(Report { service: of.service, status, parts }))
}

/// Whether requests can be served: what they need is the store alone.
async fn ready(State(of): State<Operations>) -> Response {
    let why = if *of.ending.borrow() {
        Some("the service is ending".to_owned())
    } else {
        store_answers(&of).await.err()
    };
    match why {
        None => {
            ([(CACHE_CONTROL, "no-store")], Json(serde_json::json!({ "status": "ready" }))).into_response()
        }
        Some(why) => Problem::unavailable("not-ready", why, AGAIN).into_response(),
    }
}

async fn store_answers(of: &Operations) -> Result<(), String> {
    let store = of.store.borrow().clone();
    let Some(store) = store else { return Err("the store is not open yet".to_owned()) };
    match tokio::time::timeout(STORE_ANSWERS_WITHIN, store.ping()).await {
        Ok(answered) => answered.map_err(|error| error.to_string()),
        Err(_) => Err(format!("the store does not answer within {} s", STORE_ANSWERS_WITHIN.as_secs())),
    }
}
