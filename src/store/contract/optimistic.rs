//! Transactions that hold nothing of what they read.

use super::inbox::standing_at_9;
use super::{DAY, NOW, effect, effects, event, pending_ids};
use crate::store::fence::{self, Owned};
use crate::store::inbox::{self, Claim, Death};
use crate::store::outbox::{self, Followers, KeyOrder};
use crate::store::testing::{TestStore, execute, on_both_stores};
use crate::store::{Store, StoreError, Tx, Writes};

on_both_stores! { crate::store::contract::MIGRATIONS;
    all_of_an_optimistic_transaction_is_done_when_it_is_committed_and_nothing_before,
    what_is_no_longer_as_it_was_read_is_refused_and_leaves_no_trace,
    a_note_alone_is_written_too,
    an_optimistic_transaction_takes_no_second_write,
}

async fn own(store: &Store) -> Vec<(Owned, i64)> {
    let mut tx = store.tx();
    let owned = fence::own(&mut tx, "g", &[("t".to_owned(), 0), ("t".to_owned(), 1)]).await.unwrap();
    tx.commit().await.unwrap();
    owned.into_iter().map(|owned| (owned, 10)).collect()
}

/// Claims events; effect 1 was read as `key`, and becomes "b"; effect `id` is new, and an event is announced.
async fn work(
    tx: &mut Tx,
    fences: &[(Owned, i64)],
    events: &[&'static str],
    (key, id): (&str, i64),
) -> Result<(), StoreError> {
    let claims = inbox::claim(tx, "g", fences, &standing_at_9(events), NOW).await?;
    assert!(claims.iter().all(|claim| *claim == Claim::New), "{claims:?}");
    let mut writes = Writes::of(tx)?;
    writes.rows(&[(id, "new")], |each| {
        format!("INSERT INTO effect (id, key) SELECT CAST(value ->> 0 AS bigint), value ->> 1 FROM {each}")
    })?;
    writes.rows_as_read(&[(1, "b", key)], |each| {
        format!(
            "UPDATE effect SET key = new.value ->> 1 FROM (SELECT value FROM {each}) AS new
             WHERE effect.id = CAST(new.value ->> 0 AS bigint) AND effect.key = new.value ->> 2"
        )
    })?;
    outbox::add(&mut writes, &[event(u32::try_from(id).unwrap(), "k")], KeyOrder::NoneWaits, NOW)?;
    writes.run(tx).await
}

/// All that a store has of it.
async fn seen(store: &Store) -> (Vec<i64>, Option<String>, Vec<String>, Vec<bool>, Option<i64>) {
    let claims = inbox::look(&mut store.glance(), "g", &standing_at_9(&["a", "b", "c"])).await.unwrap();
    let mut tx = store.reading();
    let first = async {
        Ok::<_, StoreError>(crate::with_connection!(tx, |connection| {
            sqlx::query_scalar("SELECT key FROM effect WHERE id = 1").fetch_optional(connection).await?
        }))
    };
    let first = first.await.unwrap();
    let offset = fence::next_offset(&mut store.reading(), "g", "t", 1).await.unwrap();
    let waiting = pending_ids(store, &[], Followers::Wait).await;
    (effects(store).await, first, waiting, claims.iter().map(|claim| *claim == Claim::New).collect(), offset)
}

/// The store with effect 1, if it knows such transactions: SQLite's one writer holds everything anyway.
async fn begun(test: &TestStore) -> Option<Vec<(Owned, i64)>> {
    assert_eq!(test.store.optimistic().is_some(), test.is_postgres());
    let mut tx = test.store.tx();
    effect(&mut tx, 1, "a").await.unwrap();
    tx.commit().await.unwrap();
    if test.is_postgres() { Some(own(&test.store).await) } else { None }
}

async fn all_of_an_optimistic_transaction_is_done_when_it_is_committed_and_nothing_before(test: TestStore) {
    let Some(fences) = begun(&test).await else { return };
    test.store.fresh().want();
    let before = seen(&test.store).await;
    let mut tx = test.store.optimistic().unwrap();
    work(&mut tx, &fences, &["a", "b"], ("a", 2)).await.unwrap();
    assert_eq!(seen(&test.store).await, before);
    tx.rollback().await.unwrap();
    assert_eq!(seen(&test.store).await, before);
    let mut tx = test.store.optimistic().unwrap();
    work(&mut tx, &fences, &["a", "b"], ("a", 3)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(test.handed_over(), ["k OrderPlaced"]);
    let after =
        (vec![1, 3], Some("b".to_owned()), vec!["evt-3".to_owned()], vec![false, false, true], Some(10));
    assert_eq!(seen(&test.store).await, after);
}

async fn what_is_no_longer_as_it_was_read_is_refused_and_leaves_no_trace(test: TestStore) {
    let Some(fences) = begun(&test).await else { return };
    test.store.fresh().want();
    let mut tx = test.store.tx();
    inbox::claim(&mut tx, "g", &[], &standing_at_9(&["known"]), NOW).await.unwrap();
    let death =
        Death { place: "t/0/9".to_owned(), class: "kafkaflow.Poison".to_owned(), reason: "no".to_owned() };
    inbox::give_up(&mut tx, "g", "dead", &death, NOW.after(DAY)).await.unwrap();
    tx.commit().await.unwrap();
    let before = seen(&test.store).await;
    let mut lost = fences.clone();
    lost[1].0.epoch -= 1;
    for (fences, events, read) in [
        // An event that was handled, one that was given up, one that comes twice.
        (&fences, &["a", "known"][..], ("a", 2)),
        (&fences, &["a", "dead"], ("a", 2)),
        (&fences, &["a", "b", "a"], ("a", 2)),
        // A partition that another owns.
        (&lost, &["a"], ("a", 2)),
        // A row that was changed, and one that is there.
        (&fences, &["a"], ("other", 2)),
        (&fences, &["a"], ("a", 1)),
    ] {
        let mut tx = test.store.optimistic().unwrap();
        work(&mut tx, fences, events, read).await.unwrap();
        let refused = tx.commit().await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{events:?} {read:?}: {refused:?}");
        assert_eq!(seen(&test.store).await, before, "{events:?} {read:?}");
        assert_eq!(test.handed_over(), Vec::<String>::new());
    }
    // What a database does not do is no conflict.
    let mut tx = test.store.optimistic().unwrap();
    work(&mut tx, &fences, &["a"], ("a", 2)).await.unwrap();
    execute(&test.store, "DROP TABLE effect").await;
    let failed = tx.commit().await;
    assert!(matches!(failed, Err(StoreError::Sql(_))), "{failed:?}");
}

async fn a_note_alone_is_written_too(test: TestStore) {
    let Some(fences) = begun(&test).await else { return };
    for (new, events) in [(true, ["a", "c"]), (false, ["c", "b"])] {
        let mut tx = test.store.optimistic().unwrap();
        inbox::claim(&mut tx, "g", &fences, &standing_at_9(&events), NOW).await.unwrap();
        assert_eq!(tx.commit().await.is_ok(), new, "{events:?}");
        let seen = seen(&test.store).await;
        assert_eq!((seen.3, seen.4), (vec![false, true, false], Some(10)));
    }
    // And nothing where there is nothing.
    let tx = test.store.optimistic().unwrap();
    tx.commit().await.unwrap();
}

async fn an_optimistic_transaction_takes_no_second_write(test: TestStore) {
    if begun(&test).await.is_none() {
        return;
    }
    let mut tx = test.store.optimistic().unwrap();
    work(&mut tx, &[], &[], ("a", 2)).await.unwrap();
    assert!(matches!(work(&mut tx, &[], &[], ("a", 3)).await, Err(StoreError::Sql(_))));
}
