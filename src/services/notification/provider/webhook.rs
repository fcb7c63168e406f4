//! By HTTP: `POST` of JSON to a provider, or to whatever speaks to one.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;

use super::{Failure, Letter};
use crate::runtime::http::{causes, client};

/// Of an answer that is read.
const MOST_ANSWER: usize = 1 << 20;

/// Where letters are posted.
#[derive(Clone, Debug)]
pub(crate) struct WebhookSettings {
    pub(crate) url: Url,
    /// A file with a bearer token; read for every call, so that it may be changed.
    pub(crate) token: Option<PathBuf>,
    /// How many letters one call has: of 1 the body is the letter, else an array of letters.
    pub(crate) batch: usize,
    pub(crate) connections: usize,
    pub(crate) timeout: Duration,
}

/// An address that takes letters by `POST`.
///
/// A status of 2xx means that all letters of the call are taken, unless the body says otherwise of some:
/// `{"results": [{"eventId": "evt-1", "status": 422}]}`; each status counts as if it were that of a call. A call with one
/// letter has its event's id in the header `Idempotency-Key`.
#[derive(Debug)]
pub(crate) struct Webhook {
    settings: WebhookSettings,
    client: Client,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    results: Vec<OfOne>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfOne {
    event_id: String,
    status: u16,
}

impl Webhook {
    pub(crate) fn new(settings: WebhookSettings) -> Result<Self, reqwest::Error> {
        let client =
            client().timeout(settings.timeout).pool_max_idle_per_host(settings.connections).build()?;
        Ok(Self { settings, client })
    }

    pub(super) fn batch(&self) -> usize {
        self.settings.batch.max(1)
    }

    pub(super) fn connections(&self) -> usize {
        self.settings.connections
    }

    pub(super) async fn post(&self, letters: &[&Letter]) -> Vec<Result<(), Failure>> {
        match self.call(letters).await {
            Ok(answer) => {
                let of = |letter: &&Letter| {
                    let one = answer.results.iter().find(|one| one.event_id == letter.event_id);
                    one.map_or(Ok(()), |one| verdict(one.status, None))
                };
                letters.iter().map(of).collect()
            }
            Err(failure) => letters.iter().map(|_| Err(failure.clone())).collect(),
        }
    }

    async fn call(&self, letters: &[&Letter]) -> Result<Answer, Failure> {
        let body = match letters {
            [one] if self.batch() == 1 => serde_json::to_vec(one),
            many => serde_json::to_vec(many),
        };
        let body = body.map_err(|error| Failure::Refused(error.to_string()))?;
        let mut request =
            self.client.post(self.settings.url.clone()).header(CONTENT_TYPE, "application/json").body(body);
        if let [one] = letters {
            request = request.header("Idempotency-Key", &one.event_id);
            if let Some(traceparent) = &one.traceparent {
                request = request.header("traceparent", traceparent);
            }
        }
        if let Some(file) = &self.settings.token {
            let token = tokio::fs::read_to_string(file).await.map_err(|error| {
                Failure::Locked(format!("the token file {} cannot be read: {error}", file.display()))
            })?;
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.trim()));
        }
        let mut response = request.send().await.map_err(|error| unsent(&error))?;
        verdict(response.status().as_u16(), retry_after(response.headers(), SystemTime::now()))?;
        let mut body = Vec::new();
        // All are taken by now; an answer that breaks off says nothing of any.
        while let Ok(Some(piece)) = response.chunk().await {
            if body.len() + piece.len() > MOST_ANSWER {
                break;
            }
            body.extend_from_slice(&piece);
        }
        Ok(serde_json::from_slice(&body).unwrap_or(Answer { results: Vec::new() }))
    }
}

fn unsent(error: &reqwest::Error) -> Failure {
    if error.is_builder() {
        // A token that is no header, such as one of two lines.
        return Failure::Locked(causes(error));
    }
    if error.is_connect() {
        Failure::Away { after: None, reason: causes(error) }
    } else {
        Failure::Again(causes(error))
    }
}

/// What a status says of a letter (RFC 9110, 15).
fn verdict(status: u16, after: Option<Duration>) -> Result<(), Failure> {
    let known = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let reason = match known {
        Some(known) => format!("{status} {known}"),
        None => status.to_string(),
    };
    match (status, after) {
        (200..=299, _) => Ok(()),
        (401 | 403, _) => Err(Failure::Locked(reason)),
        (408 | 425 | 429 | 500..=599, Some(after)) => Err(Failure::Away { after: Some(after), reason }),
        // Too many are never one letter's fault.
        (429, None) => Err(Failure::Away { after: None, reason }),
        (408 | 425 | 500..=599, None) => Err(Failure::Again(reason)),
        // A redirection is not followed: it would take the token along.
        _ => Err(Failure::Refused(reason)),
    }
}

/// Seconds or a date (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    Some(at.duration_since(now).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_whose_fault_it_is() {
        let away = |after| Err(Failure::Away { after, reason: String::new() });
        let again = Err(Failure::Again(String::new()));
        let refused = Err(Failure::Refused(String::new()));
        let locked = Err(Failure::Locked(String::new()));
        let minute = Some(Duration::from_secs(60));
        let rows = [
            (200, None, Ok(())),
            (202, minute, Ok(())),
            (307, None, refused.clone()),
            (400, None, refused.clone()),
            (400, minute, refused.clone()),
            (401, None, locked.clone()),
            (403, None, locked),
            (404, None, refused.clone()),
            (408, None, again.clone()),
            (422, None, refused),
            (425, None, again.clone()),
            (429, None, away(None)),
            (429, minute, away(minute)),
            (500, None, again.clone()),
            (503, None, again),
            (503, minute, away(minute)),
        ];
        let wordless = |came: Result<(), Failure>| {
            came.map_err(|failure| match failure {
                Failure::Again(_) => Failure::Again(String::new()),
                Failure::Refused(_) => Failure::Refused(String::new()),
                Failure::Locked(_) => Failure::Locked(String::new()),
                Failure::Away { after, .. } => Failure::Away { after, reason: String::new() },
            })
        };
        for (status, after, expected) in rows {
            assert_eq!(wordless(verdict(status, after)), expected, "{status} {after:?}");
        }
        assert_eq!(
            verdict(429, None).unwrap_err(),
            Failure::Away { after: None, reason: "429 Too Many Requests".to_owned() }
        );
    }

    #[test]
    fn when_to_come_again_is_said_in_seconds_or_as_a_date() {
        let now = httpdate::parse_http_date("Wed, 25 Nov 2026 08:00:00 GMT").unwrap();
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, value.parse().unwrap());
            retry_after(&headers, now).map(|after| after.as_secs())
        };
        assert_eq!(read("120"), Some(120));
        assert_eq!(read("Wed, 25 Nov 2026 08:01:30 GMT"), Some(90));
        assert_eq!(read("Wed, 25 Nov 2026 07:00:00 GMT"), Some(0));
        assert_eq!(read("soon"), None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
