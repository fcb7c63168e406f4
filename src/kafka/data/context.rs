//! What librdkafka tells and asks while it works.

use std::error::Error;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rdkafka::ClientContext;
use rdkafka::client::OAuthToken;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;

use crate::connection::{ConnectionConfig, Login, TokenSource, bearer_token};

/// A token that does not say when it ends is asked for again after this long.
const UNKNOWN_LIFETIME: Duration = Duration::from_secs(300);

/// Keeps the last complaint, and fetches tokens.
pub(crate) struct Context {
    tokens: Option<TokenSource>,
    complaint: Mutex<Option<String>>,
}

impl Context {
    pub(super) fn of(connection: &ConnectionConfig) -> Self {
        let tokens = match &connection.login {
            Some(Login::OauthBearer(source)) => Some(source.clone()),
            _ => None,
        };
        Self { tokens, complaint: Mutex::new(None) }
    }

    /// What librdkafka said last of a broker that it could not reach or log in to.
    pub(super) fn complaint(&self) -> Option<String> {
        self.complaint.lock().ok().and_then(|complaint| complaint.clone())
    }

    fn complain(&self, words: &str) {
        if let Ok(mut complaint) = self.complaint.lock() {
            *complaint = Some(words.to_owned());
        }
    }
}

impl ClientContext for Context {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Debug | RDKafkaLogLevel::Info | RDKafkaLogLevel::Notice => {
                tracing::debug!("{facility}: {message}");
            }
            // Of a configuration that is ours and not the user's.
            _ if facility == "CONFWARN" => tracing::debug!("{facility}: {message}"),
            _ => tracing::info!("{facility}: {message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        use rdkafka::types::RDKafkaErrorCode as Code;
        tracing::debug!("{error}: {reason}");
        // The end of a partition is no complaint.
        if error.rdkafka_error_code() == Some(Code::PartitionEOF) {
            return;
        }
        // The brokers being down is a consequence; what one of them said comes before it.
        let consequence = error.rdkafka_error_code() == Some(Code::AllBrokersDown);
        if !consequence || self.complaint().is_none() {
            self.complain(reason);
        }
    }

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        let source = self.tokens.as_ref().ok_or("no source of tokens is configured")?;
        let text = match source {
            TokenSource::File(path) => std::fs::read_to_string(path).map_err(|error| error.to_string()),
            TokenSource::Command(command) => run(command.expose()),
        };
        let token = text.and_then(|text| bearer_token(&text).map(str::to_owned).map_err(str::to_owned));
        let token = token.inspect_err(|reason| self.complain(reason))?;
        let claims = claims(&token).unwrap_or_default();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let lifetime = claims.ends.unwrap_or(now + UNKNOWN_LIFETIME);
        Ok(OAuthToken {
            token,
            // librdkafka wants a name, and sends it to nobody.
            principal_name: claims.subject.unwrap_or_else(|| "kafkaflow".to_owned()),
            lifetime_ms: i64::try_from(lifetime.as_millis())?,
        })
    }
}

impl ConsumerContext for Context {}

/// librdkafka asks on a thread of its own, which may wait.
fn run(command: &str) -> Result<String, String> {
    let output =
        std::process::Command::new("sh").arg("-c").arg(command).stdin(std::process::Stdio::null()).output();
    let output = output.map_err(|error| format!("the token command did not start: {error}"))?;
    if !output.status.success() {
        return Err(format!("the token command ended with {}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| "the token command printed no UTF-8".to_owned())
}

/// What a JSON web token says of itself; its signature is the broker's business.
#[derive(Debug, Default, PartialEq)]
struct Claims {
    subject: Option<String>,
    /// Since the epoch.
    ends: Option<Duration>,
}

fn claims(token: &str) -> Option<Claims> {
    let payload = token.split('.').nth(1)?;
    let json = BASE64_URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&json).ok()?;
    let seconds = claims.get("exp").and_then(serde_json::Value::as_f64);
    Some(Claims {
        subject: claims.get("sub").and_then(|subject| subject.as_str()).map(str::to_owned),
        ends: seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_partition_is_no_complaint() {
        use rdkafka::types::RDKafkaErrorCode as Code;
        let context = Context { tokens: None, complaint: Mutex::default() };
        context.error(KafkaError::Global(Code::PartitionEOF), "reached end of partition at offset 0");
        assert_eq!(context.complaint(), None);
        context.error(KafkaError::Global(Code::Resolve), "no such host");
        context.error(KafkaError::Global(Code::AllBrokersDown), "3/3 brokers are down");
        assert_eq!(context.complaint().as_deref(), Some("no such host"));
    }

    #[test]
    fn a_token_says_whose_it_is_and_when_it_ends() {
        let token = |payload: &str| format!("e30.{}.", BASE64_URL_SAFE_NO_PAD.encode(payload));
        let read = claims(&token(r#"{"sub": "admin", "exp": 1725185730}"#)).unwrap();
        let expected =
            Claims { subject: Some("admin".to_owned()), ends: Some(Duration::from_secs(1_725_185_730)) };
        assert_eq!(read, expected);
        assert_eq!(claims(&token("{}")), Some(Claims::default()));
        assert_eq!(claims("opaque"), None);
    }
}
