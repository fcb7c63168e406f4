//! `POST /reservations`: the same reservation by a call that waits for it, in the place of an event. An order that is
//! known, by a call or by an event, is answered as it was the first time.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tokio::sync::watch;

use super::handler::Inventory;
use crate::event::{Event, EventType, OrderPlaced};
use crate::runtime::HandleError;
use crate::runtime::http::{AGAIN, Problem, Served, Token, Violation, guarded, opened, whole};
use crate::runtime::relay::Wake;
use crate::schema::Judge;
use crate::store::{Store, StoreError};

/// Orders that meet at a product wait for each other; one that another process wrote meanwhile is begun anew.
const ATTEMPTS: u32 = 5;

/// What reservations need. Clones share it.
#[derive(Clone)]
pub(super) struct Api {
    pub(super) inventory: Arc<Inventory>,
    pub(super) judge: Arc<Judge>,
    /// As soon as it is open.
    pub(super) store: watch::Receiver<Option<Store>>,
    pub(super) wake: Wake,
}

pub(super) fn routes(api: Api, token: Option<Token>) -> Router {
    guarded(Router::new().route("/reservations", post(reserve)).with_state(api), token)
}

/// Takes an `OrderPlaced` and answers with what the topic of results would have had: `InventoryReserved` (201), or
/// `InventoryFailed` (409).
async fn reserve(
    State(api): State<Api>,
    Extension(served): Extension<Served>,
    body: Body,
) -> Result<Response, Problem> {
    let order = order(&api.judge, &whole(body).await?)?;
    let store = opened(&api.store)?;
    let answer = reserved(&api, &store, &order, &served).await.map_err(|error| refused(&error))?;
    api.wake.wake();
    let status = match &answer {
        Event::InventoryReserved(_) => StatusCode::CREATED,
        _ => StatusCode::CONFLICT,
    };
    let mut response = (status, answer.to_json()).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

fn order(judge: &Judge, body: &[u8]) -> Result<OrderPlaced, Problem> {
    let invalid = |detail: &str, violations| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-order", detail).violations(violations)
    };
    let violations: Vec<Violation> = judge
        .violations(body)
        .into_iter()
        .map(|one| Violation {
            detail: format!("expected {}, found {}", one.expected, one.found),
            pointer: one.pointer,
        })
        .collect();
    if !violations.is_empty() {
        return Err(invalid("this is no valid event", violations));
    }
    match Event::from_json(body) {
        Ok(Event::OrderPlaced(order)) => Ok(order),
        Ok(other) => {
            let detail = format!("expected an {}, found an {}", EventType::OrderPlaced, other.event_type());
            Err(invalid(&detail, Vec::new()))
        }
        Err(error) => Err(invalid(&error.to_string(), Vec::new())),
    }
}

async fn reserved(
    api: &Api,
    store: &Store,
    order: &OrderPlaced,
    served: &Served,
) -> Result<Event, HandleError> {
    let mut attempt = 1;
    loop {
        let mut tx = store.tx();
        let answered = async {
            let answer = api.inventory.reserve(&mut tx, order.clone(), served.traceparent()).await?;
            tx.commit().await?;
            Ok(answer)
        };
        match answered.await {
            Err(HandleError::Store(StoreError::Conflict(_))) if attempt < ATTEMPTS => attempt += 1,
            answered => return answered,
        }
    }
}

fn refused(error: &HandleError) -> Problem {
    if let HandleError::Poison(error) = error {
        return Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-order", error.to_string());
    }
    tracing::warn!("a reservation failed: {error}");
    Problem::unavailable("store", "the store does not answer; the order may yet be reserved", AGAIN)
}

#[cfg(test)]
#[path = "api_tests.rs"]
mod tests;
