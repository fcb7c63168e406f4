//! Brokers that fail as they like: they keep logs, know repeated batches by identity and sequence, and answer, refuse, or
//! say nothing.

use std::collections::VecDeque;

use bytes::Bytes;
use kafka_protocol::messages::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
use kafka_protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use kafka_protocol::messages::{MetadataResponse, ProduceResponse, TopicName};
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::RecordBatchDecoder;
use uuid::Uuid;

use super::batch::Identity;
use super::book::Shipment;

pub(super) const TOPIC: &str = "t";
pub(super) const PARTITIONS: i32 = 4;
const BROKERS: i32 = 2;
/// More bytes than this are refused in one batch.
pub(super) const BROKERS_LIMIT: usize = 700;
const NOT_LEADER: i16 = 6;
const TOO_LARGE: i16 = 10;
const NOT_ENOUGH_REPLICAS_AFTER_APPEND: i16 = 20;
const INVALID_RECORD: i16 = 87;
const OUT_OF_ORDER: i16 = 45;
const UNKNOWN_PRODUCER: i16 = 59;
pub(super) const UNKNOWN_TOPIC: i16 = 3;

/// What a broker does with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    Answers,
    /// It writes and says that too few have it.
    WritesAndComplains,
    /// It writes, and its answer is lost.
    WritesInSilence,
    /// The request is lost.
    Loses,
    /// Another broker leads from now on.
    Resigns,
    /// It has forgotten who produces.
    Forgets,
}

#[derive(Debug, Default)]
pub(super) struct Log {
    leader: i32,
    pub(super) values: Vec<String>,
    /// The last batches: identity, first sequence, count, first offset.
    known: VecDeque<(i64, i32, usize, i64)>,
}

#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) logs: Vec<Log>,
    identities: i64,
    /// Whether records are refused whose value begins with `poison`.
    pub(super) poison: bool,
}

impl Cluster {
    pub(super) fn new() -> Self {
        let log = |partition| Log { leader: partition % BROKERS, ..Log::default() };
        Self { logs: (0..PARTITIONS).map(log).collect(), identities: 0, poison: false }
    }

    pub(super) fn identity(&mut self) -> Identity {
        self.identities += 1;
        Identity { id: self.identities, epoch: 0 }
    }

    pub(super) fn metadata(&self) -> MetadataResponse {
        let partitions = self.logs.iter().zip(0..).map(|(log, at)| {
            MetadataResponsePartition::default().with_partition_index(at).with_leader_id(log.leader.into())
        });
        MetadataResponse::default().with_topics(vec![
            MetadataResponseTopic::default()
                .with_name(Some(TopicName(StrBytes::from_static_str(TOPIC))))
                .with_topic_id(Uuid::from_u128(1))
                .with_partitions(partitions.collect()),
        ])
    }

    /// The code, and the first record's offset.
    fn append(&mut self, broker: i32, partition: i32, mut batch: Bytes) -> (i16, i64) {
        let log = &mut self.logs[usize::try_from(partition).unwrap()];
        if log.leader != broker {
            return (NOT_LEADER, -1);
        }
        if batch.len() > BROKERS_LIMIT {
            return (TOO_LARGE, -1);
        }
        let records = RecordBatchDecoder::decode(&mut batch).unwrap().records;
        let (id, sequence) = (records[0].producer_id, records[0].sequence);
        let values: Vec<String> = records
            .iter()
            .map(|record| String::from_utf8(record.value.as_ref().unwrap().to_vec()).unwrap())
            .collect();
        if self.poison && values.iter().any(|value| value.starts_with("poison")) {
            return (INVALID_RECORD, -1);
        }
        let repeated =
            log.known.iter().find(|known| (known.0, known.1, known.2) == (id, sequence, values.len()));
        if let Some((.., offset)) = repeated {
            return (0, *offset);
        }
        let next = log.known.iter().rev().find(|known| known.0 == id);
        let next = next.map_or(sequence, |(_, first, count, _)| first + i32::try_from(*count).unwrap());
        if sequence != next {
            return (OUT_OF_ORDER, -1);
        }
        let offset = i64::try_from(log.values.len()).unwrap();
        log.known.push_back((id, sequence, values.len(), offset));
        if log.known.len() > 5 {
            log.known.pop_front();
        }
        log.values.extend(values);
        (0, offset)
    }

    /// What the broker says; nothing where the answer does not arrive.
    pub(super) fn handle(&mut self, shipment: &Shipment, does: Does) -> Option<ProduceResponse> {
        if does == Does::Loses {
            return None;
        }
        let mut answers = Vec::new();
        for topic in &shipment.request.topic_data {
            for data in &topic.partition_data {
                let log = &mut self.logs[usize::try_from(data.index).unwrap()];
                match does {
                    Does::Resigns => log.leader = (log.leader + 1) % BROKERS,
                    Does::Forgets => log.known.clear(),
                    _ => {}
                }
                let batch = data.records.clone().unwrap();
                let (mut code, offset) = match does {
                    Does::Forgets => (UNKNOWN_PRODUCER, -1),
                    _ => self.append(shipment.broker, data.index, batch),
                };
                if does == Does::WritesAndComplains && code == 0 {
                    code = NOT_ENOUGH_REPLICAS_AFTER_APPEND;
                }
                answers.push(
                    PartitionProduceResponse::default()
                        .with_index(data.index)
                        .with_error_code(code)
                        .with_base_offset(offset),
                );
            }
        }
        (does != Does::WritesInSilence).then(|| {
            let topic = TopicProduceResponse::default()
                .with_topic_id(Uuid::from_u128(1))
                .with_partition_responses(answers);
            ProduceResponse::default().with_responses(vec![topic])
        })
    }
}
