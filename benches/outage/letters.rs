//! What the notification service is asked for: requests like the order service's, numbered.

use std::time::Duration;

use kafkaflow::kafka::{Cluster, Producer};
use kafkaflow::messaging::{Header, Outgoing, publish_all};

const TYPE: &str = "SendNotification";
/// Records that are handed over together.
const TOGETHER: usize = 20_000;
/// Of what comes while the service catches up.
const EVERY: Duration = Duration::from_millis(20);

/// Requests whose key is one of so many orders: number `n` is about order `n % orders`.
#[derive(Clone)]
pub(crate) struct Letters {
    producer: Producer,
    topic: String,
    orders: usize,
}

impl Letters {
    pub(crate) fn of(cluster: &Cluster, topic: &str, orders: usize) -> Self {
        Self { producer: cluster.producer().expect("a producer"), topic: topic.to_owned(), orders }
    }

    fn asked(&self, number: usize) -> Outgoing {
        let (id, key) = (format!("evt-{number}"), format!("ORD-{:07}", number % self.orders));
        let value = format!(
            "{{\"eventId\":\"{id}\",\"eventType\":\"{TYPE}\",\"orderId\":\"{key}\",\"timestamp\":\"2024-09-01T10:15:32Z\",\
             \"customerId\":\"CUST-{:05}\",\"channel\":\"email\",\"to\":\"ada@example.com\",\"template\":\"order-confirmed\",\
             \"parameters\":{{\"totalAmount\":\"{}.{:02}\"}}}}",
            number % 100_000,
            number % 500,
            number % 100,
        );
        Outgoing {
            topic: self.topic.clone(),
            partition: None,
            key: Some(key.into_bytes()),
            value: Some(value.into_bytes()),
            headers: vec![Header::new("eventId", id.into_bytes()), Header::new("eventType", TYPE)],
            timestamp: None,
        }
    }

    async fn ask(&self, numbers: std::ops::Range<usize>) {
        let records = numbers.map(|number| self.asked(number)).collect();
        for outcome in publish_all(&self.producer, records).await {
            outcome.expect("acknowledged");
        }
    }

    /// As fast as the brokers take them.
    pub(crate) async fn gather(&self, numbers: std::ops::Range<usize>) {
        for first in numbers.clone().step_by(TOGETHER) {
            self.ask(first..(first + TOGETHER).min(numbers.end)).await;
        }
    }

    /// So many a second until `enough` says so; how many there are then.
    pub(crate) async fn go_on(&self, from: usize, rate: usize, enough: impl Fn(usize) -> bool) -> usize {
        let began = tokio::time::Instant::now();
        let mut tick = tokio::time::interval(EVERY);
        let mut asked = from;
        while !enough(asked) {
            let now = tick.tick().await;
            let elapsed = usize::try_from(now.duration_since(began).as_millis()).expect("a time");
            let due = from + elapsed * rate / 1000;
            self.ask(asked..due.max(asked)).await;
            asked = due.max(asked);
        }
        asked
    }
}
