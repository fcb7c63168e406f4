//! Products and how many of them.

use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::error::FieldError;
use super::fields::Fields;
use super::id::ProductId;
use super::quantity::Quantity;
use super::wire::{self, Fixed, Part, elements, object};
use crate::unit::Money;

/// The most items of one event: what one transaction of a handler can hold.
pub const MAX_ITEMS: usize = 1_000;

/// A product and how many of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Which product.
    pub product_id: ProductId,
    /// How many of it.
    pub quantity: Quantity,
    /// What the schema does not name.
    pub extra: Fields,
}

object! { Item {
    "productId": product_id,
    "quantity": quantity,
} }

/// A product, how many of it, and its price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedItem {
    /// Which product.
    pub product_id: ProductId,
    /// How many of it.
    pub quantity: Quantity,
    /// The price of one.
    pub unit_price: Money,
    /// What the schema does not name.
    pub extra: Fields,
}

object! { PricedItem {
    "productId": product_id,
    "quantity": quantity,
    "unitPrice": unit_price,
} }

/// At least `LEAST` and at most [`MAX_ITEMS`] items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Items<T = Item, const LEAST: usize = 1>(Vec<T>);

/// Why items cannot stand in an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ItemsError {
    /// There are too few.
    #[error("at least one item is needed")]
    TooFew,
    /// There are more than [`MAX_ITEMS`].
    #[error("an event has at most {MAX_ITEMS} items, these are {0}")]
    TooMany(usize),
    /// Together they cost more than [`Money::MAX`].
    #[error("the items cost more than {}", Money::MAX)]
    TooDear,
}

impl<T, const LEAST: usize> Items<T, LEAST> {
    /// Takes items of the right number.
    pub fn new(items: Vec<T>) -> Result<Self, ItemsError> {
        match items.len() {
            few if few < LEAST => Err(ItemsError::TooFew),
            ..=MAX_ITEMS => Ok(Self(items)),
            many => Err(ItemsError::TooMany(many)),
        }
    }

    /// The items, to take them apart.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T, const LEAST: usize> Deref for Items<T, LEAST> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Part, const LEAST: usize> Part for Items<T, LEAST> {
    fn read(raw: &RawValue) -> Result<Self, FieldError> {
        let expected = || FieldError::new(format!("an array of {LEAST} to {MAX_ITEMS} items"), Some(raw));
        let elements = elements(raw).ok_or_else(expected)?;
        if !(LEAST..=MAX_ITEMS).contains(&elements.len()) {
            return Err(expected());
        }
        let items = elements.into_iter().enumerate();
        let items = items.map(|(index, item)| T::read(item).map_err(|error| error.within(index)));
        items.collect::<Result<_, _>>().map(Self)
    }
}

impl<'de, const LEAST: usize> Deserialize<'de> for Items<Item, LEAST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        wire::deserialize(deserializer)
    }
}

/// The items of an order, and what they cost together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PricedItems {
    items: Items<PricedItem>,
    #[serde(skip)]
    total: Money,
}

impl PricedItems {
    /// Takes items of the right number whose sum is an amount of money.
    pub fn new(items: Vec<PricedItem>) -> Result<Self, ItemsError> {
        let items = Items::new(items)?;
        let total = items
            .iter()
            .try_fold(Money::ZERO, |total, item| {
                total.checked_add(item.unit_price.checked_mul(item.quantity.get())?)
            })
            .ok_or(ItemsError::TooDear)?;
        Ok(Self { items, total })
    }

    /// The sum of quantity times price.
    #[must_use]
    pub fn total(&self) -> Money {
        self.total
    }
}

impl Deref for PricedItems {
    type Target = [PricedItem];

    fn deref(&self) -> &[PricedItem] {
        &self.items
    }
}

impl Part for PricedItems {
    fn read(raw: &RawValue) -> Result<Self, FieldError> {
        let items = Items::<PricedItem>::read(raw)?;
        Self::new(items.into_vec()).map_err(|_| {
            FieldError::new(format!("items that cost at most {} together", Money::MAX), Some(raw))
        })
    }
}

impl<'de> Deserialize<'de> for PricedItems {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        wire::deserialize(deserializer)
    }
}

/// What an order costs: always what its items cost together.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Total(pub(super) Money);

impl Fixed for Total {
    fn is(&self, found: Option<&RawValue>) -> bool {
        found.is_some_and(|raw| raw.get().parse() == Ok(self.0))
    }

    fn expected(&self) -> String {
        format!("{SUM}, {}", self.0)
    }
}

/// What a total amount has to be.
pub(super) const SUM: &str = "the sum of quantity times unitPrice";

#[cfg(test)]
mod tests {
    use super::*;

    fn item(price: Money, quantity: Quantity) -> PricedItem {
        let product_id = ProductId::new("PROD-101").unwrap();
        PricedItem { product_id, quantity, unit_price: price, extra: Fields::new() }
    }

    #[test]
    fn items_are_neither_none_nor_too_many_nor_too_dear() {
        let cent = Money::from_cents(1).unwrap();
        let items = |count| vec![item(cent, Quantity::ONE); count];
        assert_eq!(PricedItems::new(items(0)), Err(ItemsError::TooFew));
        assert_eq!(PricedItems::new(items(1_000)).unwrap().total(), Money::from_cents(1_000).unwrap());
        assert_eq!(PricedItems::new(items(1_001)), Err(ItemsError::TooMany(1_001)));
        let dear = item(Money::MAX, Quantity::ONE);
        assert_eq!(PricedItems::new(vec![dear.clone()]).unwrap().total(), Money::MAX);
        let beyond = vec![dear.clone(), item(cent, Quantity::ONE)];
        assert_eq!(PricedItems::new(beyond), Err(ItemsError::TooDear));
        assert_eq!(PricedItems::new(vec![item(Money::MAX, Quantity::MAX)]), Err(ItemsError::TooDear));
        assert!(Items::<Item, 0>::new(Vec::new()).unwrap().is_empty());
    }
}
