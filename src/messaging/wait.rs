//! Waiting for what may never be due.

use tokio::time::Instant;

/// Waits until that time; for ever where there is none.
pub(crate) async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}
