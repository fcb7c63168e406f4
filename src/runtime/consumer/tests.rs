//! Batches over both stores.

use std::sync::Arc;
use std::time::Duration;

use super::share::{Part, Stop};
use super::testing::{Acts, NOW, Setup, effects, part, part_from, record, typed, unfinished};
use crate::messaging::Record;
use crate::runtime::testing::Does;
use crate::store::testing::{TestStore, on_both_stores};

on_both_stores! { crate::store::testing::EFFECTS;
    every_event_has_its_effect_once_however_often_it_comes,
    a_poison_record_is_a_dead_letter_and_its_neighbours_are_handled,
    records_that_a_handler_names_as_poison_need_no_second_pass,
    a_record_that_fails_for_now_holds_up_its_partition_and_no_other,
    attempts_end_in_the_dead_letter_topic,
    a_record_whose_dead_letter_is_not_acknowledged_is_not_finished,
    without_a_dead_letter_topic_a_poison_record_stops_its_partition,
    what_is_not_what_it_should_be_never_reaches_the_handler,
    a_replayed_dead_letter_is_handled_once,
    copies_of_a_dying_event_have_one_effect,
    a_duplicate_is_never_a_dead_letter,
    a_partition_that_another_owns_is_refused_alone,
    a_store_that_fails_costs_no_attempts,
    a_flood_of_failures_is_no_flood_of_dead_letters,
}

async fn every_event_has_its_effect_once_however_often_it_comes(test: TestStore) {
    let setup = Setup::of(test);
    let rests = setup.handle(vec![part(0, &["a", "b", "a"]), part(1, &["c"])]).await;
    assert!(rests.iter().all(|rest| rest.unfinished.is_empty() && rest.stop.is_none()), "{rests:?}");
    setup.handle(vec![part(0, &["a", "b", "a", "d"]), part(1, &["c"])]).await;
    assert_eq!(effects(&setup.test.store).await, ["a", "b", "c", "d"]);
    assert_eq!((setup.next_offset(0).await, setup.next_offset(1).await), (Some(4), Some(1)));
}

async fn a_poison_record_is_a_dead_letter_and_its_neighbours_are_handled(test: TestStore) {
    let setup = Setup::of(test);
    setup.script.set("b", Acts::Poison);
    let rests = setup.handle(vec![part(6, &["a", "b", "c"]), part(1, &["d"])]).await;
    assert!(rests.iter().all(|rest| rest.unfinished.is_empty() && rest.stop.is_none()), "{rests:?}");
    assert_eq!(effects(&setup.test.store).await, ["a", "c", "d"]);
    // 6 modulo the four partitions that every topic of the producer has.
    assert_eq!(setup.letters(), ["b to orders.DLT/2: kafkaflow.Poison: no such product"]);
    assert_eq!(setup.next_offset(6).await, Some(3));
}

async fn records_that_a_handler_names_as_poison_need_no_second_pass(test: TestStore) {
    let setup = Setup::of(test);
    setup.script.set("b", Acts::Named);
    // It would die here if the batch were handled once more.
    setup.script.set("c", Acts::Works);
    setup.handle(vec![part(0, &["a", "b", "c"])]).await;
    assert_eq!(effects(&setup.test.store).await, ["a", "c"]);
    assert_eq!(setup.letters(), ["b to orders.DLT/0: kafkaflow.Poison: no such product"]);
    // It was not handled, so its replay is.
    setup.script.set("b", Acts::Works);
    setup.handle(vec![part_from(0, 3, &["b"])]).await;
    assert_eq!(effects(&setup.test.store).await, ["a", "c", "b"]);
}

async fn a_record_that_fails_for_now_holds_up_its_partition_and_no_other(test: TestStore) {
    let setup = Setup::of(test);
    setup.script.set("b", Acts::Fails(1));
    let mut rests = setup.handle(vec![part(0, &["a", "b", "c"]), part(1, &["d", "e"])]).await;
    assert_eq!(unfinished(&rests[0]), ["b", "c"]);
    assert_eq!(unfinished(&rests[1]), [""; 0]);
    let retry = Stop::Retry { offset: 1, attempts: 1, after: Duration::from_secs(7) };
    assert_eq!((rests[0].stop.as_ref(), rests[1].stop.as_ref()), (Some(&retry), None));
    assert_eq!(effects(&setup.test.store).await, ["a", "d", "e"]);
    assert_eq!(setup.next_offset(0).await, Some(1));
    let again = Part { records: rests.remove(0).unfinished, failing: Some((1, 1)), ..part(0, &[]) };
    let rests = setup.handle(vec![again]).await;
    assert!(rests[0].unfinished.is_empty() && rests[0].stop.is_none(), "{rests:?}");
    assert_eq!(effects(&setup.test.store).await, ["a", "d", "e", "b", "c"]);
}

async fn attempts_end_in_the_dead_letter_topic(test: TestStore) {
    let setup = Setup::of(test);
    setup.script.set("b", Acts::Fails(99));
    let mut failing = None;
    let mut left = part(0, &["a", "b", "c"]).records;
    let mut attempts = Vec::new();
    while !left.is_empty() {
        let mut rests = setup.handle(vec![Part { records: left, failing, ..part(0, &[]) }]).await;
        if let Some(Stop::Retry { offset, attempts: so_far, .. }) = rests[0].stop {
            failing = Some((offset, so_far));
            attempts.push(so_far);
        }
        left = rests.remove(0).unfinished;
    }
    assert_eq!(attempts, [1, 2]);
    assert_eq!(setup.letters(), ["b to orders.DLT/0: kafkaflow.RetriesExhausted: 3 attempts: try again"]);
    assert_eq!(effects(&setup.test.store).await, ["a", "c"]);
}

async fn a_record_whose_dead_letter_is_not_acknowledged_is_not_finished(test: TestStore) {
    let setup = Setup::of(test);
    setup.script.set("b", Acts::Poison);
    setup.fake.script(|_| Does::Lose);
    let mut rests = setup.handle(vec![part(0, &["a", "b", "c"])]).await;
    assert_eq!(unfinished(&rests[0]), ["b"]);
    assert!(matches!(&rests[0].stop, Some(Stop::Wait(reason)) if reason.contains("no leader")), "{rests:?}");
    assert_eq!(setup.next_offset(0).await, Some(1));
    setup.fake.script(|_| Does::Acknowledge);
    // Those behind it were handled: it would come too late if it worked now.
    setup.script.set("b", Acts::Works);
    let again = Part { records: rests.remove(0).unfinished, ..part(0, &[]) };
    let rests = setup.handle(vec![again]).await;
    assert!(rests[0].unfinished.is_empty() && rests[0].stop.is_none(), "{rests:?}");
    assert_eq!(setup.letters().len(), 1);
    assert_eq!(effects(&setup.test.store).await, ["a", "c"]);
}

async fn without_a_dead_letter_topic_a_poison_record_stops_its_partition(test: TestStore) {
    let setup = Setup::with(test, |intake| intake.dead_letters = None);
    setup.script.set("b", Acts::Poison);
    let rests = setup.handle(vec![part(0, &["a", "b"]), part(1, &["c"])]).await;
    assert_eq!(unfinished(&rests[0]), ["b"]);
    assert!(matches!(&rests[0].stop, Some(Stop::Wait(reason)) if reason.contains("no such product")));
    assert!(rests[1].stop.is_none());
    assert_eq!(effects(&setup.test.store).await, ["a", "c"]);
}

async fn what_is_not_what_it_should_be_never_reaches_the_handler(test: TestStore) {
    let schemas = crate::schema::ByType::new()
        .with("Placed", crate::schema::Schema::compile(br#"{"required": ["orderId"]}"#).unwrap());
    let judge = Arc::new(crate::schema::Judge::by_type(schemas));
    let setup = Setup::with(test, move |intake| intake.judge = Some(Arc::clone(&judge)));
    let valid = |offset: i64, id: &str, value: &str| {
        let headers = [("eventId", Some(id.as_bytes())), ("eventType", Some(&b"Placed"[..]))];
        Record::at("orders", 0, offset).holding(None, Some(value.as_bytes()), headers.into_iter())
    };
    let records = vec![
        valid(0, "a", r#"{"eventType": "Placed", "orderId": "o"}"#),
        valid(1, "b", r#"{"eventType": "Placed"}"#),
        valid(2, "c", "{"),
        typed(0, 3, "d", "Paid"),
        typed(0, 4, "e", "Lost"),
        valid(5, "f", r#"{"eventType": "Paid", "orderId": "o"}"#),
    ];
    let rests = setup.handle(vec![Part { records, ..part(0, &[]) }]).await;
    assert!(rests[0].unfinished.is_empty() && rests[0].stop.is_none(), "{rests:?}");
    assert_eq!(effects(&setup.test.store).await, ["a"]);
    let said: Vec<String> = setup
        .letters()
        .iter()
        .map(|letter| letter.split(": ").take(2).collect::<Vec<_>>().join(" "))
        .collect();
    let expected = [
        "b to orders.DLT/0 kafkaflow.SchemaViolation",
        "c to orders.DLT/0 kafkaflow.Undecodable",
        "e to orders.DLT/0 kafkaflow.Poison",
        "f to orders.DLT/0 kafkaflow.Poison",
    ];
    assert_eq!(said, expected);
}

async fn a_replayed_dead_letter_is_handled_once(test: TestStore) {
    let setup = Setup::of(test);
    setup.script.set("a", Acts::Poison);
    setup.handle(vec![part(0, &["a"])]).await;
    setup.handle(vec![part_from(0, 1, &["a"])]).await;
    assert_eq!(setup.letters().len(), 2, "it came back before its cause was mended");
    setup.script.set("a", Acts::Works);
    setup.handle(vec![part_from(0, 2, &["a", "a"])]).await;
    setup.handle(vec![part_from(0, 4, &["a"])]).await;
    assert_eq!(effects(&setup.test.store).await, ["a"]);
    assert_eq!(setup.letters().len(), 2);
}

async fn copies_of_a_dying_event_have_one_effect(test: TestStore) {
    let setup = Setup::of(test);
    setup.script.set("a", Acts::Fails(1));
    let dying = Part { failing: Some((0, 2)), ..part(0, &["a", "a"]) };
    setup.handle(vec![dying]).await;
    setup.handle(vec![part_from(0, 2, &["a"])]).await;
    assert_eq!(setup.letters().len(), 1);
    assert_eq!(effects(&setup.test.store).await, ["a"]);
}

async fn a_duplicate_is_never_a_dead_letter(test: TestStore) {
    let setup = Setup::of(test);
    setup.handle(vec![part(0, &["a"])]).await;
    // The same event once more, as something that the topic should not carry.
    let records = vec![typed(0, 1, "a", "Lost"), record(0, 2, "a")];
    setup.handle(vec![Part { records, ..part(0, &[]) }]).await;
    assert_eq!(setup.letters(), [""; 0]);
    assert_eq!(effects(&setup.test.store).await, ["a"]);
}

async fn a_partition_that_another_owns_is_refused_alone(test: TestStore) {
    let setup = Setup::of(test);
    setup.script.set("x", Acts::Poison);
    let mut parts = vec![part(0, &["a", "x"]), part(1, &["b"])];
    setup.own(&mut parts).await;
    setup.own(&mut [part(0, &[])]).await;
    let rests = setup.consumer.handle_batch(parts, NOW, 0.5).await;
    assert!(matches!(rests[0].stop, Some(Stop::Fenced(_))), "{rests:?}");
    assert_eq!(unfinished(&rests[0]), ["a", "x"]);
    assert!(rests[1].unfinished.is_empty() && rests[1].stop.is_none(), "{rests:?}");
    assert_eq!(effects(&setup.test.store).await, ["b"]);
    assert!(setup.letters().is_empty(), "a former owner dead-letters nothing");
}

async fn a_store_that_fails_costs_no_attempts(test: TestStore) {
    let setup = Setup::of(test);
    setup.script.set("b", Acts::Unavailable);
    for _ in 0..5 {
        let rests = setup.handle(vec![part(0, &["a", "b"]), part(1, &["c"])]).await;
        assert_eq!((unfinished(&rests[0]).len(), unfinished(&rests[1]).len()), (2, 1));
        assert!(rests.iter().all(|rest| matches!(rest.stop, Some(Stop::Wait(_)))), "{rests:?}");
    }
    assert!(effects(&setup.test.store).await.is_empty());
    setup.script.set("b", Acts::Works);
    setup.handle(vec![part(0, &["a", "b"]), part(1, &["c"])]).await;
    assert_eq!(effects(&setup.test.store).await, ["a", "b", "c"]);
}

async fn a_flood_of_failures_is_no_flood_of_dead_letters(test: TestStore) {
    let setup = Setup::of(test);
    let ids: Vec<String> = (0..200).map(|n| format!("e{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    for id in &ids {
        setup.script.set(id, Acts::Named);
    }
    for _ in 0..2 {
        let rests = setup.handle(vec![part(0, &ids)]).await;
        assert_eq!(rests[0].unfinished.len(), 200);
        assert!(matches!(&rests[0].stop, Some(Stop::Wait(reason)) if reason.contains("breaker")));
    }
    assert!(setup.letters().is_empty() && setup.consumer.breaker_is_open());
    // One at a time, whichever way it fails.
    for acts in [Acts::Named, Acts::Poison] {
        setup.script.set("e0", acts);
        assert_eq!(unfinished(&setup.handle(vec![part(0, &ids[..1])]).await[0]), ["e0"]);
    }
    assert!(setup.letters().is_empty());
    setup.script.set("e0", Acts::Works);
    assert!(setup.handle(vec![part(0, &ids[..1])]).await[0].unfinished.is_empty());
    assert!(!setup.consumer.breaker_is_open());
    // A few that fail are dead letters again.
    setup.handle(vec![part_from(0, 1, &ids[1..20])]).await;
    assert_eq!((setup.letters().len(), effects(&setup.test.store).await), (19, vec!["e0".to_owned()]));
}
