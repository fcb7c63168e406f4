//! The inbox.

use super::{DAY, NOW};
use crate::store::testing::{TestStore, on_both_stores};
use crate::store::{Store, inbox};
use crate::unit::UnixMillis;

on_both_stores! { crate::store::contract::MIGRATIONS;
    an_event_has_its_effects_once_for_each_group,
    a_dead_event_is_no_duplicate_until_its_replay_was_handled,
    ids_are_forgotten_by_the_day,
    ids_that_a_database_would_not_take_are_kept_by_a_hash,
}

async fn claim(store: &Store, group: &str, ids: &[&str], now: UnixMillis) -> Vec<bool> {
    let mut tx = store.tx();
    let new = inbox::claim(&mut tx, group, ids, now).await.unwrap();
    tx.commit().await.unwrap();
    new
}

async fn an_event_has_its_effects_once_for_each_group(test: TestStore) {
    let store = &test.store;
    assert_eq!(claim(store, "g", &["a", "b", "a"], NOW).await, [true, true, false]);
    assert_eq!(claim(store, "g", &["b", "c"], NOW).await, [false, true]);
    assert_eq!(claim(store, "other", &["a"], NOW).await, [true]);
    // Also on another day, which is another partition.
    assert_eq!(claim(store, "g", &["a", "d"], NOW.after(DAY)).await, [false, true]);
    assert_eq!(claim(store, "g", &["a", "d", "e"], NOW.after(DAY * 30)).await, [false, false, true]);
    let mut tx = store.tx();
    assert_eq!(inbox::claim(&mut tx, "g", &["f"], NOW).await.unwrap(), [true]);
    tx.rollback().await.unwrap();
    assert_eq!(claim(store, "g", &["f"], NOW).await, [true]);
    let mut tx = store.reading();
    let mut known: Vec<String> =
        inbox::known(&mut tx, "g", &["a", "f", "z"]).await.unwrap().into_iter().collect();
    known.sort();
    assert_eq!(known, ["a", "f"]);
}

async fn a_dead_event_is_no_duplicate_until_its_replay_was_handled(test: TestStore) {
    let store = &test.store;
    let mut tx = store.tx();
    inbox::mark_dead(&mut tx, "g", "a", NOW.after(DAY)).await.unwrap();
    inbox::mark_dead(&mut tx, "g", "a", NOW.after(DAY * 2)).await.unwrap();
    assert!(inbox::known(&mut tx, "g", &["a"]).await.unwrap().is_empty());
    tx.commit().await.unwrap();
    assert_eq!(claim(store, "g", &["a", "b", "a"], NOW).await, [true, true, false]);
    assert_eq!(claim(store, "g", &["a"], NOW.after(DAY)).await, [false]);
    // An id that was handled stays handled, even if a copy of it is dead-lettered.
    let mut tx = store.tx();
    inbox::mark_dead(&mut tx, "g", "a", NOW.after(DAY * 2)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(claim(store, "g", &["a"], NOW.after(DAY)).await, [false]);
    inbox::prune(store, NOW, NOW.after(DAY * 3), 100).await.unwrap();
    assert_eq!(claim(store, "g", &["a"], NOW.after(DAY * 3)).await, [true]);
}

async fn ids_are_forgotten_by_the_day(test: TestStore) {
    let store = &test.store;
    for day in 0..5 {
        let ids: Vec<String> = (0..10).map(|n| format!("{day}-{n}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        claim(store, "g", &ids, NOW.after(DAY * day)).await;
    }
    while inbox::prune(store, NOW.after(DAY * 2), NOW.after(DAY * 4), 7).await.unwrap() {}
    let new = claim(store, "g", &["0-0", "1-9", "2-0", "4-9"], NOW.after(DAY * 4)).await;
    assert_eq!(new, [true, true, false, false]);
}

async fn ids_that_a_database_would_not_take_are_kept_by_a_hash(test: TestStore) {
    let odd: Vec<Vec<u8>> = vec![
        b"plain".to_vec(),
        b"nul\0".to_vec(),
        vec![0xff, 0xfe],
        "ü".repeat(200).into_bytes(),
        "ü".repeat(201).into_bytes(),
        "{\"a\",'b'\\".as_bytes().to_vec(),
    ];
    let ids: Vec<String> = odd.iter().map(|id| inbox::id_of(id)).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    assert_eq!(ids[0], "plain");
    assert_eq!(claim(&test.store, "g", &ids, NOW).await, [true; 6]);
    assert_eq!(claim(&test.store, "g", &ids, NOW).await, [false; 6]);
}
