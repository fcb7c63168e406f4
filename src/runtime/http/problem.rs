//! Errors as RFC 9457 has them: `application/problem+json`.

use std::time::Duration;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// An error that a client is told.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Problem {
    /// A name that stays: `urn:kafkaflow:problem:…`.
    #[serde(rename = "type")]
    kind: String,
    /// What such problems are, the same for all of a kind.
    title: &'static str,
    status: u16,
    /// What is wrong here, and what to do about it.
    detail: String,
    /// Everything that is wrong with a body.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Violation>,
    #[serde(skip)]
    retry_after: Option<Duration>,
}

/// What is wrong with a part of a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Violation {
    /// A JSON pointer into the body (RFC 6901).
    pub(crate) pointer: String,
    pub(crate) detail: String,
}

impl Problem {
    /// `slug` ends the problem's name.
    pub(crate) fn new(status: StatusCode, slug: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:kafkaflow:problem:{slug}"),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// The service cannot answer now.
    pub(crate) fn unavailable(slug: &str, detail: impl Into<String>, retry_after: Duration) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, slug, detail).retry_after(retry_after)
    }

    pub(crate) fn violations(mut self, errors: Vec<Violation>) -> Self {
        self.errors = errors;
        self
    }

    /// When the client may ask again; told in whole seconds, at least one.
    pub(crate) fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(after) = self.retry_after {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}
