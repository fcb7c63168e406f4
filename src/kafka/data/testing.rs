//! librdkafka's producers, as others have them. They block.

use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use crate::kafka::testing::DEADLINE;

fn producer(key: &str, value: &str) -> BaseProducer {
    let brokers = std::env::var("KAFKAFLOW_TEST_BROKERS").expect("the brokers that ./dev test starts");
    rdkafka::ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("linger.ms", "20")
        .set(key, value)
        .create()
        .unwrap()
}

/// Produces values compressed that way.
pub(crate) fn produce(codec: &str, topic: &str, values: &[&str]) {
    let producer = producer("compression.type", codec);
    for value in values {
        producer.send(BaseRecord::to(topic).key("k").payload(*value)).unwrap();
    }
    producer.flush(DEADLINE).unwrap();
}

/// Produces transactions of two records, each in a batch of its own, that are committed or not.
pub(crate) fn transactions(topic: &str, committed: &[bool]) {
    let producer = producer("transactional.id", topic);
    producer.init_transactions(DEADLINE).unwrap();
    for (at, commits) in committed.iter().enumerate() {
        producer.begin_transaction().unwrap();
        for value in ["first", "second"] {
            let value = format!("{value} of {at}");
            producer.send(BaseRecord::to(topic).key("k").payload(&value)).unwrap();
            producer.flush(DEADLINE).unwrap();
        }
        if *commits {
            producer.commit_transaction(DEADLINE).unwrap();
        } else {
            producer.abort_transaction(DEADLINE).unwrap();
        }
    }
}
