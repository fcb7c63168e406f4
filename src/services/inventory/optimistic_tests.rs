//! Orders that are handled without holding what is read, and without reading.

use super::contract::{announced, change, handle, handle_in, inventory_of, open, try_first, written};
use super::stock::Change;
use super::testing::{holds_what_is_reserved, inventory, levels, place, record};
use crate::runtime::{BatchOutcome, HandleError, Handler};
use crate::store::testing::{TestStore, on_both_stores};
use crate::store::{StoreError, Tx};

on_both_stores! { crate::services::inventory::MIGRATIONS;
    stock_that_changes_meanwhile_is_sold_as_it_is_then,
    what_an_instance_left_on_the_shelf_is_sold_without_being_read,
}

async fn stock_that_changes_meanwhile_is_sold_as_it_is_then(test: TestStore) {
    open(&test.store, &[("A", 5), ("B", 5)]).await;
    let Some(mut tx) = test.store.optimistic() else { return };
    let order = record(&place("O", &[("A", 3), ("B", 1)]));
    let outcome = inventory().handle(&mut tx, std::slice::from_ref(&order)).await;
    assert!(matches!(outcome, BatchOutcome::Done), "{outcome:?}");
    // Nobody waits for it.
    change(&test.store, "A", Change::To(2)).await.unwrap();
    let refused = tx.commit().await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    assert_eq!(announced(&test.store).await, Vec::<String>::new());
    try_first(&test.store, &inventory(), &[place("O", &[("A", 3), ("B", 1)])]).await.unwrap();
    let book = written(&test.store, &[].into()).await;
    assert_eq!(levels(&book.products), "A=2+0! B=5+0");
    // One that is known is for those who hold it.
    let again = handle_in(test.store.optimistic().unwrap(), &inventory(), &[place("O", &[("A", 1)])]).await;
    assert!(matches!(again, Err(HandleError::Store(StoreError::Conflict(_)))), "{again:?}");
}

async fn what_an_instance_left_on_the_shelf_is_sold_without_being_read(test: TestStore) {
    open(&test.store, &[("A", 9), ("B", 2)]).await;
    let inventory = inventory();
    handle(&test.store, &inventory, &[place("O", &[("A", 1), ("B", 1)])]).await.unwrap();
    let Some(mut tx) = test.store.optimistic() else { return };
    let sold = async |tx: &mut Tx, order: &str, line| {
        let outcome = inventory.handle(tx, &[record(&place(order, &[line]))]).await;
        assert!(matches!(outcome, BatchOutcome::Done), "{outcome:?}");
    };
    sold(&mut tx, "P", ("A", 3)).await;
    assert!(!tx.has_begun());
    tx.commit().await.unwrap();
    // What there is too little of may have come in.
    change(&test.store, "B", Change::To(5)).await.unwrap();
    let mut tx = test.store.optimistic().unwrap();
    sold(&mut tx, "Q", ("B", 4)).await;
    assert!(tx.has_begun());
    tx.commit().await.unwrap();
    // What others have sold is there no more.
    handle(&test.store, &inventory_of("other"), &[place("R", &[("A", 4)])]).await.unwrap();
    let mut tx = test.store.optimistic().unwrap();
    sold(&mut tx, "S", ("A", 2)).await;
    assert!(!tx.has_begun());
    let refused = tx.commit().await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    try_first(&test.store, &inventory, &[place("S", &[("A", 2)])]).await.unwrap();
    let said = announced(&test.store).await;
    assert_eq!(said[said.len() - 2..], ["S failed: Insufficient stock for A", "S told stock-desk: \"A\" 1"]);
    let book = written(&test.store, &["O", "P", "Q", "R", "S"].map(str::to_owned).into()).await;
    assert_eq!(levels(&book.products), "A=1+8! B=1+5");
    assert!(holds_what_is_reserved(&book));
}
