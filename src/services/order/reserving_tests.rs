//! Orders whose clients wait for the inventory, over both stores; the inventory is a server that says what a test wants.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::runtime::Tracing;
use crate::runtime::http::{complete, observed};
use crate::services::order::api::{Api, Beside, routes};
use crate::services::order::desk;
use crate::services::order::feed::Feed;
use crate::services::order::ids::OrderIds;
use crate::services::order::placing::tests::ORDER;
use crate::services::order::recent::Recent;
use crate::services::order::testing::{self, ledger, place, placed};
use crate::store::testing::{TestStore, on_both_stores};

on_both_stores! { crate::services::order::store::MIGRATIONS;
    who_waits_is_told_the_outcome_and_the_same_again_under_the_same_key,
    without_an_answer_the_order_is_cancelled_and_what_may_be_reserved_is_given_back,
    what_nobody_waits_for_any_more_is_swept_up,
}

/// What the inventory does.
type Says = fn(&Value) -> (u16, Value);

fn reserves(order: &Value) -> (u16, Value) {
    let items: Vec<Value> = order["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| json!({"productId": item["productId"], "quantity": item["quantity"]}))
        .collect();
    let answer = json!({"eventId": "evt-r", "eventType": "InventoryReserved", "orderId": order["orderId"],
        "reservationId": "RES-1", "timestamp": "2024-09-01T10:15:31Z", "status": "RESERVED", "failureReason": null,
        "reservedItems": items});
    (201, answer)
}

fn refuses(order: &Value) -> (u16, Value) {
    let answer = json!({"eventId": "evt-f", "eventType": "InventoryFailed", "orderId": order["orderId"],
        "timestamp": "2024-09-01T10:15:31Z", "status": "FAILED", "failureReason": "Insufficient stock for PROD-101",
        "reservedItems": []});
    (409, answer)
}

fn breaks(_: &Value) -> (u16, Value) {
    (503, json!({}))
}

async fn inventory(says: Says) -> Inventory {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/reservations", listener.local_addr().unwrap());
    let route = post(move |body: String| async move {
        let (status, answer) = says(&serde_json::from_str(&body).unwrap());
        (StatusCode::from_u16(status).unwrap(), answer.to_string())
    });
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/reservations", route)).await });
    Inventory::new(url.parse().unwrap(), None, Duration::from_secs(10)).unwrap()
}

fn reserving(inventory: Inventory) -> Reserving {
    let give_up = GiveUp {
        ledger: ledger(false, Feed::default()),
        commands: "commands".to_owned(),
        reason: REASON,
        saga: "unanswered",
    };
    Reserving { inventory, give_up, wake: Wake::new() }
}

fn app(test: &TestStore, reserving: Reserving) -> Router {
    let (desk, clerk) = desk::open();
    tokio::spawn(clerk.run(
        test.store.clone(),
        Recent::default(),
        Wake::new(),
        crate::services::order::testing::now,
    ));
    let api = Api { reserving: Some(reserving), ..testing::api(test, desk) };
    observed(complete(routes(api, Beside::default())), Tracing::default())
}

async fn order(app: &Router, key: &str) -> (u16, Value) {
    let request = Request::post("/orders").header("content-type", "application/json");
    let request = request.header("idempotency-key", key).body(Body::from(ORDER)).unwrap();
    let answer = app.clone().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&to_bytes(answer.into_body(), 1 << 20).await.unwrap()).unwrap())
}

/// What waits to be published: its topic and type.
async fn waiting(test: &TestStore) -> Vec<(String, String)> {
    let rows = test.waiting().await;
    rows.into_iter().map(|row| (row.topic, row.event_type)).collect()
}

fn row(topic: &str, kind: &str) -> (String, String) {
    (topic.to_owned(), kind.to_owned())
}

async fn who_waits_is_told_the_outcome_and_the_same_again_under_the_same_key(test: TestStore) {
    let happy = app(&test, reserving(inventory(reserves).await));
    let (status, confirmed) = order(&happy, "one").await;
    assert_eq!((status, &confirmed["status"]), (201, &"CONFIRMED".into()), "{confirmed}");
    assert_eq!(order(&happy, "one").await, (201, confirmed));
    let sold_out = app(&test, reserving(inventory(refuses).await));
    let (status, cancelled) = order(&sold_out, "two").await;
    assert_eq!(
        (status, &cancelled["status"], &cancelled["reason"]),
        (201, &"CANCELLED".into(), &"Insufficient stock for PROD-101".into())
    );
    // No order is announced: nobody is to reserve for it a second time. Its customer is told.
    let told = row("notifications", "SendNotification");
    assert_eq!(waiting(&test).await, [told.clone(), told]);
}

async fn without_an_answer_the_order_is_cancelled_and_what_may_be_reserved_is_given_back(test: TestStore) {
    let app = app(&test, reserving(inventory(breaks).await));
    let (status, problem) = order(&app, "one").await;
    assert_eq!((status, &problem["type"]), (503, &"urn:kafkaflow:problem:inventory".into()), "{problem}");
    let (status, cancelled) = order(&app, "one").await;
    assert_eq!(
        (status, &cancelled["status"], &cancelled["reason"]),
        (201, &"CANCELLED".into(), &REASON.into())
    );
    assert_eq!(
        waiting(&test).await,
        [row("notifications", "SendNotification"), row("commands", "CancelReservation")]
    );
}

async fn what_nobody_waits_for_any_more_is_swept_up(test: TestStore) {
    let asked =
        |id: &str, at: UnixMillis| store::Placed { announcement: None, at, ..placed(id, "CUST-42", "{}") };
    let now = UnixMillis::now();
    let (abandoned, recent) =
        (format!("{}-abandoned", order_id_of(now.before(ABANDONED * 2))), OrderIds::new(12, 0).draw(now));
    let announced = format!("{}-announced", order_id_of(now.before(ABANDONED * 2)));
    let orders = [
        asked(&abandoned, now.before(ABANDONED * 2)),
        asked(recent.as_str(), now),
        store::Placed { at: now.before(ABANDONED * 2), ..placed(&announced, "CUST-42", "{}") },
    ];
    place(&test, &orders).await;
    let reserving = reserving(inventory(breaks).await);
    assert_eq!(reserving.sweep_once(&test.store, now, RECENT).await.unwrap(), 1);
    assert_eq!(reserving.sweep_once(&test.store, now, STOPPED).await.unwrap(), 0);
    let status = async |id: &str| {
        store::order(&mut test.store.glance(), id).await.unwrap().unwrap().status.name().to_owned()
    };
    assert_eq!(
        (status(&abandoned).await, status(recent.as_str()).await, status(&announced).await),
        ("CANCELLED".to_owned(), "PENDING".to_owned(), "PENDING".to_owned())
    );
}
