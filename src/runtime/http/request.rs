//! What a request needs before anything is done for it: its body as a whole, and a store that is open.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::StatusCode;
use tokio::sync::watch;

use super::Problem;
use crate::store::Store;

/// What a body may have.
pub(crate) const MOST_BYTES: usize = 64 * 1024;
/// How long a body may take.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// When a client may ask again that was turned away.
pub(crate) const AGAIN: Duration = Duration::from_secs(1);

/// The whole body, which is neither too large nor too slow.
pub(crate) async fn whole(body: Body) -> Result<Bytes, Problem> {
    match tokio::time::timeout(BODY_WITHIN, to_bytes(body, MOST_BYTES)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => {
            let detail = format!("a body has at most {MOST_BYTES} bytes, and arrives whole");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail))
        }
        Err(_) => {
            let detail = format!("the body did not arrive within {} s", BODY_WITHIN.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", detail))
        }
    }
}

/// The service's store, if it is open by now.
pub(crate) fn opened(store: &watch::Receiver<Option<Store>>) -> Result<Store, Problem> {
    let store = store.borrow().clone();
    store.ok_or_else(|| Problem::unavailable("store", "the store is not open yet", AGAIN))
}
