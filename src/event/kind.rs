//! Any event, and which types of events there are.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::error::{EventError, FieldError};
use super::id::{EventId, OrderId};
use super::timestamp::Timestamp;
use super::wire::{Fixed, Object, string};
use super::{
    CancelReservation, InventoryFailed, InventoryReserved, OrderPlaced, ReservationCancelled,
    ReservationRestored, RestoreReservation, SendNotification,
};

macro_rules! events {
    ($( $(#[$doc:meta])* $name:ident ),* $(,)?) => {
        /// A type of event: what `eventType` says in the payload and in the record's header.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventType {
            $( $(#[$doc])* $name, )*
        }

        impl EventType {
            /// Every type of event.
            pub const ALL: &'static [Self] = &[$( Self::$name ),*];

            /// The type's name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $( Self::$name => stringify!($name), )*
                }
            }
        }

        /// Any event.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Event {
            $( $(#[$doc])* $name($name), )*
        }

        impl Event {
            /// Which type of event it is.
            #[must_use]
            pub const fn event_type(&self) -> EventType {
                match self {
                    $( Self::$name(_) => EventType::$name, )*
                }
            }

            /// Its own id, by which a repeated event is recognised.
            #[must_use]
            pub const fn event_id(&self) -> &EventId {
                match self {
                    $( Self::$name(event) => &event.event_id, )*
                }
            }

            /// The order that it is about; the record key.
            #[must_use]
            pub const fn order_id(&self) -> &OrderId {
                match self {
                    $( Self::$name(event) => &event.order_id, )*
                }
            }

            /// When it happened.
            #[must_use]
            pub const fn timestamp(&self) -> &Timestamp {
                match self {
                    $( Self::$name(event) => &event.timestamp, )*
                }
            }

            fn read(kind: EventType, object: Object<'_>) -> Result<Self, FieldError> {
                match kind {
                    $( EventType::$name => $name::from_object(object).map(Self::$name), )*
                }
            }
        }

        impl Serialize for Event {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $( Self::$name(event) => event.serialize(serializer), )*
                }
            }
        }

        $(
            impl From<$name> for Event {
                fn from(event: $name) -> Self {
                    Self::$name(event)
                }
            }
        )*
    };
}

events! {
    /// A customer placed an order.
    OrderPlaced,
    /// Stock is reserved for an order.
    InventoryReserved,
    /// No stock could be reserved for an order.
    InventoryFailed,
    /// Tell a customer or the operators something.
    SendNotification,
    /// Give reserved stock back.
    CancelReservation,
    /// Reserved stock was given back.
    ReservationCancelled,
    /// Reserve stock again.
    RestoreReservation,
    /// Stock is reserved again.
    ReservationRestored,
}

impl Event {
    /// Reads an event of the type that its `eventType` says.
    pub fn from_json(bytes: &[u8]) -> Result<Self, EventError> {
        let raw: &RawValue =
            serde_json::from_slice(bytes).map_err(|error| EventError::NotJson(error.to_string()))?;
        let object = Object::read(raw)?;
        let not_named = |found| FieldError::new("the name of a type of event", found).within("eventType");
        let named = object.peek("eventType").ok_or_else(|| not_named(None))?;
        let name = string(named).ok_or_else(|| not_named(Some(named)))?;
        let kind = name.parse().map_err(|UnknownType| EventError::UnknownType(name.into_owned()))?;
        Ok(Self::read(kind, object)?)
    }

    /// The event as JSON, on one line unless an unknown field was read with line breaks.
    #[must_use]
    #[allow(clippy::missing_panics_doc, reason = "every event has a form in JSON")]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an event has a form in JSON")
    }
}

/// A text is the name of no type of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no type of event has this name")]
pub struct UnknownType;

impl FromStr for EventType {
    type Err = UnknownType;

    fn from_str(name: &str) -> Result<Self, UnknownType> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name).ok_or(UnknownType)
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Fixed for EventType {
    fn is(&self, found: Option<&RawValue>) -> bool {
        self.as_str().is(found)
    }

    fn expected(&self) -> String {
        self.as_str().expected()
    }
}
