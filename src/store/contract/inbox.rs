//! The inbox.

use super::{DAY, NOW};
use crate::store::inbox::{self, Candidate, Claim, Death};
use crate::store::testing::{TestStore, on_both_stores};
use crate::store::{Store, Tx};
use crate::unit::UnixMillis;

on_both_stores! { crate::store::contract::MIGRATIONS;
    an_event_has_its_effects_once_for_each_group,
    a_dead_event_is_no_duplicate_until_its_replay_was_handled,
    what_was_given_up_is_dead_wherever_it_is_read_again,
    ids_are_forgotten_by_the_day,
    ids_that_a_database_would_not_take_are_kept_by_a_hash,
}

/// Looks first, which must say the same and change nothing.
async fn claim(store: &Store, group: &str, ids: &[&str], now: UnixMillis) -> Vec<bool> {
    let looked = inbox::look(&mut store.glance(), group, &standing_at_9(ids)).await.unwrap();
    let mut tx = store.tx();
    let new = claimed(&mut tx, group, ids, now).await;
    tx.commit().await.unwrap();
    assert_eq!(looked.iter().map(|claim| *claim == Claim::New).collect::<Vec<_>>(), new);
    new
}

pub(super) fn standing_at_9<'r>(ids: &[&'r str]) -> Vec<Candidate<'r>> {
    ids.iter().map(|id| Candidate { id, place: ("t", 0, 9) }).collect()
}

/// Claims events that stand at offset 9, and says which are to be handled.
async fn claimed(tx: &mut Tx, group: &str, ids: &[&str], now: UnixMillis) -> Vec<bool> {
    let claims = inbox::claim(tx, group, &[], &standing_at_9(ids), now).await.unwrap();
    claims.into_iter().map(|claim| claim == Claim::New).collect()
}

/// Which of these have had their effects, asked without noting anything.
async fn known<'i>(tx: &mut Tx, group: &str, ids: &[&'i str]) -> Vec<&'i str> {
    let claims = inbox::look(tx, group, &standing_at_9(ids)).await.unwrap();
    ids.iter().zip(claims).filter(|(_, claim)| *claim == Claim::Known).map(|(id, _)| *id).collect()
}

fn death(place: &str) -> Death {
    Death { place: place.to_owned(), class: "kafkaflow.Poison".to_owned(), reason: "no\0 such".to_owned() }
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
    assert_eq!(claimed(&mut tx, "g", &["f"], NOW).await, [true]);
    tx.rollback().await.unwrap();
    assert_eq!(claim(store, "g", &["f"], NOW).await, [true]);
    let mut tx = store.reading();
    assert_eq!(known(&mut tx, "g", &["a", "f", "z"]).await, ["a", "f"]);
}

async fn a_dead_event_is_no_duplicate_until_its_replay_was_handled(test: TestStore) {
    let store = &test.store;
    let mut tx = store.tx();
    inbox::give_up(&mut tx, "g", "a", &death("t/0/3"), NOW.after(DAY)).await.unwrap();
    inbox::give_up(&mut tx, "g", "a", &death("t/0/4"), NOW.after(DAY * 2)).await.unwrap();
    assert!(known(&mut tx, "g", &["a"]).await.is_empty());
    tx.commit().await.unwrap();
    assert_eq!(claim(store, "g", &["a", "b", "a"], NOW).await, [true, true, false]);
    assert_eq!(claim(store, "g", &["a"], NOW.after(DAY)).await, [false]);
    inbox::prune(store, NOW, NOW.after(DAY * 3), 100).await.unwrap();
    assert_eq!(claim(store, "g", &["a"], NOW.after(DAY * 3)).await, [true]);
}

async fn what_was_given_up_is_dead_wherever_it_is_read_again(test: TestStore) {
    let mut tx = test.store.tx();
    inbox::give_up(&mut tx, "g", "a", &death("t/0/9"), NOW.after(DAY)).await.unwrap();
    let events = [("a", 9), ("b", 10), ("a", 11), ("a", 12)]
        .map(|(id, offset)| Candidate { id, place: ("t", 0, offset) });
    let looked = inbox::look(&mut tx, "g", &events).await.unwrap();
    let claims = inbox::claim(&mut tx, "g", &[], &events, NOW).await.unwrap();
    assert_eq!(looked, claims);
    let dead = Claim::Dead(Box::new(Death { reason: "no\u{fffd} such".to_owned(), ..death("t/0/9") }));
    assert_eq!(claims, [dead, Claim::New, Claim::New, Claim::Known]);
    inbox::give_back(&mut tx, "g", &["a", "b"]).await.unwrap();
    let again = inbox::claim(&mut tx, "g", &[], &events[1..], NOW).await.unwrap();
    assert_eq!(again, [Claim::New, Claim::New, Claim::Known]);
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
