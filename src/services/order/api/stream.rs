//! `GET /orders/{id}/events`: what an order hears, as it hears it (server-sent events).

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::answer::EntryBody;
use super::show::{may_be_one, unknown_order};
use super::{AGAIN, Api, store_failed};
use crate::runtime::http::Problem;
use crate::services::order::feed::Watch;
use crate::services::order::store::{self, Entry};
use crate::store::{Store, StoreError};

/// How often a stream that has nothing to say shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// When a client comes back that lost its stream.
const COME_BACK: Duration = Duration::from_secs(2);
const LAST_EVENT_ID: &str = "last-event-id";
/// Keeps nginx from gathering what is to be told at once.
const UNBUFFERED: (&str, &str) = ("x-accel-buffering", "no");

/// An event's id is the order's version; `Last-Event-ID` is where a client goes on. The stream ends when nothing can
/// follow; who comes back to such an order is told so by a 204, after which browsers stay away.
pub(super) async fn events(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    may_be_one(&id)?;
    let last = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()?.trim().parse().ok()).unwrap_or(0);
    let Ok(place) = Arc::clone(&api.streams).try_acquire_owned() else {
        return Err(Problem::unavailable("busy", "too many streams are open; poll, or ask again", AGAIN));
    };
    let store = api.store()?;
    // Before it is read: what changes in between is not missed.
    let watch = api.feed.watch(&id);
    let heard = read(&store, &id, 0).await.map_err(|error| store_failed(&error))?;
    let Some(newest) = heard.last() else { return Err(unknown_order()) };
    let over = newest.status.is_final();
    let waiting: VecDeque<Entry> = heard.iter().filter(|entry| entry.version > last).cloned().collect();
    if over && waiting.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let seen = newest.version;
    let told = Told {
        store,
        watch,
        id,
        seen,
        over,
        waiting,
        first: true,
        ending: api.ending.clone(),
        _place: place,
    };
    let headers = [(CACHE_CONTROL, "no-store"), (HeaderName::from_static(UNBUFFERED.0), UNBUFFERED.1)];
    let stream = Sse::new(stream(told)).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("still here"));
    Ok((headers, stream).into_response())
}

async fn read(store: &Store, id: &str, after: i64) -> Result<Vec<Entry>, StoreError> {
    let mut tx = store.glance();
    let entries = store::timeline(&mut tx, id, after).await?;
    tx.commit().await?;
    Ok(entries)
}

/// A stream that is being told.
struct Told {
    store: Store,
    watch: Watch,
    id: String,
    /// The version that was read last.
    seen: i64,
    /// Whether nothing can follow what was read.
    over: bool,
    waiting: VecDeque<Entry>,
    first: bool,
    ending: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
}

fn stream(told: Told) -> impl Stream<Item = Result<Event, Infallible>> {
    unfold(told, |mut told| async move {
        loop {
            if let Some(entry) = told.waiting.pop_front() {
                let mut event = event(&entry)?;
                if std::mem::take(&mut told.first) {
                    event = event.retry(COME_BACK);
                }
                return Some((Ok(event), told));
            }
            if told.over {
                return None;
            }
            let heard = tokio::select! {
                heard = told.watch.heard(told.seen) => heard,
                _ = told.ending.wait_for(|ending| *ending) => return None,
            };
            let heard = match heard {
                Some(entries) => Ok(entries),
                None => read(&told.store, &told.id, told.seen).await,
            };
            match heard {
                Ok(entries) => {
                    if let Some(newest) = entries.last() {
                        told.seen = newest.version;
                        told.over = newest.status.is_final();
                    }
                    told.waiting.extend(entries);
                }
                // The client comes back, to whichever instance can tell it.
                Err(error) => {
                    tracing::info!("a stream ends: {error}");
                    return None;
                }
            }
        }
    })
}

/// `status` when the order moved, else `note`. The data is an entry of the timeline.
fn event(entry: &Entry) -> Option<Event> {
    let body = EntryBody::of(entry).ok()?;
    let name = if entry.ignored.is_none() { "status" } else { "note" };
    Event::default().id(entry.version.to_string()).event(name).json_data(&body).ok()
}
