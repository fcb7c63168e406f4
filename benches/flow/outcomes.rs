//! Which orders came to an end, as the topic of notifications says.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

const PATIENCE: Duration = Duration::from_secs(30);

/// Reads for as long as the program runs.
pub(crate) struct Outcomes {
    /// Different orders.
    distinct: Arc<AtomicU64>,
    /// Letters of an order that had one.
    again: Arc<AtomicU64>,
    orders: Arc<Mutex<HashSet<String>>>,
}

impl Outcomes {
    /// From what the topic's end is now.
    pub(crate) fn listen(brokers: &str, topic: &str) -> Self {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("group.id", "bench-flow")
            .set("enable.auto.commit", "false")
            // A look now and then is enough, and costs the brokers little.
            .set("fetch.wait.max.ms", "100")
            .set("fetch.min.bytes", "65536")
            .create()
            .expect("a consumer");
        let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).expect("the topic's metadata");
        let mut places = TopicPartitionList::new();
        for partition in metadata.topics()[0].partitions() {
            let end = end(&consumer, topic, partition.id());
            places.add_partition_offset(topic, partition.id(), Offset::Offset(end)).expect("an offset");
        }
        consumer.assign(&places).expect("the partitions");
        let outcomes = Self { distinct: Arc::default(), again: Arc::default(), orders: Arc::default() };
        let (distinct, again, orders) =
            (Arc::clone(&outcomes.distinct), Arc::clone(&outcomes.again), Arc::clone(&outcomes.orders));
        std::thread::spawn(move || {
            loop {
                // A stop of the brokers is none of its business.
                let Some(Ok(record)) = consumer.poll(Duration::from_secs(1)) else { continue };
                let Some(Ok(order)) = record.key_view::<str>() else { continue };
                // That a product runs short is told beside the order that asked for it.
                if memchr::memmem::find(record.payload().unwrap_or_default(), br#""operator""#).is_some() {
                    continue;
                }
                if orders.lock().expect("the orders").insert(order.to_owned()) {
                    distinct.fetch_add(1, Ordering::Relaxed);
                } else {
                    again.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        outcomes
    }

    pub(crate) fn seen(&self) -> u64 {
        self.distinct.load(Ordering::Relaxed)
    }

    pub(crate) fn counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.distinct)
    }

    pub(crate) fn again(&self) -> u64 {
        self.again.load(Ordering::Relaxed)
    }

    /// How many of these have no outcome, and how many outcomes are of others.
    pub(crate) fn against(&self, accepted: &HashSet<String>) -> (usize, usize) {
        let orders = self.orders.lock().expect("the orders");
        (accepted.difference(&orders).count(), orders.difference(accepted).count())
    }
}

/// A partition that was made a moment ago has no leader yet.
fn end(consumer: &BaseConsumer, topic: &str, partition: i32) -> i64 {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match consumer.fetch_watermarks(topic, partition, PATIENCE) {
            Ok((_, end)) => return end,
            Err(error) if Instant::now() >= deadline => panic!("the end of {topic}/{partition}: {error}"),
            Err(_) => std::thread::sleep(Duration::from_millis(200)),
        }
    }
}
