//! Records between librdkafka's memory and ours.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use rdkafka::message::{BorrowedMessage, Headers, Message};

use crate::messaging::{Record, Timestamp, TimestampKind};
use crate::unit::UnixMillis;

/// A message as a record of ours; `topic` is its topic, shared with the records before it.
pub(super) fn record(message: &BorrowedMessage<'_>, topic: Arc<str>) -> Record {
    let timestamp = match message.timestamp() {
        rdkafka::Timestamp::NotAvailable => None,
        rdkafka::Timestamp::CreateTime(at) => {
            Some(Timestamp { at: UnixMillis(at), kind: TimestampKind::CreateTime })
        }
        rdkafka::Timestamp::LogAppendTime(at) => {
            Some(Timestamp { at: UnixMillis(at), kind: TimestampKind::LogAppendTime })
        }
    };
    let record = |topic| Record::at(topic, message.partition(), message.offset()).timestamped(timestamp);
    let (key, value) = (message.key(), message.payload());
    let Some(headers) = message.headers() else {
        return record(topic).holding(key, value, std::iter::empty());
    };
    // rdkafka panics where a header's name is no UTF-8, which Kafka demands and no broker checks.
    let whole = std::panic::catch_unwind(AssertUnwindSafe(|| {
        // By number: so it is known beforehand how many there are.
        let headers = (0..headers.count()).map(|at| headers.get(at));
        let headers = headers.map(|header| (header.key, header.value));
        record(Arc::clone(&topic)).holding(key, value, headers)
    }));
    whole.unwrap_or_else(|_| {
        let bare = record(topic);
        tracing::warn!("{bare:?}: the headers are not UTF-8 and are left out");
        bare.holding(key, value, std::iter::empty())
    })
}
