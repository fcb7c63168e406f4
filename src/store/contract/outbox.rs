//! The outbox.

use std::time::Duration;

use super::{
    DAY, NOW, all_buckets, effect, event, pending_ids, rows, until_somebody_waits_for_a_lock, write,
};
use crate::messaging::key_hash;
use crate::store::outbox::{self, Dead, Event, Followers, KeyOrder, Published, Skip, State};
use crate::store::testing::{TestStore, on_both_stores};
use crate::store::{Connection, StoreError};

on_both_stores! { crate::store::contract::MIGRATIONS;
    events_come_back_byte_for_byte_in_the_order_of_their_writing,
    a_row_whose_transaction_commits_late_is_not_skipped,
    rows_of_a_key_are_published_in_the_order_of_their_commits,
    settled_rows_are_pending_no_more_and_settling_again_changes_nothing,
    followers_of_a_dead_row_wait_or_pass,
    topics_and_partitions_are_skipped_on_request,
    only_the_buckets_asked_for_are_given,
    rows_that_are_taken_already_are_not_given,
    old_rows_are_deleted_in_batches,
}

async fn events_come_back_byte_for_byte_in_the_order_of_their_writing(test: TestStore) {
    let mut events: Vec<Event> = (0..200).map(|n| event(n, &format!("key-{}", n % 7))).collect();
    events[3].payload = "{ \"b\":1,\t\"a\": 1.10, \"ü\": \"\\u0000 \\\" \u{1f600}\"}\r\n".to_owned();
    events[4].traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    events[5].aggregate_id = "a 'quoted' \"key\" \\ {1,2}".to_owned();
    write(&test.store, &events).await;
    let rows = rows(&test.store, &[], Followers::Wait).await;
    let back: Vec<Event> = rows
        .iter()
        .map(|row| Event {
            id: row.id.clone(),
            aggregate_type: "order".to_owned(),
            aggregate_id: row.key.clone(),
            event_type: row.event_type.clone(),
            payload: row.payload.clone(),
            topic: row.topic.clone(),
            traceparent: row.traceparent.clone(),
        })
        .collect();
    assert_eq!(back, events);
    assert!(rows.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    let mut tx = test.store.tx();
    let twice = outbox::write(&mut tx, &[event(1, "a")], KeyOrder::Lock, NOW).await;
    assert!(matches!(twice, Err(StoreError::Duplicate(_))), "{twice:?}");
    let mut tx = test.store.tx();
    let nul = Event { payload: "\0".to_owned(), ..event(1000, "a") };
    assert!(matches!(outbox::write(&mut tx, &[nul], KeyOrder::Lock, NOW).await, Err(StoreError::Sql(_))));
}

async fn a_row_whose_transaction_commits_late_is_not_skipped(test: TestStore) {
    if matches!(test.store.tx().connection().await.unwrap(), Connection::Sqlite(_)) {
        return; // one writer at a time: nobody is late
    }
    let mut late = test.store.tx();
    outbox::write(&mut late, &[event(1, "a")], KeyOrder::Lock, NOW).await.unwrap();
    write(&test.store, &[event(2, "b")]).await;
    let first = rows(&test.store, &[], Followers::Wait).await;
    assert_eq!(first.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["evt-2"]);
    let mut tx = test.store.tx();
    let published = Published { seq: first[0].seq, partition: 0, offset: 0 };
    outbox::settle(&mut tx, &[published], &[], NOW).await.unwrap();
    tx.commit().await.unwrap();
    late.commit().await.unwrap();
    assert_eq!(pending_ids(&test.store, &[], Followers::Wait).await, ["evt-1"]);
}

/// The recipe that orders by transaction ids fails here: the first transaction has the lower id and writes last.
async fn rows_of_a_key_are_published_in_the_order_of_their_commits(test: TestStore) {
    if matches!(test.store.tx().connection().await.unwrap(), Connection::Sqlite(_)) {
        return; // one writer at a time
    }
    let mut early = test.store.tx();
    effect(&mut early, 1, "draws its transaction id").await.unwrap();
    let mut other = test.store.tx();
    outbox::write(&mut other, &[event(1, "a")], KeyOrder::Lock, NOW).await.unwrap();
    let second = tokio::spawn(async move {
        outbox::write(&mut early, &[event(2, "a")], KeyOrder::Lock, NOW).await.unwrap();
        early.commit().await.unwrap();
    });
    // Another key is not held up, while the second waits for the first.
    write(&test.store, &[event(3, "b")]).await;
    until_somebody_waits_for_a_lock(&test.store).await;
    other.commit().await.unwrap();
    second.await.unwrap();
    let rows = rows(&test.store, &[], Followers::Wait).await;
    let of_a: Vec<&str> = rows.iter().filter(|row| row.key == "a").map(|row| row.id.as_str()).collect();
    assert_eq!(of_a, ["evt-1", "evt-2"]);
}

async fn settled_rows_are_pending_no_more_and_settling_again_changes_nothing(test: TestStore) {
    write(&test.store, &[event(1, "a"), event(2, "a"), event(3, "b")]).await;
    let seqs: Vec<i64> = rows(&test.store, &[], Followers::Wait).await.iter().map(|row| row.seq).collect();
    let settle = async |published: &[Published], dead: &[Dead]| {
        let mut tx = test.store.tx();
        outbox::settle(&mut tx, published, dead, NOW).await.unwrap();
        tx.commit().await.unwrap();
    };
    settle(&[Published { seq: seqs[0], partition: 3, offset: 7 }], &[]).await;
    let dead = Dead { seq: seqs[2], key: "b".to_owned(), reason: "too large".to_owned() };
    settle(&[], std::slice::from_ref(&dead)).await;
    settle(&[Published { seq: seqs[0], partition: 4, offset: 9 }], &[dead]).await;
    assert_eq!(pending_ids(&test.store, &[], Followers::Wait).await, ["evt-2"]);
    let mut tx = test.store.reading();
    let kept = outbox::kept(&mut tx, 0, 10).await.unwrap();
    let states: Vec<State> = kept.into_iter().map(|row| row.state).collect();
    let expected = [
        State::Published { partition: 3, offset: 7 },
        State::Pending,
        State::Dead { reason: "too large".to_owned() },
    ];
    assert_eq!(states, expected);
    let found = outbox::status(&mut tx, NOW.after(Duration::from_secs(5))).await.unwrap();
    let expected = outbox::Status {
        pending: 1,
        behind_dead: 0,
        oldest: Some(NOW),
        dead: 1,
        published: 1,
        last_minute: 1,
    };
    assert_eq!(found, expected);
    let waits = outbox::Backlog { pending: 1, oldest: Some(NOW), dead: 1 };
    assert_eq!(outbox::backlog(&mut tx).await.unwrap(), waits);
}

async fn followers_of_a_dead_row_wait_or_pass(test: TestStore) {
    write(&test.store, &[event(1, "a"), event(2, "b"), event(3, "b"), event(4, "b")]).await;
    let second = rows(&test.store, &[], Followers::Wait).await[2].clone();
    let mut tx = test.store.tx();
    let dead = Dead { seq: second.seq, key: "b".to_owned(), reason: "no such topic".to_owned() };
    outbox::settle(&mut tx, &[], &[dead], NOW).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(pending_ids(&test.store, &[], Followers::Wait).await, ["evt-1", "evt-2"]);
    assert_eq!(pending_ids(&test.store, &[], Followers::Pass).await, ["evt-1", "evt-2", "evt-4"]);
    let mut tx = test.store.tx();
    assert_eq!(outbox::status(&mut tx, NOW).await.unwrap().behind_dead, 1);
    assert!(outbox::retry_dead(&mut tx, second.seq).await.unwrap());
    assert!(!outbox::retry_dead(&mut tx, second.seq).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(pending_ids(&test.store, &[], Followers::Wait).await, ["evt-1", "evt-2", "evt-3", "evt-4"]);
    let mut tx = test.store.tx();
    let dead = Dead { seq: second.seq, key: "b".to_owned(), reason: "again".to_owned() };
    outbox::settle(&mut tx, &[], &[dead], NOW).await.unwrap();
    assert!(outbox::drop_dead(&mut tx, second.seq).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(pending_ids(&test.store, &[], Followers::Wait).await, ["evt-1", "evt-2", "evt-4"]);
}

async fn topics_and_partitions_are_skipped_on_request(test: TestStore) {
    let keys: Vec<String> = (0..20).map(|n| format!("key-{n}")).collect();
    let mut events: Vec<Event> = (0..20).zip(&keys).map(|(n, key)| event(n, key)).collect();
    events.push(Event { topic: "other".to_owned(), ..event(20, "key-0") });
    write(&test.store, &events).await;
    let skip = [
        Skip { topic: "orders".to_owned(), partition: Some((1, 3)) },
        Skip { topic: "other".to_owned(), partition: None },
    ];
    let expected: Vec<String> = (0..20)
        .zip(&keys)
        .filter(|(_, key)| key_hash(key.as_bytes()) % 3 != 1)
        .map(|(n, _)| format!("evt-{n}"))
        .collect();
    assert_eq!(pending_ids(&test.store, &skip, Followers::Wait).await, expected);
}

async fn only_the_buckets_asked_for_are_given(test: TestStore) {
    let events: Vec<Event> = (0..100).map(|n| event(n, &format!("key-{n}"))).collect();
    write(&test.store, &events).await;
    let mut seen = 0;
    for bucket in all_buckets() {
        let mut tx = test.store.reading();
        let rows = outbox::pending(&mut tx, &[bucket], &[], &[], Followers::Pass, 1000).await.unwrap();
        let of = |key: &str| i16::try_from(key_hash(key.as_bytes()) % outbox::BUCKETS).unwrap();
        assert!(rows.iter().all(|row| of(&row.key) == bucket));
        seen += rows.len();
    }
    assert_eq!(seen, 100);
}

async fn rows_that_are_taken_already_are_not_given(test: TestStore) {
    let events: Vec<Event> = (0..30).map(|n| event(n, &format!("key-{n}"))).collect();
    write(&test.store, &events).await;
    let all: Vec<i64> =
        rows(&test.store, &[], Followers::Wait).await.into_iter().map(|row| row.seq).collect();
    let (taken, free): (Vec<i64>, Vec<i64>) = all.iter().partition(|seq| *seq % 3 > 0);
    let mut tx = test.store.reading();
    let given = outbox::pending(&mut tx, &all_buckets(), &[], &taken, Followers::Wait, 4).await.unwrap();
    assert_eq!(given.into_iter().map(|row| row.seq).collect::<Vec<_>>(), free[..4]);
}

async fn old_rows_are_deleted_in_batches(test: TestStore) {
    let events: Vec<Event> = (0..10).map(|n| event(n, "a")).collect();
    write(&test.store, &events).await;
    let all = rows(&test.store, &[], Followers::Wait).await;
    for (rows, at) in [(&all[..6], NOW), (&all[6..8], NOW.after(DAY))] {
        let published: Vec<Published> =
            rows.iter().map(|row| Published { seq: row.seq, partition: 0, offset: row.seq }).collect();
        let mut tx = test.store.tx();
        outbox::settle(&mut tx, &published, &[], at).await.unwrap();
        tx.commit().await.unwrap();
    }
    let mut deleted = Vec::new();
    for _ in 0..3 {
        let mut tx = test.store.tx();
        deleted.push(outbox::prune(&mut tx, NOW.after(Duration::from_secs(1)), 4).await.unwrap());
        tx.commit().await.unwrap();
    }
    assert_eq!(deleted, [4, 2, 0]);
    test.store.shrink().await.unwrap();
    let mut tx = test.store.reading();
    let kept: Vec<String> =
        outbox::kept(&mut tx, 0, 100).await.unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(kept, ["evt-6", "evt-7", "evt-8", "evt-9"]);
}
