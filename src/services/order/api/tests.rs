//! The API over both stores, without a socket.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower::ServiceExt;

use super::{Api, Token, routes};
use crate::event::Event;
use crate::messaging::Record;
use crate::runtime::http::{complete, observed};
use crate::runtime::relay::Wake;
use crate::runtime::{BatchOutcome, Handler, Tracing};
use crate::services::order::desk::{self, Clerk};
use crate::services::order::feed::Feed;
use crate::services::order::placing::tests::ORDER;
use crate::services::order::recent::Recent;
use crate::services::order::results::Results;
use crate::services::order::testing::{self, ledger, now};
use crate::store::testing::{TestStore, on_both_stores};

#[path = "stream_tests.rs"]
mod streams;

on_both_stores! { crate::services::order::store::MIGRATIONS;
    an_order_is_accepted_at_once_and_can_be_looked_at,
    what_is_wrong_with_an_order_is_a_problem_with_pointers,
    the_same_key_is_answered_the_same_and_another_body_refused,
    who_has_no_place_is_turned_away,
    a_store_that_is_away_is_a_503_that_tells_nothing,
    a_service_that_finishes_what_is_on_its_way_takes_no_new_orders,
    orders_of_a_customer_are_listed_page_by_page,
    the_timeline_tells_where_everything_came_from,
    without_the_token_nothing_is_shown,
}

struct World {
    app: Router,
    feed: Feed,
    results: Results,
    end: watch::Sender<bool>,
    close: watch::Sender<bool>,
    open: watch::Sender<Option<crate::store::Store>>,
    clerk: Option<Clerk>,
    working: Vec<JoinHandle<()>>,
}

fn world(test: &TestStore, token: Option<&str>) -> World {
    let (desk, clerk) = desk::open();
    let feed = Feed::default();
    let (open, store) = watch::channel(Some(test.store.clone()));
    let (end, ending) = watch::channel(false);
    let (close, closed) = watch::channel(false);
    let api = Api {
        feed: feed.clone(),
        store,
        token: token.map(Token::new),
        ending,
        closed,
        ..testing::api(test, desk)
    };
    let app = observed(complete(routes(api, super::Beside::default())), Tracing::default());
    let results = Results(ledger(false, feed.clone()));
    World { app, feed, results, end, open, close, clerk: Some(clerk), working: Vec::new() }
}

impl World {
    /// With somebody at the desk.
    fn staffed(mut self, test: &TestStore) -> Self {
        if let Some(clerk) = self.clerk.take() {
            let store = test.store.clone();
            self.working.push(tokio::spawn(clerk.run(store, Recent::default(), Wake::new(), now)));
        }
        self
    }

    async fn ask(&self, request: Request<Body>) -> Response<Body> {
        self.app.clone().oneshot(request).await.unwrap()
    }

    async fn get(&self, path: &str) -> Response<Body> {
        self.ask(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn post(&self, body: impl Into<Body>, key: Option<&str>) -> Response<Body> {
        self.ask(post(body, key)).await
    }

    /// Places an order; its id.
    async fn place(&self) -> String {
        let answer = self.post(ORDER, None).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        body(answer).await["orderId"].as_str().unwrap().to_owned()
    }

    /// What the inventory answers about an order.
    async fn hears(&self, test: &TestStore, answer: &Value, offset: i64) {
        let record = Record::at("results", 3, offset).holding(
            None,
            Some(answer.to_string().as_bytes()),
            [].into_iter(),
        );
        let mut tx = test.store.tx();
        let outcome = self.results.handle(&mut tx, &[record]).await;
        assert!(matches!(outcome, BatchOutcome::Done), "{outcome:?}");
        tx.commit().await.unwrap();
    }
}

fn post(body: impl Into<Body>, key: Option<&str>) -> Request<Body> {
    let mut request = Request::post("/orders").header("content-type", "application/json; charset=utf-8");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    request.body(body.into()).unwrap()
}

fn reserved(order: &str) -> Value {
    json!({"eventId": "evt-r", "eventType": "InventoryReserved", "orderId": order, "reservationId": "RES-1",
           "timestamp": "2024-09-01T10:15:31Z", "status": "RESERVED", "failureReason": null,
           "reservedItems": [{"productId": "PROD-101", "quantity": 2}]})
}

fn failed(order: &str) -> Value {
    json!({"eventId": "evt-f", "eventType": "InventoryFailed", "orderId": order, "timestamp": "2024-09-01T10:15:31Z",
           "status": "FAILED", "failureReason": "Insufficient stock for PROD-101", "reservedItems": []})
}

async fn body(answer: Response<Body>) -> Value {
    serde_json::from_slice(&to_bytes(answer.into_body(), 1 << 20).await.unwrap()).unwrap()
}

fn header<'a>(answer: &'a Response<Body>, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// The problem's own name.
async fn problem(answer: Response<Body>) -> (u16, String) {
    assert_eq!(header(&answer, "content-type"), "application/problem+json");
    let status = answer.status().as_u16();
    let body = body(answer).await;
    assert_eq!(body["status"], status);
    (status, body["type"].as_str().unwrap().replace("urn:kafkaflow:problem:", ""))
}

async fn an_order_is_accepted_at_once_and_can_be_looked_at(test: TestStore) {
    let world = world(&test, None).staffed(&test);
    let answer = world.post(ORDER, None).await;
    assert_eq!((answer.status().as_u16(), header(&answer, "retry-after")), (202, "2"));
    let location = header(&answer, "location").to_owned();
    let said = body(answer).await;
    let id = said["orderId"].as_str().unwrap().to_owned();
    assert_eq!(location, format!("/orders/{id}"));
    assert_eq!(said["status"], "PENDING");
    assert_eq!(said["message"], "Your order is being confirmed. This usually takes a few seconds.");
    let rows = test.waiting().await;
    let Event::OrderPlaced(event) = Event::from_json(rows[0].payload.as_bytes()).unwrap() else { panic!() };
    assert_eq!(
        (event.order_id.as_str(), event.items.total().to_string()),
        (id.as_str(), "119.93".to_owned())
    );
    assert_eq!((rows[0].key.as_str(), rows[0].topic.as_str()), (id.as_str(), "orders"));

    let answer = world.get(&location).await;
    assert_eq!(
        (answer.status().as_u16(), header(&answer, "etag"), header(&answer, "retry-after")),
        (200, "\"1\"", "2")
    );
    let order = body(answer).await;
    assert_eq!((&order["totalAmount"], &order["version"]), (&json!(119.93), &json!(1)));
    assert_eq!(order["items"][1], json!({"productId": "PROD-205", "quantity": 1, "unitPrice": 19.95}));
    assert_eq!(order["shippingAddress"]["zip"], "78701");
    let unchanged =
        Request::get(&location).header("if-none-match", "\"7\", W/\"1\"").body(Body::empty()).unwrap();
    let answer = world.ask(unchanged).await;
    assert_eq!((answer.status().as_u16(), header(&answer, "etag")), (304, "\"1\""));

    world.hears(&test, &reserved(&id), 1).await;
    let changed = Request::get(&location).header("if-none-match", "\"1\"").body(Body::empty()).unwrap();
    let answer = world.ask(changed).await;
    assert_eq!((header(&answer, "etag"), header(&answer, "retry-after")), ("\"2\"", ""));
    let order = body(answer).await;
    assert_eq!((&order["status"], &order["reservationId"]), (&json!("CONFIRMED"), &json!("RES-1")));
    assert_eq!(problem(world.get("/orders/ORD-nobody").await).await, (404, "unknown-order".to_owned()));
}

async fn what_is_wrong_with_an_order_is_a_problem_with_pointers(test: TestStore) {
    let world = world(&test, None).staffed(&test);
    let answer = world
        .post(ORDER.replace("PROD-205", "PROD-999").replace("\"quantity\": 2", "\"quantity\": -1"), None)
        .await;
    assert_eq!(answer.status().as_u16(), 422);
    let said = body(answer).await;
    let pointers: Vec<&str> =
        said["errors"].as_array().unwrap().iter().map(|one| one["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/items/0/quantity"], "{said}");
    let unknown = world.post(ORDER.replace("PROD-205", "PROD-999"), None).await;
    assert_eq!(body(unknown).await["errors"][0]["pointer"], "/items/1/productId");
    for (text, expected) in
        [("{", (400, "no-json")), ("[]", (422, "invalid-order")), ("\u{feff}{}", (400, "no-json"))]
    {
        let (status, slug) = problem(world.post(text, None).await).await;
        assert_eq!((status, slug.as_str()), expected, "{text}");
    }
    let large = ORDER.replace("123 Main St", &"x".repeat(70_000));
    assert_eq!(problem(world.post(large, None).await).await, (413, "too-large".to_owned()));
    let form = Request::post("/orders").header("content-type", "text/plain").body(Body::from(ORDER)).unwrap();
    assert_eq!(problem(world.ask(form).await).await, (415, "media-type".to_owned()));
    for key in ["", &"k".repeat(256), "k\u{e9}"] {
        assert_eq!(
            problem(world.post(ORDER, Some(key)).await).await,
            (400, "idempotency-key".to_owned()),
            "{key}"
        );
    }
    for query in
        ["", "?customerId=", "?customerId=a&limit=0", "?customerId=a&limit=101", "?customerId=a&cursor=x"]
    {
        assert_eq!(
            problem(world.get(&format!("/orders{query}")).await).await,
            (400, "query".to_owned()),
            "{query}"
        );
    }
    assert_eq!(problem(world.get("/orders?customerId=a&customerId=b").await).await.0, 400);
    assert_eq!(problem(world.get("/orders/%00").await).await, (404, "unknown-order".to_owned()));
    assert_eq!(problem(world.get("/orders/%ff").await).await.0, 400);
}

async fn the_same_key_is_answered_the_same_and_another_body_refused(test: TestStore) {
    let world = world(&test, None).staffed(&test);
    let first = world.post(ORDER, Some("key-1")).await;
    let (location, first) = (header(&first, "location").to_owned(), body(first).await);
    let again = world.post(ORDER.replace(": ", ":"), Some("key-1")).await;
    assert_eq!((again.status().as_u16(), header(&again, "location")), (202, location.as_str()));
    assert_eq!(body(again).await, first);
    let other = world.post(ORDER.replace("CUST-42", "CUST-43"), Some("key-1")).await;
    assert_eq!(problem(other).await, (422, "idempotency-key-reused".to_owned()));
    let new = body(world.post(ORDER, Some("key-2")).await).await;
    assert_ne!(new["orderId"], first["orderId"]);
}

async fn who_has_no_place_is_turned_away(test: TestStore) {
    // Nobody works at the desk yet.
    let world = world(&test, None);
    let mut waiting = Vec::new();
    let hand_in = |key: Option<&str>| {
        let mut asked = Box::pin(world.app.clone().oneshot(post(ORDER, key)));
        let first = futures_util::FutureExt::now_or_never(&mut asked);
        (first, asked)
    };
    let (first, asked) = hand_in(Some("key-1"));
    assert!(first.is_none(), "it waits");
    waiting.push(asked);
    assert_eq!(
        problem(world.post(ORDER, Some("key-1")).await).await,
        (409, "idempotency-key-in-progress".to_owned())
    );
    let busy = loop {
        match hand_in(None) {
            (Some(answer), _) => break answer.unwrap(),
            (None, asked) => waiting.push(asked),
        }
    };
    assert_eq!(header(&busy, "retry-after"), "1");
    assert_eq!(problem(busy).await, (503, "busy".to_owned()));
    assert!(waiting.len() > 1000);
    // A client that does not wait any more has its order all the same, and its key is in use until it is written.
    drop(waiting.drain(..1));
    assert_eq!(problem(world.post(ORDER, Some("key-1")).await).await.0, 409);
    let world = world.staffed(&test);
    for asked in waiting {
        assert_eq!(asked.await.unwrap().status().as_u16(), 202);
    }
    assert_eq!(world.post(ORDER, Some("key-1")).await.status().as_u16(), 202);
}

async fn a_store_that_is_away_is_a_503_that_tells_nothing(test: TestStore) {
    let world = world(&test, None).staffed(&test);
    let id = world.place().await;
    test.store.close().await;
    for answer in [
        world.post(ORDER, None).await,
        world.get(&format!("/orders/{id}")).await,
        world.get("/orders?customerId=c").await,
    ] {
        assert_eq!(header(&answer, "retry-after"), "1");
        let status = answer.status();
        let said = body(answer).await;
        assert_eq!(
            (status.as_u16(), &said["detail"]),
            (503, &json!("the store does not answer; nothing was lost"))
        );
    }
    world.open.send_replace(None);
    assert_eq!(problem(world.get(&format!("/orders/{id}")).await).await, (503, "store".to_owned()));
}

async fn a_service_that_finishes_what_is_on_its_way_takes_no_new_orders(test: TestStore) {
    let world = world(&test, None).staffed(&test);
    let id = body(world.post(ORDER.to_owned(), None).await).await["orderId"].as_str().unwrap().to_owned();
    world.close.send_replace(true);
    assert_eq!(problem(world.post(ORDER.to_owned(), None).await).await, (503, "ending".to_owned()));
    assert_eq!(world.get(&format!("/orders/{id}")).await.status(), 200);
}

async fn orders_of_a_customer_are_listed_page_by_page(test: TestStore) {
    let world = world(&test, None).staffed(&test);
    let mut placed = Vec::new();
    for _ in 0..5 {
        let order = ORDER.replace("CUST-42", "C & \u{e9}");
        placed.push(body(world.post(order, None).await).await["orderId"].as_str().unwrap().to_owned());
    }
    let mut next = Some("/orders?customerId=C%20%26%20%C3%A9&limit=2".to_owned());
    let mut listed = Vec::new();
    while let Some(path) = next {
        let answer = world.get(&path).await;
        let link = header(&answer, "link").to_owned();
        let page = body(answer).await;
        let orders = page["orders"].as_array().unwrap();
        assert!(orders.len() <= 2);
        listed.extend(orders.iter().map(|order| order["orderId"].as_str().unwrap().to_owned()));
        next = page["next"].as_str().map(ToOwned::to_owned);
        assert_eq!(link, next.as_ref().map_or(String::new(), |next| format!("<{next}>; rel=\"next\"")));
    }
    placed.sort();
    listed.sort();
    assert_eq!(listed, placed);
    assert_eq!(body(world.get("/orders?customerId=nobody").await).await, json!({"orders": []}));
}

async fn the_timeline_tells_where_everything_came_from(test: TestStore) {
    let world = world(&test, None).staffed(&test);
    let id = world.place().await;
    world.hears(&test, &reserved(&id), 7).await;
    let timeline = body(world.get(&format!("/orders/{id}/timeline")).await).await;
    let entries = timeline["entries"].as_array().unwrap();
    assert_eq!((entries.len(), &entries[0]["kind"]), (2, &json!("placed")));
    assert_eq!(
        (&entries[1]["kind"], &entries[1]["heardAt"]),
        (&json!("inventory-reserved"), &json!("results/3/7"))
    );
    assert_eq!(problem(world.get("/orders/x/timeline").await).await, (404, "unknown-order".to_owned()));
}

async fn without_the_token_nothing_is_shown(test: TestStore) {
    let world = world(&test, Some("secret")).staffed(&test);
    let with = |token: &str| {
        let request = Request::get("/orders?customerId=c").header("authorization", token);
        request.body(Body::empty()).unwrap()
    };
    let refused = world.get("/orders?customerId=c").await;
    assert_eq!(header(&refused, "www-authenticate"), "Bearer");
    assert_eq!(problem(refused).await, (401, "unauthorized".to_owned()));
    assert_eq!(problem(world.post(ORDER, None).await).await, (401, "unauthorized".to_owned()));
    assert_eq!(problem(world.ask(with("Bearer other")).await).await, (401, "unauthorized".to_owned()));
    for token in ["Bearer secret", "bearer secret"] {
        assert_eq!(world.ask(with(token)).await.status().as_u16(), 200);
    }
}
