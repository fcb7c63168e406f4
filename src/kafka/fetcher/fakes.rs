//! A partition's log as brokers keep it, with transactions, gaps and leaders that change.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::fetch_response::{
    AbortedTransaction, EpochEndOffset, FetchableTopicResponse, PartitionData,
};
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
use kafka_protocol::messages::{
    FetchRequest, FetchResponse, ListOffsetsRequest, ListOffsetsResponse, MetadataResponse, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::{Compression, Record, RecordBatchEncoder, RecordEncodeOptions, TimestampType};
use uuid::Uuid;

pub(super) const TOPIC: &str = "t";
pub(super) const RACK: &str = "a";
/// The broker in that rack.
pub(super) const NEAR: i32 = 3;
pub(super) const OUT_OF_RANGE: i16 = 1;
const NOT_LEADER: i16 = 6;

/// What is appended to a log.
#[derive(Clone, Debug)]
pub(super) enum Appended {
    Plain(usize),
    /// By one of two producers, within a transaction.
    Transactional(u8, usize),
    Commit(u8),
    Abort(u8),
    /// Compaction has taken every second record of the last batch.
    Thinned,
}

#[derive(Debug)]
struct Stored {
    first: i64,
    next: i64,
    bytes: Bytes,
}

/// The log of the only partition of [`TOPIC`].
#[derive(Debug)]
pub(super) struct Log {
    batches: Vec<Stored>,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) leader: i32,
    pub(super) epoch: i32,
    /// Where the log of the replica at [`NEAR`] ends; `None`: there is none.
    pub(super) near: Option<i64>,
    /// Producer, first offset, and the offset of what aborted it.
    aborted: Vec<(i64, i64, i64)>,
    /// What whoever reads the committed must get.
    pub(super) committed: Vec<i64>,
}

pub(super) fn record(offset: i64, producer: i64, transactional: bool, epoch: i32) -> Record {
    Record {
        transactional,
        control: false,
        delete_horizon: false,
        partition_leader_epoch: epoch,
        producer_id: producer,
        producer_epoch: 0,
        timestamp_type: TimestampType::Creation,
        offset,
        // The encoder begins another batch where it is not one more.
        sequence: i32::try_from(offset & 0x3fff_ffff).unwrap(),
        timestamp: 1_725_185_730_000 + offset,
        key: None,
        value: Some(Bytes::from(offset.to_string())),
        headers: std::iter::empty().collect(),
    }
}

pub(super) fn encode(records: &[Record]) -> Bytes {
    let mut bytes = BytesMut::new();
    let options = RecordEncodeOptions { version: 2, compression: Compression::None };
    RecordBatchEncoder::encode(&mut bytes, records, &options).unwrap();
    bytes.freeze()
}

impl Log {
    pub(super) fn of(appended: &[Appended]) -> Self {
        let mut log = Self {
            batches: Vec::new(),
            start: 0,
            end: 0,
            leader: 1,
            epoch: 0,
            near: None,
            aborted: Vec::new(),
            committed: Vec::new(),
        };
        let mut open: [Vec<i64>; 2] = Default::default();
        let all = [Appended::Commit(0), Appended::Abort(1)];
        for appended in appended.iter().chain(&all) {
            log.append(appended, &mut open);
        }
        log.committed.sort_unstable();
        log
    }

    fn append(&mut self, appended: &Appended, open: &mut [Vec<i64>; 2]) {
        match *appended {
            Appended::Plain(count) => {
                let offsets = self.store(count, -1, false);
                self.committed.extend(offsets);
            }
            Appended::Transactional(producer, count) => {
                let offsets = self.store(count, i64::from(producer), true);
                open[usize::from(producer)].extend(offsets);
            }
            Appended::Commit(producer) => {
                let offsets = std::mem::take(&mut open[usize::from(producer)]);
                if !offsets.is_empty() {
                    self.mark(producer, 1);
                    self.committed.extend(offsets);
                }
            }
            Appended::Abort(producer) => {
                let offsets = std::mem::take(&mut open[usize::from(producer)]);
                if let Some(first) = offsets.first() {
                    self.aborted.push((i64::from(producer), *first, self.end));
                    self.mark(producer, 0);
                }
            }
            Appended::Thinned => self.thin(open),
        }
    }

    fn store(&mut self, count: usize, producer: i64, transactional: bool) -> Vec<i64> {
        let count = i64::try_from(count.max(1)).unwrap();
        let offsets: Vec<i64> = (self.end..self.end + count).collect();
        let records: Vec<Record> =
            offsets.iter().map(|offset| record(*offset, producer, transactional, self.epoch)).collect();
        self.push(encode(&records), count);
        offsets
    }

    /// Its end is gone from there on, where a batch begins.
    pub(super) fn lose(&mut self, from: i64) {
        self.batches.retain(|batch| batch.next <= from);
        self.committed.retain(|offset| *offset < from);
        self.end = from;
    }

    /// So many records more, by the present leader.
    pub(super) fn write(&mut self, count: usize) {
        let offsets = self.store(count, -1, false);
        self.committed.extend(offsets);
    }

    fn push(&mut self, bytes: Bytes, count: i64) {
        self.batches.push(Stored { first: self.end, next: self.end + count, bytes });
        self.end += count;
    }

    fn mark(&mut self, producer: u8, kind: i16) {
        let mut marker = record(self.end, i64::from(producer), true, self.epoch);
        marker.control = true;
        marker.key = Some(Bytes::from([0_i16.to_be_bytes(), kind.to_be_bytes()].concat()));
        self.push(encode(&[marker]), 1);
    }

    fn thin(&mut self, open: &mut [Vec<i64>; 2]) {
        let Some(last) = self.batches.last_mut() else { return };
        let mut bytes = last.bytes.clone();
        let records = kafka_protocol::records::RecordBatchDecoder::decode(&mut bytes).unwrap().records;
        if records.len() < 3 || records[0].control {
            return;
        }
        let gone = |offset: i64| (offset - last.first) % 2 == 1 && offset + 1 < last.next;
        let kept: Vec<Record> = records.into_iter().filter(|record| !gone(record.offset)).collect();
        let (first, next) = (last.first, last.next);
        // The encoder would make a batch of each piece without a gap.
        last.bytes = with_gaps(&kept, first, next);
        let gone =
            |offset: &i64| (first..next).contains(offset) && (offset - first) % 2 == 1 && offset + 1 < next;
        self.committed.retain(|offset| !gone(offset));
        for open in open {
            open.retain(|offset| !gone(offset));
        }
    }

    pub(super) fn topics(&self) -> MetadataResponse {
        let partition = MetadataResponsePartition::default()
            .with_partition_index(0)
            .with_leader_id(self.leader.into())
            .with_leader_epoch(self.epoch);
        let topic = MetadataResponseTopic::default()
            .with_name(Some(TopicName(StrBytes::from_static_str(TOPIC))))
            .with_topic_id(Uuid::from_u128(1))
            .with_partitions(vec![partition]);
        MetadataResponse::default().with_topics(vec![topic])
    }

    /// An answer with so many batches at most.
    pub(super) fn fetch(&mut self, broker: i32, request: &FetchRequest, batches: usize) -> FetchResponse {
        let asked = &request.topics[0].partitions[0];
        let mut part = PartitionData::default().with_partition_index(0).with_high_watermark(self.end);
        let near = self.near.filter(|_| broker == NEAR);
        let end = near.unwrap_or(self.end);
        if broker != self.leader && near.is_none() {
            part.error_code = NOT_LEADER;
        } else if asked.fetch_offset < self.start || asked.fetch_offset > end {
            part.error_code = OUT_OF_RANGE;
        } else if near.is_none() && *request.rack_id == *RACK && self.near >= Some(asked.fetch_offset) {
            part.preferred_read_replica = NEAR.into();
        } else {
            let from = self.batches.iter().skip_while(|batch| batch.next <= asked.fetch_offset);
            let from = from.take_while(|batch| batch.next <= end);
            let from: Vec<&Stored> = from.take(batches.max(1)).collect();
            if near.is_some() && from.is_empty() {
                // Meanwhile it hears of all that there is.
                self.near = Some(self.end);
            }
            let upper = from.last().map_or(asked.fetch_offset, |last| last.next);
            let aborted =
                self.aborted.iter().filter(|(_, first, last)| *last >= asked.fetch_offset && *first < upper);
            let aborted = aborted.map(|(producer, first, _)| {
                AbortedTransaction::default().with_producer_id((*producer).into()).with_first_offset(*first)
            });
            part.aborted_transactions = Some(aborted.collect());
            let mut bytes: Vec<u8> = from.iter().flat_map(|batch| batch.bytes.iter().copied()).collect();
            // Brokers cut off in the middle of a batch what does not fit.
            if let Some(cut) = self.batches.iter().find(|batch| batch.first == upper) {
                bytes.extend_from_slice(&cut.bytes[..cut.bytes.len() / 2]);
            }
            part.records = Some(bytes.into());
        }
        answer(part)
    }

    pub(super) fn offsets(&self, _: &ListOffsetsRequest) -> ListOffsetsResponse {
        let part = ListOffsetsPartitionResponse::default().with_partition_index(0).with_offset(self.start);
        let topic = ListOffsetsTopicResponse::default()
            .with_name(TopicName(StrBytes::from_static_str(TOPIC)))
            .with_partitions(vec![part]);
        ListOffsetsResponse::default().with_topics(vec![topic])
    }
}

pub(super) fn answer(part: PartitionData) -> FetchResponse {
    let topic =
        FetchableTopicResponse::default().with_topic_id(Uuid::from_u128(1)).with_partitions(vec![part]);
    FetchResponse::default().with_responses(vec![topic])
}

/// The leader has not got what was read of the one before, from there on.
pub(super) fn diverging(end: i64) -> FetchResponse {
    let diverging = EpochEndOffset::default().with_epoch(0).with_end_offset(end);
    answer(PartitionData::default().with_partition_index(0).with_diverging_epoch(diverging))
}

/// One batch of records that are not all there.
fn with_gaps(records: &[Record], first: i64, next: i64) -> Bytes {
    let pieces: Vec<Bytes> = records.iter().map(|record| encode(std::slice::from_ref(record))).collect();
    let mut batch = BytesMut::from(&pieces[0][..61]);
    for (record, piece) in records.iter().zip(&pieces) {
        // Of a record alone: length, attributes, time 0, offset 0, each of one byte.
        assert_eq!(piece[62..65], [0, 0, 0], "a small record");
        let later = u8::try_from(record.offset - first).unwrap();
        assert!(later < 64);
        batch.extend_from_slice(&[piece[61], 0, later * 2, later * 2]);
        batch.extend_from_slice(&piece[65..]);
    }
    let length = i32::try_from(batch.len() - 12).unwrap();
    batch[8..12].copy_from_slice(&length.to_be_bytes());
    let last = i32::try_from(next - 1 - first).unwrap();
    batch[23..27].copy_from_slice(&last.to_be_bytes());
    batch[57..61].copy_from_slice(&i32::try_from(records.len()).unwrap().to_be_bytes());
    let checksum = crc32c::crc32c(&batch[21..]);
    batch[17..21].copy_from_slice(&checksum.to_be_bytes());
    batch.freeze()
}
