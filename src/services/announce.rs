//! Events on their way into an outbox.

use std::sync::Arc;

use uuid::Uuid;

use crate::event::{Event, EventId};
use crate::schema::Judge;
use crate::store::outbox;

/// Makes outbox rows of events, of valid ones alone.
#[derive(Clone, Debug)]
pub(crate) struct Announcer {
    judge: Arc<Judge>,
}

/// An event that its own schema does not allow; a fault of the service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event {event} of ours is not valid: {violation}")]
pub(crate) struct Invalid {
    event: String,
    violation: String,
}

impl Announcer {
    /// `judge` judges by the type of event.
    pub(crate) fn new(judge: Arc<Judge>) -> Self {
        Self { judge }
    }

    /// An event about an order, as a row: its key is the order's id.
    pub(crate) fn row(
        &self,
        event: &Event,
        topic: &str,
        traceparent: Option<String>,
    ) -> Result<outbox::Event, Invalid> {
        let payload = event.to_json();
        if !self.judge.is_valid(payload.as_bytes()) {
            let first = self.judge.violations(payload.as_bytes()).into_iter().next();
            return Err(Invalid {
                event: event.event_type().as_str().to_owned(),
                violation: first.map_or_else(String::new, |violation| violation.to_string()),
            });
        }
        Ok(outbox::Event {
            id: event.event_id().as_str().to_owned(),
            aggregate_type: "order".to_owned(),
            aggregate_id: event.order_id().as_str().to_owned(),
            event_type: event.event_type().as_str().to_owned(),
            payload,
            topic: topic.to_owned(),
            traceparent,
        })
    }
}

/// An event's id that nobody had before; later ones sort behind earlier ones.
pub(crate) fn new_event_id() -> EventId {
    let id = format!("evt-{}", Uuid::now_v7());
    EventId::new(id).unwrap_or_else(|_| unreachable!("an id of 40 characters"))
}
