//! Rounds over both stores, with a producer that does what a test says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::unrecorded::Unrecorded;
use super::{Options, Relay};
use crate::messaging::{key_hash, partition_of};
use crate::runtime::boundary::{Boundary, OnBoundary};
use crate::runtime::in_hand::InHand;
use crate::runtime::testing::{Does, Fake, PARTITIONS, id};
use crate::store::outbox::{self, Event, Followers, KeyOrder, State};
use crate::store::testing::{TestStore, execute, on_both_stores};
use crate::store::{Store, StoreError};
use crate::unit::UnixMillis;

pub(super) const NOW: UnixMillis = UnixMillis(1_725_185_730_000);

on_both_stores! { &[];
    rows_are_published_in_order_and_their_places_recorded,
    a_record_is_what_debezium_would_make_of_the_row,
    a_refused_row_dies_alone_and_holds_back_its_keys_later_rows_and_nothing_else,
    a_row_of_an_unknown_topic_dies_at_once,
    followers_pass_where_they_may,
    what_is_not_acknowledged_is_published_again_with_what_follows_it,
    a_stuck_partition_holds_up_no_other,
    batches_are_taken_while_others_are_in_flight_but_none_of_their_keys,
    a_keys_rows_for_two_topics_go_one_after_the_other,
    acknowledgements_outlive_a_failing_store,
    what_is_not_recorded_yet_is_not_taken_again_and_recorded_before_others_get_its_keys,
    rows_are_handed_over_before_what_was_acknowledged_is_recorded,
    who_shares_the_producer_knows_that_rows_are_read,
    rows_of_the_batch_that_its_consumer_has_in_hand_go_in_the_same_round,
    two_relays_share_the_keys_and_one_takes_over_from_the_other,
    a_relay_that_lost_its_lease_records_nothing,
}

fn options() -> Options {
    Options { patience: Duration::from_millis(20), ..Options::default() }
}

pub(super) async fn relay(store: &Store, fake: &Fake, owner: &str) -> Relay<Fake> {
    let mut relay = Relay::new(store.clone(), fake.clone(), options(), owner);
    relay.refresh(NOW).await.unwrap();
    relay
}

pub(super) fn event(id: &str, key: &str, topic: &str) -> Event {
    Event {
        id: id.to_owned(),
        aggregate_type: "order".to_owned(),
        aggregate_id: key.to_owned(),
        event_type: "OrderPlaced".to_owned(),
        payload: format!("{{\"id\":\"{id}\"}}"),
        topic: topic.to_owned(),
        traceparent: None,
    }
}

async fn write(store: &Store, events: &[Event]) {
    let mut tx = store.tx();
    outbox::write(&mut tx, events, KeyOrder::Lock, NOW).await.unwrap();
    tx.commit().await.unwrap();
}

async fn states(store: &Store) -> Vec<State> {
    let mut tx = store.reading();
    outbox::kept(&mut tx, 0, 1000).await.unwrap().into_iter().map(|row| row.state).collect()
}

/// A key of another partition than that of `key`.
fn beside(key: &str) -> String {
    let other = |candidate: &String| {
        partition_of(candidate.as_bytes(), PARTITIONS) != partition_of(key.as_bytes(), PARTITIONS)
    };
    (0..1000).map(|n| format!("other-{n}")).find(other).unwrap()
}

async fn rows_are_published_in_order_and_their_places_recorded(test: TestStore) {
    let fake = Fake::new();
    let mut relay = relay(&test.store, &fake, "a").await;
    assert_eq!(relay.relay_once(NOW).await.unwrap().found, 0);
    let events: Vec<Event> =
        (0..50).map(|n| event(&format!("e{n:02}"), &format!("k{}", n % 5), "t")).collect();
    write(&test.store, &events).await;
    let relayed = relay.relay_once(NOW).await.unwrap();
    assert_eq!((relayed.found, relayed.published, relayed.in_flight), (50, 50, 0));
    let expected: Vec<String> = events.iter().map(|event| event.id.clone()).collect();
    assert_eq!(fake.ids(), expected);
    for (n, state) in states(&test.store).await.into_iter().enumerate() {
        let State::Published { offset, .. } = state else { panic!("row {n} is {state:?}") };
        assert_eq!(offset, i64::try_from(n).unwrap());
    }
    assert_eq!(relay.relay_once(NOW).await.unwrap().found, 0);
}

async fn a_record_is_what_debezium_would_make_of_the_row(test: TestStore) {
    let fake = Fake::new();
    let mut relay = relay(&test.store, &fake, "a").await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    write(&test.store, &[Event { traceparent: Some(trace.to_owned()), ..event("e1", "k", "t") }]).await;
    relay.relay_once(NOW).await.unwrap();
    let record = fake.log()[0].clone();
    let headers: Vec<(String, String)> = record
        .headers
        .into_iter()
        .map(|header| (header.name, String::from_utf8(header.value.unwrap()).unwrap()))
        .collect();
    let expected = [
        ("id", "e1"),
        ("eventType", "OrderPlaced"),
        ("eventId", "e1"),
        ("traceparent", trace),
        ("content-type", "application/json"),
    ];
    assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(
        (record.key.as_deref(), record.value.as_deref()),
        (Some(&b"k"[..]), Some(&b"{\"id\":\"e1\"}"[..]))
    );
}

async fn a_refused_row_dies_alone_and_holds_back_its_keys_later_rows_and_nothing_else(test: TestStore) {
    let fake = Fake::new();
    fake.script(|record| if id(record) == "e2" { Does::Refuse } else { Does::Acknowledge });
    let mut relay = relay(&test.store, &fake, "a").await;
    let other = beside("k");
    let rows = [("e1", "k"), ("e2", "k"), ("e3", "k"), ("e4", other.as_str()), ("e5", "k")];
    write(&test.store, &rows.map(|(id, key)| event(id, key, "t"))).await;
    let relayed = relay.relay_once(NOW).await.unwrap();
    assert_eq!((relayed.published, relayed.dead), (2, 1));
    for _ in 0..3 {
        relay.relay_once(NOW).await.unwrap();
    }
    assert_eq!(fake.ids(), ["e1", "e4"]);
    let states = states(&test.store).await;
    assert_eq!(states[1], State::Dead { reason: "too large".to_owned() });
    assert_eq!((&states[2], &states[4]), (&State::Pending, &State::Pending));
    // Whoever mends the topic lets it be tried again.
    fake.script(|_| Does::Acknowledge);
    let mut tx = test.store.tx();
    let dead = outbox::kept(&mut tx, 0, 10).await.unwrap()[1].seq;
    assert!(outbox::retry_dead(&mut tx, dead).await.unwrap());
    tx.commit().await.unwrap();
    relay.relay_once(NOW).await.unwrap();
    assert_eq!(fake.ids(), ["e1", "e4", "e2", "e3", "e5"]);
}

async fn a_row_of_an_unknown_topic_dies_at_once(test: TestStore) {
    let fake = Fake::new();
    fake.script(|record| if record.topic == "unknown" { Does::RefuseSurely } else { Does::Acknowledge });
    let mut relay = relay(&test.store, &fake, "a").await;
    let other = beside("k");
    write(&test.store, &[event("e1", "k", "unknown"), event("e2", "k", "t"), event("e3", &other, "t")]).await;
    let relayed = relay.relay_once(NOW).await.unwrap();
    assert_eq!((relayed.published, relayed.dead), (1, 1));
    assert_eq!(relay.relay_once(NOW).await.unwrap().found, 0);
    assert_eq!(states(&test.store).await[0], State::Dead { reason: "no such topic".to_owned() });
}

async fn followers_pass_where_they_may(test: TestStore) {
    let fake = Fake::new();
    fake.script(|record| if id(record) == "e1" { Does::Refuse } else { Does::Acknowledge });
    let options = Options { followers: Followers::Pass, ..options() };
    let mut relay = Relay::new(test.store.clone(), fake.clone(), options, "a");
    relay.refresh(NOW).await.unwrap();
    write(&test.store, &["e1", "e2", "e3"].map(|id| event(id, "k", "t"))).await;
    relay.relay_once(NOW).await.unwrap();
    relay.relay_once(NOW).await.unwrap();
    assert_eq!(fake.ids(), ["e2", "e3"]);
}

async fn what_is_not_acknowledged_is_published_again_with_what_follows_it(test: TestStore) {
    let fake = Fake::new();
    fake.script(|record| if id(record) == "e2" { Does::Lose } else { Does::Acknowledge });
    let mut relay = relay(&test.store, &fake, "a").await;
    write(&test.store, &["e1", "e2", "e3"].map(|id| event(id, "k", "t"))).await;
    let relayed = relay.relay_once(NOW).await.unwrap();
    assert_eq!((relayed.published, relayed.unacknowledged), (1, 2));
    assert_eq!(relayed.reason.as_deref(), Some("no leader"));
    fake.script(|_| Does::Acknowledge);
    relay.relay_once(NOW).await.unwrap();
    assert_eq!(fake.ids(), ["e1", "e2", "e3"]);
}

async fn a_stuck_partition_holds_up_no_other(test: TestStore) {
    let fake = Fake::new();
    let stuck = partition_of(b"k", PARTITIONS);
    fake.script(move |record| {
        let partition = partition_of(record.key.as_deref().unwrap(), PARTITIONS);
        if partition == stuck { Does::Hold } else { Does::Acknowledge }
    });
    let mut relay = relay(&test.store, &fake, "a").await;
    let other = beside("k");
    write(&test.store, &[event("e1", "k", "t"), event("e2", &other, "t"), event("e3", "k", "t")]).await;
    let relayed = relay.relay_once(NOW).await.unwrap();
    assert_eq!((relayed.published, relayed.in_flight), (1, 2));
    write(&test.store, &[event("e4", "k", "t"), event("e5", &other, "t")]).await;
    let relayed = relay.relay_once(NOW).await.unwrap();
    assert_eq!((relayed.found, relayed.published), (1, 1));
    assert_eq!(fake.ids(), ["e2", "e5"]);
    fake.script(|_| Does::Acknowledge);
    fake.release();
    // The first round hears of it, and the partition is free again.
    relay.relay_once(NOW).await.unwrap();
    relay.relay_once(NOW).await.unwrap();
    assert_eq!(fake.ids(), ["e2", "e5", "e1", "e3", "e4"]);
    assert_eq!(relay.in_flight(), 0);
}

async fn batches_are_taken_while_others_are_in_flight_but_none_of_their_keys(test: TestStore) {
    let fake = Fake::new();
    fake.script(|_| Does::Hold);
    let patient = Options { patience: Duration::from_secs(60), ..Options::default() };
    let mut relay = Relay::new(test.store.clone(), fake.clone(), patient, "a");
    relay.refresh(NOW).await.unwrap();
    let mut taken = Vec::new();
    for (id, key) in [("e1", "k"), ("e2", "l"), ("e3", "k"), ("e4", "m"), ("e5", "n"), ("e6", "o")] {
        write(&test.store, &[event(id, key, "t")]).await;
        let relayed = relay.take_off(NOW).await.unwrap();
        taken.push((relayed.found, relayed.taken, relayed.published));
    }
    // e3 is found again and again; e6 would be a batch too many.
    assert_eq!(taken, [(1, 1, 0), (1, 1, 0), (1, 0, 0), (2, 1, 0), (2, 1, 0), (0, 0, 0)]);
    assert_eq!(relay.in_flight(), 4);
    fake.script(|_| Does::Acknowledge);
    fake.release();
    relay.one_landed().await;
    let relayed = relay.take_off(NOW).await.unwrap();
    assert_eq!((relayed.acknowledged, relayed.taken), (4, 2));
    assert_eq!(relay.finish(Duration::from_secs(60), NOW).await.unwrap().published, 6);
    assert_eq!(fake.ids(), ["e1", "e2", "e4", "e5", "e3", "e6"]);
    assert!(states(&test.store).await.iter().all(|state| matches!(state, State::Published { .. })));
}

async fn a_keys_rows_for_two_topics_go_one_after_the_other(test: TestStore) {
    let fake = Fake::new();
    let mut relay = relay(&test.store, &fake, "a").await;
    let rows = [("e1", "t"), ("e2", "u"), ("e3", "t")];
    write(&test.store, &rows.map(|(id, topic)| event(id, "k", topic))).await;
    let published: Vec<usize> = {
        let mut published = Vec::new();
        for _ in 0..4 {
            published.push(relay.relay_once(NOW).await.unwrap().published);
        }
        published
    };
    assert_eq!(published, [1, 1, 1, 0]);
    assert_eq!(fake.ids(), ["e1", "e2", "e3"]);
}

async fn acknowledgements_outlive_a_failing_store(test: TestStore) {
    let fake = Fake::new();
    let mut relay = relay(&test.store, &fake, "a").await;
    write(&test.store, &["e1", "e2"].map(|id| event(id, "k", "t"))).await;
    let rename = async |from: &str, to: &str| {
        execute(&test.store, &format!("ALTER TABLE {from} RENAME TO {to}")).await;
    };
    rename("outbox_published", "elsewhere").await;
    assert!(relay.relay_once(NOW).await.is_err());
    assert!(relay.relay_once(NOW).await.is_err(), "nothing is taken before what is known is recorded");
    rename("elsewhere", "outbox_published").await;
    assert_eq!(relay.relay_once(NOW).await.unwrap().found, 0);
    assert_eq!(fake.ids(), ["e1", "e2"], "nothing is published twice");
}

async fn what_is_not_recorded_yet_is_not_taken_again_and_recorded_before_others_get_its_keys(
    test: TestStore,
) {
    let fake = Fake::new();
    let mut relay = relay(&test.store, &fake, "a").await;
    relay.unrecorded = Unrecorded::new(Duration::from_secs(60));
    write(&test.store, &[event("e1", "k", "t"), event("e2", "l", "t")]).await;
    assert_eq!(relay.take_off(NOW).await.unwrap().taken, 2);
    let heard = relay.hear(NOW).await.unwrap();
    assert_eq!((heard.acknowledged, heard.published), (2, 0));
    assert!(relay.recording_due().is_some());
    write(&test.store, &[event("e3", "k", "t")]).await;
    let next = relay.take_off(NOW).await.unwrap();
    assert_eq!((next.found, next.taken), (1, 1));
    assert!(states(&test.store).await.iter().all(|state| *state == State::Pending));
    relay.refresh(NOW).await.unwrap();
    assert!(relay.recording_due().is_none());
    let states = states(&test.store).await;
    assert!(
        matches!(states[..], [State::Published { .. }, State::Published { .. }, State::Pending]),
        "{states:?}"
    );
    relay.finish(Duration::from_secs(60), NOW).await.unwrap();
    assert_eq!(fake.ids(), ["e1", "e2", "e3"]);
}

async fn rows_are_handed_over_before_what_was_acknowledged_is_recorded(test: TestStore) {
    let reached = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&reached);
    let slow = Options { beat: Duration::from_secs(60), ..options() };
    let mut relay = Relay::new(test.store.clone(), Fake::new(), slow, "a")
        .on_boundary(OnBoundary::new(move |boundary| told.lock().unwrap().push(boundary)));
    relay.unrecorded = Unrecorded::new(slow.beat / 2);
    relay.refresh(NOW).await.unwrap();
    for (id, published) in [("e1", 0), ("e2", 1)] {
        write(&test.store, &[event(id, id, "t")]).await;
        assert_eq!(relay.take_off(NOW).await.unwrap().published, published);
    }
    let (taken, acknowledged, recorded) = (Boundary::Taken, Boundary::Acknowledged, Boundary::Recorded);
    assert_eq!(*reached.lock().unwrap(), [taken, taken, acknowledged, recorded]);
}

async fn who_shares_the_producer_knows_that_rows_are_read(test: TestStore) {
    let fake = Fake::new();
    let mut relay = relay(&test.store, &fake, "a").await;
    write(&test.store, &[event("e1", "k", "t")]).await;
    assert_eq!(relay.take_off(NOW).await.unwrap().taken, 1);
    assert_eq!(fake.intended(), [true]);
    assert!(!fake.is_intended(), "it is over with the round");
    execute(&test.store, "ALTER TABLE outbox_pending RENAME TO elsewhere").await;
    assert!(relay.take_off(NOW).await.is_err());
    assert!(!fake.is_intended(), "that fails, too");
}

async fn rows_of_the_batch_that_its_consumer_has_in_hand_go_in_the_same_round(test: TestStore) {
    let fake = Fake::new();
    let in_hand = InHand::default();
    let relay = relay(&test.store, &fake, "a").await;
    let mut relay = relay.behind(in_hand.clone(), Duration::from_secs(60));
    write(&test.store, &[event("e1", "k", "t")]).await;
    assert_eq!(relay.take_off(NOW).await.unwrap().taken, 1);
    let taken = in_hand.take();
    let handling = async {
        while !fake.is_intended() {
            tokio::task::yield_now().await;
        }
        write(&test.store, &[event("e2", "l", "t")]).await;
        drop(taken);
    };
    let (relayed, ()) = tokio::join!(relay.take_off(NOW), handling);
    assert_eq!(relayed.unwrap().taken, 1);
}

async fn two_relays_share_the_keys_and_one_takes_over_from_the_other(test: TestStore) {
    let fake = Fake::new();
    let mut a = relay(&test.store, &fake, "a").await;
    assert_eq!(a.buckets().len(), 64);
    let mut b = relay(&test.store, &fake, "b").await;
    assert_eq!(b.buckets().len(), 0);
    a.refresh(NOW).await.unwrap();
    b.refresh(NOW).await.unwrap();
    assert_eq!((a.buckets().len(), b.buckets().len()), (32, 32));
    let events: Vec<Event> = (0..100).map(|n| event(&format!("e{n}"), &format!("k{n}"), "t")).collect();
    write(&test.store, &events).await;
    let of_b = |event: &&Event| {
        let bucket = key_hash(event.aggregate_id.as_bytes()) % outbox::BUCKETS;
        b.buckets().contains(&i16::try_from(bucket).unwrap())
    };
    let expected: Vec<String> = events.iter().filter(of_b).map(|event| event.id.clone()).collect();
    b.relay_once(NOW).await.unwrap();
    assert_eq!(fake.ids(), expected);
    // `a` says nothing any more.
    let later = NOW.after(options().lease + Duration::from_secs(1));
    b.refresh(later).await.unwrap();
    assert_eq!(b.buckets().len(), 64);
    b.relay_once(later).await.unwrap();
    assert_eq!(fake.ids().len(), 100);
}

async fn a_relay_that_lost_its_lease_records_nothing(test: TestStore) {
    let fake = Fake::new();
    let mut a = relay(&test.store, &fake, "a").await;
    write(&test.store, &[event("e1", "k", "t")]).await;
    fake.script(|_| Does::Hold);
    a.relay_once(NOW).await.unwrap();
    let later = NOW.after(options().lease + Duration::from_secs(1));
    let mut b = Relay::new(test.store.clone(), Fake::new(), options(), "b");
    b.refresh(later).await.unwrap();
    fake.release();
    let refused = a.relay_once(later).await;
    assert!(matches!(refused, Err(StoreError::Fenced { .. })), "{refused:?}");
    assert_eq!(states(&test.store).await, [State::Pending]);
    assert_eq!(b.relay_once(later).await.unwrap().published, 1);
    assert!(a.buckets().is_empty());
}
