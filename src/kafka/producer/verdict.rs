//! What a broker's answer to a batch means.

use kafka_protocol::error::ResponseError;

/// What is to be done about a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Written,
    /// Not now; the same batch again.
    Again,
    /// The same batch again, to whoever leads the partition now.
    Elsewhere,
    /// The broker does not know us any more: the records go again under another identity.
    Stranger,
    /// As a whole it is too large.
    TooLarge,
    /// One of its records is refused, or all are.
    Refused,
    /// No record for this topic will be taken.
    NoTopic,
    /// Nobody may write there until somebody changes something.
    Forbidden,
}

impl Verdict {
    pub(super) fn of(code: i16) -> Self {
        use ResponseError as E;
        let Some(error) = ResponseError::try_from_code(code) else { return Self::Written };
        match error {
            E::NotLeaderOrFollower
            | E::LeaderNotAvailable
            | E::UnknownTopicOrPartition
            | E::UnknownTopicId
            | E::InconsistentTopicId
            | E::FencedLeaderEpoch
            | E::UnknownLeaderEpoch
            | E::ReplicaNotAvailable
            | E::BrokerNotAvailable
            | E::NetworkException
            | E::KafkaStorageError => Self::Elsewhere,
            E::OutOfOrderSequenceNumber
            | E::DuplicateSequenceNumber
            | E::UnknownProducerId
            | E::InvalidProducerEpoch
            | E::ProducerFenced
            | E::InvalidProducerIdMapping => Self::Stranger,
            E::MessageTooLarge | E::RecordListTooLarge => Self::TooLarge,
            E::InvalidRecord | E::InvalidTimestamp | E::PolicyViolation | E::UnsupportedForMessageFormat => {
                Self::Refused
            }
            E::InvalidTopicException => Self::NoTopic,
            E::TopicAuthorizationFailed
            | E::ClusterAuthorizationFailed
            | E::InvalidRequiredAcks
            | E::UnsupportedVersion
            | E::InvalidRequest
            | E::UnsupportedCompressionType => Self::Forbidden,
            _ => Self::Again,
        }
    }
}
