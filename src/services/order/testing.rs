//! Orders for tests.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::watch;

use super::api::Api;
use super::desk::Desk;
use super::feed::Feed;
use super::ids::OrderIds;
use super::recent::Recent;
use super::results::Ledger;
use super::store::{self, Placed, Taken};
use crate::event::EventId;
use crate::schema::Judge;
use crate::services::announce::{Announcer, new_event_id};
use crate::store::outbox::Event;
use crate::store::testing::TestStore;
use crate::unit::{Money, UnixMillis};

pub(crate) const NOW: UnixMillis = UnixMillis(1_725_185_730_000);

pub(crate) fn now() -> UnixMillis {
    NOW
}

/// An order of 119.93, announced on `orders`.
pub(crate) fn placed(id: &str, customer: &str, contact: &str) -> Placed {
    Placed {
        id: id.to_owned(),
        customer: customer.to_owned(),
        total: Money::from_cents(11_993).unwrap(),
        items: r#"[{"productId":"PROD-101","quantity":2,"unitPrice":49.99}]"#.to_owned(),
        address: r#"{"street":"123 Main St","city":"Austin","state":"TX","zip":"78701"}"#.to_owned(),
        contact: contact.to_owned(),
        at: NOW,
        announcement: Some(Event {
            id: format!("evt-{id}"),
            aggregate_type: "order".to_owned(),
            aggregate_id: id.to_owned(),
            event_type: "OrderPlaced".to_owned(),
            payload: "{}".to_owned(),
            topic: "orders".to_owned(),
            traceparent: None,
        }),
        key: None,
    }
}

pub(crate) async fn place(test: &TestStore, orders: &[Placed]) -> Vec<Taken> {
    let mut tx = test.store.tx();
    let taken = store::place(&mut tx, orders, NOW).await.unwrap();
    tx.commit().await.unwrap();
    taken
}

pub(crate) fn judge() -> Arc<Judge> {
    Arc::new(crate::event::judge().unwrap())
}

pub(crate) fn ledger(capture: bool, feed: Feed) -> Ledger {
    Ledger {
        announcer: Announcer::new(judge()),
        notifications: "notifications".to_owned(),
        capture,
        feed,
        recent: Recent::default(),
        now,
        new_id: new_event_id as fn() -> EventId,
    }
}

/// The API over a store, for orders of two products; what a test is about it sets itself.
pub(crate) fn api(test: &TestStore, desk: Desk) -> Api {
    let price = |product: &str, cents| (product.to_owned(), Money::from_cents(cents).unwrap());
    Api {
        desk,
        feed: Feed::default(),
        store: watch::channel(Some(test.store.clone())).1,
        prices: Arc::new(HashMap::from([price("PROD-101", 4999), price("PROD-205", 1995)])),
        announcer: Announcer::new(judge()),
        topic: "orders".into(),
        now,
        new_event_id,
        order_ids: OrderIds::new(12, 0),
        token: None,
        ending: watch::channel(false).1,
        streams: Api::streams(),
        closed: watch::channel(false).1,
        reserving: None,
    }
}
