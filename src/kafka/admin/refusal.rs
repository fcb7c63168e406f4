//! Error codes put into the cluster floor's words.

use std::time::Duration;

use kafka_protocol::error::ResponseError;

use crate::cluster::port::{Refusal, RefusalKind};
use crate::kafka::wire::name_of;

/// What an error code means; `None` = no error.
pub(super) fn refusal(code: i16, message: Option<&str>, throttle_ms: i32) -> Option<Refusal> {
    if code == 0 {
        return None;
    }
    let error = ResponseError::try_from_code(code);
    let kind = match &error {
        None => RefusalKind::Final,
        Some(error) => kind(*error, throttle_ms),
    };
    let message = message.map(str::trim).filter(|message| !message.is_empty()).map(str::to_owned);
    Some(Refusal { error: name_of(code), message, kind })
}

fn kind(error: ResponseError, throttle_ms: i32) -> RefusalKind {
    use ResponseError as E;
    match error {
        E::TopicAuthorizationFailed | E::ClusterAuthorizationFailed | E::GroupAuthorizationFailed => {
            RefusalKind::Unauthorized
        }
        E::TopicAlreadyExists => RefusalKind::AlreadyExists,
        E::UnknownTopicOrPartition | E::UnknownTopicId => RefusalKind::Unknown,
        E::ThrottlingQuotaExceeded => {
            RefusalKind::Throttled(Duration::from_millis(u64::try_from(throttle_ms).unwrap_or(0)))
        }
        E::PolicyViolation | E::MessageTooLarge => RefusalKind::WholeRequest,
        E::NotController
        | E::RequestTimedOut
        | E::BrokerNotAvailable
        | E::LeaderNotAvailable
        | E::NetworkException
        | E::CoordinatorNotAvailable
        | E::NotLeaderOrFollower
        | E::UnstableOffsetCommit => RefusalKind::Retriable,
        _ => RefusalKind::Final,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_kafkas_own_names_with_what_they_allow_next() {
        assert_eq!(refusal(0, None, 0), None);
        let refused = refusal(29, Some(" no \n"), 0).unwrap();
        assert_eq!(
            (refused.error.as_str(), refused.kind),
            ("TOPIC_AUTHORIZATION_FAILED", RefusalKind::Unauthorized)
        );
        assert_eq!(refused.to_string(), "TOPIC_AUTHORIZATION_FAILED: no");
        let throttled = refusal(89, None, 1500).unwrap();
        assert_eq!(throttled.kind, RefusalKind::Throttled(Duration::from_millis(1500)));
        assert_eq!(refusal(9999, None, 0).unwrap().error, "error 9999");
    }
}
