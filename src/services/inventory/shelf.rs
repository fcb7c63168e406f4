//! Products as this process has left them, so that new orders are written without reading first what there is.
//!
//! Only a hint: who goes by it does so in an optimistic transaction, which is refused when a product is no longer so. Where
//! somebody else sells the same products that is the rule, and the shelf is left alone for a while.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::command::Command;
use super::model::{Book, Level};
use crate::event::ProductId;

/// Batches that are read for after one that went by the shelf was refused.
const WARY: u32 = 1000;

/// The shelf. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Shelf(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    levels: BTreeMap<ProductId, Level>,
    /// A batch goes by the shelf, and was not committed yet.
    tried: bool,
    wary: u32,
}

impl Shelf {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of what these commands name, if they are orders and there is enough for all of them. What is short may
    /// have come in since, which nothing that is written would show: so nobody goes by the shelf for that.
    pub(super) fn look(&self, commands: &[Command]) -> Option<Book> {
        let mut inner = self.inner();
        if std::mem::take(&mut inner.tried) {
            inner.wary = WARY;
        }
        if inner.wary > 0 {
            inner.wary -= 1;
            return None;
        }
        let mut wanted: BTreeMap<&ProductId, u64> = BTreeMap::new();
        for command in commands {
            let Command::Place(order) = command else { return None };
            for item in order.items.iter() {
                *wanted.entry(&item.product_id).or_default() += u64::from(item.quantity.get());
            }
        }
        let known = wanted.into_iter().map(|(product, pieces)| {
            let level = inner.levels.get(product).filter(|level| level.available >= pieces)?;
            Some((product.clone(), *level))
        });
        let products = known.collect::<Option<_>>()?;
        inner.tried = true;
        Some(Book { products, ..Book::default() })
    }

    /// Products as they were committed.
    pub(super) fn committed(&self, products: BTreeMap<ProductId, Level>) {
        let mut inner = self.inner();
        inner.tried = false;
        inner.levels.extend(products);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::inventory::testing::{book, cancel, levels, place};

    #[test]
    fn new_orders_of_products_that_are_known_need_not_be_read_for() {
        let shelf = Shelf::default();
        let orders = [place("O", &[("A", 1), ("B", 2)]), place("P", &[("A", 3)])];
        assert_eq!(shelf.look(&orders), None);
        shelf.committed(book(&[("A", 9)]).products);
        assert_eq!(shelf.look(&orders), None);
        assert_eq!(levels(&shelf.look(&orders[1..]).unwrap().products), "A=9+0");
        shelf.committed(book(&[("A", 6), ("B", 7), ("C", 8)]).products);
        assert_eq!(levels(&shelf.look(&orders).unwrap().products), "A=6+0 B=7+0");
        shelf.committed(book(&[("A", 4), ("B", 5)]).products);
        assert_eq!(levels(&shelf.look(&orders).unwrap().products), "A=4+0 B=5+0");
        shelf.committed(book(&[("A", 3)]).products);
        assert_eq!(shelf.look(&orders), None, "there is too little for both");
        assert_eq!(shelf.look(&[orders[1].clone(), cancel("Q", "S", &[("A", 1)])]), None);
    }

    #[test]
    fn a_batch_that_is_refused_makes_wary() {
        let shelf = Shelf::default();
        shelf.committed(book(&[("A", 9)]).products);
        let order = [place("O", &[("A", 1)])];
        assert!(shelf.look(&order).is_some());
        for _ in 0..WARY {
            assert_eq!(shelf.look(&order), None);
            shelf.committed(book(&[("A", 8)]).products);
        }
        assert_eq!(levels(&shelf.look(&order).unwrap().products), "A=8+0");
    }
}
