use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::command::Command;
use super::super::lines;
use super::super::testing::{
    Counted, book, cancel, commands, decided, holds_what_is_reserved, judge, levels, of, place, restore,
    stocks, sums, words,
};
use super::Answer;
use crate::event::{Event, OrderId};

/// What is answered to each of these commands, and what is there afterwards.
fn told(stock: &[(&str, u64)], commands: &[Command]) -> String {
    let (after, answers) = decided(book(stock), commands, &Counted::default());
    assert!(holds_what_is_reserved(&after), "{after:?}");
    let mut said: Vec<String> = answers.iter().map(|answer| words(&answer.event)).collect();
    said.push(levels(&after.products));
    said.join("\n")
}

#[test]
fn an_order_reserves_all_of_its_items_or_none() {
    let stock = [("A", 5), ("B", 1)];
    for (order, expected) in [
        (
            place("O", &[("A", 2), ("B", 1)]),
            "O reserved RES-1: A 2, B 1\nO told stock-desk: \"B\" 0\nA=3+2 B=0+1!",
        ),
        (
            place("O", &[("B", 1), ("A", 5)]),
            "O reserved RES-1: B 1, A 5\nO told stock-desk: \"B\" 0\nO told stock-desk: \"A\" 0\nA=0+5! B=0+1!",
        ),
        (
            place("O", &[("A", 2), ("B", 2)]),
            "O failed: Insufficient stock for B\nO told stock-desk: \"B\" 1\nA=5+0 B=1+0!",
        ),
        (
            place("O", &[("A", 6), ("B", 2)]),
            "O failed: Insufficient stock for A, B\nO told stock-desk: \"A\" 5\nO told stock-desk: \"B\" 1\nA=5+0! B=1+0!",
        ),
        // A product in two items counts once.
        (place("O", &[("A", 2), ("A", 2)]), "O reserved RES-1: A 4\nA=1+4 B=1+0"),
        (
            place("O", &[("A", 3), ("A", 3)]),
            "O failed: Insufficient stock for A\nO told stock-desk: \"A\" 5\nA=5+0! B=1+0",
        ),
        (place("O", &[("A", 1), ("X", 1), ("B", 9)]), "O failed: Unknown product X\nA=5+0 B=1+0"),
        (place("O", &[("Y", 1), ("X", 1)]), "O failed: Unknown products Y, X\nA=5+0 B=1+0"),
    ] {
        assert_eq!(told(&stock, &[order]), expected);
    }
    // More than an event can say is never there.
    let most = i32::MAX.unsigned_abs();
    let much = place("O", &[("A", most), ("A", 1)]);
    let said = told(&[("A", 3 * u64::from(most))], &[much]);
    assert!(said.starts_with("O failed: Insufficient stock for A\n"), "{said}");
}

#[test]
fn the_failure_of_the_seed_is_said_in_its_words() {
    let order = place("ORD-999", &[("PROD-101", 2), ("PROD-205", 1)]);
    let (_, answers) = decided(book(&[("PROD-101", 1), ("PROD-205", 9)]), &[order], &Counted::default());
    insta::assert_snapshot!(answers[0].event.to_json());
    insta::assert_snapshot!(answers[1].event.to_json());
}

#[test]
fn an_order_that_comes_again_is_answered_as_the_first_time() {
    let stock = [("A", 5)];
    let same = place("O", &[("A", 3)]);
    let more = place("O", &[("A", 5), ("X", 1)]);
    assert_eq!(
        told(&stock, &[same.clone(), same, more]),
        "O reserved RES-1: A 3\nO reserved RES-1: A 3\nO reserved RES-1: A 3\nA=2+3"
    );
    // What failed stays so, even where another list of items would not have.
    let (too_many, few) = (place("O", &[("A", 9)]), place("O", &[("A", 1)]));
    assert_eq!(
        told(&stock, &[too_many, few]),
        "O failed: Insufficient stock for A\nO told stock-desk: \"A\" 5\nO failed: Insufficient stock for A\nA=5+0!"
    );
    // Given back since, it is still the same reservation.
    let order = || place("O", &[("A", 3)]);
    assert_eq!(
        told(&stock, &[order(), cancel("O", "S", &[]), order()]),
        "O reserved RES-1: A 3\nO S cancelled RES-1: A 3\nO reserved RES-1: A 3\nA=5+0"
    );
}

#[test]
fn a_cancellation_gives_back_what_is_held_and_each_saga_does_so_once() {
    let stock = [("A", 5), ("B", 5)];
    let order = || place("O", &[("A", 3), ("B", 2)]);
    for (commands, expected) in [
        (vec![order(), cancel("O", "S", &[])], "O S cancelled RES-1: A 3, B 2\nA=5+0 B=5+0"),
        (
            vec![
                order(),
                cancel("O", "S", &[("A", 1)]),
                cancel("O", "S", &[("A", 1)]),
                cancel("O", "S", &[]),
            ],
            "O S cancelled RES-1: A 1\nO S cancelled RES-1: A 1\nO S cancelled RES-1: A 1\nA=3+2 B=3+2",
        ),
        // Two sagas give back one after the other, and never more than there is.
        (
            vec![order(), cancel("O", "S", &[("A", 2), ("X", 1)]), cancel("O", "T", &[("A", 2), ("B", 9)])],
            "O S cancelled RES-1: A 2\nO T cancelled RES-1: A 1, B 2\nA=5+0 B=5+0",
        ),
        (
            vec![order(), cancel("O", "S", &[]), cancel("O", "T", &[])],
            "O S cancelled RES-1: A 3, B 2\nO T cancelled RES-1: \nA=5+0 B=5+0",
        ),
    ] {
        assert_eq!(told(&stock, &commands), format!("O reserved RES-1: A 3, B 2\n{expected}"));
    }
    let failed = [place("O", &[("X", 1)]), cancel("O", "S", &[])];
    assert_eq!(told(&stock, &failed), "O failed: Unknown product X\nO S cancelled nothing: \nA=5+0 B=5+0");
}

#[test]
fn an_order_that_was_cancelled_before_it_came_holds_nothing() {
    let stock = [("A", 5)];
    let order = || place("O", &[("A", 3)]);
    let refused = "O failed: Cancelled before stock was reserved";
    assert_eq!(
        told(&stock, &[cancel("O", "S", &[]), order(), order(), cancel("O", "S", &[])]),
        format!("O S cancelled nothing: \n{refused}\n{refused}\nO S cancelled nothing: \nA=5+0")
    );
    // A part of an order that never was is no part either.
    assert_eq!(
        told(&stock, &[cancel("O", "S", &[("A", 1)]), order()]),
        format!("O S cancelled nothing: \n{refused}\nA=5+0")
    );
    // The saga took it back before the order came.
    assert_eq!(
        told(
            &stock,
            &[cancel("O", "S", &[]), restore("O", "S", &[("A", 3)]), order(), cancel("O", "S", &[])]
        ),
        "O S cancelled nothing: \nO S restored nothing: \nO reserved RES-1: A 3\nO S cancelled nothing: \nA=2+3"
    );
    // One of two did.
    assert_eq!(
        told(
            &stock,
            &[cancel("O", "S", &[]), cancel("O", "T", &[]), restore("O", "S", &[("A", 3)]), order()]
        ),
        format!("O S cancelled nothing: \nO T cancelled nothing: \nO S restored nothing: \n{refused}\nA=5+0")
    );
}

#[test]
fn what_a_saga_gave_back_it_takes_again_all_or_none() {
    let stock = [("A", 5), ("B", 5)];
    let order = || place("O", &[("A", 3), ("B", 2)]);
    let given = || vec![order(), cancel("O", "S", &[])];
    let and = |mut first: Vec<Command>, more: Vec<Command>| {
        first.extend(more);
        first
    };
    let (all, other) = ([("A", 3), ("B", 2)], place("P", &[("B", 4)]));
    let begin = "O reserved RES-1: A 3, B 2\nO S cancelled RES-1: A 3, B 2\n";
    for (commands, expected) in [
        (and(given(), vec![restore("O", "S", &all)]), "O S restored RES-1: A 3, B 2\nA=2+3 B=3+2"),
        (
            and(given(), vec![restore("O", "S", &[("A", 9), ("X", 1)]), restore("O", "S", &all)]),
            "O S restored RES-1: A 3\nO S restored RES-1: A 3\nA=2+3 B=5+0",
        ),
        // Not enough for all: nothing is taken, operations are told, and the saga may ask again.
        (
            and(
                given(),
                vec![other.clone(), restore("O", "S", &all), cancel("P", "T", &[]), restore("O", "S", &all)],
            ),
            "P reserved RES-2: B 4\nO S restored RES-1: \nO told stock-desk: \"B\" 1\nP T cancelled RES-2: B 4\nO S restored RES-1: A 3, B 2\nA=2+3 B=3+2!",
        ),
        // The last piece is gone by it.
        (
            and(given(), vec![place("P", &[("A", 2)]), restore("O", "S", &all)]),
            "P reserved RES-2: A 2\nO S restored RES-1: A 3, B 2\nO told stock-desk: \"A\" 0\nA=0+5! B=3+2",
        ),
        // What another saga gave back is not its own.
        (and(given(), vec![restore("O", "T", &all)]), "O T restored RES-1: \nA=5+0 B=5+0"),
    ] {
        assert_eq!(told(&stock, &commands), format!("{begin}{expected}"));
    }
    // The undoing came first: what it undoes does nothing.
    assert_eq!(
        told(&stock, &[order(), restore("O", "S", &all), cancel("O", "S", &[]), restore("O", "S", &all)]),
        "O reserved RES-1: A 3, B 2\nO S restored RES-1: \nO S cancelled RES-1: \nO S restored RES-1: \nA=2+3 B=3+2"
    );
}

#[test]
fn operations_are_told_once_until_the_product_is_restocked() {
    let orders =
        || [place("O", &[("A", 2)]), place("P", &[("A", 1)]), cancel("O", "S", &[]), place("Q", &[("A", 2)])];
    let (after, answers) = decided(book(&[("A", 2)]), &orders(), &Counted::default());
    let notices = |answers: &[Answer]| {
        answers.iter().filter(|answer| matches!(answer.event, Event::SendNotification(_))).count()
    };
    assert_eq!((notices(&answers), levels(&after.products).as_str()), (1, "A=0+2!"));
    let mut restocked = after;
    for level in restocked.products.values_mut() {
        (level.available, level.told) = (1, false);
    }
    let (_, answers) =
        decided(restocked, &[place("R", &[("A", 2)]), place("T", &[("A", 1)])], &Counted::default());
    assert_eq!(notices(&answers), 1);
}

proptest! {
    #[test]
    fn what_is_available_and_what_is_reserved_add_up_to_the_same(stock in stocks(), commands in commands()) {
        let before = of(&stock);
        let ids = Counted::default();
        let mut now = before.clone();
        for command in &commands {
            now = decided(now, std::slice::from_ref(command), &ids).0;
            prop_assert_eq!(sums(&now), sums(&before));
            prop_assert!(holds_what_is_reserved(&now), "{:?}", now);
        }
    }

    #[test]
    fn a_batch_comes_to_the_same_as_its_commands_one_by_one(stock in stocks(), commands in commands()) {
        let (whole, answers) = decided(of(&stock), &commands, &Counted::default());
        let (mut now, ids, mut singly) = (of(&stock), Counted::default(), Vec::new());
        for (to, command) in commands.iter().enumerate() {
            let (next, answers) = decided(now, std::slice::from_ref(command), &ids);
            now = next;
            singly.extend(answers.into_iter().map(|answer| Answer { to, ..answer }));
        }
        prop_assert_eq!(now, whole);
        prop_assert_eq!(singly, answers);
    }

    #[test]
    fn an_order_has_all_of_its_items_or_none_and_one_outcome_for_ever(stock in stocks(), commands in commands()) {
        let (_, answers) = decided(of(&stock), &commands, &Counted::default());
        let mut outcomes: BTreeMap<&OrderId, String> = BTreeMap::new();
        let mut reservations = BTreeSet::new();
        for (at, command) in commands.iter().enumerate() {
            let Command::Place(placed) = command else { continue };
            let answered: Vec<&Event> =
                answers.iter().filter(|answer| answer.to == at).map(|answer| &answer.event).collect();
            let said = words(answered[0]);
            let outcome = outcomes.entry(&placed.order_id);
            let is_first = matches!(outcome, std::collections::btree_map::Entry::Vacant(_));
            prop_assert_eq!(&*outcome.or_insert_with(|| said.clone()), &said);
            if let (true, Event::InventoryReserved(reserved)) = (is_first, answered[0]) {
                let wanted = lines::wanted(placed.items.iter().map(|item| (&item.product_id, item.quantity)));
                let got = lines::wanted(reserved.reserved_items.iter().map(lines::line));
                prop_assert_eq!(got, wanted);
                prop_assert!(reservations.insert(reserved.reservation_id.clone()), "a reservation of two orders");
            }
        }
    }

    #[test]
    fn a_saga_step_that_comes_again_changes_nothing(stock in stocks(), commands in commands(), again in any::<prop::sample::Index>()) {
        let ids = Counted::default();
        let (now, answers) = decided(of(&stock), &commands, &ids);
        prop_assume!(!commands.is_empty());
        let at = again.index(commands.len());
        let first = answers.iter().find(|answer| answer.to == at).unwrap();
        // A restoration that found too little may find enough now.
        let lacked = matches!(&first.event, Event::ReservationRestored(restored) if restored.items.is_empty());
        prop_assume!(!lacked);
        let (after, repeated) = decided(now.clone(), &commands[at..=at], &ids);
        prop_assert_eq!(after, now);
        prop_assert_eq!(repeated.len(), 1);
        prop_assert_eq!(words(&repeated[0].event), words(&first.event));
    }

    #[test]
    fn operations_hear_of_a_product_once_and_every_answer_keeps_its_schema(stock in stocks(), commands in commands()) {
        let (after, answers) = decided(of(&stock), &commands, &Counted::default());
        let judge = judge();
        let mut told = BTreeSet::new();
        for Answer { event, .. } in &answers {
            let json = event.to_json();
            prop_assert!(judge.is_valid(json.as_bytes()), "{}: {:?}", json, judge.violations(json.as_bytes()));
            if let Event::SendNotification(notice) = event {
                prop_assert!(told.insert(notice.parameters.get("productId").unwrap().get().to_owned()), "twice");
            }
        }
        let known: BTreeSet<String> =
            after.products.iter().filter(|(_, level)| level.told).map(|(id, _)| format!("\"{id}\"")).collect();
        prop_assert_eq!(told, known);
        let out = after.products.iter().find(|(_, level)| level.available == 0 && level.reserved > 0 && !level.told);
        prop_assert!(out.is_none(), "nobody was told of {:?}", out);
    }
}
