//! Streams of an order's events.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::Request;
use futures_util::StreamExt;

use super::{failed, header, problem, reserved, world};
use crate::store::testing::{TestStore, on_both_stores};

on_both_stores! { crate::services::order::store::MIGRATIONS;
    a_stream_tells_what_happens_and_ends_when_nothing_can,
    a_stream_goes_on_where_it_was_left,
    a_change_by_another_instance_reaches_the_stream,
}

/// The next event of a stream; `None`: it has ended.
async fn event(stream: &mut BodyDataStream) -> Option<String> {
    let chunk =
        tokio::time::timeout(Duration::from_secs(30), stream.next()).await.expect("an event or the end");
    chunk.map(|chunk| String::from_utf8(chunk.unwrap().to_vec()).unwrap())
}

async fn a_stream_tells_what_happens_and_ends_when_nothing_can(test: TestStore) {
    let world = world(&test, None).staffed(&test);
    let id = world.place().await;
    let answer = world.get(&format!("/orders/{id}/events")).await;
    assert_eq!(
        (header(&answer, "content-type"), header(&answer, "cache-control")),
        ("text/event-stream", "no-store")
    );
    let mut stream = answer.into_body().into_data_stream();
    let first = event(&mut stream).await.unwrap();
    assert!(
        first.contains("id: 1\n") && first.contains("event: status\n") && first.contains("retry: 2000\n"),
        "{first}"
    );
    assert!(first.contains("\"status\":\"PENDING\""), "{first}");
    assert_eq!(world.feed.waited_for(), 1);
    world.hears(&test, &failed(&id), 1).await;
    let second = event(&mut stream).await.unwrap();
    assert!(
        second.contains("\"status\":\"CANCELLED\"") && second.contains("Insufficient stock for PROD-101"),
        "{second}"
    );
    assert_eq!(event(&mut stream).await, None);
    drop(stream);
    assert_eq!(world.feed.waited_for(), 0);
    let back = Request::get(format!("/orders/{id}/events"))
        .header("last-event-id", "2")
        .body(Body::empty())
        .unwrap();
    assert_eq!(world.ask(back).await.status().as_u16(), 204);
    assert_eq!(
        problem(world.get("/orders/ORD-nobody/events").await).await,
        (404, "unknown-order".to_owned())
    );
    assert_eq!(world.feed.waited_for(), 0);
}

async fn a_stream_goes_on_where_it_was_left(test: TestStore) {
    let world = world(&test, None).staffed(&test);
    let id = world.place().await;
    world.hears(&test, &reserved(&id), 1).await;
    world.hears(&test, &failed(&id), 2).await;
    let back = Request::get(format!("/orders/{id}/events"))
        .header("last-event-id", "1")
        .body(Body::empty())
        .unwrap();
    let mut stream = world.ask(back).await.into_body().into_data_stream();
    let second = event(&mut stream).await.unwrap();
    assert!(second.contains("id: 2\n") && second.contains("\"status\":\"CONFIRMED\""), "{second}");
    let third = event(&mut stream).await.unwrap();
    assert!(
        third.contains("event: note\n") && third.contains("\"ignored\":\"the order waits for no stock"),
        "{third}"
    );
    // It stays open: a refund may follow. Until the service ends.
    world.end.send_replace(true);
    assert_eq!(event(&mut stream).await, None);
}

async fn a_change_by_another_instance_reaches_the_stream(test: TestStore) {
    let (here, elsewhere) = (world(&test, None).staffed(&test), world(&test, None));
    let id = here.place().await;
    let mut stream = here.get(&format!("/orders/{id}/events")).await.into_body().into_data_stream();
    event(&mut stream).await.unwrap();
    elsewhere.hears(&test, &reserved(&id), 1).await;
    here.feed.look(&test.store).await.unwrap();
    assert!(event(&mut stream).await.unwrap().contains("CONFIRMED"));
}
