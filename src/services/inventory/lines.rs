//! Items as the inventory counts them: each product once.

use std::collections::BTreeMap;

use super::model::Line;
use crate::event::{Fields, Item, Items, ProductId, Quantity, Text};

/// Names of products that a reason lists: with the longest ids it is still no longer than an event takes.
const MOST_NAMED: usize = 5;

/// A product and how many pieces of it are asked for, which may be more than a [`Quantity`] can say.
pub(super) type Wanted = (ProductId, u64);

pub(super) fn line(item: &Item) -> (&ProductId, Quantity) {
    (&item.product_id, item.quantity)
}

/// Adds up what is asked for; products in the order in which they first come.
pub(super) fn wanted<'i>(items: impl Iterator<Item = (&'i ProductId, Quantity)>) -> Vec<Wanted> {
    let mut places: BTreeMap<&ProductId, usize> = BTreeMap::new();
    let mut wanted: Vec<Wanted> = Vec::new();
    for (product, quantity) in items {
        let place = *places.entry(product).or_insert(wanted.len());
        if place == wanted.len() {
            wanted.push((product.clone(), 0));
        }
        wanted[place].1 += u64::from(quantity.get());
    }
    wanted
}

/// How many pieces of a product are asked for.
pub(super) fn pieces(wanted: &[Wanted], product: &ProductId) -> u64 {
    wanted.iter().find(|(known, _)| known == product).map_or(0, |(_, pieces)| *pieces)
}

/// Of what was given, what is asked for.
pub(super) fn overlap(asked: &[Wanted], given: &[Line]) -> Vec<Wanted> {
    let both = |(product, quantity): &Line| {
        let pieces = pieces(asked, product).min(quantity.get().into());
        (pieces > 0).then(|| (product.clone(), pieces))
    };
    given.iter().filter_map(both).collect()
}

/// As an event lists them.
pub(super) fn items(lines: &[Line]) -> Items<Item, 0> {
    let item = |(product_id, quantity): &Line| Item {
        product_id: product_id.clone(),
        quantity: *quantity,
        extra: Fields::new(),
    };
    Items::new(lines.iter().map(item).collect()).expect("no more than one event had")
}

/// `PROD-101`, `PROD-101, PROD-205 and 3 more`.
pub(super) fn named(products: &[&ProductId]) -> String {
    let names: Vec<&str> = products.iter().take(MOST_NAMED).map(|product| product.as_str()).collect();
    match products.len().checked_sub(MOST_NAMED) {
        Some(more @ 1..) => format!("{} and {more} more", names.join(", ")),
        _ => names.join(", "),
    }
}

pub(super) fn reason(text: &str) -> Text<1000> {
    Text::new(text).expect("short, and never empty")
}

/// What the operators' template says of a product.
pub(super) fn parameters(product: &ProductId, available: u64) -> Fields {
    let mut parameters = Fields::new();
    parameters.set("productId", product).expect("a text has a form in JSON");
    parameters.set("available", &available).expect("so has a number");
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::MAX_ITEMS;

    fn product(name: &str) -> ProductId {
        ProductId::new(name).unwrap()
    }

    #[test]
    fn a_product_that_is_asked_for_twice_is_added_up_where_it_first_came() {
        let (a, b) = (product("a"), product("b"));
        let many = [(&b, Quantity::MAX), (&a, Quantity::ONE), (&b, Quantity::MAX)];
        let most = u64::from(Quantity::MAX.get());
        assert_eq!(wanted(many.into_iter()), [(b.clone(), 2 * most), (a.clone(), 1)]);
        let wanted = [(b.clone(), 5)];
        assert_eq!((pieces(&wanted, &b), pieces(&wanted, &a)), (5, 0));
        let given = [(a, Quantity::ONE), (b.clone(), Quantity::new(3).unwrap())];
        assert_eq!(overlap(&wanted, &given), [(b, 3)]);
    }

    #[test]
    fn a_reason_names_products_and_is_never_too_long() {
        let ids: Vec<ProductId> = (0..MAX_ITEMS).map(|n| product(&format!("{n:🦀>128}"))).collect();
        let all: Vec<&ProductId> = ids.iter().collect();
        assert_eq!(named(&[&product("A")]), "A");
        assert_eq!(named(&[&product("A"), &product("B")]), "A, B");
        let text = named(&all);
        assert!(text.ends_with(" and 995 more"), "{text}");
        assert!(reason(&format!("Insufficient stock for {text}")).as_str().chars().count() < 1000);
    }
}
