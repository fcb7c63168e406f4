//! Who may use routes: whoever has a token.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use ring::digest::{SHA256, digest};

use super::Problem;

/// The bearer token (RFC 6750) that clients must have; kept as its SHA-256, so that comparing it tells nothing.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token([u8; 32]);

impl Token {
    pub(crate) fn new(token: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        Self(bytes)
    }
}

/// These routes, for whoever has the token.
pub(crate) fn guarded(routes: Router, token: Option<Token>) -> Router {
    match token {
        None => routes,
        Some(token) => routes.layer(middleware::from_fn_with_state(token, guard)),
    }
}

async fn guard(State(token): State<Token>, request: Request, next: Next) -> Response {
    let given = request.headers().get(AUTHORIZATION).and_then(|header| header.to_str().ok());
    let given = given.and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| Token::new(token.trim()))
    });
    if given.as_ref() == Some(&token) {
        return next.run(request).await;
    }
    let detail = match given {
        None => "this needs the header `Authorization: Bearer …`",
        Some(_) => "the token is not the one that this service was started with",
    };
    let mut response = Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail).into_response();
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}
