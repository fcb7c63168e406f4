//! `POST /orders`.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::answer::{Accepted, Links, path};
use super::{Api, store_failed};
use crate::event::{Event, Fields, OrderPlaced, Timestamp};
use crate::runtime::http::{AGAIN, Problem, Served, Violation, whole};
use crate::services::order::desk::Refused;
use crate::services::order::placing::NewOrder;
use crate::services::order::reserving::Reserving;
use crate::services::order::state::Status;
use crate::services::order::store::{self, Placed, Taken};
use crate::store::{Store, outbox};

const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Characters of an idempotency key.
const LONGEST_KEY: usize = 255;
/// How soon a client looks again.
const LOOK_AGAIN: u64 = 2;
/// How long a client waits for its order to be written.
const WRITTEN_WITHIN: Duration = Duration::from_secs(15);

/// Takes an order in and answers at once; nothing here waits for Kafka. Where reservations are asked for by a call, the
/// client waits for it.
pub(super) async fn place(
    State(api): State<Arc<Api>>,
    Extension(served): Extension<Served>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    if *api.closed.borrow() {
        return Err(ending());
    }
    let key = idempotency_key(&headers)?;
    must_be_json(&headers)?;
    let order = NewOrder::read(&whole(body).await?).map_err(invalid)?;
    let mut placed = placed(&api, &order, key, served)?;
    let id = placed.id.clone();
    let asked = if api.reserving.is_some() { placed.announcement.take() } else { None };
    let Ok(taken) = tokio::time::timeout(WRITTEN_WITHIN, api.desk.hand_in(placed)).await else {
        // It is written still, perhaps.
        let detail = "the store is slow; the order may yet be taken: ask again with the same Idempotency-Key";
        return Err(Problem::unavailable("slow", detail, AGAIN));
    };
    match taken {
        Ok(Taken::New) => match (&api.reserving, asked) {
            (Some(reserving), Some(asked)) => {
                // On the heap, as what follows: a request's future is moved around, and these are large and rare.
                Box::pin(reserved(reserving, &api.store()?, &id, &asked)).await
            }
            _ => Ok(accepted(&id)),
        },
        Ok(Taken::Before(id)) if api.reserving.is_some() => Box::pin(settled(&api.store()?, &id)).await,
        Ok(Taken::Before(id)) => Ok(accepted(&id)),
        Ok(Taken::OtherBody) => Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency-key-reused",
            "this Idempotency-Key came with another order; a new order needs a new key",
        )),
        Err(Refused::InProgress) => Err(in_progress()),
        Err(Refused::Busy) => Err(Problem::unavailable("busy", "too many orders wait; ask again", AGAIN)),
        Err(Refused::Ending) => Err(ending()),
        Err(Refused::Store(error)) => Err(store_failed(&error)),
    }
}

fn in_progress() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "idempotency-key-in-progress",
        "the order with this Idempotency-Key is being taken in; ask again",
    )
    .retry_after(AGAIN)
}

/// Waits for the inventory's answer; then the order has its outcome.
async fn reserved(
    reserving: &Reserving,
    store: &Store,
    id: &str,
    asked: &outbox::Event,
) -> Result<Response, Problem> {
    match reserving.reserve(store, id, asked).await {
        Ok(true) => settled(store, id).await,
        Ok(false) => {
            let detail =
                format!("the inventory does not answer; the order {id} was cancelled: order again later");
            Err(Problem::unavailable("inventory", detail, AGAIN))
        }
        Err(error) => {
            tracing::warn!("an answer of the inventory was not recorded: {error}");
            let detail = format!("the order {id} is not settled yet: look at {} later", path(id));
            Err(Problem::unavailable("store", detail, AGAIN))
        }
    }
}

/// The answer about an order that was settled while its client waited.
async fn settled(store: &Store, id: &str) -> Result<Response, Problem> {
    let order = store::order(&mut store.glance(), id).await.map_err(|error| store_failed(&error))?;
    let Some(order) = order.filter(|order| order.status != Status::Pending) else {
        return Err(in_progress());
    };
    Ok(told(StatusCode::CREATED, id, order.status, order.reason.as_deref()))
}

fn ending() -> Problem {
    Problem::unavailable("ending", "the service is ending; ask again", AGAIN)
}

fn accepted(id: &str) -> Response {
    let mut response = told(StatusCode::ACCEPTED, id, Status::Pending, None);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(LOOK_AGAIN));
    response
}

/// Where an order stands, and where there is more of it.
fn told(code: StatusCode, id: &str, status: Status, reason: Option<&str>) -> Response {
    let body = Accepted {
        order_id: id,
        status: status.name(),
        message: status.message(),
        reason,
        links: Links::of(id),
    };
    let mut response = (code, Json(body)).into_response();
    if let Ok(location) = HeaderValue::from_str(&path(id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// Prices the order and makes its rows.
fn placed(api: &Api, order: &NewOrder, key: Option<String>, served: Served) -> Result<Placed, Problem> {
    let items = order.priced(|product| api.prices.get(product.as_str()).copied()).map_err(invalid)?;
    let at = (api.now)();
    let order_id = api.order_ids.draw(at);
    let id = order_id.as_str().to_owned();
    let total = items.total();
    let (items_json, address, contact) = (json(&items)?, json(&order.address)?, json(&order.contact)?);
    let event = Event::OrderPlaced(OrderPlaced {
        event_id: (api.new_event_id)(),
        order_id,
        customer_id: order.customer.clone(),
        timestamp: Timestamp::from_unix_millis(at.0).map_err(|error| unexpected(&error))?,
        items,
        shipping_address: order.address.clone(),
        extra: Fields::new(),
    });
    let announcement =
        api.announcer.row(&event, &api.topic, served.traceparent()).map_err(|error| unexpected(&error))?;
    Ok(Placed {
        id,
        customer: order.customer.as_str().to_owned(),
        total,
        items: items_json,
        address,
        contact,
        at,
        announcement: Some(announcement),
        key: key.map(|key| (key, order.fingerprint())),
    })
}

fn json(value: &impl serde::Serialize) -> Result<String, Problem> {
    serde_json::to_string(value).map_err(|error| unexpected(&error))
}

/// A fault of ours.
fn unexpected(error: &impl std::fmt::Display) -> Problem {
    tracing::error!("an order cannot be announced: {error}");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the order could not be taken in")
}

fn invalid(violations: Vec<Violation>) -> Problem {
    // What is no JSON at all is the only thing that concerns the body as a whole.
    let no_json = violations.iter().any(|one| one.pointer.is_empty() && one.detail.starts_with("no JSON"));
    let (status, slug) = if no_json {
        (StatusCode::BAD_REQUEST, "no-json")
    } else {
        (StatusCode::UNPROCESSABLE_ENTITY, "invalid-order")
    };
    let detail = match violations.len() {
        1 => "the order cannot be taken as it is".to_owned(),
        many => format!("the order cannot be taken as it is, for {many} reasons"),
    };
    Problem::new(status, slug, detail).violations(violations)
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut keys = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(key) = keys.next() else { return Ok(None) };
    let visible = |key: &HeaderValue| {
        let key = key.to_str().ok()?.trim();
        let fine =
            (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        fine.then(|| key.to_owned())
    };
    match (visible(key), keys.next()) {
        (Some(key), None) => Ok(Some(key)),
        _ => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "idempotency-key",
            format!("an Idempotency-Key is one text of 1 to {LONGEST_KEY} visible ASCII characters"),
        )),
    }
}

fn must_be_json(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "media-type",
        "an order is JSON; say `Content-Type: application/json`",
    ))
}
