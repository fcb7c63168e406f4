//! Reservations by a call, over both stores.

use axum::body::to_bytes;
use axum::http::Request;
use serde_json::Value;
use tower::ServiceExt;

use super::*;
use crate::runtime::Tracing;
use crate::runtime::http::{complete, observed};
use crate::services::inventory::store::open;
use crate::services::inventory::testing::{Counted, judge, settings};
use crate::store::testing::{TestStore, on_both_stores};

on_both_stores! { crate::services::inventory::MIGRATIONS;
    an_order_is_answered_by_the_event_that_its_topic_would_have_had,
    what_is_no_order_is_refused_with_everything_that_is_wrong,
    orders_that_meet_at_a_product_share_it_out_and_never_more,
    only_who_has_the_token_reserves,
}

async fn app(test: &TestStore, token: Option<&str>) -> Router {
    let mut tx = test.store.tx();
    open(&mut tx, &[("PROD-101", 5), ("PROD-205", 1)]).await.unwrap();
    tx.commit().await.unwrap();
    let api = Api {
        inventory: Arc::new(Inventory::new(settings(judge()), Counted::default())),
        judge: Arc::new(judge()),
        store: watch::channel(Some(test.store.clone())).1,
        wake: Wake::new(),
    };
    observed(complete(routes(api, token.map(Token::new))), Tracing::default())
}

fn placed(order: &str, product: &str, quantity: u32) -> String {
    format!(
        r#"{{"eventId":"evt-{order}","eventType":"OrderPlaced","orderId":"{order}","customerId":"CUST-42",
            "timestamp":"2024-09-01T10:15:30Z","totalAmount":{quantity},
            "items":[{{"productId":"{product}","quantity":{quantity},"unitPrice":1}}],
            "shippingAddress":{{"street":"123 Main St","city":"Austin","state":"TX","zip":"78701"}}}}"#,
    )
}

async fn post(app: &Router, body: String) -> (u16, Value) {
    let answer =
        app.clone().oneshot(Request::post("/reservations").body(Body::from(body)).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&to_bytes(answer.into_body(), 1 << 20).await.unwrap()).unwrap())
}

async fn waiting(test: &TestStore) -> Vec<String> {
    let rows = test.waiting().await;
    rows.into_iter().map(|row| row.event_type).collect()
}

async fn an_order_is_answered_by_the_event_that_its_topic_would_have_had(test: TestStore) {
    let app = app(&test, None).await;
    let (status, answer) = post(&app, placed("ORD-1", "PROD-101", 2)).await;
    assert_eq!(
        (status, &answer["eventType"], &answer["orderId"]),
        (201, &"InventoryReserved".into(), &"ORD-1".into())
    );
    let reservation = answer["reservationId"].clone();
    assert_eq!(waiting(&test).await, Vec::<String>::new());
    let (status, answer) = post(&app, placed("ORD-1", "PROD-101", 2)).await;
    assert_eq!((status, &answer["reservationId"]), (201, &reservation), "asked twice");
    let (status, answer) = post(&app, placed("ORD-2", "PROD-205", 2)).await;
    assert_eq!((status, &answer["failureReason"]), (409, &"Insufficient stock for PROD-205".into()));
    assert_eq!(waiting(&test).await, ["SendNotification"], "operations are told");
}

async fn what_is_no_order_is_refused_with_everything_that_is_wrong(test: TestStore) {
    let app = app(&test, None).await;
    let (status, problem) = post(&app, placed("ORD-1", "PROD-101", 0).replace("CUST-42", "")).await;
    assert_eq!(status, 422);
    let pointers: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|one| one["pointer"].as_str().unwrap()).collect();
    assert!(pointers.contains(&"/customerId") && pointers.contains(&"/items/0/quantity"), "{problem}");
    assert_eq!(post(&app, "no JSON".to_owned()).await.0, 422);
    let other = r#"{"eventId":"e","eventType":"InventoryFailed","orderId":"ORD-1","timestamp":"2024-09-01T10:15:31Z",
        "status":"FAILED","failureReason":"none","reservedItems":[]}"#;
    let (status, problem) = post(&app, other.to_owned()).await;
    assert_eq!(
        (status, &problem["detail"]),
        (422, &"expected an OrderPlaced, found an InventoryFailed".into())
    );
}

async fn orders_that_meet_at_a_product_share_it_out_and_never_more(test: TestStore) {
    let app = app(&test, None).await;
    let asked = (0..20).map(|n| {
        let app = app.clone();
        async move { post(&app, placed(&format!("ORD-{n}"), "PROD-101", 1)).await.0 }
    });
    let answers = futures_util::future::join_all(asked).await;
    let count = |status: u16| answers.iter().filter(|answer| **answer == status).count();
    assert_eq!((count(201), count(409)), (5, 15), "{answers:?}");
}

async fn only_who_has_the_token_reserves(test: TestStore) {
    let app = app(&test, Some("secret")).await;
    assert_eq!(post(&app, placed("ORD-1", "PROD-101", 1)).await.0, 401);
    let request = Request::post("/reservations").header("authorization", "Bearer secret");
    let answer =
        app.oneshot(request.body(Body::from(placed("ORD-1", "PROD-101", 1))).unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
}
