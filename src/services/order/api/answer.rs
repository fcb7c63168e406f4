//! What clients read.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::event::Timestamp;
use crate::runtime::http::Problem;
use crate::services::order::store::{Entry, Order, Published};
use crate::store::StoreError;
use crate::unit::{Money, UnixMillis};

/// The answer to a new order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Accepted<'a> {
    pub(super) order_id: &'a str,
    pub(super) status: &'static str,
    pub(super) message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'a str>,
    pub(super) links: Links,
}

/// Where there is more.
#[derive(Serialize)]
pub(super) struct Links {
    #[serde(rename = "self")]
    order: String,
    events: String,
    timeline: String,
}

impl Links {
    pub(super) fn of(id: &str) -> Self {
        Self {
            order: path(id),
            events: format!("{}/events", path(id)),
            timeline: format!("{}/timeline", path(id)),
        }
    }
}

/// Ids are ours, and need no escaping.
pub(super) fn path(id: &str) -> String {
    format!("/orders/{id}")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderBody<'a> {
    order_id: &'a str,
    customer_id: &'a str,
    status: &'static str,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reservation_id: Option<&'a str>,
    paid: bool,
    items: &'a RawValue,
    total_amount: Money,
    shipping_address: &'a RawValue,
    placed_at: Timestamp,
    changed_at: Timestamp,
    version: i64,
    links: Links,
}

impl<'a> OrderBody<'a> {
    pub(super) fn of(order: &'a Order) -> Result<Self, Problem> {
        Ok(Self {
            order_id: &order.id,
            customer_id: &order.customer,
            status: order.status.name(),
            message: order.status.message(),
            reason: order.reason.as_deref(),
            reservation_id: order.reservation.as_deref(),
            paid: order.paid,
            items: raw(&order.items)?,
            total_amount: order.total,
            shipping_address: raw(&order.address)?,
            placed_at: time(order.placed_at)?,
            changed_at: time(order.changed_at)?,
            version: order.version,
            links: Links::of(&order.id),
        })
    }
}

fn raw(json: &str) -> Result<&RawValue, Problem> {
    serde_json::from_str(json).map_err(|error| damaged(&error))
}

pub(super) fn time(at: UnixMillis) -> Result<Timestamp, Problem> {
    Timestamp::from_unix_millis(at.0).map_err(|error| damaged(&error))
}

fn damaged(error: &impl std::fmt::Display) -> Problem {
    super::store_failed(&StoreError::Sql(format!("a row is damaged: {error}")))
}

/// A page of a customer's orders.
#[derive(Serialize)]
pub(super) struct OrdersBody<'a> {
    pub(super) orders: Vec<OrderBody<'a>>,
    /// Where the next page is; absent: there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

/// Something that an order heard.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EntryBody<'a> {
    version: i64,
    at: Timestamp,
    kind: &'a str,
    /// Where the order stood afterwards.
    status: &'static str,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ignored: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<&'a str>,
    /// Where it was read, `topic/partition/offset`.
    #[serde(skip_serializing_if = "Option::is_none")]
    heard_at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<PublishedBody<'a>>,
}

#[derive(Serialize)]
struct PublishedBody<'a> {
    topic: &'a str,
    partition: i32,
    offset: i64,
    at: Timestamp,
}

impl<'a> EntryBody<'a> {
    pub(super) fn of(entry: &'a Entry) -> Result<Self, Problem> {
        let published = |published: &'a Published| {
            Ok(PublishedBody {
                topic: &published.topic,
                partition: published.partition,
                offset: published.offset,
                at: time(published.at)?,
            })
        };
        Ok(Self {
            version: entry.version,
            at: time(entry.at)?,
            kind: &entry.kind,
            status: entry.status.name(),
            message: entry.status.message(),
            ignored: entry.ignored.as_deref(),
            reason: entry.reason.as_deref(),
            event_id: entry.event_id.as_deref(),
            heard_at: entry.heard.as_deref(),
            published: entry.published.as_ref().map(published).transpose()?,
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TimelineBody<'a> {
    pub(super) order_id: &'a str,
    pub(super) entries: Vec<EntryBody<'a>>,
}
