//! The API as a client uses it.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{LoadError, Target};

/// How long a whole answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Orders of a page.
const PAGE: u32 = 100;

pub(super) struct Client {
    http: reqwest::Client,
    /// Streams last as long as they like.
    streams: reqwest::Client,
    url: String,
}

/// What came of an order that was placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Under this id.
    Accepted(String),
    Refused(u16),
    /// Nobody knows whether it was taken.
    None,
}

/// A product, as the page shows it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(super) struct Product {
    #[serde(rename = "productId")]
    pub(super) id: String,
    pub(super) available: Option<u64>,
    pub(super) reserved: Option<u64>,
}

#[derive(Deserialize)]
struct Products {
    products: Vec<Product>,
}

/// An order, as the API shows it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(super) struct Order {
    #[serde(rename = "orderId")]
    pub(super) id: String,
    pub(super) status: String,
}

#[derive(Deserialize)]
struct Orders {
    orders: Vec<Order>,
    next: Option<String>,
}

impl Client {
    pub(super) fn new(target: &Target) -> Result<Self, LoadError> {
        // One that is there already is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut headers = HeaderMap::new();
        if let Some(token) = &target.token {
            let mut value =
                HeaderValue::from_str(&format!("Bearer {token}")).map_err(|error| failed(&error))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        // A proxy of the environment would be measured too.
        let client = || reqwest::Client::builder().default_headers(headers.clone()).no_proxy();
        Ok(Self {
            http: client().timeout(PATIENCE).build().map_err(|error| failed(&error))?,
            streams: client().build().map_err(|error| failed(&error))?,
            url: target.url.clone(),
        })
    }

    pub(super) async fn place(&self, customer: &str, product: &str, key: &str) -> Answer {
        let body = format!(
            r#"{{"customerId":"{customer}","items":[{{"productId":"{product}","quantity":1}}],"shippingAddress":{{"street":"123 Main St","city":"Austin","state":"TX","zip":"78701"}}}}"#
        );
        let request = self.http.post(format!("{}/orders", self.url));
        let request =
            request.header(CONTENT_TYPE, "application/json").header("Idempotency-Key", key).body(body);
        let Ok(response) = request.send().await else { return Answer::None };
        let status = response.status();
        let Ok(bytes) = response.bytes().await else { return Answer::None };
        if status != StatusCode::ACCEPTED && status != StatusCode::CREATED {
            return Answer::Refused(status.as_u16());
        }
        serde_json::from_slice(&bytes).map_or(Answer::None, |order: Order| Answer::Accepted(order.id))
    }

    /// Waits until the order is no longer PENDING, as its stream of events tells.
    pub(super) async fn follow(&self, id: &str) -> Result<(), LoadError> {
        let request = self.streams.get(format!("{}/orders/{id}/events", self.url));
        let mut response = request.send().await.map_err(|error| failed(&error))?;
        let mut told = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
            told.extend_from_slice(&chunk);
            if has_outcome(&told) {
                return Ok(());
            }
        }
        Err(LoadError::Http("the stream of events ended".to_owned()))
    }

    pub(super) async fn status(&self, id: &str) -> Result<String, LoadError> {
        self.get::<Order>(&format!("/orders/{id}")).await.map(|order| order.status)
    }

    pub(super) async fn products(&self) -> Result<Vec<Product>, LoadError> {
        self.get::<Products>("/products").await.map(|body| body.products)
    }

    pub(super) async fn orders_of(&self, customer: &str) -> Result<Vec<Order>, LoadError> {
        let mut found = Vec::new();
        let mut next = Some(format!("/orders?customerId={customer}&limit={PAGE}"));
        while let Some(path) = next {
            let page: Orders = self.get(&path).await?;
            found.extend(page.orders);
            next = page.next;
        }
        Ok(found)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, LoadError> {
        let response =
            self.http.get(format!("{}{path}", self.url)).send().await.map_err(|error| failed(&error))?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(|error| failed(&error))?;
        if !status.is_success() {
            return Err(LoadError::Http(format!("GET {path}: {status}")));
        }
        serde_json::from_slice(&bytes).map_err(|error| LoadError::Http(format!("GET {path}: {error}")))
    }
}

fn failed(error: &impl std::error::Error) -> LoadError {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words.push_str(": ");
        words.push_str(&cause.to_string());
        source = cause.source();
    }
    LoadError::Http(words)
}

/// Whether a status other than PENDING was told. An event that has come in part shows it when it is whole.
fn has_outcome(told: &[u8]) -> bool {
    let text = String::from_utf8_lossy(told);
    text.lines().filter_map(|line| line.strip_prefix("data:")).any(|data| {
        serde_json::from_str::<serde_json::Value>(data.trim())
            .is_ok_and(|entry| entry["status"].as_str().is_some_and(|status| status != "PENDING"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_any_status_but_pending_in_a_whole_event() {
        let placed = "id: 1\nevent: status\ndata: {\"version\":1,\"status\":\"PENDING\"}\n\n: still here\n\n";
        assert!(!has_outcome(placed.as_bytes()));
        assert!(!has_outcome(format!("{placed}data: {{\"version\":2,\"status\":\"CONFI").as_bytes()));
        for status in ["CONFIRMED", "CANCELLED", "PAYMENT_FAILED"] {
            assert!(has_outcome(format!("{placed}data: {{\"status\":\"{status}\"}}\n").as_bytes()));
        }
    }
}
