//! How many.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::error::FieldError;
use super::wire::{self, Part};
use crate::unit::fixed;

/// How many pieces of a product, from 1 to 2,147,483,647.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Quantity(u32);

/// A number is no [`Quantity`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a quantity is a whole number from 1 to {}", Quantity::MAX)]
pub struct QuantityError;

impl Quantity {
    /// One piece.
    pub const ONE: Self = Self(1);
    /// The most pieces: what every language's `int` holds.
    pub const MAX: Self = Self(i32::MAX.unsigned_abs());

    /// Takes a number of pieces.
    pub const fn new(pieces: u32) -> Result<Self, QuantityError> {
        if pieces < Self::ONE.0 || pieces > Self::MAX.0 { Err(QuantityError) } else { Ok(Self(pieces)) }
    }

    /// The number of pieces.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Reads a JSON number's text; `2.0` is a whole number, as JSON Schema has it.
    pub(super) fn from_json(text: &str) -> Result<Self, QuantityError> {
        let pieces = fixed(text, 0).map_err(|_| QuantityError)?;
        u32::try_from(pieces).map_err(|_| QuantityError).and_then(Self::new)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Part for Quantity {
    fn read(raw: &RawValue) -> Result<Self, FieldError> {
        Self::from_json(raw.get()).map_err(|_| FieldError::new(WHOLE, Some(raw)))
    }
}

/// What a quantity has to be.
pub(super) const WHOLE: &str = "a whole number from 1 to 2147483647";

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        wire::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_whole_and_at_least_one() {
        for (text, pieces) in [("1", 1), ("2.0", 2), ("20e-1", 2), ("2147483647", 2_147_483_647)] {
            assert_eq!(serde_json::from_str::<Quantity>(text).unwrap().get(), pieces, "{text}");
        }
        for text in ["0", "-1", "-0", "1.5", "2.0000000000000000001", "2147483648", "1e99", "\"1\"", "true"] {
            assert!(serde_json::from_str::<Quantity>(text).is_err(), "{text}");
        }
        assert_eq!(Quantity::new(0), Err(QuantityError));
        assert_eq!(Quantity::new(u32::MAX), Err(QuantityError));
        assert_eq!(serde_json::to_string(&Quantity::MAX).unwrap(), "2147483647");
    }
}
