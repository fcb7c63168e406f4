//! The catalogue: what is sold, at which price, and how much of it there is at first. No I/O.

mod parse;
pub(crate) mod rules;

use crate::topology::Problem;
use crate::unit::Money;

/// The most pieces of a product that are there at a time: what an order's quantity can say.
pub(crate) const MOST_STOCK: u32 = i32::MAX.unsigned_abs();

/// The products, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Catalog {
    products: Vec<Product>,
}

/// Something that is sold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Product {
    /// Its name in events: 1 to 128 characters, none of them a control character.
    pub(crate) id: String,
    /// Its name for people.
    pub(crate) name: String,
    /// The price of one piece.
    pub(crate) price: Money,
    /// How many pieces there are when the inventory first hears of it; at most [`MOST_STOCK`].
    pub(crate) stock: u32,
}

impl Catalog {
    pub(crate) fn products(&self) -> &[Product] {
        &self.products
    }

    /// The product of that id.
    #[cfg_attr(not(test), expect(dead_code, reason = "the inventory asks"))]
    pub(crate) fn find(&self, id: &str) -> Option<&Product> {
        self.products.iter().find(|product| product.id == id)
    }
}

/// What a catalogue file came to.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// `None` when there are errors.
    pub(crate) catalog: Option<Catalog>,
    /// Everything that is wrong with the file, in the order of its places; at most ten thousand.
    pub(crate) problems: Vec<Problem>,
}

/// Reads a catalogue file. All problems are reported at once.
pub(crate) fn load(text: &str) -> Loaded {
    let (products, findings) = parse::parse(text);
    let catalog = products.filter(|_| findings.errors == 0).map(|products| Catalog { products });
    Loaded { catalog, problems: findings.problems }
}

#[cfg(test)]
mod tests;
