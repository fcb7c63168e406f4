//! The producer: idempotent, all replicas, a key's records in order whatever happens.
//!
//! `enable.gapless.guarantee` makes librdkafka end a producer rather than go on behind a record that was refused, so
//! that no later record of its key is written without it. Such a producer is replaced by a new one; what it had not
//! acknowledged is told to be so. Records never expire here (`message.timeout.ms=0`): who waits too long for an
//! outcome decides what that means.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, PurgeConfig, ThreadedProducer};

use super::DataError;
use super::config::client_config;
use super::context::Context;
use super::record::native_headers;
use crate::connection::ConnectionConfig;
use crate::messaging::{Acknowledged, Delivery, Outgoing, PublishError, Publisher, Told};

/// How long the brokers may say that a topic does not exist before it is believed: one that was just started answers
/// before it knows its topics, for longer the more it has. As long as librdkafka itself waits, and Java's clients at
/// least.
const UNKNOWN_TOPIC: Duration = Duration::from_secs(30);
/// The largest record that is sent at all; the topic's own limit is the broker's to judge.
const LARGEST: usize = 64 * 1024 * 1024;
/// How long a producer that is replaced has to say that its records are lost.
const PURGE: Duration = Duration::from_secs(5);
/// How long a question for a topic's partitions may take.
const METADATA: Duration = Duration::from_secs(5);

/// Publishes records to a cluster. Clones share the producer; when the last is dropped, what is not acknowledged is
/// told to be so.
#[derive(Clone)]
pub struct Producer {
    config: rdkafka::ClientConfig,
    connection: Arc<ConnectionConfig>,
    current: Arc<Mutex<Arc<Native>>>,
}

type Native = ThreadedProducer<Reports>;

impl Producer {
    /// A producer for the cluster of `connection`. Nothing is sent before the first record; so a cluster that cannot
    /// be reached is no error here.
    pub(crate) fn open(connection: &ConnectionConfig, linger: Duration) -> Result<Self, DataError> {
        let mut config = client_config(connection)?;
        let mut ours = vec![
            ("enable.idempotence", "true".to_owned()),
            ("enable.gapless.guarantee", "true".to_owned()),
            ("acks", "all".to_owned()),
            ("message.timeout.ms", "0".to_owned()),
            ("partitioner", "murmur2_random".to_owned()),
            ("topic.metadata.propagation.max.ms", UNKNOWN_TOPIC.as_millis().to_string()),
        ];
        for (key, value) in [
            ("linger.ms", linger.as_millis().to_string()),
            ("message.max.bytes", LARGEST.to_string()),
            // One lost connection must not hold up a quarter of a minute.
            ("reconnect.backoff.max.ms", "2000".to_owned()),
        ] {
            if config.get(key).is_none() {
                ours.push((key, value));
            }
        }
        for (key, value) in ours {
            config.set(key, value);
        }
        let connection = Arc::new(connection.clone());
        let native = native(&config, &connection)?;
        Ok(Self { config, connection, current: Arc::new(Mutex::new(Arc::new(native))) })
    }

    /// The producer that works; one that librdkafka ended is replaced.
    fn current(&self) -> Arc<Native> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((code, reason)) = current.client().fatal_error() {
            tracing::info!("the producer ended ({code}: {reason}); a new one goes on");
            match native(&self.config, &self.connection) {
                Ok(fresh) => {
                    let ended = std::mem::replace(&mut *current, Arc::new(fresh));
                    retire(ended);
                }
                Err(error) => tracing::warn!("no new producer: {error}"),
            }
        }
        Arc::clone(&current)
    }
}

fn native(config: &rdkafka::ClientConfig, connection: &ConnectionConfig) -> Result<Native, DataError> {
    config.create_with_context(Reports(Context::of(connection))).map_err(|error| DataError::of_config(&error))
}

/// Its records are told to be unacknowledged, on a thread that may wait.
fn retire(native: Arc<Native>) {
    std::thread::spawn(move || {
        native.purge(PurgeConfig::default().queue().inflight());
        let _ = native.flush(PURGE);
        drop(native);
    });
}

impl Publisher for Producer {
    fn publish(&self, records: Vec<Outgoing>) -> Delivery {
        let (told, delivery) = Delivery::of(records.len());
        let producer = self.current();
        for (at, record) in records.into_iter().enumerate() {
            let mut native = BaseRecord::with_opaque_to(&record.topic, Box::new((told.clone(), at)));
            if let Some(key) = &record.key {
                native = native.key(key);
            }
            if let Some(value) = &record.value {
                native = native.payload(value);
            }
            if let Some(partition) = record.partition {
                native = native.partition(partition);
            }
            if let Some(timestamp) = record.timestamp {
                native = native.timestamp(timestamp.0);
            }
            if !record.headers.is_empty() {
                native = native.headers(native_headers(&record.headers));
            }
            if let Err((error, _)) = producer.send(native) {
                told.tell(at, Err(judged(&error)));
            }
        }
        delivery
    }

    async fn partitions(&self, topic: &str) -> Option<u32> {
        let producer = Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner));
        let topic = topic.to_owned();
        let asked = tokio::task::spawn_blocking(move || {
            let metadata = producer.client().fetch_metadata(Some(&topic), METADATA).ok()?;
            let found = metadata.topics().iter().find(|known| known.name() == topic)?;
            u32::try_from(found.partitions().len()).ok().filter(|count| *count > 0)
        });
        asked.await.ok().flatten()
    }
}

/// Tells the outcomes, on the producer's own thread.
struct Reports(Context);

impl ClientContext for Reports {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.0.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.error(error, reason);
    }

    fn generate_oauth_token(
        &self,
        config: Option<&str>,
    ) -> Result<rdkafka::client::OAuthToken, Box<dyn std::error::Error>> {
        self.0.generate_oauth_token(config)
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<(Told, usize)>;

    fn delivery(&self, result: &DeliveryResult<'_>, opaque: Self::DeliveryOpaque) {
        let (told, at) = *opaque;
        told.tell(
            at,
            match result {
                Ok(message) => Ok(Acknowledged { partition: message.partition(), offset: message.offset() }),
                Err((error, _)) => Err(judged(error)),
            },
        );
    }
}

/// What no retry will change is refused; of everything else it is not known.
fn judged(error: &KafkaError) -> PublishError {
    let reason = error.rdkafka_error_code().map_or_else(|| error.to_string(), |code| code.to_string());
    match error.rdkafka_error_code() {
        Some(
            Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition | Code::InvalidTopic,
        ) => PublishError::Refused(reason),
        // A broker judges a batch as a whole.
        Some(
            Code::MessageSizeTooLarge
            | Code::InvalidMessageSize
            | Code::InvalidRecord
            | Code::InvalidTimestamp
            | Code::PolicyViolation,
        ) => PublishError::RefusedInCompany(reason),
        _ => PublishError::Unacknowledged(reason),
    }
}
