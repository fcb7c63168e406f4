//! Rows that the relay's own process has just committed: PostgreSQL's are handed over, SQLite's are read.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::Relay;
use super::tests::{NOW, event, relay};
use crate::runtime::testing::{Does, Fake, id};
use crate::store::Store;
use crate::store::outbox::{self, KeyOrder};
use crate::store::testing::{TestStore, looks_held_up, on_both_stores, until_somebody_waits_for_a_lock};

on_both_stores! { &[];
    rows_before_which_nothing_waits_are_not_read,
    what_others_may_have_written_is_looked_for,
    a_row_that_was_not_acknowledged_is_looked_for,
    of_two_relays_none_is_handed_rows,
    whoever_writes_each_row_is_published_once_and_behind_those_of_its_key,
}

/// More than a store has connections, so that looks wait as well.
const WRITERS: usize = 12;
const KEYS: usize = 120;

async fn write(store: &Store, id: &str, key: &str, order: KeyOrder) {
    let mut tx = store.tx();
    outbox::write(&mut tx, &[event(id, key, "t")], order, NOW).await.unwrap();
    tx.commit().await.unwrap();
}

/// How many rows a round publishes, and whether it looked for them in the store.
async fn round(relay: &mut Relay<Fake>) -> (usize, bool) {
    let before = relay.looked;
    let published = relay.relay_once(NOW).await.unwrap().published;
    (published, relay.looked != before)
}

/// As if it had just looked, however long the next round lets wait for itself.
fn just_looked(relay: &mut Relay<Fake>) {
    relay.looked = Some(Instant::now() + Duration::from_secs(3600));
}

async fn rows_before_which_nothing_waits_are_not_read(test: TestStore) {
    let fake = Fake::new();
    let mut relay = relay(&test.store, &fake, "a").await;
    write(&test.store, "e1", "k", KeyOrder::NoneWaits).await;
    assert_eq!(round(&mut relay).await, (1, true), "the first round looks");
    write(&test.store, "e2", "l", KeyOrder::NoneWaits).await;
    write(&test.store, "e3", "k", KeyOrder::NoneWaits).await;
    just_looked(&mut relay);
    assert_eq!(round(&mut relay).await, (2, !test.is_postgres()));
    assert_eq!(round(&mut relay).await, (0, true));
    assert_eq!(fake.ids(), ["e1", "e2", "e3"]);
    // What was handed over is a row as any other.
    let kept = outbox::kept(&mut test.store.reading(), 0, 10).await.unwrap();
    assert!(kept.iter().all(|row| matches!(row.state, outbox::State::Published { .. })), "{kept:?}");
}

async fn what_others_may_have_written_is_looked_for(test: TestStore) {
    let fake = Fake::new();
    let mut relay = relay(&test.store, &fake, "a").await;
    let other = Store::open(&test.location, "service", &[], 2).await.unwrap();
    round(&mut relay).await;
    write(&test.store, "e1", "k", KeyOrder::NoneWaits).await;
    write(&test.store, "e2", "l", KeyOrder::Held).await;
    just_looked(&mut relay);
    assert_eq!(round(&mut relay).await, (2, true), "a row that may wait behind others");
    write(&other, "e3", "m", KeyOrder::NoneWaits).await;
    write(&test.store, "e4", "n", KeyOrder::NoneWaits).await;
    just_looked(&mut relay);
    assert_eq!(round(&mut relay).await, if test.is_postgres() { (1, false) } else { (2, true) });
    write(&test.store, "e5", "o", KeyOrder::NoneWaits).await;
    relay.looked = Some(Instant::now() - Duration::from_millis(100));
    assert_eq!(round(&mut relay).await, if test.is_postgres() { (2, true) } else { (1, true) });
    let mut ids = fake.ids();
    ids.sort_unstable();
    assert_eq!(ids, ["e1", "e2", "e3", "e4", "e5"]);
}

async fn a_row_that_was_not_acknowledged_is_looked_for(test: TestStore) {
    let fake = Fake::new();
    let mut relay = relay(&test.store, &fake, "a").await;
    round(&mut relay).await;
    fake.script(|record| if id(record) == "e1" { Does::Lose } else { Does::Acknowledge });
    write(&test.store, "e1", "k", KeyOrder::NoneWaits).await;
    just_looked(&mut relay);
    assert_eq!(round(&mut relay).await, (0, !test.is_postgres()));
    fake.script(|_| Does::Acknowledge);
    write(&test.store, "e2", "l", KeyOrder::NoneWaits).await;
    just_looked(&mut relay);
    assert_eq!(round(&mut relay).await, (2, true));
    assert_eq!(fake.ids(), ["e1", "e2"]);
}

async fn of_two_relays_none_is_handed_rows(test: TestStore) {
    let fake = Fake::new();
    let mut first = relay(&test.store, &fake, "a").await;
    let other = Store::open(&test.location, "service", &[], 2).await.unwrap();
    let mut second = relay(&other, &fake, "b").await;
    first.refresh(NOW).await.unwrap();
    second.refresh(NOW).await.unwrap();
    assert_eq!((first.buckets().len(), second.buckets().len()), (32, 32));
    round(&mut first).await;
    for n in 0..20 {
        write(&test.store, &format!("e{n}"), &format!("k{n}"), KeyOrder::NoneWaits).await;
    }
    just_looked(&mut first);
    let (published, looked) = round(&mut first).await;
    assert!(looked && 0 < published && published < 20, "{published} of the first relay's keys");
    assert_eq!(round(&mut second).await, (20 - published, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_committed_while_the_relay_looks_is_published_once() {
    let test = TestStore::postgres(&[]).await;
    let fake = Fake::new();
    let mut relay = relay(&test.store, &fake, "a").await;
    let other = Store::open(&test.location, "service", &[], 2).await.unwrap();
    let lock = looks_held_up(&other).await;
    let write = async {
        until_somebody_waits_for_a_lock(&other).await;
        write(&test.store, "e1", "k", KeyOrder::NoneWaits).await;
        lock.rollback().await.unwrap();
    };
    let (first, ()) = tokio::join!(round(&mut relay), write);
    assert_eq!(first, (1, true));
    just_looked(&mut relay);
    assert_eq!(round(&mut relay).await, (0, true));
    assert_eq!(fake.ids(), ["e1"]);
}

async fn whoever_writes_each_row_is_published_once_and_behind_those_of_its_key(test: TestStore) {
    let fake = Fake::new();
    let mut relay = relay(&test.store, &fake, "a").await;
    let other = Store::open(&test.location, "service", &[], 2).await.unwrap();
    // Each key's first row is handed over; more of it come from here and from another process at once.
    let writers = (0..WRITERS).map(|writer| {
        let (own, other) = (test.store.clone(), other.clone());
        async move {
            for n in (writer..KEYS).step_by(WRITERS) {
                let key = format!("k{n}");
                write(&own, &format!("{key}/0"), &key, KeyOrder::NoneWaits).await;
                let [here, there] = ["own", "other"].map(|by| format!("{key}/{by}"));
                tokio::join!(
                    write(&own, &here, &key, KeyOrder::Lock),
                    write(&other, &there, &key, KeyOrder::Lock),
                );
            }
        }
    });
    let writing = tokio::spawn(futures_util::future::join_all(writers.collect::<Vec<_>>()));
    let deadline = Instant::now() + Duration::from_secs(60);
    while fake.ids().len() < 3 * KEYS {
        relay.relay_once(NOW).await.unwrap();
        assert!(Instant::now() < deadline, "{:?}", fake.ids());
    }
    writing.await.unwrap();
    assert_eq!(round(&mut relay).await.0, 0);
    let mut written: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let kept = outbox::kept(&mut test.store.reading(), 0, 1000).await.unwrap();
    for row in kept {
        written.entry(row.key).or_default().push(row.id);
    }
    let mut published: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for record in fake.log() {
        let key = String::from_utf8(record.key.clone().unwrap()).unwrap();
        published.entry(key).or_default().push(id(&record));
    }
    assert_eq!(published, written);
}
