//! A record of a topic, as it was read.

use std::sync::Arc;

use super::trace::{TRACEPARENT, TraceContext};
use crate::unit::UnixMillis;

/// Bytes of an average header, its name and its lengths included.
const HEADER: usize = 64;
/// Bytes of a length, of which a header has two before its name and its value.
const LENGTH: usize = size_of::<usize>();
/// The length of a value that is absent.
const ABSENT: usize = usize::MAX;

/// A record and where it stands. Key, value and headers lie in one piece of memory, in this order: millions of them are
/// taken, moved and dropped, and one allocation each is all that this costs.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    topic: Arc<str>,
    partition: i32,
    offset: i64,
    timestamp: Option<Timestamp>,
    bytes: Vec<u8>,
    /// The lengths of key and value.
    key: Option<usize>,
    value: Option<usize>,
    headers: usize,
    /// The span in which it is handled.
    trace: Option<Box<TraceContext>>,
}

/// A record's time and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp {
    pub at: UnixMillis,
    pub kind: TimestampKind,
}

/// `message.timestamp.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampKind {
    CreateTime,
    LogAppendTime,
}

impl TimestampKind {
    /// As Java's `TimestampType` is printed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateTime => "CreateTime",
            Self::LogAppendTime => "LogAppendTime",
        }
    }
}

/// A header; its value may be absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub name: String,
    pub value: Option<Vec<u8>>,
}

impl Header {
    #[must_use]
    pub fn new(name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), value: Some(value.into()) }
    }
}

impl Record {
    /// A record without key, value and headers; these are added.
    #[must_use]
    pub fn at(topic: impl Into<Arc<str>>, partition: i32, offset: i64) -> Self {
        Self {
            topic: topic.into(),
            partition,
            offset,
            timestamp: None,
            bytes: Vec::new(),
            key: None,
            value: None,
            headers: 0,
            trace: None,
        }
    }

    #[must_use]
    pub fn timestamped(mut self, timestamp: Option<Timestamp>) -> Self {
        self.timestamp = timestamp;
        self
    }

    /// With this key, this value (`None`: a tombstone) and these headers, in their order.
    #[must_use]
    pub fn holding<'b>(
        mut self,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: impl Iterator<Item = (&'b str, Option<&'b [u8]>)>,
    ) -> Self {
        let of_record = key.map_or(0, <[u8]>::len) + value.map_or(0, <[u8]>::len);
        let mut bytes = Vec::with_capacity(of_record + HEADER * headers.size_hint().0);
        bytes.extend_from_slice(key.unwrap_or_default());
        bytes.extend_from_slice(value.unwrap_or_default());
        (self.key, self.value) = (key.map(<[u8]>::len), value.map(<[u8]>::len));
        self.headers = 0;
        for (name, value) in headers {
            bytes.extend_from_slice(&name.len().to_ne_bytes());
            bytes.extend_from_slice(&value.map_or(ABSENT, <[u8]>::len).to_ne_bytes());
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(value.unwrap_or_default());
            self.headers += 1;
        }
        self.bytes = bytes;
        self
    }

    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    #[must_use]
    pub fn partition(&self) -> i32 {
        self.partition
    }

    #[must_use]
    pub fn offset(&self) -> i64 {
        self.offset
    }

    /// `topic/partition/offset`.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}/{}/{}", self.topic, self.partition, self.offset)
    }

    #[must_use]
    pub fn timestamp(&self) -> Option<Timestamp> {
        self.timestamp
    }

    #[must_use]
    pub fn key(&self) -> Option<&[u8]> {
        self.key.map(|length| &self.bytes[..length])
    }

    /// `None`: a tombstone.
    #[must_use]
    pub fn value(&self) -> Option<&[u8]> {
        let start = self.key.unwrap_or(0);
        self.value.map(|length| &self.bytes[start..start + length])
    }

    /// Name and value of each header, in the record's order; a name may be there more than once.
    pub fn headers(&self) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
        // What went in was text.
        self.raw_headers().map(|(name, value)| (std::str::from_utf8(name).unwrap_or_default(), value))
    }

    fn raw_headers(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let mut rest = &self.bytes[self.key.unwrap_or(0) + self.value.unwrap_or(0)..];
        std::iter::from_fn(move || {
            let (name, after) = rest.split_first_chunk::<LENGTH>()?;
            let (value, after) = after.split_first_chunk::<LENGTH>()?;
            let (name, after) = after.split_at(usize::from_ne_bytes(*name));
            let (value, after) = match usize::from_ne_bytes(*value) {
                ABSENT => (None, after),
                length => (Some(&after[..length]), &after[length..]),
            };
            rest = after;
            Some((name, value))
        })
    }

    /// The value of the header of that name; of several the last, as Java's `lastHeader` has it. A header without a
    /// value counts as empty.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.raw_headers()
            .filter(|(known, _)| *known == name.as_bytes())
            .last()
            .map(|(_, value)| value.unwrap_or_default())
    }

    /// The trace that it belongs to: the span in which it is handled, else that of its header. What a handler
    /// announces because of a record carries this on.
    #[must_use]
    pub fn trace(&self) -> Option<TraceContext> {
        self.trace.as_deref().copied().or_else(|| self.cause())
    }

    /// The span that caused it, as its header says.
    pub(crate) fn cause(&self) -> Option<TraceContext> {
        std::str::from_utf8(self.header(TRACEPARENT)?).ok()?.parse().ok()
    }

    /// [`Self::trace`] as an outbox row has it.
    #[must_use]
    pub fn traceparent(&self) -> Option<String> {
        Some(self.trace()?.to_string())
    }

    /// Says in which span it is handled. The headers stay as they are.
    pub(crate) fn handled_in(&mut self, span: TraceContext) {
        self.trace = Some(Box::new(span));
    }

    /// How many bytes key, value and headers have.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len() - 2 * LENGTH * self.headers
    }
}

impl std::fmt::Debug for Record {
    /// Where it stands; what it holds may be somebody's own business.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}@{} ({} bytes)", self.topic, self.partition, self.offset, self.size())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_record_was_given_is_what_it_holds() {
        let headers = [("a", Some(&b"1"[..])), ("b", None), ("a", Some(b"")), ("\u{fc}", Some(b"\xff"))];
        let record = Record::at("t", 1, 2).holding(Some(b"key"), None, headers.into_iter());
        assert_eq!((record.key(), record.value()), (Some(&b"key"[..]), None));
        assert_eq!(record.headers().collect::<Vec<_>>(), headers);
        assert_eq!(record.header("a"), Some(&b""[..]));
        assert_eq!(record.header("b"), Some(&b""[..]));
        assert_eq!((record.header("c"), record.header("\u{fc}")), (None, Some(&b"\xff"[..])));
        assert_eq!(format!("{record:?}"), "t/1@2 (10 bytes)");
    }

    #[test]
    fn a_trace_is_that_of_the_header_until_the_record_is_handled_in_a_span() {
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let mut record =
            Record::at("t", 1, 2).holding(None, None, [(TRACEPARENT, Some(header.as_bytes()))].into_iter());
        assert_eq!(record.traceparent().as_deref(), Some(header));
        let span = TraceContext { span: 7, ..record.trace().unwrap() };
        record.handled_in(span);
        assert_eq!(record.trace(), Some(span));
        assert_eq!(record.header(TRACEPARENT), Some(header.as_bytes()));
        assert_eq!(Record::at("t", 1, 2).traceparent(), None);
    }
}
