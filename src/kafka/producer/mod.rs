//! The producer: idempotent, all replicas, a key's records in order whatever happens.
//!
//! It speaks the protocol itself, since what it is for needs requests that have a batch for every partition that a broker
//! leads: a broker answers one request of a connection after the other, each when all replicas have its records, and
//! librdkafka's requests have one partition. A broker has one request of ours at a time, and each partition one batch in
//! it. A batch that was not acknowledged goes again with the same bytes, to whoever leads then; brokers know it again by
//! identity and sequence. Nothing that waits behind a batch that is refused is written: it is told to be unacknowledged.
//! Records never expire here; who waits too long for an outcome decides what that means.
//!
//! `batch` makes bytes, `lane` and `book` decide what goes next, `answers` and `verdict` what an answer means;
//! `run` asks brokers.

mod answers;
mod batch;
mod book;
#[cfg(test)]
mod book_tests;
#[cfg(test)]
mod fakes;
mod lane;
mod run;
#[cfg(test)]
mod tests;
mod verdict;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::compression::Compression;
use super::data::DataError;
use crate::connection::ConnectionConfig;
use crate::messaging::{Delivery, Intent, Intents, Outgoing, PublishError, Publisher, Told};
use run::Order;

/// Batches that are handed over and not taken yet.
const ORDERS: usize = 4096;
/// Bytes of records that are taken over at the same time.
const MOST: usize = 128 * 1024 * 1024;
/// The largest record that is sent at all; the topic's own limit is the broker's to judge.
const LARGEST: usize = 64 * 1024 * 1024;
/// Bytes of records of a batch, where nothing else is said; brokers take a little more by default.
const BATCH: usize = 1_000_000;
/// How long a question for a topic's partitions may take.
const PARTITIONS: Duration = Duration::from_secs(5);

/// Publishes records to a cluster. Clones share the producer; when the last is dropped, what is not acknowledged is
/// told to be so. It works on the tokio runtime on which it is used first; used where there is none, on a thread of its
/// own.
#[derive(Clone, Debug)]
pub struct Producer {
    config: Arc<ConnectionConfig>,
    settings: Settings,
    orders: Arc<OnceLock<mpsc::Sender<Order>>>,
    intents: Arc<Intents>,
}

/// What of the connection's properties is the producer's.
#[derive(Clone, Copy, Debug)]
struct Settings {
    compression: Compression,
    /// How many bytes of records a batch has at most, but for one record that is larger.
    batch: usize,
    /// How many bytes a record has at most.
    largest: usize,
    /// How many bytes of records are taken over at most.
    most: usize,
    /// How long few records wait for others before they are sent, where something is said of it.
    linger: Option<Duration>,
    /// How long they wait at most for those of who is about to publish.
    intended: Duration,
    /// How long the leader waits for the others.
    timeout: Duration,
}

impl Settings {
    /// `compression.type`, `batch.size`, `linger.ms`, as Java's clients and librdkafka call them; the last one given counts.
    fn of(connection: &ConnectionConfig) -> Result<Self, DataError> {
        let mut settings = Self {
            compression: Compression::default(),
            batch: BATCH,
            largest: LARGEST,
            most: MOST,
            linger: None,
            intended: Duration::ZERO,
            timeout: connection.request_timeout,
        };
        for (key, value) in &connection.rest {
            let wrong = |reason: String| DataError::Setting { key: key.clone(), reason };
            let number = || {
                let parsed = value.expose().trim().parse::<usize>();
                parsed
                    .ok()
                    .filter(|size| *size > 0)
                    .ok_or_else(|| wrong("it is a number of bytes".to_owned()))
            };
            match key.as_str() {
                "compression.type" | "compression.codec" => {
                    let known = Compression::parse(value.expose().trim());
                    settings.compression =
                        known.ok_or_else(|| wrong(format!("it is {}", Compression::NAMES)))?;
                }
                "batch.size" => settings.batch = number()?,
                "linger.ms" | "queue.buffering.max.ms" => {
                    let millis = value.expose().trim().parse::<f64>().ok();
                    let linger = millis.and_then(|millis| Duration::try_from_secs_f64(millis / 1000.0).ok());
                    settings.linger =
                        Some(linger.ok_or_else(|| wrong("it is a number of milliseconds".to_owned()))?);
                }
                "max.request.size" | "message.max.bytes" => settings.largest = number()?,
                _ => {}
            }
        }
        settings.batch = settings.batch.min(settings.largest);
        Ok(settings)
    }
}

impl Producer {
    /// A producer for the cluster of `connection`. Nothing is sent before the first record; so a cluster that cannot
    /// be reached is no error here.
    pub(crate) fn open(connection: &ConnectionConfig) -> Result<Self, DataError> {
        let settings = Settings::of(connection)?;
        Ok(Self {
            config: Arc::new(connection.clone()),
            settings,
            orders: Arc::default(),
            intents: Arc::default(),
        })
    }

    /// As [`Self::open`], for several who publish at about the same time: what they publish within `linger`, or within
    /// `intended` where they said that they would, goes in the same requests, unless the connection says how long (`linger.ms`).
    pub(crate) fn open_shared(
        connection: &ConnectionConfig,
        linger: Duration,
        intended: Duration,
    ) -> Result<Self, DataError> {
        let mut producer = Self::open(connection)?;
        if producer.settings.linger.is_none() {
            producer.settings = Settings { linger: Some(linger), intended, ..producer.settings };
        }
        Ok(producer)
    }

    fn orders(&self) -> &mpsc::Sender<Order> {
        self.orders.get_or_init(|| {
            let (orders, taken) = mpsc::channel(ORDERS);
            let intents = Arc::clone(&self.intents);
            let work = run::run(ConnectionConfig::clone(&self.config), self.settings, taken, intents);
            // It ends by itself when the last who can tell it anything is gone.
            match tokio::runtime::Handle::try_current() {
                Ok(runtime) => drop(runtime.spawn(work)),
                Err(_) => drop(std::thread::spawn(|| on_this_thread(work))),
            }
            orders
        })
    }
}

impl Publisher for Producer {
    fn publish(&self, records: Vec<Outgoing>) -> Delivery {
        let (told, delivery) = Delivery::of(records.len());
        let count = records.len();
        if self.orders().try_send(Order::Publish(records, told.clone())).is_err() {
            tell_all_that_it_is_full(&told, count);
        }
        delivery
    }

    fn intend(&self) -> Intent {
        if self.settings.intended.is_zero() { Intent::default() } else { self.intents.begin() }
    }

    async fn partitions(&self, topic: &str) -> Option<u32> {
        let (whom, answer) = oneshot::channel();
        self.orders().send(Order::Partitions(topic.to_owned(), whom)).await.ok()?;
        tokio::time::timeout(PARTITIONS, answer).await.ok()?.ok()?
    }
}

fn on_this_thread(work: impl Future<Output = ()>) {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(work),
        // Whoever waits is told that nothing more is known.
        Err(error) => tracing::error!("the producer cannot work: {error}"),
    }
}

fn tell_all_that_it_is_full(told: &Told, count: usize) {
    let full = || PublishError::Unacknowledged("the producer has as many records as it can hold".to_owned());
    (0..count).for_each(|at| told.tell(at, Err(full())));
}
