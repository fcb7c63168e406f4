//! Somebody is to be told.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::error::FieldError;
use super::fields::Fields;
use super::id::{CustomerId, EventId, OrderId};
use super::kind::EventType;
use super::text::Text;
use super::timestamp::Timestamp;
use super::wire::{Part, object, string};

/// Tell a customer or the operators something; the notification service obeys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendNotification {
    /// This event.
    pub event_id: EventId,
    /// The order that it is about; the record key.
    pub order_id: OrderId,
    /// When it was asked for.
    pub timestamp: Timestamp,
    /// The customer; `None` when the operators are addressed.
    pub customer_id: Option<CustomerId>,
    /// By which means.
    pub channel: Channel,
    /// Mail address, telephone number or operators' list.
    pub to: Text<320>,
    /// The template's name.
    pub template: Text<128>,
    /// Values for the template.
    pub parameters: Fields,
    /// What the schema does not name.
    pub extra: Fields,
}

object! { SendNotification {
    "eventId": event_id,
    "eventType" = EventType::SendNotification,
    "orderId": order_id,
    "timestamp": timestamp,
    "customerId": customer_id,
    "channel": channel,
    "to": to,
    "template": template,
    "parameters": parameters,
} }

/// By which means a notification is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// A mail.
    Email,
    /// A text message.
    Sms,
    /// A word to the operators.
    Operator,
}

impl Channel {
    /// The word that stands for it in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Operator => "operator",
        }
    }
}

impl Part for Channel {
    fn read(raw: &RawValue) -> Result<Self, FieldError> {
        let word = string(raw);
        [Self::Email, Self::Sms, Self::Operator]
            .into_iter()
            .find(|channel| word.as_deref() == Some(channel.as_str()))
            .ok_or_else(|| FieldError::new("\"email\", \"sms\" or \"operator\"", Some(raw)))
    }
}
