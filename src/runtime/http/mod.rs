//! What every service's HTTP has: a server with limits, errors as problem+json (RFC 9457), `/metrics`, `/healthz` and
//! `/readyz`, and a measure and a span of every request.

mod call;
mod guard;
mod observe;
mod operations;
mod problem;
mod request;
mod server;
#[cfg(test)]
mod tests;

pub(crate) use call::{causes, client};
pub(crate) use guard::{Token, guarded};
pub(crate) use observe::{Served, observed};
pub(crate) use operations::{Operations, operations};
pub(crate) use problem::{Problem, Violation};
pub(crate) use request::{AGAIN, MOST_BYTES, opened, whole};
pub(crate) use server::{Limits, serve};

use axum::Router;
use axum::body::to_bytes;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};

/// Bytes of an error's own words.
const WORDS: usize = 4096;

/// The routes, with an answer for every path and method that none of them has; every error is a problem.
pub(crate) fn complete(routes: Router) -> Router {
    routes
        .layer(map_response(as_problem))
        .fallback(|| async { Problem::new(StatusCode::NOT_FOUND, "not-found", "there is nothing here") })
        .method_not_allowed_fallback(|| async {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "this path does not have that method",
            )
        })
}

/// What the framework itself answers to a path or a query that it cannot read is plain text.
async fn as_problem(response: Response) -> Response {
    let status = response.status();
    let plain =
        response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !plain || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let words = to_bytes(response.into_body(), WORDS).await.unwrap_or_default();
    Problem::new(status, "request", String::from_utf8_lossy(&words)).into_response()
}
