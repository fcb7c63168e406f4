//! The fetcher: reads the partitions that it is told to, in advance and in their order.
//!
//! It speaks the protocol itself, as the producer does. Batches go as they came from the socket to who handles the records:
//! nothing is copied, and what a record has is found when it is asked for. All partitions of a broker are asked for by one
//! request that waits until one of them has something; while it waits, those whose queues have room again are asked for by
//! another, so that nobody waits for somebody else's news.
//!
//! `batch` reads bytes, `queue` lies between the fetcher and who takes, `track` is one partition, `book` decides what is asked
//! next and `answers` what an answer means; `run` asks brokers.

mod answers;
mod batch;
mod book;
#[cfg(test)]
mod book_tests;
#[cfg(test)]
mod fakes;
#[cfg(test)]
mod leader_tests;
mod queue;
mod run;
mod stream;
#[cfg(test)]
mod tests;
mod track;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use super::data::DataError;
use super::wire::MAX_RESPONSE;
use crate::connection::ConnectionConfig;
use run::Order;

pub(crate) use stream::{Feed, Stream};
pub(crate) use track::Start;

/// Orders that are not taken yet.
const ORDERS: usize = 64;
/// Told of and not heard yet.
const NOTICES: usize = 64;
/// How long a broker is left alone at most because it has answered with little.
const LONGEST_REST: Duration = Duration::from_millis(100);

/// What of the connection's properties is the fetcher's. The names are librdkafka's and Java's; the last one given counts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Settings {
    /// How long a broker waits for news (`fetch.wait.max.ms`, `fetch.max.wait.ms`).
    wait_ms: i32,
    /// How many bytes are news (`fetch.min.bytes`).
    least: i32,
    /// How many bytes an answer has (`fetch.max.bytes`), and one partition's part of it (`max.partition.fetch.bytes`,
    /// `fetch.message.max.bytes`). A batch that is larger comes alone.
    most: i32,
    most_of_partition: i32,
    /// How many bytes of a partition are read in advance (`queued.max.messages.kbytes`); what the last answer has comes on
    /// top.
    ahead: usize,
    /// Whether records of transactions that are not committed are read (`isolation.level`).
    uncommitted: bool,
    /// Whether checksums are verified (`check.crcs`).
    checked: bool,
    /// Where the client is (`client.rack`); a replica there is read from if the brokers say so.
    rack: String,
    /// How long a broker is left alone that has answered with little. No property: whoever takes records says it.
    rest: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            wait_ms: 500,
            least: 1,
            most: 16 * 1024 * 1024,
            most_of_partition: 1024 * 1024,
            ahead: 1024 * 1024,
            uncommitted: false,
            checked: true,
            rack: String::new(),
            rest: Duration::ZERO,
        }
    }
}

impl Settings {
    fn of(connection: &ConnectionConfig) -> Result<Self, DataError> {
        let mut settings = Self::default();
        for (key, value) in &connection.rest {
            let value = value.expose().trim();
            let wrong = |reason: &str| DataError::Setting { key: key.clone(), reason: reason.to_owned() };
            let number = |unit: &str| {
                let number = value.parse::<i32>().ok().filter(|number| *number >= 0);
                number.ok_or_else(|| wrong(&format!("it is a number of {unit}")))
            };
            match key.as_str() {
                "fetch.wait.max.ms" | "fetch.max.wait.ms" => settings.wait_ms = number("milliseconds")?,
                "fetch.min.bytes" => settings.least = number("bytes")?,
                "fetch.max.bytes" => settings.most = number("bytes")?,
                "max.partition.fetch.bytes" | "fetch.message.max.bytes" => {
                    settings.most_of_partition = number("bytes")?;
                }
                "queued.max.messages.kbytes" => {
                    settings.ahead = usize::try_from(number("KiB")?).unwrap_or(0).saturating_mul(1024).max(1);
                }
                "isolation.level" => {
                    settings.uncommitted = match value {
                        "read_committed" => false,
                        "read_uncommitted" => true,
                        _ => return Err(wrong("it is read_committed or read_uncommitted")),
                    };
                }
                "check.crcs" => {
                    settings.checked = value.parse().map_err(|_| wrong("it is true or false"))?;
                }
                "client.rack" => value.clone_into(&mut settings.rack),
                _ => {}
            }
        }
        // Or an answer without news would come when nobody waits for it any more.
        let longest = i32::try_from(connection.request_timeout.as_millis() / 2).unwrap_or(i32::MAX);
        settings.wait_ms = settings.wait_ms.min(longest);
        // A broker may answer more than it is asked for.
        let largest = i32::try_from(MAX_RESPONSE / 2).unwrap_or(i32::MAX);
        settings.most = settings.most.min(largest);
        settings.most_of_partition = settings.most_of_partition.min(largest);
        Ok(settings)
    }
}

/// A place where reading went on elsewhere than it should: so many records were deleted before anybody read them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) deleted: i64,
    pub(crate) at: i64,
}

/// Reads partitions. Clones tell the same fetcher; it ends when the last is gone.
#[derive(Clone)]
pub(crate) struct Fetcher {
    settings: Settings,
    orders: mpsc::Sender<Order>,
    room: Arc<Notify>,
}

impl Fetcher {
    /// A fetcher of the cluster of `connection`, which works on that runtime until it is dropped; nothing is asked before
    /// there is something to read, so a cluster that cannot be reached is no error here. Who takes records lets the first of
    /// them wait for others for `linger`.
    pub(crate) fn open(
        connection: &ConnectionConfig,
        linger: Duration,
        runtime: &tokio::runtime::Handle,
    ) -> Result<(Self, mpsc::Receiver<Moved>, JoinHandle<()>), DataError> {
        // By the end of `linger` what has come meanwhile is there, too.
        let settings = Settings { rest: LONGEST_REST.min(linger / 2), ..Settings::of(connection)? };
        let (orders, taken) = mpsc::channel(ORDERS);
        let (moved, notices) = mpsc::channel(NOTICES);
        let room = Arc::new(Notify::new());
        let work = run::run(connection.clone(), settings.clone(), taken, Arc::clone(&room), moved);
        let task = runtime.spawn(work);
        Ok((Self { settings, orders, room }, notices, task))
    }

    /// A stream of a partition's records. Nothing comes by it before [`Self::begin`].
    pub(crate) fn stream(&self, topic: &str, partition: i32) -> Stream {
        let queue = queue::Queue::new(self.settings.ahead, Arc::clone(&self.room));
        Stream::new(topic.into(), partition, Arc::new(queue), self.settings.checked)
    }

    /// Reads a stream's partition from there on, instead of whatever was read of it before. Blocks.
    pub(crate) fn begin(&self, feed: &Feed, start: Start) {
        let _ = self.orders.blocking_send(Order::Begin(feed.clone(), start));
    }

    /// Reads partitions no more. Blocks.
    pub(crate) fn end(&self, partitions: &[(String, i32)]) {
        let _ = self.orders.blocking_send(Order::End(partitions.to_vec()));
    }
}
