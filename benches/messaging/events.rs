//! Events like the design document's own, valid by its schema and rules, 384 bytes each.

use std::sync::Arc;
use std::time::Instant;

use kafkaflow::event;
use kafkaflow::kafka::{Cluster, Producer};
use kafkaflow::messaging::{Header, Outgoing, publish_all};
use kafkaflow::schema::{ByType, Compiler, Judge};
use kafkaflow::store::outbox::Event;

use crate::rate;

pub(crate) const TYPE: &str = "OrderPlaced";
const SCHEMA: &[u8] = include_bytes!("../../schemas/OrderPlaced.v1.json");
const VALUE: usize = 384;

/// An order: its key, its event's id and its event.
pub(crate) struct Order {
    pub(crate) key: String,
    pub(crate) id: String,
    pub(crate) value: String,
}

/// The order of that number; its event's id is another one each time.
pub(crate) fn order(number: usize) -> Order {
    let id = format!("evt-{}", uuid::Uuid::now_v7().simple());
    let key = format!("ORD-{number:07}");
    let cents = 100 + number % 9_000 * 7;
    let total = cents * 2 + 1995;
    let with_street = |street: &str| {
        format!(
            "{{\"eventId\":\"{id}\",\"eventType\":\"{TYPE}\",\"orderId\":\"{key}\",\"customerId\":\"CUST-{:05}\",\
             \"timestamp\":\"2024-09-01T10:15:30Z\",\"items\":[\
             {{\"productId\":\"PROD-101\",\"quantity\":2,\"unitPrice\":{}.{:02}}},\
             {{\"productId\":\"PROD-205\",\"quantity\":1,\"unitPrice\":19.95}}],\"totalAmount\":{}.{:02},\
             \"shippingAddress\":{{\"street\":\"{street}\",\"city\":\"Austin\",\"state\":\"TX\",\"zip\":\"78701\"}}}}",
            number % 100_000,
            cents / 100,
            cents % 100,
            total / 100,
            total % 100,
        )
    };
    let missing = VALUE.saturating_sub(with_street("").len());
    let value = with_street(&"1 Elm Street"[..missing]);
    Order { key, id, value }
}

/// What judges them, by the schema and the rules beyond it.
pub(crate) fn judge() -> Arc<Judge> {
    let rules = event::rules();
    let schema = Compiler::new().rules(rules.of(TYPE)).compile(SCHEMA).expect("the schema compiles");
    Arc::new(Judge::by_type(ByType::new().with(TYPE, schema)))
}

/// The outbox's row of an order.
pub(crate) fn row(topic: &str, number: usize) -> Event {
    let Order { key, id, value } = order(number);
    Event {
        id,
        aggregate_type: "order".to_owned(),
        aggregate_id: key,
        event_type: TYPE.to_owned(),
        payload: value,
        topic: topic.to_owned(),
        traceparent: None,
    }
}

/// The record that the relay makes of such a row.
pub(crate) fn record_of_row(topic: &str, number: usize) -> Outgoing {
    let order = order(number);
    let headers = [("id", order.id.as_str()), ("eventType", TYPE), ("eventId", order.id.as_str())];
    let mut headers: Vec<Header> =
        headers.iter().map(|(name, value)| Header::new(*name, value.as_bytes())).collect();
    headers.push(Header::new("content-type", "application/json"));
    Outgoing {
        topic: topic.to_owned(),
        partition: None,
        key: Some(order.key.into_bytes()),
        value: Some(order.value.into_bytes()),
        headers,
        timestamp: None,
    }
}

fn outgoing(topic: &str, number: usize) -> Outgoing {
    let order = order(number);
    Outgoing {
        topic: topic.to_owned(),
        partition: None,
        key: Some(order.key.into_bytes()),
        value: Some(order.value.into_bytes()),
        headers: vec![Header::new("eventId", order.id.into_bytes()), Header::new("eventType", TYPE)],
        timestamp: None,
    }
}

/// Publishes orders and waits until all are acknowledged.
pub(crate) async fn place(producer: &Producer, topic: &str, numbers: std::ops::Range<usize>) {
    let records = numbers.map(|number| outgoing(topic, number)).collect();
    for outcome in publish_all(producer, records).await {
        outcome.expect("acknowledged");
    }
}

pub(crate) async fn fill(cluster: &Cluster, topic: &str, count: usize) -> serde_json::Value {
    let producer = cluster.producer().expect("a producer");
    let example = order(count).value;
    assert!(judge().is_valid(example.as_bytes()), "the events are valid: {example}");
    let began = Instant::now();
    for first in (0..count).step_by(20_000) {
        place(&producer, topic, first..(first + 20_000).min(count)).await;
    }
    serde_json::json!({ "what": "fill", "bytes": example.len(), "per_second": rate(count, began) })
}
