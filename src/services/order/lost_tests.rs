//! Orders of a broker that is gone, over both stores.

use std::collections::HashMap;

use tokio::sync::watch;

use super::*;
use crate::event::OrderId;
use crate::services::order::api::Beside;
use crate::services::order::hearing::Heard;
use crate::services::order::payment::{Answer, Charge, Payments};
use crate::services::order::state::{Happened, Status};
use crate::services::order::testing::{judge, place, placed};
use crate::store::outbox::Published;
use crate::store::testing::{TestStore, on_both_stores};
use crate::topology::{SchemaFiles, load};

on_both_stores! { crate::services::order::store::MIGRATIONS;
    an_order_is_lost_when_neither_it_nor_its_answer_waits_to_be_published,
    the_inventory_is_told_again_until_it_answers,
}

struct Nobody;

impl Payments for Nobody {
    async fn capture(&self, _: Charge) -> Answer {
        Answer::Captured
    }
}

fn settings() -> Settings<Nobody> {
    let closed = watch::Sender::new(false).subscribe();
    Settings {
        judge: judge(),
        prices: HashMap::new(),
        token: None,
        payments: None,
        closed,
        beside: Beside::default(),
        reserve: None,
    }
}

fn topology() -> Topology {
    load(include_str!("../../../topology.yaml"), None, |_| SchemaFiles::Unchecked).topology.unwrap()
}

/// What waits to be published: key and type.
async fn waiting(test: &TestStore) -> Vec<(String, String)> {
    let rows = test.waiting().await;
    rows.into_iter().map(|row| (row.key, row.event_type)).collect()
}

/// Publishes what waits under these keys.
async fn publish(test: &TestStore, keys: &[&str]) {
    let rows = test.waiting().await;
    let rows = rows.iter().filter(|row| keys.contains(&row.key.as_str()));
    let published: Vec<Published> =
        rows.map(|row| Published { seq: row.seq, partition: 0, offset: row.seq }).collect();
    let mut tx = test.store.tx();
    outbox::settle(&mut tx, &published, &[], UnixMillis::now()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn cancel_all(test: &TestStore, answered: &[&str]) -> Vec<String> {
    let there = async |asked: &[String]| {
        Ok(asked.iter().filter(|id| answered.contains(&id.as_str())).cloned().collect::<HashSet<_>>())
    };
    cancel(&settings(), &topology(), &test.store, there).await.unwrap()
}

async fn an_order_is_lost_when_neither_it_nor_its_answer_waits_to_be_published(test: TestStore) {
    let orders = ["ORD-1", "ORD-2", "ORD-3"].map(|id| placed(id, "CUST-1", "{}"));
    place(&test, &orders).await;
    publish(&test, &["ORD-1", "ORD-3"]).await;
    assert_eq!(cancel_all(&test, &["ORD-3"]).await, ["ORD-1"]);
    let statuses = async |id| store::order(&mut test.store.reading(), id).await.unwrap().unwrap().status;
    assert_eq!(statuses("ORD-1").await, Status::Cancelled);
    assert_eq!(statuses("ORD-2").await, Status::Pending);
    assert_eq!(statuses("ORD-3").await, Status::Pending);
    let told: Vec<String> =
        waiting(&test).await.into_iter().filter(|(key, _)| key == "ORD-1").map(|(_, kind)| kind).collect();
    assert_eq!(told, ["SendNotification", "CancelReservation"]);
    let heard = store::timeline(&mut test.store.reading(), "ORD-1", 1).await.unwrap();
    assert_eq!((heard[0].kind.as_str(), heard[0].reason.as_deref()), ("record-lost", Some(REASON)));
}

async fn the_inventory_is_told_again_until_it_answers(test: TestStore) {
    place(&test, &[placed("ORD-1", "CUST-1", "{}")]).await;
    publish(&test, &["ORD-1"]).await;
    assert_eq!(cancel_all(&test, &[]).await, ["ORD-1"]);
    let told =
        async || waiting(&test).await.into_iter().filter(|(_, kind)| kind == "CancelReservation").count();
    assert!(cancel_all(&test, &[]).await.is_empty());
    assert_eq!(told().await, 1, "what waits need not be said again");
    publish(&test, &["ORD-1"]).await;
    assert!(cancel_all(&test, &[]).await.is_empty());
    assert_eq!(waiting(&test).await, [("ORD-1".to_owned(), "CancelReservation".to_owned())]);
    publish(&test, &["ORD-1"]).await;
    let ledger = crate::services::order::testing::ledger(false, super::super::feed::Feed::default());
    let mut tx = test.store.tx();
    let answered = Heard {
        order: OrderId::new("ORD-1").unwrap(),
        happened: Happened::ReservationCancelled,
        event_id: None,
        place: None,
        traceparent: None,
    };
    ledger.enter(&mut tx, vec![answered]).await.unwrap();
    tx.commit().await.unwrap();
    assert!(cancel_all(&test, &[]).await.is_empty());
    assert_eq!(told().await, 0);
}
