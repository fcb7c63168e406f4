//! Identifiers, each kind a type of its own.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::error::FieldError;
use super::text::{Text, TextError};
use super::wire::Part;

/// The longest id, in characters.
const LONGEST: usize = 128;

macro_rules! ids {
    ($( $(#[$doc:meta])* $name:ident )*) => {$(
        $(#[$doc])*
        ///
        /// 1 to 128 characters, of any form.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Text<LONGEST>);

        impl $name {
            /// Takes an id of the right length.
            pub fn new(id: impl Into<String>) -> Result<Self, TextError> {
                Text::new(id).map(Self)
            }

            /// The id as a text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Part for $name {
            fn read(raw: &RawValue) -> Result<Self, FieldError> {
                Text::read(raw).map(Self)
            }
        }
    )*};
}

ids! {
    /// Names one event for ever; a repeated one is recognised by it.
    EventId
    /// Names an order; the key of every record about it.
    OrderId
    /// Names a customer.
    CustomerId
    /// Names a product of the catalogue.
    ProductId
    /// Names what the inventory holds back for one order.
    ReservationId
    /// Names one run of the refund saga.
    SagaId
}
