use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Extension;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;

use super::{Limits, Operations, Served, complete, observed, operations, serve};
use crate::runtime::health::Health;
use crate::runtime::trace::{Tracing, testing};
use crate::store::testing::{EFFECTS, TestStore};

/// A server that is told to end when this is dropped.
struct Server {
    address: std::net::SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    ended: JoinHandle<()>,
}

impl Server {
    async fn start(app: Router, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let ended = tokio::spawn(serve(listener, complete(app), limits, async {
            let _ = stopped.await;
        }));
        Self { address, stop: Some(stop), ended }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// What is answered until the server closes the connection.
    async fn answer(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        all_of(&mut stream).await
    }

    async fn get(&self, path: &str) -> String {
        self.answer(&format!("GET {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n")).await
    }

    async fn end(mut self) {
        drop(self.stop.take());
        self.ended.await.unwrap();
    }
}

async fn all_of(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset is an end too.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

fn hello() -> Router {
    Router::new().route("/hello", get(|| async { "hello" }))
}

#[tokio::test]
async fn what_is_not_there_is_answered_by_a_problem() {
    let server = Server::start(hello(), Limits::default()).await;
    let missing = server.get("/nothing").await;
    assert!(missing.starts_with("HTTP/1.1 404 "), "{missing}");
    assert!(missing.contains("content-type: application/problem+json"), "{missing}");
    assert!(missing.contains("\"type\":\"urn:kafkaflow:problem:not-found\""), "{missing}");
    let method = server.answer("DELETE /hello HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n").await;
    assert!(method.starts_with("HTTP/1.1 405 ") && method.contains("problem:method-not-allowed"), "{method}");
    server.end().await;
}

#[tokio::test]
async fn a_client_that_never_ends_its_head_is_sent_away() {
    let limits = Limits { head: Duration::from_millis(100), ..Limits::default() };
    let server = Server::start(hello(), limits).await;
    for said in ["", "GET /hello HTTP/1.1\r\nhost: t\r\nx-slow: "] {
        let mut stream = server.connect().await;
        stream.write_all(said.as_bytes()).await.unwrap();
        let answer = all_of(&mut stream).await;
        assert!(!answer.contains("200"), "{answer}");
    }
    // Nor does one that rests between two requests stay for ever.
    let mut stream = server.connect().await;
    stream.write_all(b"GET /hello HTTP/1.1\r\nhost: t\r\n\r\n").await.unwrap();
    assert!(all_of(&mut stream).await.ends_with("hello"));
    server.end().await;
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let server = Server::start(hello(), Limits::default()).await;
    let large = format!("GET /hello HTTP/1.1\r\nhost: t\r\nx: {}\r\n\r\n", "x".repeat(70_000));
    let many = format!("GET /hello HTTP/1.1\r\nhost: t\r\n{}\r\n", "x: y\r\n".repeat(100));
    let path = format!("GET /{} HTTP/1.1\r\nhost: t\r\n\r\n", "x".repeat(70_000));
    for request in [large, many, path] {
        let answer = server.answer(&request).await;
        // Or the connection is reset before the answer was read.
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 431 ") || answer.starts_with("HTTP/1.1 414 "),
            "{answer}"
        );
    }
    assert!(server.get("/hello").await.ends_with("hello"));
    server.end().await;
}

#[tokio::test]
async fn a_client_that_hangs_up_half_way_costs_nothing() {
    let server = Server::start(hello(), Limits { connections: 1, ..Limits::default() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"POST /hello HTTP/1.1\r\nhost: t\r\ncontent-length: 10\r\n\r\nhalf").await.unwrap();
    stream.shutdown().await.unwrap();
    all_of(&mut stream).await;
    drop(stream);
    // Its place is free again, at once or after the server has seen the end.
    while !server.get("/hello").await.ends_with("hello") {
        tokio::task::yield_now().await;
    }
    server.end().await;
}

#[tokio::test]
async fn more_connections_than_there_are_places_are_refused_at_once() {
    let server = Server::start(hello(), Limits { connections: 2, ..Limits::default() }).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = server.connect().await;
        stream.write_all(b"GET /hello HTTP/1.1\r\nhost: t\r\n\r\n").await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        held.push(stream);
    }
    let mut stream = server.connect().await;
    let refused = all_of(&mut stream).await;
    let (top, body) = refused.split_once("\r\n\r\n").unwrap();
    assert!(top.starts_with("HTTP/1.1 503 ") && top.contains("retry-after: 1"), "{top}");
    assert!(top.contains(&format!("content-length: {}", body.len())), "{refused}");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["type"], "urn:kafkaflow:problem:busy");
    drop(held);
    while !server.get("/hello").await.ends_with("hello") {
        tokio::task::yield_now().await;
    }
    server.end().await;
}

#[tokio::test]
async fn requests_in_hand_are_finished_when_the_server_ends() {
    let (reached, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = {
        let (reached, go) = (Arc::clone(&reached), Arc::clone(&go));
        move || {
            let (reached, go) = (Arc::clone(&reached), Arc::clone(&go));
            async move {
                reached.notify_one();
                go.notified().await;
                "done"
            }
        }
    };
    let app = Router::new().route("/slow", get(slow));
    let server = Server::start(app, Limits { grace: Duration::from_secs(60), ..Limits::default() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /slow HTTP/1.1\r\nhost: t\r\n\r\n").await.unwrap();
    reached.notified().await;
    let answered = tokio::spawn(async move { all_of(&mut stream).await });
    let ending = tokio::spawn(server.end());
    go.notify_one();
    assert!(answered.await.unwrap().ends_with("done"));
    ending.await.unwrap();
}

#[tokio::test]
async fn a_service_says_how_it_is_and_whether_it_is_ready() {
    let (open, store) = watch::channel(None);
    let (end, ending) = watch::channel(false);
    let health = Health::new();
    health.fine("relay", "it has 64 of 64 keys' buckets");
    let of = Operations { service: "order-service", health: health.clone(), measured: None, store, ending };
    let server = Server::start(operations(of), Limits::default()).await;
    let not_open = server.get("/readyz").await;
    assert!(
        not_open.starts_with("HTTP/1.1 503 ") && not_open.contains("the store is not open yet"),
        "{not_open}"
    );
    assert!(not_open.contains("retry-after: 5"), "{not_open}");
    let test = TestStore::sqlite(EFFECTS).await;
    open.send_replace(Some(test.store.clone()));
    assert!(server.get("/readyz").await.ends_with("{\"status\":\"ready\"}"));
    let fine = server.get("/healthz").await;
    let expected = "{\"service\":\"order-service\",\"status\":\"ok\",\"parts\":{\
                    \"relay\":{\"status\":\"ok\",\"detail\":\"it has 64 of 64 keys' buckets\"},\
                    \"store\":{\"status\":\"ok\",\"detail\":\"it answers\"}}}";
    assert!(fine.starts_with("HTTP/1.1 200 ") && fine.ends_with(expected), "{fine}");
    health.troubled("relay", "3 rows are not acknowledged");
    let troubled = server.get("/healthz").await;
    assert!(
        troubled.starts_with("HTTP/1.1 200 ") && troubled.contains("\"status\":\"troubled\",\"parts\""),
        "{troubled}"
    );
    assert!(server.get("/readyz").await.starts_with("HTTP/1.1 200 "), "what requests need is there");
    test.store.close().await;
    assert!(server.get("/readyz").await.starts_with("HTTP/1.1 503 "));
    end.send_replace(true);
    assert!(server.get("/readyz").await.contains("the service is ending"));
    server.end().await;
}

#[tokio::test]
async fn a_request_is_served_in_a_span_of_its_callers_trace() {
    let trace =
        |Extension(served): Extension<Served>| async move { served.traceparent().unwrap_or_default() };
    let routes = Router::new().route("/orders/{id}", post(trace));
    let caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let request =
        format!("POST /orders/7 HTTP/1.1\r\nhost: t\r\ntraceparent: {caller}\r\nconnection: close\r\n\r\n");
    let server = Server::start(observed(routes.clone(), Tracing::default()), Limits::default()).await;
    assert!(server.answer(&request).await.ends_with(caller), "handed on as it came");
    server.end().await;
    let (tracing, exporter) = testing::kept();
    let server = Server::start(observed(routes, tracing), Limits::default()).await;
    let answer = server.answer(&request).await;
    let spans = exporter.get_finished_spans().unwrap();
    assert_eq!((spans.len(), spans[0].name.as_ref()), (1, "POST /orders/{id}"));
    let id = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{}-01", spans[0].span_context.span_id());
    assert!(answer.ends_with(&id), "{answer}");
    server.end().await;
}
