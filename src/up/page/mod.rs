//! The order page: files of `web/`, and what it shows of the stock.

mod products;

pub(crate) use products::{Shelves, products};

use axum::Router;
use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rust_embed::RustEmbed;

use crate::runtime::http::Problem;

/// Nothing but what this service itself serves; no style and no script inside of the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(RustEmbed)]
#[folder = "web/"]
struct Files;

/// The page itself. Whoever may not use the API sees an empty page.
pub(crate) fn page() -> Router {
    Router::new().route("/", get(async |headers: HeaderMap| file("index.html", &headers))).route(
        "/page/{file}",
        get(async |Path(name): Path<String>, headers: HeaderMap| file(&name, &headers)),
    )
}

/// The hash of its bytes is its ETag: a newer program is noticed, and an unchanged file costs a 304.
fn file(name: &str, asked: &HeaderMap) -> Response {
    let Some(file) = Files::get(name) else {
        return Problem::new(StatusCode::NOT_FOUND, "not-found", "there is nothing here").into_response();
    };
    let etag = format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(file.metadata.sha256_hash()));
    let known = asked.get_all(IF_NONE_MATCH).iter().any(|header| header.as_bytes() == etag.as_bytes());
    let mut response =
        if known { StatusCode::NOT_MODIFIED.into_response() } else { file.data.into_response() };
    let headers = response.headers_mut();
    let mut set = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(CONTENT_TYPE, &format!("{}; charset=utf-8", file.metadata.mimetype()));
    set(ETAG, &etag);
    set(CACHE_CONTROL, "no-cache");
    set(CONTENT_SECURITY_POLICY, POLICY);
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(REFERRER_POLICY, "no-referrer");
    response
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;

    async fn get(path: &str, known: Option<&HeaderValue>) -> Response {
        let mut request = Request::get(path);
        if let Some(known) = known {
            request = request.header(IF_NONE_MATCH, known);
        }
        page().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn every_file_that_the_page_asks_for_is_there_under_its_own_type() {
        let answer = get("/", None).await;
        assert_eq!(answer.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
        assert!(
            answer.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("default-src 'none'")
        );
        let html = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let mut texts = vec![String::from_utf8(html.to_vec()).unwrap()];
        let mut seen = std::collections::BTreeSet::new();
        while let Some(text) = texts.pop() {
            for named in text.split('"').filter(|named| named.starts_with("/page/")) {
                if !seen.insert(named.to_owned()) {
                    continue;
                }
                let answer = get(named, None).await;
                assert_eq!(answer.status(), StatusCode::OK, "{named}");
                let kind = answer.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
                let ending = named.rsplit('.').next().unwrap();
                let expected = [("js", "text/javascript"), ("css", "text/css"), ("svg", "image/svg+xml")];
                let expected = expected.iter().find(|(known, _)| *known == ending).unwrap().1;
                assert_eq!(kind, format!("{expected}; charset=utf-8"), "{named}");
                let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
                texts.push(String::from_utf8(bytes.to_vec()).unwrap());
            }
        }
        assert_eq!(seen.len(), Files::iter().count() - 1, "{seen:?}");
        assert_eq!(get("/page/none.js", None).await.status(), StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn an_unchanged_file_is_not_sent_again() {
        let first = get("/page/page.css", None).await;
        let again = get("/page/page.css", Some(&first.headers()[ETAG])).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert!(to_bytes(again.into_body(), 1).await.unwrap().is_empty());
    }
}
