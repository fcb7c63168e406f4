//! What a client asks beside its work, one thing at a time: for a connection, for topics. What was not answered well is
//! asked again, later each time.

use std::time::Duration;

use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{MetadataRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use tokio::time::Instant;

use super::error::WireError;
use crate::messaging::doubled;

/// How long a question may take.
pub(in crate::kafka) const QUESTION: Duration = Duration::from_secs(5);
/// How long after a question that failed, or was not answered for good, the next one is asked: at first, and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// How long after a login that was refused: accounts get locked.
const REFUSED: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(in crate::kafka) struct Inquiry {
    /// Who asks.
    who: &'static str,
    asking: bool,
    after: Instant,
    /// One after the other.
    failures: u32,
}

impl Inquiry {
    pub(in crate::kafka) fn of(who: &'static str, now: Instant) -> Self {
        Self { who, asking: false, after: now, failures: 0 }
    }

    /// Whether something may be asked now.
    pub(in crate::kafka) fn is_free(&self, now: Instant) -> bool {
        !self.asking && self.after <= now
    }

    /// When something may be asked; `None`: when the answer is there that is waited for.
    pub(in crate::kafka) fn free_at(&self) -> Option<Instant> {
        (!self.asking).then_some(self.after)
    }

    pub(in crate::kafka) fn begin(&mut self) {
        self.asking = true;
    }

    /// The question was answered; `well`: there is no reason to ask it again.
    pub(in crate::kafka) fn answered(&mut self, well: bool, now: Instant) {
        self.asking = false;
        if well {
            self.failures = 0;
            self.after = now;
        } else {
            self.rest(now);
        }
    }

    pub(in crate::kafka) fn failed(&mut self, reason: &str, now: Instant) {
        if self.failures == 0 {
            tracing::info!("{} waits for the cluster: {reason}", self.who);
        } else {
            tracing::debug!("{} waits for the cluster: {reason}", self.who);
        }
        self.asking = false;
        self.rest(now);
    }

    /// No connection; `error` may say that asking again soon is of no use.
    pub(in crate::kafka) fn unconnected(&mut self, error: &WireError, now: Instant) {
        self.failed(&error.to_string(), now);
        if error.is_final() {
            self.after = now + REFUSED;
        }
    }

    fn rest(&mut self, now: Instant) {
        self.after = now + doubled(AGAIN, self.failures);
        self.failures += 1;
    }
}

/// Who leads the partitions of these topics.
pub(in crate::kafka) fn about(topics: Vec<StrBytes>) -> MetadataRequest {
    let of = |name| MetadataRequestTopic::default().with_name(Some(TopicName(name)));
    MetadataRequest::default()
        .with_topics(Some(topics.into_iter().map(of).collect()))
        .with_allow_auto_topic_creation(false)
}

/// A question whose broker hangs is asked again, of another one.
pub(in crate::kafka) async fn in_time<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, WireError>>,
) -> Result<T, String> {
    match tokio::time::timeout(limit, call).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", limit.as_secs())),
    }
}

/// For ever where there is no time.
pub(in crate::kafka) async fn until(wake: Option<Instant>) {
    match wake {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
