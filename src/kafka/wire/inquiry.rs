//! What a client asks beside its work, one thing at a time: for a connection, for topics. What was not answered well is
//! asked again, later each time.

use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{MetadataRequest, MetadataResponse, TopicName};
use kafka_protocol::protocol::StrBytes;
use tokio::time::Instant;

use super::client::{Client, Target};
use super::error::WireError;
use crate::connection::ConnectionConfig;
use crate::messaging::doubled;

/// How long a question may take.
pub(in crate::kafka) const QUESTION: Duration = Duration::from_secs(5);
/// How often topics are asked about that nothing is wrong with: as often as Java's clients do.
pub(in crate::kafka) const DOUBT: Duration = Duration::from_secs(300);
/// How long after a question that failed, or was not answered for good, the next one is asked: at first, and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// How long after a login that was refused: accounts get locked.
const REFUSED: Duration = Duration::from_secs(10);
/// How long a request may take beyond what connecting and the answer may: then it counts as lost, whatever holds it.
const SPARE: Duration = Duration::from_secs(5);

/// What is asked, and when again. It has the connection once there is one.
pub(in crate::kafka) struct Inquiry {
    /// Who asks.
    who: &'static str,
    config: ConnectionConfig,
    client: Option<Arc<Client>>,
    asking: bool,
    after: Instant,
    /// One after the other.
    failures: u32,
}

/// What came of a question.
pub(in crate::kafka) enum Said {
    Connected(Box<Result<Client, WireError>>),
    Topics(Result<MetadataResponse, String>),
}

impl Inquiry {
    pub(in crate::kafka) fn of(who: &'static str, config: ConnectionConfig, now: Instant) -> Self {
        Self { who, config, client: None, asking: false, after: now, failures: 0 }
    }

    pub(in crate::kafka) fn client(&self) -> Option<&Arc<Client>> {
        self.client.as_ref()
    }

    /// How long a request may take, whatever holds it.
    pub(in crate::kafka) fn limit(&self) -> Duration {
        self.config.connect_timeout + self.config.request_timeout + SPARE
    }

    /// Asks for a connection, and where there is one, who leads the partitions of these topics.
    pub(in crate::kafka) fn ask(&mut self, topics: Vec<StrBytes>) -> impl Future<Output = Said> + use<> {
        self.begin();
        let (config, client) = (self.config.clone(), self.client.clone());
        async move {
            match client {
                None => Said::Connected(Box::new(Client::connect(config).await)),
                Some(client) => {
                    Said::Topics(in_time(QUESTION, client.call(Target::Any, &about(topics))).await)
                }
            }
        }
    }

    /// Takes over what was said. What it says of topics is to be told to [`Self::answered`] when it was looked at: it may
    /// not be true for long, or not be all.
    pub(in crate::kafka) fn heard(&mut self, said: Said, now: Instant) -> Option<MetadataResponse> {
        match said {
            Said::Connected(outcome) => match *outcome {
                Ok(client) => {
                    self.client = Some(Arc::new(client));
                    self.answered(true, now);
                }
                Err(error) => self.unconnected(&error, now),
            },
            Said::Topics(Ok(answer)) => {
                if let Some(client) = &self.client {
                    client.learn(&answer);
                }
                return Some(answer);
            }
            Said::Topics(Err(reason)) => self.failed(&reason, now),
        }
        None
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
    fn unconnected(&mut self, error: &WireError, now: Instant) {
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

fn about(topics: Vec<StrBytes>) -> MetadataRequest {
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
