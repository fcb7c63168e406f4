//! What every service's HTTP has: a server with limits, errors as problem+json (RFC 9457), `/metrics`, `/healthz` and
//! `/readyz`, and a measure and a span of every request.

mod observe;
mod operations;
mod problem;
mod server;
#[cfg(test)]
mod tests;

pub(crate) use observe::{Served, observed};
pub(crate) use operations::{Operations, operations};
pub(crate) use problem::{Problem, Violation};
pub(crate) use server::{Limits, serve};

use axum::Router;
use axum::http::StatusCode;

/// The routes, with an answer for every path and method that none of them has.
pub(crate) fn complete(routes: Router) -> Router {
    routes
        .fallback(|| async { Problem::new(StatusCode::NOT_FOUND, "not-found", "there is nothing here") })
        .method_not_allowed_fallback(|| async {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "this path does not have that method",
            )
        })
}
