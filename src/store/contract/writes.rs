//! Writes that go together.

use super::{NOW, effects, event, pending_ids};
use crate::store::outbox::{self, Followers, KeyOrder};
use crate::store::testing::{TestStore, on_both_stores};
use crate::store::{StoreError, Tx, Writes};

on_both_stores! { crate::store::contract::MIGRATIONS;
    writes_happen_together_or_not_at_all,
    what_was_to_be_alone_takes_no_second_statement,
}

/// Effects with these numbers, and an event.
async fn written(tx: &mut Tx, ids: &[i64], event_number: u32) -> Result<(), StoreError> {
    let mut writes = Writes::of(tx)?;
    let rows: Vec<_> = ids.iter().map(|id| (id, "a \"quoted\" ü")).collect();
    let into = |rest: &'static str| {
        move |each: &str| {
            format!(
                "INSERT INTO effect (id, key) SELECT CAST(value ->> 0 AS bigint), value ->> 1 FROM {each} {rest}"
            )
        }
    };
    writes.rows(&rows[..1], into(""))?;
    writes.rows(&rows[1..], into("ORDER BY 1"))?;
    writes.rows(&rows[..0], into("nobody reads this"))?;
    outbox::add(&mut writes, &[event(event_number, "k"), event(event_number + 1, "k")], KeyOrder::Held, NOW)?;
    writes.run(tx).await
}

async fn writes_happen_together_or_not_at_all(test: TestStore) {
    let store = &test.store;
    for (mut tx, ids, number) in [(store.tx(), [1, 2, 3], 1), (store.alone(), [4, 5, 6], 3)] {
        written(&mut tx, &ids, number).await.unwrap();
        tx.commit().await.unwrap();
    }
    let there = async || (effects(store).await, pending_ids(store, &[], Followers::Wait).await);
    let before = there().await;
    assert_eq!(before.0, [1, 2, 3, 4, 5, 6]);
    assert_eq!(before.1, ["evt-1", "evt-2", "evt-3", "evt-4"]);
    // One of the rows is there already.
    for mut tx in [store.tx(), store.alone()] {
        let twice = written(&mut tx, &[7, 8, 1], 5).await;
        assert!(matches!(twice, Err(StoreError::Duplicate(_))), "{twice:?}");
    }
    assert_eq!(there().await, before);
    let mut tx = store.tx();
    Writes::of(&tx).unwrap().run(&mut tx).await.unwrap();
    assert!(!tx.has_begun(), "nothing was to be written");
}

async fn what_was_to_be_alone_takes_no_second_statement(test: TestStore) {
    let mut tx = test.store.alone();
    written(&mut tx, &[1, 2, 3], 1).await.unwrap();
    assert!(matches!(written(&mut tx, &[4, 5, 6], 3).await, Err(StoreError::Sql(_))));
}
