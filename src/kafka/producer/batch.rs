//! The bytes of a batch of records: version 2 of the format, <https://kafka.apache.org/documentation/#recordbatch>.

use bytes::{BufMut, Bytes, BytesMut};

use crate::kafka::compression::Compression;
use crate::kafka::layout::{AFTER_LENGTH, CHECKSUM, COVERED, HEADER, MAGIC};
use crate::messaging::{Outgoing, put_sized, put_varint, varint_length};
use crate::unit::UnixMillis;

/// Of a record beside its key, value and headers, at most.
const RECORD: usize = 32;
/// Of a header beside its name and value, at most.
const RECORD_HEADER: usize = 10;

/// Who produces: what brokers recognise a repeated batch by, together with its sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) id: i64,
    pub(super) epoch: i16,
}

/// How many bytes a record takes in a batch, at most.
pub(super) fn weight(record: &Outgoing) -> usize {
    let length = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
    let headers: usize =
        record.headers.iter().map(|header| header.name.len() + length(&header.value) + RECORD_HEADER).sum();
    RECORD + length(&record.key) + length(&record.value) + headers
}

/// A batch of these records, which weigh so much together, and the first of which has that sequence. Records without a
/// time have `now`.
pub(super) fn encode<'r>(
    records: impl ExactSizeIterator<Item = &'r Outgoing> + Clone,
    weight: usize,
    compression: Compression,
    by: Identity,
    sequence: i32,
    now: UnixMillis,
) -> Bytes {
    let count = i32::try_from(records.len()).unwrap_or(i32::MAX);
    let time = |record: &Outgoing| record.timestamp.unwrap_or(now).0;
    let first = records.clone().next().map_or(now.0, time);
    let last = records.clone().map(time).max().unwrap_or(first);
    let mut batch = BytesMut::with_capacity(HEADER + weight);
    batch.put_i64(0); // the broker's to say
    batch.put_i32(0); // the length, written at the end
    batch.put_i32(-1); // the leader's epoch, the broker's to say
    batch.put_i8(MAGIC);
    batch.put_u32(0); // the checksum, written at the end
    batch.put_i16(compression.attribute());
    batch.put_i32(count - 1);
    batch.put_i64(first);
    batch.put_i64(last);
    batch.put_i64(by.id);
    batch.put_i16(by.epoch);
    batch.put_i32(sequence);
    batch.put_i32(count);
    for (at, record) in records.enumerate() {
        put_record(&mut batch, record, time(record) - first, at);
    }
    if compression != Compression::None {
        let packed = compression.pack(&batch[HEADER..]);
        batch.truncate(HEADER);
        batch.extend_from_slice(&packed);
    }
    let length = i32::try_from(batch.len() - AFTER_LENGTH).unwrap_or(i32::MAX);
    batch[AFTER_LENGTH - 4..AFTER_LENGTH].copy_from_slice(&length.to_be_bytes());
    let checksum = crc32c::crc32c(&batch[COVERED..]);
    batch[CHECKSUM..COVERED].copy_from_slice(&checksum.to_be_bytes());
    batch.freeze()
}

fn put_record(batch: &mut BytesMut, record: &Outgoing, later: i64, at: usize) {
    let number = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    let sized = |bytes: &Option<Vec<u8>>| match bytes {
        Some(bytes) => varint_length(number(bytes.len())) + bytes.len(),
        None => 1,
    };
    let headers: usize = record
        .headers
        .iter()
        .map(|header| varint_length(number(header.name.len())) + header.name.len() + sized(&header.value))
        .sum();
    let length = 1
        + varint_length(later)
        + varint_length(number(at))
        + sized(&record.key)
        + sized(&record.value)
        + varint_length(number(record.headers.len()))
        + headers;
    put_varint(batch, number(length));
    batch.put_i8(0);
    put_varint(batch, later);
    put_varint(batch, number(at));
    put_sized(batch, record.key.as_deref());
    put_sized(batch, record.value.as_deref());
    put_varint(batch, number(record.headers.len()));
    for header in &record.headers {
        put_sized(batch, Some(header.name.as_bytes()));
        put_sized(batch, header.value.as_deref());
    }
}

#[cfg(test)]
mod tests {
    use kafka_protocol::records::RecordBatchDecoder;
    use proptest::prelude::*;

    use super::*;
    use crate::messaging::Header;

    const BY: Identity = Identity { id: 4711, epoch: 3 };
    const NOW: UnixMillis = UnixMillis(1_725_185_730_000);

    fn record() -> impl Strategy<Value = Outgoing> {
        let bytes = || proptest::option::of(proptest::collection::vec(any::<u8>(), 0..200));
        // The decoder keeps the headers in a map.
        let headers = proptest::collection::btree_map("[a-z]{1,8}", bytes(), 0..4);
        (bytes(), bytes(), headers, proptest::option::of(0_i64..4_000_000_000_000)).prop_map(
            |(key, value, headers, time)| Outgoing {
                topic: "t".to_owned(),
                partition: None,
                key,
                value,
                headers: headers.into_iter().map(|(name, value)| Header { name, value }).collect(),
                timestamp: time.map(UnixMillis),
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_what_another_implementation_decodes(
            records in proptest::collection::vec(record(), 1..20),
            sequence in 0..i32::MAX - 20,
        ) {
            let heavy = records.iter().map(weight).sum();
            let mut batch = encode(records.iter(), heavy, Compression::None, BY, sequence, NOW);
            prop_assert!(batch.len() <= HEADER + heavy);
            let decoded = RecordBatchDecoder::decode(&mut batch).unwrap().records;
            prop_assert_eq!(decoded.len(), records.len());
            for (at, (found, given)) in decoded.iter().zip(&records).enumerate() {
                prop_assert_eq!((found.producer_id, found.producer_epoch), (BY.id, BY.epoch));
                prop_assert_eq!(found.sequence, sequence + i32::try_from(at).unwrap());
                prop_assert_eq!(found.timestamp, given.timestamp.unwrap_or(NOW).0);
                prop_assert_eq!(found.key.as_deref(), given.key.as_deref());
                prop_assert_eq!(found.value.as_deref(), given.value.as_deref());
                let headers: Vec<Header> = found
                    .headers
                    .iter()
                    .map(|(name, value)| Header { name: name.to_string(), value: value.as_ref().map(|value| value.to_vec()) })
                    .collect();
                prop_assert_eq!(&headers, &given.headers);
            }
        }
    }
}
