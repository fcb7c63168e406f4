//! Reading partitions without a group: nothing is joined, nothing is committed.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};

use super::config::client_config;
use super::context::Context;
use super::record::record;
use super::{DataError, unreached};
use crate::connection::ConnectionConfig;
use crate::messaging::Record;

/// librdkafka wants the name of a group even where none is joined.
const NO_GROUP: &str = "kafkaflow-reads-without-a-group";

/// Reads partitions from given offsets on. Its calls block.
pub(crate) struct Reader {
    consumer: BaseConsumer<Context>,
    /// When something was heard of the brokers for the last time.
    heard: Instant,
    patience: Duration,
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum Read {
    Record(Record),
    /// The end of a partition, for now.
    End(i32),
    /// Nothing within the time that was given.
    Nothing,
}

impl Reader {
    /// A broker that has nothing to send answers after `idle` at the latest; only then can it be asked for another
    /// partition.
    pub(crate) fn open(connection: &ConnectionConfig, idle: Duration) -> Result<Self, DataError> {
        let mut config = client_config(connection)?;
        config
            .set("group.id", NO_GROUP)
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "error")
            .set("fetch.wait.max.ms", idle.as_millis().to_string());
        let consumer: BaseConsumer<Context> = config
            .create_with_context(Context::of(connection))
            .map_err(|error| DataError::of_config(&error))?;
        Ok(Self { consumer, heard: Instant::now(), patience: connection.request_timeout })
    }

    /// Reads these partitions of a topic from their offsets on, and no others any more.
    pub(crate) fn turn_to(&mut self, topic: &str, starts: &[(i32, i64)]) -> Result<(), DataError> {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in starts {
            let added = list.add_partition_offset(topic, *partition, Offset::Offset(*offset));
            added.map_err(|error| DataError::Kafka { reason: error.to_string() })?;
        }
        self.heard = Instant::now();
        self.consumer.assign(&list).map_err(|error| DataError::Kafka { reason: error.to_string() })
    }

    /// Whether the brokers can be reached and logged in to.
    #[cfg(test)]
    pub(crate) fn greet(&mut self, wait: Duration) -> Result<(), DataError> {
        // Serves the callbacks, the token's among them.
        let deadline = Instant::now() + wait;
        loop {
            let _ = self.consumer.poll(Duration::from_millis(50));
            match self.consumer.fetch_metadata(None, Duration::from_millis(500)) {
                Ok(_) => return Ok(()),
                Err(_) if Instant::now() < deadline && self.consumer.context().complaint().is_none() => {}
                Err(_) => return Err(unreached(self.consumer.context())),
            }
        }
    }

    /// The next record of any partition; waits for at most `wait`.
    pub(crate) fn next(&mut self, wait: Duration) -> Result<Read, DataError> {
        match self.consumer.poll(wait) {
            None if self.heard.elapsed() > self.patience && self.consumer.context().complaint().is_some() => {
                Err(unreached(self.consumer.context()))
            }
            None => Ok(Read::Nothing),
            Some(Ok(message)) => {
                self.heard = Instant::now();
                let topic = message.topic().into();
                Ok(Read::Record(record(&message, topic)))
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                self.heard = Instant::now();
                Ok(Read::End(partition))
            }
            Some(Err(error)) => self.failed(&error),
        }
    }

    fn failed(&self, error: &KafkaError) -> Result<Read, DataError> {
        use RDKafkaErrorCode as Code;
        match error.rdkafka_error_code() {
            // Of the group that is not joined; and what librdkafka tries again by itself.
            Some(Code::GroupAuthorizationFailed | Code::CoordinatorNotAvailable | Code::NotCoordinator) => {
                Ok(Read::Nothing)
            }
            Some(
                Code::BrokerTransportFailure | Code::AllBrokersDown | Code::OperationTimedOut | Code::Resolve,
            ) if self.heard.elapsed() <= self.patience => Ok(Read::Nothing),
            Some(
                Code::BrokerTransportFailure
                | Code::AllBrokersDown
                | Code::Authentication
                | Code::Resolve
                | Code::SSL,
            ) => Err(unreached(self.consumer.context())),
            _ => Err(DataError::Kafka { reason: error.to_string() }),
        }
    }
}
