//! What can be read: an order, its timeline, a customer's orders.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH, LINK, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::answer::{EntryBody, OrderBody, OrdersBody, TimelineBody};
use super::{Api, store_failed};
use crate::runtime::http::Problem;
use crate::services::order::state::Status;
use crate::services::order::store::{self, Order, Page};
use crate::unit::UnixMillis;

/// Orders of a page, unless the client says how many, and at most.
const PAGE: (u32, u32) = (20, 100);
const LOOK_AGAIN: u64 = 2;

/// `GET /orders/{id}`. The version is the ETag, so that polling an unchanged order costs a 304.
pub(super) async fn order(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let order = find(&api, &id).await?;
    let etag = format!("\"{}\"", order.version);
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|header| header.to_str().ok());
    let known = known.flat_map(|header| header.split(',')).map(str::trim);
    let unchanged =
        known.map(|tag| tag.strip_prefix("W/").unwrap_or(tag)).any(|tag| tag == etag || tag == "*");
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Json(OrderBody::of(&order)?).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(ETAG, etag);
    }
    if order.status == Status::Pending {
        headers.insert(RETRY_AFTER, HeaderValue::from(LOOK_AGAIN));
    }
    Ok(response)
}

async fn find(api: &Api, id: &str) -> Result<Order, Problem> {
    may_be_one(id)?;
    let store = api.store()?;
    let mut tx = store.glance();
    let order = store::order(&mut tx, id).await.map_err(|error| store_failed(&error))?;
    order.ok_or_else(unknown_order)
}

/// PostgreSQL has no texts with NUL, and none of our ids has a control character.
pub(super) fn may_be_one(id: &str) -> Result<(), Problem> {
    if id.chars().any(char::is_control) { Err(unknown_order()) } else { Ok(()) }
}

pub(super) fn unknown_order() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown-order", "there is no order of this id")
}

/// `GET /orders/{id}/timeline`.
pub(super) async fn timeline(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    may_be_one(&id)?;
    let store = api.store()?;
    let mut tx = store.glance();
    let entries = store::timeline(&mut tx, &id, 0).await.map_err(|error| store_failed(&error))?;
    if entries.is_empty() {
        return Err(unknown_order());
    }
    let entries = entries.iter().map(EntryBody::of).collect::<Result<_, _>>()?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(TimelineBody { order_id: &id, entries })).into_response())
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(rename = "customerId")]
    customer: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

/// `GET /orders?customerId=…`: the newest first.
pub(super) async fn of_customer(
    State(api): State<Arc<Api>>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let customer = wanted.customer.filter(|customer| !customer.is_empty() && !customer.contains('\0'));
    let Some(customer) = customer else {
        return Err(bad_query("say whose orders: `customerId=…`"));
    };
    let limit = match wanted.limit.as_deref().map(str::parse::<u32>) {
        None => PAGE.0,
        Some(Ok(limit)) if (1..=PAGE.1).contains(&limit) => limit,
        Some(_) => return Err(bad_query(&format!("`limit` is a whole number from 1 to {}", PAGE.1))),
    };
    let after = match wanted.cursor.as_deref() {
        None => None,
        Some(cursor) => Some(
            page_of(cursor).ok_or_else(|| bad_query("`cursor` is what `next` of a page has, unchanged"))?,
        ),
    };
    let store = api.store()?;
    let mut tx = store.glance();
    // One more shows whether there is a next page.
    let mut orders = store::of_customer(&mut tx, &customer, after.as_ref(), limit + 1)
        .await
        .map_err(|error| store_failed(&error))?;
    let more = orders.len() > limit as usize;
    orders.truncate(limit as usize);
    let last = orders.last().filter(|_| more);
    let next = last.map(|last| {
        format!("/orders?customerId={}&limit={limit}&cursor={}", escaped(&customer), cursor_of(last))
    });
    let link = next.as_ref().and_then(|next| HeaderValue::from_str(&format!("<{next}>; rel=\"next\"")).ok());
    let orders = orders.iter().map(OrderBody::of).collect::<Result<_, _>>()?;
    let mut response = ([(CACHE_CONTROL, "no-store")], Json(OrdersBody { orders, next })).into_response();
    if let Some(link) = link {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

fn bad_query(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "query", detail)
}

fn cursor_of(last: &Order) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("{}:{}", last.placed_at.0, last.id))
}

fn page_of(cursor: &str) -> Option<Page> {
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (at, id) = text.split_once(':')?;
    let id = (!id.contains('\0')).then(|| id.to_owned())?;
    Some(Page { placed_at: UnixMillis(at.parse().ok()?), id })
}

/// As a value in a query.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
