//! The handler over both stores: what is written is what was decided, whatever else happens at the same time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use tokio::sync::Barrier;

use super::command::Command;
use super::model::Book;
use super::stock::{self, Change, Changed, Refused};
use super::testing::{
    Counted, NOW, Named, PRODUCTS, TRACE, book, cancel, commands, decided, holds_what_is_reserved, inventory,
    judge, levels, of, of_orders, place, product, record, settings, stocks, sums, with_judge, words,
};
use super::{Inventory, MIGRATIONS, open_stock, store};
use crate::catalog;
use crate::event::{Event, ProductId};
use crate::messaging::Record;
use crate::runtime::{BatchOutcome, HandleError, Handler};
use crate::schema::{ByType, Judge, Schema};
use crate::store::testing::{TestStore, execute, on_both_stores, outbox_rows};
use crate::store::{Store, StoreError, Tx};

on_both_stores! { crate::services::inventory::MIGRATIONS;
    an_order_is_reserved_and_announced_in_one_transaction,
    what_is_written_is_what_was_decided,
    only_the_first_answers_about_an_order_go_past_the_outbox,
    two_instances_share_hot_products_and_nothing_is_sold_twice,
    an_order_that_two_instances_hear_of_at_once_has_one_outcome,
    what_cannot_be_carried_out_is_refused_and_leaves_no_trace,
    opening_stock_is_written_once,
    people_change_the_stock_beside_the_service,
    the_tables_refuse_what_would_be_below_zero,
}

pub(super) async fn open(store: &Store, stock: &[(&str, u32)]) {
    let mut tx = store.tx();
    store::open(&mut tx, stock).await.unwrap();
    tx.commit().await.unwrap();
}

/// Handles a batch and commits it.
pub(super) async fn handle(
    store: &Store,
    inventory: &Inventory,
    batch: &[Command],
) -> Result<(), HandleError> {
    handle_in(store.tx(), inventory, batch).await
}

/// The same as the runtime does it: first without holding what is read, where the store can.
pub(super) async fn try_first(
    store: &Store,
    inventory: &Inventory,
    batch: &[Command],
) -> Result<(), HandleError> {
    if let Some(tx) = store.optimistic() {
        let tried = handle_in(tx, inventory, batch).await;
        if !matches!(tried, Err(HandleError::Store(StoreError::Conflict(_)))) {
            return tried;
        }
    }
    handle(store, inventory, batch).await
}

pub(super) async fn handle_in(
    mut tx: Tx,
    inventory: &Inventory,
    batch: &[Command],
) -> Result<(), HandleError> {
    let records: Vec<Record> = batch.iter().map(record).collect();
    match inventory.handle(&mut tx, &records).await {
        BatchOutcome::Done => Ok(tx.commit().await?),
        BatchOutcome::Failed(error) => Err(error),
        BatchOutcome::Poisoned(poisoned) => panic!("{poisoned:?}"),
    }
}

pub(super) async fn change(store: &Store, product: &str, change: Change) -> Result<Changed, Refused> {
    let mut tx = store.tx();
    let changed = stock::change(&mut tx, product, change).await.unwrap();
    tx.commit().await.unwrap();
    changed
}

/// What was announced, in its order.
pub(super) async fn announced(store: &Store) -> Vec<String> {
    let event = |payload: &str| words(&Event::from_json(payload.as_bytes()).unwrap());
    outbox_rows(store).await.iter().map(|row| event(&row.5)).collect()
}

/// What the tables say of all products and of these orders.
pub(super) async fn written(store: &Store, orders: &BTreeSet<String>) -> Book {
    let mut tx = store.reading();
    let products = stock::levels(&mut tx).await.unwrap();
    let products = products.into_iter().map(|(id, level)| (product(&id), level)).collect();
    tx.rollback().await.unwrap();
    // As a batch about all of them reads them, and in a transaction that may lock.
    let asked: Vec<Command> = orders.iter().map(|order| cancel(order, "S", &[])).collect();
    let mut tx = store.tx();
    let orders = store::load(&mut tx, &asked).await.unwrap().orders;
    tx.rollback().await.unwrap();
    Book { products, orders }
}

async fn an_order_is_reserved_and_announced_in_one_transaction(test: TestStore) {
    open(&test.store, &[("PROD-101", 2), ("PROD-205", 9)]).await;
    let order = place("ORD-999", &[("PROD-101", 2), ("PROD-205", 1)]);
    let mut tx = test.store.tx();
    assert!(matches!(inventory().handle(&mut tx, &[record(&order)]).await, BatchOutcome::Done));
    tx.rollback().await.unwrap();
    assert_eq!(announced(&test.store).await, Vec::<String>::new());
    handle(&test.store, &inventory(), &[order]).await.unwrap();
    let rows = outbox_rows(&test.store).await;
    let columns: Vec<_> = rows
        .iter()
        .map(|(_, id, of, key, kind, _, topic, trace, at)| {
            (id.as_str(), of.as_str(), key.as_str(), kind.as_str(), topic.as_str(), trace.as_deref(), *at)
        })
        .collect();
    assert_eq!(
        columns,
        [
            ("evt-1", "order", "ORD-999", "InventoryReserved", "results", Some(TRACE), NOW.0),
            ("evt-2", "order", "ORD-999", "SendNotification", "notifications", Some(TRACE), NOW.0),
        ]
    );
    assert_eq!(
        announced(&test.store).await,
        ["ORD-999 reserved RES-1: PROD-101 2, PROD-205 1", "ORD-999 told stock-desk: \"PROD-101\" 0"]
    );
    let book = written(&test.store, &BTreeSet::from(["ORD-999".to_owned()])).await;
    assert_eq!(levels(&book.products), "PROD-101=0+2! PROD-205=8+1");
    assert!(holds_what_is_reserved(&book));
}

async fn only_the_first_answers_about_an_order_go_past_the_outbox(test: TestStore) {
    test.store.fresh().want();
    let inventory = inventory();
    open(&test.store, &[("PROD-101", 100)]).await;
    let line = [("PROD-101", 2)];
    handle(&test.store, &inventory, &[place("A", &line), place("B", &line)]).await.unwrap();
    assert_eq!(test.handed_over(), test.hands_over(["A InventoryReserved", "B InventoryReserved"]));
    // What was cancelled before it was placed has an answer already.
    handle(&test.store, &inventory, &[cancel("C", "saga", &line)]).await.unwrap();
    test.handed_over();
    handle(&test.store, &inventory, &[place("C", &line), place("D", &line)]).await.unwrap();
    assert_eq!(test.handed_over(), Vec::<String>::new());
    handle(&test.store, &inventory, &[cancel("A", "saga", &line)]).await.unwrap();
    assert_eq!(test.handed_over(), Vec::<String>::new());
}

/// Random commands in random batches, each case with a store's tables to itself: names are the case's own.
async fn what_is_written_is_what_was_decided(test: TestStore) {
    let mut runner = TestRunner::default();
    for case in 0..40 {
        // A batch that is refused and handled again draws ids in vain: all is the same but these.
        let tries = case % 2 == 1;
        for table in ["outbox_pending", "outbox", "saga_step", "reservation_item", "reservation", "product"] {
            execute(&test.store, &format!("DELETE FROM {table}")).await;
        }
        let sizes = proptest::collection::vec(1..7_usize, 40);
        let (stock, commands, sizes) = (stocks(), commands(), sizes).new_tree(&mut runner).unwrap().current();
        let opening: Vec<(&str, u32)> =
            PRODUCTS.into_iter().zip(stock.iter().map(|pieces| u32::try_from(*pieces).unwrap())).collect();
        open(&test.store, &opening).await;
        let (inventory, mut rest) = (inventory(), &commands[..]);
        for size in sizes {
            let (batch, later) = rest.split_at(size.min(rest.len()));
            if tries {
                try_first(&test.store, &inventory, batch).await.unwrap();
            } else {
                handle(&test.store, &inventory, batch).await.unwrap();
            }
            rest = later;
        }
        let (expected, answers) = decided(of(&stock), &commands, &Counted::default());
        let said: Vec<String> = answers.iter().map(|answer| words(&answer.event)).collect();
        let orders = commands.iter().map(|command| command.order_id().to_string()).collect();
        let (announced, book) = (announced(&test.store).await, written(&test.store, &orders).await);
        if tries {
            assert_eq!(without_ids(&announced), without_ids(&said), "{commands:?}");
            assert_eq!(book.products, expected.products, "{commands:?}");
            assert!(holds_what_is_reserved(&book), "{commands:?}");
        } else {
            assert_eq!(announced, said, "{commands:?}");
            assert_eq!(book, expected, "{commands:?}");
        }
    }
}

/// With each reservation's id by the order in which it comes.
fn without_ids(said: &[String]) -> String {
    let mut known: Vec<&str> = Vec::new();
    let words = said.iter().flat_map(|line| line.split([' ', ':']).chain(["\n"]));
    let named = words.map(|word| match (word.starts_with("RES-"), known.iter().position(|id| *id == word)) {
        (false, _) => word.to_owned(),
        (true, Some(at)) => format!("RES#{at}"),
        (true, None) => {
            known.push(word);
            format!("RES#{}", known.len() - 1)
        }
    });
    named.collect::<Vec<_>>().join(" ")
}

/// Random batches of two instances at the same time, each with its own connections and several lanes, about the same
/// few products; in the next round there is something of them again.
async fn two_instances_share_hot_products_and_nothing_is_sold_twice(test: TestStore) {
    const LANES: usize = 3;
    let mut runner = TestRunner::default();
    let mut expected: BTreeMap<ProductId, u64> = BTreeMap::new();
    let mut orders = BTreeSet::new();
    open(&test.store, &PRODUCTS.map(|id| (id, 0))).await;
    for round in 0..6 {
        let stock = proptest::collection::vec(0..150_u32, 3).new_tree(&mut runner).unwrap().current();
        for (id, pieces) in PRODUCTS.into_iter().zip(stock) {
            change(&test.store, id, Change::By(pieces.into())).await.unwrap();
            *expected.entry(product(id)).or_default() += u64::from(pieces);
        }
        let mut lanes = Vec::new();
        let start = Arc::new(Barrier::new(2 * LANES));
        for name in ["x", "y"] {
            let store = Store::open(&test.location, "service", MIGRATIONS, 8).await.unwrap();
            for lane in 0..LANES {
                let prefix = format!("{name}{round}{lane}-");
                let batches =
                    proptest::collection::vec(commands(), 8).new_tree(&mut runner).unwrap().current();
                let batches: Vec<Vec<Command>> = batches
                    .into_iter()
                    .enumerate()
                    .map(|(at, batch)| {
                        // Each second batch is about the orders of the one before.
                        let prefix = format!("{prefix}{}-", at / 2);
                        batch.into_iter().map(|command| of_orders(&prefix, command)).collect()
                    })
                    .collect();
                orders.extend(batches.iter().flatten().map(|command| command.order_id().to_string()));
                let (store, start) = (store.clone(), start.clone());
                lanes.push(tokio::spawn(async move {
                    let inventory = inventory_of(prefix);
                    start.wait().await;
                    for batch in batches {
                        // No conflict either once rows are locked: no two lanes have an order in common, and rows are locked in
                        // one order, also by orders that are placed again for other products.
                        try_first(&store, &inventory, &batch).await.unwrap();
                    }
                }));
            }
        }
        for lane in lanes {
            lane.await.unwrap();
        }
        let book = written(&test.store, &orders).await;
        assert_eq!(sums(&book), expected);
        assert!(holds_what_is_reserved(&book));
    }
    // Each order has one outcome.
    let said = announced(&test.store).await;
    let mut outcomes: BTreeMap<&str, &str> = BTreeMap::new();
    for words in &said {
        let (order, rest) = words.split_once(' ').unwrap();
        if rest.starts_with("reserved") || rest.starts_with("failed") {
            assert_eq!(*outcomes.entry(order).or_insert(rest), rest, "{order}");
        }
    }
    let reserved = outcomes.values().filter(|outcome| outcome.starts_with("reserved")).count();
    assert!(reserved > 0 && reserved < outcomes.len(), "{reserved} of {}", outcomes.len());
}

/// Its ids are its own, as those of two processes are.
pub(super) fn inventory_of(name: impl Into<String>) -> Inventory {
    Inventory::new(settings(judge()), Named(name.into(), Counted::default()))
}

async fn an_order_that_two_instances_hear_of_at_once_has_one_outcome(test: TestStore) {
    open(&test.store, &[("A", 5)]).await;
    let mut first = test.store.tx();
    let cancelled = inventory_of("x");
    let outcome = cancelled.handle(&mut first, &[record(&cancel("O", "S", &[]))]).await;
    assert!(matches!(outcome, BatchOutcome::Done));
    let second = {
        let store = test.store.clone();
        tokio::spawn(async move {
            let placing = inventory_of("y");
            let order = place("O", &[("A", 3)]);
            let at_first = handle(&store, &placing, std::slice::from_ref(&order)).await;
            // As the runtime does.
            if at_first.is_err() {
                handle(&store, &placing, &[order]).await.unwrap();
            }
            at_first
        })
    };
    crate::store::testing::until_somebody_waits_for_a_lock(&test.store).await;
    first.commit().await.unwrap();
    // SQLite's writers queue; on PostgreSQL the second finds the order written when it writes it.
    let at_first = second.await.unwrap();
    let conflict = matches!(at_first, Err(HandleError::Store(StoreError::Conflict(_))));
    assert_eq!(conflict, test.is_postgres(), "{at_first:?}");
    assert_eq!(
        announced(&test.store).await,
        ["O S cancelled nothing: ", "O failed: Cancelled before stock was reserved"]
    );
}

async fn what_cannot_be_carried_out_is_refused_and_leaves_no_trace(test: TestStore) {
    open(&test.store, &[("A", 5)]).await;
    let of =
        |text: &str| Record::at("commands", 0, 0).holding(None, Some(text.as_bytes()), std::iter::empty());
    let result = decided(book(&[("A", 5)]), &[place("P", &[("A", 1)])], &Counted::default()).1.remove(0);
    let batch = [
        of("{}"),
        record(&place("O", &[("A", 1)])),
        record(&place("nul\0", &[("A", 1)])),
        record(&place("Q", &[("A\0", 1)])),
        of(&result.event.to_json()),
        record(&place("R", &[("A", 1)])),
    ];
    let mut tx = test.store.tx();
    let BatchOutcome::Poisoned(poisoned) = inventory().handle(&mut tx, &batch).await else { panic!() };
    let said: Vec<String> = poisoned.iter().map(|(at, error)| format!("{at}: {error}")).collect();
    insta::allow_duplicates! { insta::assert_snapshot!(said.join("\n")) };
    tx.commit().await.unwrap();
    assert_eq!(announced(&test.store).await, ["O reserved RES-1: A 1", "R reserved RES-2: A 1"]);

    // An answer that its schema does not allow.
    let strict = Schema::compile(br#"{"properties": {"orderId": {"maxLength": 3}}}"#).unwrap();
    let strict = with_judge(Judge::by_type(ByType::new().with("InventoryReserved", strict)));
    let batch = [place("S", &[("A", 1)]), place("LONG", &[("A", 1)])];
    let Err(HandleError::Poison(error)) = handle(&test.store, &strict, &batch).await else { panic!() };
    assert!(error.to_string().starts_with("an event InventoryReserved of ours is not valid"), "{error}");
    handle(&test.store, &inventory_of("z"), &batch[..1]).await.unwrap();
    assert_eq!(announced(&test.store).await[2..], ["S reserved zRES-1: A 1"]);
}

async fn opening_stock_is_written_once(test: TestStore) {
    let catalog = |text: &str| catalog::load(text).catalog.unwrap();
    let first = catalog(
        "version: 1\nproducts:\n  - { id: b, name: B, price: 1, stock: 5 }\n  - { id: a, name: A, price: 1, stock: 0 }\n",
    );
    assert_eq!(open_stock(&test.store, &first).await, Ok(2));
    handle(&test.store, &inventory(), &[place("O", &[("b", 2)])]).await.unwrap();
    let second = catalog(
        "version: 1\nproducts:\n  - { id: b, name: B, price: 1, stock: 500 }\n  - { id: c, name: C, price: 1, stock: 7 }\n",
    );
    assert_eq!(open_stock(&test.store, &second).await, Ok(1));
    assert_eq!(open_stock(&test.store, &second).await, Ok(0));
    let book = written(&test.store, &BTreeSet::new()).await;
    assert_eq!(levels(&book.products), "a=0+0 b=3+2 c=7+0");
    // Every product of ours has an id that orders can say.
    let ours = catalog::load(include_str!("../../../catalog.yaml")).catalog.unwrap();
    let known = u64::try_from(ours.products().len()).unwrap();
    assert_eq!(open_stock(&test.store, &ours).await, Ok(known));
    assert_eq!(written(&test.store, &BTreeSet::new()).await.products.len(), ours.products().len() + 3);
}

async fn people_change_the_stock_beside_the_service(test: TestStore) {
    open(&test.store, &[("A", 1)]).await;
    let (store, inventory) = (&test.store, inventory());
    assert_eq!(change(store, "X", Change::To(1)).await, Err(Refused::Unknown));
    handle(store, &inventory, &[place("O", &[("A", 1)])]).await.unwrap();
    assert_eq!(change(store, "A", Change::By(-1)).await, Err(Refused::TooFew { available: 0 }));
    // Restocked while a batch is under way: people wait for it, and find what it left.
    let mut batch = store.tx();
    let outcome = inventory.handle(&mut batch, &[record(&cancel("O", "S", &[]))]).await;
    assert!(matches!(outcome, BatchOutcome::Done));
    let people = {
        let store = store.clone();
        tokio::spawn(async move { change(&store, "A", Change::By(4)).await.unwrap() })
    };
    crate::store::testing::until_somebody_waits_for_a_lock(store).await;
    batch.commit().await.unwrap();
    let Changed { before, after } = people.await.unwrap();
    let level = |level| levels([(&product("A"), &level)]);
    assert_eq!((level(before), level(after)), ("A=1+0!".to_owned(), "A=5+0".to_owned()));
    handle(store, &inventory, &[place("P", &[("A", 5)])]).await.unwrap();
    let told = announced(store).await;
    assert_eq!(told.iter().filter(|words| words.contains(" told ")).count(), 2, "{told:?}");
}

async fn the_tables_refuse_what_would_be_below_zero(test: TestStore) {
    open(&test.store, &[("A", 5)]).await;
    handle(&test.store, &inventory(), &[place("O", &[("A", 2)])]).await.unwrap();
    for statement in [
        "UPDATE product SET available = -1",
        "UPDATE product SET reserved = -1",
        "UPDATE reservation_item SET held = -1",
        "UPDATE reservation_item SET held = ordered + 1",
        "UPDATE reservation SET reason = 'both'",
        "INSERT INTO reservation SELECT 'P', reservation_id, NULL, 0 FROM reservation",
    ] {
        let store = test.store.clone();
        assert!(tokio::spawn(async move { execute(&store, statement).await }).await.is_err(), "{statement}");
    }
    execute(&test.store, "UPDATE product SET available = 0").await;
}
