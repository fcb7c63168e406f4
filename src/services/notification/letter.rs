//! One notification, ready to be sent.

use serde::Serialize;

use super::templates::{NoWords, Templates, Words};
use crate::event::{Channel, Event, EventError, SendNotification};
use crate::messaging::Record;

/// A notification in its words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Letter {
    /// The event that asks for it. Whoever gets two of one id may drop the second.
    pub(crate) event_id: String,
    /// What it is about; letters about one order are sent in their order.
    pub(crate) order_id: String,
    /// When it was asked for, RFC 3339.
    pub(crate) timestamp: String,
    pub(crate) channel: Channel,
    /// Mail address, telephone number or operators' list.
    pub(crate) to: String,
    pub(crate) template: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) html: Option<String>,
    #[serde(skip)]
    pub(crate) traceparent: Option<String>,
}

/// Why a record is no letter.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoLetter {
    #[error(transparent)]
    Event(#[from] EventError),
    #[error("{0} asks for no notification")]
    Other(&'static str),
    #[error(transparent)]
    Words(#[from] NoWords),
}

impl Letter {
    /// Of a record that asks for it.
    pub(crate) fn of(record: &Record, templates: &Templates) -> Result<Self, NoLetter> {
        let value = record.value().unwrap_or_default();
        let asked = match Event::from_json(value)? {
            Event::SendNotification(asked) => asked,
            other => return Err(NoLetter::Other(other.event_type().as_str())),
        };
        let SendNotification { event_id, order_id, timestamp, channel, to, template, .. } = asked;
        let members =
            serde_json::from_slice(value).map_err(|error| EventError::NotJson(error.to_string()))?;
        let Words { subject, text, html } = templates.render(template.as_str(), channel, &members)?;
        Ok(Self {
            event_id: event_id.as_str().to_owned(),
            order_id: order_id.as_str().to_owned(),
            timestamp: timestamp.to_string(),
            channel,
            to: to.as_str().to_owned(),
            template: template.as_str().to_owned(),
            subject,
            text,
            html,
            traceparent: record.traceparent(),
        })
    }

    /// Whether anybody can be reached by it: a customer who left no contact is named by an id instead.
    pub(crate) fn has_address(&self) -> bool {
        match self.channel {
            Channel::Email => self.to.contains('@'),
            Channel::Sms | Channel::Operator => true,
        }
    }
}
