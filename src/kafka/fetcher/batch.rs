//! Batches as brokers send them: version 2 of the format, <https://kafka.apache.org/documentation/#recordbatch>.

use std::sync::Arc;

use bytes::{Buf, Bytes};

use crate::kafka::compression::{Compression, unpack};
use crate::kafka::layout::{AFTER_LENGTH, AT_MAGIC, COVERED, HEADER, MAGIC};
use crate::messaging::{Record, Timestamp, TimestampKind, take_varint};
use crate::unit::UnixMillis;

/// Of the attributes.
const LOG_APPEND_TIME: i16 = 1 << 3;
const TRANSACTIONAL: i16 = 1 << 4;
const CONTROL: i16 = 1 << 5;
/// What a batch may unpack to: an answer is never larger.
const LARGEST: usize = 256 * 1024 * 1024;
/// Of a control record's key: behind the version, 0 where a transaction was aborted.
const ABORT: i16 = 0;

/// Why the records of a batch cannot be had.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Damage {
    #[error("the batch at {at} has the format {magic}, from before Kafka 0.11, which is not read here")]
    Format { at: i64, magic: i8 },
    #[error("the checksum of the batch at {at} is {found:08x} and should be {said:08x}")]
    Checksum { at: i64, said: u32, found: u32 },
    #[error("the batch at {at} does not unpack: {reason}")]
    Packed { at: i64, reason: String },
    #[error("the batch at {at} ends in the middle of a record")]
    Cut { at: i64 },
}

/// A batch whose records were not looked at yet.
#[derive(Debug)]
pub(super) struct Batch {
    bytes: Bytes,
    first: i64,
    next: i64,
    epoch: i32,
    checksum: u32,
    attributes: i16,
    base_time: i64,
    max_time: i64,
    producer: i64,
    count: i32,
}

impl Batch {
    /// The first batch of `bytes`, which then begin behind it; `None` where it is not whole: brokers cut off what does
    /// not fit.
    pub(super) fn split_off(bytes: &mut Bytes) -> Result<Option<Self>, Damage> {
        if bytes.len() <= AT_MAGIC {
            return Ok(None);
        }
        let mut head = &bytes[..];
        let first = head.get_i64();
        let length = usize::try_from(head.get_i32()).map_err(|_| Damage::Cut { at: first })?;
        if bytes.len() - AFTER_LENGTH < length {
            return Ok(None);
        }
        let epoch = head.get_i32();
        let magic = head.get_i8();
        if magic != MAGIC {
            return Err(Damage::Format { at: first, magic });
        }
        if AFTER_LENGTH + length < HEADER {
            return Err(Damage::Cut { at: first });
        }
        let checksum = head.get_u32();
        let attributes = head.get_i16();
        let last = first + i64::from(head.get_i32());
        let (base_time, max_time) = (head.get_i64(), head.get_i64());
        let producer = head.get_i64();
        let (_, _, count) = (head.get_i16(), head.get_i32(), head.get_i32());
        let bytes = bytes.split_to(AFTER_LENGTH + length);
        let next = last + 1;
        Ok(Some(Self {
            bytes,
            first,
            next,
            epoch,
            checksum,
            attributes,
            base_time,
            max_time,
            producer,
            count,
        }))
    }

    /// The offset that follows its last record, whether that is still there or not.
    pub(super) fn next(&self) -> i64 {
        self.next
    }

    /// Of the leader who wrote it.
    pub(super) fn epoch(&self) -> i32 {
        self.epoch
    }

    pub(super) fn producer(&self) -> i64 {
        self.producer
    }

    pub(super) fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL != 0
    }

    /// Whether it is Kafka's own: the end of a transaction.
    pub(super) fn is_control(&self) -> bool {
        self.attributes & CONTROL != 0
    }

    /// Whether it says that a transaction was aborted.
    pub(super) fn is_abort(&self) -> bool {
        let kind = || {
            let mut at = HEADER;
            let body = &self.bytes[..];
            take_varint(body, &mut at)?;
            at += 1;
            take_varint(body, &mut at)?;
            take_varint(body, &mut at)?;
            take_varint(body, &mut at)?;
            body.get(at + 2..)?.first_chunk()
        };
        self.is_control() && kind().is_some_and(|kind| i16::from_be_bytes(*kind) == ABORT)
    }

    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The same in memory of its own.
    pub(super) fn detached(mut self) -> Self {
        self.bytes = Bytes::copy_from_slice(&self.bytes);
        self
    }

    /// Its records from an offset on.
    pub(super) fn records(self, from: i64, checked: bool) -> Result<Records, Damage> {
        let at = self.first;
        if checked {
            let found = crc32c::crc32c(&self.bytes[COVERED..]);
            if found != self.checksum {
                return Err(Damage::Checksum { at, said: self.checksum, found });
            }
        }
        let packed = |reason: String| Damage::Packed { at, reason };
        let compression = Compression::of_attributes(self.attributes);
        let compression =
            compression.ok_or_else(|| packed(format!("nobody knows compression {}", self.attributes & 7)))?;
        let body = self.bytes.slice(HEADER..);
        let body = match compression {
            Compression::None => body,
            _ => unpack(compression, &body, LARGEST).map_err(|error| packed(error.to_string()))?.into(),
        };
        let left = self.count;
        Ok(Records { batch: self, body, at: 0, left, from })
    }
}

/// The records of a batch, one after the other.
#[derive(Debug)]
pub(super) struct Records {
    batch: Batch,
    body: Bytes,
    at: usize,
    left: i32,
    from: i64,
}

impl Records {
    /// The offset from which on records are still wanted.
    pub(super) fn from(&self) -> i64 {
        self.from
    }

    /// The next record, as one of that topic and partition.
    pub(super) fn next(&mut self, topic: &Arc<str>, partition: i32) -> Option<Result<Record, Damage>> {
        while self.left > 0 {
            self.left -= 1;
            let Some((offset, time, bytes)) = self.advance() else {
                self.left = 0;
                return Some(Err(Damage::Cut { at: self.batch.first }));
            };
            // A batch is sent whole, though it was read in part.
            if offset < self.from {
                continue;
            }
            let record = Record::at(Arc::clone(topic), partition, offset).timestamped(self.timestamp(time));
            let Some(record) = record.of_bytes(self.body.slice(bytes)) else {
                return Some(Err(Damage::Cut { at: self.batch.first }));
            };
            self.from = offset + 1;
            return Some(Ok(record));
        }
        None
    }

    /// Offset, time, and where the record lies from its key on.
    fn advance(&mut self) -> Option<(i64, i64, std::ops::Range<usize>)> {
        let body = &self.body[..];
        let length = usize::try_from(take_varint(body, &mut self.at)?).ok()?;
        let end = self.at.checked_add(length).filter(|end| *end <= body.len())?;
        let mut at = self.at + 1; // attributes, of which there are none
        let later = take_varint(body, &mut at)?;
        let offset = self.batch.first.checked_add(take_varint(body, &mut at)?)?;
        self.at = end;
        (at <= end).then(|| (offset, self.batch.base_time.wrapping_add(later), at..end))
    }

    fn timestamp(&self, created: i64) -> Option<Timestamp> {
        let (at, kind) = if self.batch.attributes & LOG_APPEND_TIME == 0 {
            (created, TimestampKind::CreateTime)
        } else {
            (self.batch.max_time, TimestampKind::LogAppendTime)
        };
        (at >= 0).then_some(Timestamp { at: UnixMillis(at), kind })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fakes::{encode, record};
    use super::*;

    fn all_of(batch: Batch, from: i64, checked: bool) -> Result<Vec<Record>, Damage> {
        let mut records = batch.records(from, checked)?;
        let topic: Arc<str> = "t".into();
        std::iter::from_fn(|| records.next(&topic, 3)).collect()
    }

    proptest! {
        #[test]
        fn what_another_implementation_encoded_is_read_from_any_offset_on(
            count in 1..200_i64, first in 0..1_i64 << 29, from in 0..200_i64,
        ) {
            let records: Vec<_> = (first..first + count).map(|offset| record(offset, -1, false, 5)).collect();
            let mut bytes = encode(&records);
            let batch = Batch::split_off(&mut bytes).unwrap().unwrap();
            prop_assert!(bytes.is_empty());
            prop_assert_eq!((batch.next(), batch.epoch()), (first + count, 5));
            let read = all_of(batch, first + from, true).unwrap();
            prop_assert_eq!(read.len(), usize::try_from((count - from).max(0)).unwrap());
            for (read, given) in read.iter().zip(records.iter().skip(usize::try_from(from).unwrap())) {
                prop_assert_eq!(read.place(), format!("t/3/{}", given.offset));
                prop_assert_eq!((read.key(), read.value()), (given.key.as_deref(), given.value.as_deref()));
                let created = Timestamp { at: UnixMillis(given.timestamp), kind: TimestampKind::CreateTime };
                prop_assert_eq!(read.timestamp(), Some(created));
            }
        }

        #[test]
        fn bytes_that_are_no_batch_are_said_to_be_damaged_or_not_whole(
            at in 0..400_usize, byte: u8, cut in 0..400_usize, checked: bool,
        ) {
            let records: Vec<_> = (0..9).map(|offset| record(offset, 7, true, 5)).collect();
            let whole = encode(&records);
            let mut bytes = whole.to_vec();
            bytes.truncate(cut.max(20).min(bytes.len()));
            let at = at % bytes.len();
            bytes[at] = byte;
            let mut bytes = Bytes::from(bytes);
            if let Ok(Some(batch)) = Batch::split_off(&mut bytes) {
                let _ = batch.is_abort();
                let read = all_of(batch, 0, checked);
                // What lies behind the checksum cannot change without being noticed.
                prop_assert!(!checked || at < COVERED || read.is_err() || whole[at] == byte);
            }
        }
    }

    #[test]
    fn what_is_from_before_version_2_is_named() {
        let mut bytes = encode(&[record(7, -1, false, 0)]).to_vec();
        bytes[AT_MAGIC] = 1;
        let damage = Batch::split_off(&mut bytes.into()).unwrap_err();
        assert_eq!(damage, Damage::Format { at: 7, magic: 1 });
    }
}
