//! A record of a topic, as it was read.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::trace::{TRACEPARENT, TraceContext};
use super::varint::{put_sized, put_varint, take_sized, take_varint};
use crate::unit::UnixMillis;

/// Bytes of an average header, its name and its lengths included.
const HEADER: usize = 64;

/// A record and where it stands. Key, value and headers lie in one piece of memory, as Kafka's own format has them: what
/// was read of a topic is not copied, and headers are looked for when they are asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    topic: Arc<str>,
    partition: i32,
    offset: i64,
    timestamp: Option<Timestamp>,
    /// The record from the length of its key to its end.
    bytes: Bytes,
    key: Span,
    value: Span,
    /// Where the headers begin, and how many there are.
    headers: (u32, u32),
    /// The span in which it is handled.
    trace: Option<Box<TraceContext>>,
}

/// Where something lies in a record's bytes; nothing where it is absent.
type Span = Option<(u32, u32)>;

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
            bytes: Bytes::new(),
            key: None,
            value: None,
            headers: (0, 0),
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
        let mut bytes = Vec::with_capacity(of_record + HEADER * (headers.size_hint().0 + 1));
        put_sized(&mut bytes, key);
        put_sized(&mut bytes, value);
        let (mut of_headers, mut count) = (Vec::with_capacity(HEADER * headers.size_hint().0), 0);
        for (name, value) in headers {
            put_sized(&mut of_headers, Some(name.as_bytes()));
            put_sized(&mut of_headers, value);
            count += 1;
        }
        put_varint(&mut bytes, count);
        bytes.extend_from_slice(&of_headers);
        let found = self.find(&bytes);
        debug_assert!(found.is_some(), "what was written just now can be read");
        self.bytes = bytes.into();
        self
    }

    /// With key, value and headers from these bytes, which begin with the length of the key and end with the last header:
    /// a record of version 2 behind its offset. `None` where they do not.
    pub(crate) fn of_bytes(mut self, bytes: Bytes) -> Option<Self> {
        self.find(&bytes)?;
        self.bytes = bytes;
        Some(self)
    }

    /// Looks where everything lies.
    fn find(&mut self, bytes: &[u8]) -> Option<()> {
        // Then every place in it has 32 bits.
        u32::try_from(bytes.len()).ok()?;
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let span = |range: Range<usize>| (place(range.start), place(range.end));
        let mut at = 0;
        self.key = take_sized(bytes, &mut at).ok()?.map(span);
        self.value = take_sized(bytes, &mut at).ok()?.map(span);
        let count = u32::try_from(take_varint(bytes, &mut at)?).ok()?;
        self.headers = (place(at), count);
        Some(())
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
        self.at_span(self.key)
    }

    /// `None`: a tombstone.
    #[must_use]
    pub fn value(&self) -> Option<&[u8]> {
        self.at_span(self.value)
    }

    fn at_span(&self, span: Span) -> Option<&[u8]> {
        span.map(|(start, end)| &self.bytes[start as usize..end as usize])
    }

    /// Name and value of each header, in the record's order; a name may be there more than once. One whose name is no
    /// UTF-8, which Kafka demands and no broker checks, is left out.
    pub fn headers(&self) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
        self.raw_headers().filter_map(|(name, value)| Some((std::str::from_utf8(name).ok()?, value)))
    }

    fn raw_headers(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let (bytes, (at, count)) = (&*self.bytes, self.headers);
        let mut at = at as usize;
        (0..count).map_while(move |_| {
            let name = take_sized(bytes, &mut at).ok()??;
            let value = take_sized(bytes, &mut at).ok()?;
            Some((&bytes[name], value.map(|value| &bytes[value])))
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
        let length = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
        let headers: usize = self.raw_headers().map(|(name, value)| name.len() + length(value)).sum();
        length(self.key()) + length(self.value()) + headers
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
    fn bytes_that_end_too_early_are_no_record() {
        let whole = Record::at("t", 1, 2).holding(Some(b"key"), Some(b"value"), [("a", None)].into_iter());
        assert_eq!(Record::at("t", 1, 2).of_bytes(whole.bytes.clone()).as_ref(), Some(&whole));
        for length in 0..b"\x06key\x0avalue".len() {
            assert!(Record::at("t", 1, 2).of_bytes(whole.bytes.slice(..length)).is_none(), "{length}");
        }
    }

    #[test]
    fn a_header_whose_name_is_no_text_is_left_out() {
        let bytes = b"\x01\x01\x04\x02\xff\x02x\x02a\x02y";
        let record = Record::at("t", 1, 2).of_bytes(Bytes::from_static(bytes)).unwrap();
        assert_eq!(record.headers().collect::<Vec<_>>(), [("a", Some(&b"y"[..]))]);
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
