//! A connection that places one order after the other, as cheaply as a client can.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// An order that was taken.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) id: String,
    /// Whether the answer is its outcome already.
    pub(crate) settled: bool,
}

pub(crate) struct Connection {
    address: String,
    sender: SendRequest<Full<Bytes>>,
}

async fn connect(address: &str) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.expect("the service listens");
    stream.set_nodelay(true).expect("a socket's option");
    let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("HTTP");
    tokio::spawn(async move {
        // Whoever waits for an answer is told.
        let _ = connection.await;
    });
    sender
}

impl Connection {
    pub(crate) async fn open(address: &str) -> Self {
        Self { address: address.to_owned(), sender: connect(address).await }
    }

    /// The order, where it was taken.
    pub(crate) async fn place(&mut self, customer: &str, product: &str) -> Option<Placed> {
        let body = format!(
            r#"{{"customerId":"{customer}","items":[{{"productId":"{product}","quantity":1}}],"shippingAddress":{{"street":"123 Main St","city":"Austin","state":"TX","zip":"78701"}}}}"#
        );
        if self.sender.ready().await.is_err() {
            self.sender = connect(&self.address).await;
        }
        let request = Request::post("/orders")
            .header("host", &self.address)
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .expect("a request");
        let answer = self.sender.send_request(request).await.ok()?;
        let status = answer.status();
        let body = answer.into_body().collect().await.ok()?.to_bytes();
        if status != StatusCode::ACCEPTED && status != StatusCode::CREATED {
            return None;
        }
        let answer: serde_json::Value = serde_json::from_slice(&body).ok()?;
        Some(Placed { id: answer["orderId"].as_str()?.to_owned(), settled: status == StatusCode::CREATED })
    }
}

/// Waits until the order's events tell another status than PENDING.
pub(crate) async fn follow(address: &str, id: &str) -> bool {
    let mut sender = connect(address).await;
    let request = Request::get(format!("/orders/{id}/events"))
        .header("host", address)
        .header("accept", "text/event-stream")
        .body(Full::new(Bytes::new()))
        .expect("a request");
    let Ok(answer) = sender.send_request(request).await else { return false };
    let mut body = answer.into_body();
    let mut told = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        if let Ok(data) = frame.into_data() {
            told.extend_from_slice(&data);
            let text = String::from_utf8_lossy(&told);
            let is_outcome = |line: &str| {
                line.strip_prefix("data:").is_some_and(|data| {
                    serde_json::from_str::<serde_json::Value>(data.trim())
                        .is_ok_and(|event| event["status"].as_str().is_some_and(|status| status != "PENDING"))
                })
            };
            if text.lines().any(is_outcome) {
                return true;
            }
        }
    }
    false
}
