//! A measure and a span of every request.

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use tokio::time::Instant;

use crate::messaging::{TRACEPARENT, TraceContext};
use crate::runtime::trace::{Span, Tracing};

/// The span in which a request is served; what it causes belongs to its trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Served(pub(crate) Option<TraceContext>);

impl Served {
    /// As an outbox row has it.
    pub(crate) fn traceparent(self) -> Option<String> {
        Some(self.0?.to_string())
    }
}

/// These routes, observed.
pub(crate) fn observed(routes: Router, tracing: Tracing) -> Router {
    routes.layer(middleware::from_fn_with_state(tracing, observe))
}

async fn observe(State(tracing): State<Tracing>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    // Never the path itself: it holds ids, and there is no end of them.
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = match request.method().as_str() {
        known @ ("GET" | "POST" | "PUT" | "DELETE" | "HEAD" | "OPTIONS" | "PATCH") => known.to_owned(),
        _ => "other".to_owned(),
    };
    let caller = request.headers().get(TRACEPARENT).and_then(|header| header.to_str().ok()?.parse().ok());
    let span = tracing.request(&method, &route, caller);
    request.extensions_mut().insert(Served(span.as_ref().map(Span::context).or(caller)));
    let response = next.run(request).await;
    let status = response.status().as_u16();
    if let Some(span) = span {
        span.answered(status);
    }
    metrics::histogram!("kafkaflow_http_request_seconds", "route" => route.clone())
        .record(began.elapsed().as_secs_f64());
    let labels = [("method", method), ("route", route), ("status", status.to_string())];
    metrics::counter!("kafkaflow_http_requests_total", &labels).increment(1);
    response
}
