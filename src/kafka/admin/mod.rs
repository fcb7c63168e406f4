//! The cluster ports over the wire, one file a concept.

mod metadata;

mod offsets;
mod refusal;
mod settings;
mod topics;

use std::time::Duration;

use crate::cluster::port::ClusterError;
use crate::connection::ConnectionConfig;
use crate::kafka::{Client, WireError};

/// A real cluster's admin plane.
pub(crate) struct Admin {
    client: Client,
}

impl Admin {
    pub(crate) async fn connect(config: ConnectionConfig) -> Result<Self, WireError> {
        Ok(Self { client: Client::connect(config).await? })
    }

    /// How long a broker may work on a mutation before it must answer.
    fn broker_timeout_ms(&self) -> i32 {
        i32::try_from(self.client.request_timeout().mul_f64(0.9).as_millis()).unwrap_or(i32::MAX)
    }
}

/// A read that lost its connection is simply asked again, of another connection or broker; three
/// times, because a broker that goes away takes a moment to be noticed by the others.
async fn again<T, F>(client: &Client, mut attempt: impl FnMut() -> F) -> Result<T, ClusterError>
where
    F: Future<Output = Result<T, WireError>>,
{
    let mut pause = Duration::from_millis(50);
    for _ in 0..3 {
        match attempt().await {
            Ok(answer) => return Ok(answer),
            Err(error) if error.is_final() => return Err(failed(&error, false)),
            Err(_) => {
                tokio::time::sleep(pause).await;
                pause *= 4;
                // Whoever answered before may be the one that went away.
                let _ = client.refresh().await;
            }
        }
    }
    attempt().await.map_err(|error| failed(&error, false))
}

fn failed(error: &WireError, mutating: bool) -> ClusterError {
    let lost = matches!(error, WireError::Closed { .. } | WireError::TimedOut { .. } | WireError::Io { .. });
    ClusterError { message: error.to_string(), help: error.help(), outcome_unknown: mutating && lost }
}
