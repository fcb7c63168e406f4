//! The service's tables, on both databases.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Change, Order, Outcome, Page, Published, Taken};
use crate::event::ReservationId;
use crate::services::order::placing::Contact;
use crate::services::order::state::{Standing, Status};
use crate::services::order::store;
use crate::services::order::testing::{NOW, place, placed};
use crate::store::outbox;
use crate::store::testing::{TestStore, on_both_stores};
use crate::store::{StoreError, Writes};
use crate::unit::Money;

on_both_stores! { crate::services::order::store::MIGRATIONS;
    an_order_is_what_was_placed_and_is_announced_once,
    an_idempotency_key_stands_for_one_order,
    keys_are_forgotten_in_time,
    what_an_order_hears_is_kept_and_moves_it,
    an_order_that_moved_meanwhile_is_not_moved_from_where_it_was,
    a_customers_orders_come_in_pages_the_newest_first,
    a_capture_is_claimed_by_one_and_settled_once,
    a_published_announcement_says_where_it_is,
}

async fn shown(test: &TestStore, id: &str) -> Option<Order> {
    store::order(&mut test.store.reading(), id).await.unwrap()
}

async fn an_order_is_what_was_placed_and_is_announced_once(test: TestStore) {
    let orders =
        [placed("ORD-1", "CUST-1", "{}"), placed("ORD-2", "CUST-2", r#"{"email":"ada@example.com"}"#)];
    assert_eq!(place(&test, &orders).await, [Taken::New, Taken::New]);
    let order = shown(&test, "ORD-2").await.unwrap();
    assert_eq!((order.customer.as_str(), order.status, order.version), ("CUST-2", Status::Pending, 1));
    assert_eq!((order.total.cents(), order.paid, order.reason), (11_993, false, None));
    assert_eq!((order.items, order.placed_at), (orders[1].items.clone(), NOW));
    assert_eq!(shown(&test, "ORD-3").await, None);
    let rows = test.waiting().await;
    assert_eq!(rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["evt-ORD-1", "evt-ORD-2"]);
    let heard = store::timeline(&mut test.store.reading(), "ORD-1", 0).await.unwrap();
    assert_eq!((heard.len(), heard[0].kind.as_str(), heard[0].version), (1, "placed", 1));
    let versions =
        store::versions(&mut test.store.reading(), &["ORD-1".into(), "ORD-9".into()]).await.unwrap();
    assert_eq!(versions, [("ORD-1".to_owned(), 1)]);
}

async fn an_idempotency_key_stands_for_one_order(test: TestStore) {
    let keyed = |id: &str, key: &str, fingerprint: &str| {
        let key = Some((key.to_owned(), fingerprint.to_owned()));
        store::Placed { key, ..placed(id, "CUST-1", "{}") }
    };
    let first = [keyed("ORD-1", "k1", "f1"), placed("ORD-2", "CUST-1", "{}"), keyed("ORD-3", "k2", "f1")];
    assert_eq!(place(&test, &first).await, [Taken::New, Taken::New, Taken::New]);
    let second = [
        keyed("ORD-4", "k2", "f1"),
        keyed("ORD-5", "k1", "other"),
        keyed("ORD-6", "k3", "f1"),
        placed("ORD-7", "CUST-1", "{}"),
    ];
    let expected = [Taken::Before("ORD-3".to_owned()), Taken::OtherBody, Taken::New, Taken::New];
    assert_eq!(place(&test, &second).await, expected);
    for (id, there) in [("ORD-3", true), ("ORD-4", false), ("ORD-5", false), ("ORD-6", true), ("ORD-7", true)]
    {
        assert_eq!(shown(&test, id).await.is_some(), there, "{id}");
    }
}

async fn keys_are_forgotten_in_time(test: TestStore) {
    let order = |id: &str| store::Placed {
        key: Some(("k".to_owned(), "f".to_owned())),
        ..placed(id, "CUST-1", "{}")
    };
    place(&test, &[order("ORD-1")]).await;
    let mut tx = test.store.tx();
    assert_eq!(store::forget_keys(&mut tx, NOW).await.unwrap(), 0);
    assert_eq!(store::forget_keys(&mut tx, NOW.after(Duration::from_millis(1))).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!(place(&test, &[order("ORD-2")]).await, [Taken::New]);
}

fn change(order: &str, version: i64, standing: Standing, capture: Option<Money>) -> Change {
    Change {
        order: order.to_owned(),
        version,
        standing,
        kind: "inventory-reserved",
        ignored: None,
        reason: None,
        event_id: Some(format!("evt-answer-{version}")),
        place: Some(format!("results/0/{version}")),
        at: NOW.after(Duration::from_secs(1)),
        capture,
        traceparent: None,
    }
}

fn confirmed() -> Standing {
    let reservation = Some(ReservationId::new("RES-1").unwrap());
    Standing { status: Status::Confirmed, reservation, ..Standing::PLACED }
}

async fn save(test: &TestStore, changes: &[Change]) {
    let mut tx = test.store.tx();
    let mut writes = Writes::of(&tx).unwrap();
    store::save(&mut writes, changes).unwrap();
    writes.run(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
}

async fn what_an_order_hears_is_kept_and_moves_it(test: TestStore) {
    place(
        &test,
        &[placed("ORD-1", "CUST-1", r#"{"phone":"+15125550100"}"#), placed("ORD-2", "CUST-1", "{}")],
    )
    .await;
    let mut tx = test.store.tx();
    let ids = BTreeSet::from(["ORD-1".to_owned(), "ORD-2".to_owned(), "ORD-9".to_owned()]);
    let held = store::hold(&mut tx, &ids).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(held.len(), 2);
    let one = &held["ORD-1"];
    assert_eq!((&one.standing, one.version, one.total.cents()), (&Standing::PLACED, 1, 11_993));
    let contact = Contact { email: None, phone: Some("+15125550100".to_owned()) };
    assert_eq!((&one.contact, one.customer.as_str()), (&contact, "CUST-1"));
    let paid = Standing { paid: true, ..confirmed() };
    let ignored = Change {
        ignored: Some("late"),
        reason: Some("why".to_owned()),
        ..change("ORD-1", 3, paid.clone(), None)
    };
    let changes = [change("ORD-1", 2, confirmed(), None), ignored];
    save(&test, &changes).await;
    let order = shown(&test, "ORD-1").await.unwrap();
    assert_eq!((order.status, order.version, order.paid), (Status::Confirmed, 3, true));
    assert_eq!(
        (order.reservation.as_deref(), order.changed_at),
        (Some("RES-1"), NOW.after(Duration::from_secs(1)))
    );
    assert_eq!(shown(&test, "ORD-2").await.unwrap().version, 1);
    let heard = store::timeline(&mut test.store.reading(), "ORD-1", 1).await.unwrap();
    assert_eq!(heard, changes.each_ref().map(Change::entry));
    assert_eq!(heard.iter().map(|entry| entry.version).collect::<Vec<_>>(), [2, 3]);
    assert_eq!((heard[1].ignored.as_deref(), heard[1].reason.as_deref()), (Some("late"), Some("why")));
    assert_eq!(heard[0].heard.as_deref(), Some("results/0/2"));
    let mut tx = test.store.tx();
    let held = store::hold(&mut tx, &BTreeSet::from(["ORD-1".to_owned()])).await.unwrap();
    assert_eq!(held["ORD-1"].standing, paid);
}

async fn an_order_that_moved_meanwhile_is_not_moved_from_where_it_was(test: TestStore) {
    place(&test, &[placed("ORD-1", "CUST-1", "{}"), placed("ORD-2", "CUST-1", "{}")]).await;
    let Some(mut tx) = test.store.optimistic() else { return };
    let both = BTreeSet::from(["ORD-1".to_owned(), "ORD-2".to_owned()]);
    assert_eq!(store::hold(&mut tx, &both).await.unwrap().len(), 2);
    let mut writes = Writes::of(&tx).unwrap();
    let changes = [change("ORD-1", 2, confirmed(), None), change("ORD-2", 2, confirmed(), None)];
    store::save(&mut writes, &changes).unwrap();
    writes.run(&mut tx).await.unwrap();
    let cancelled = Standing { status: Status::Cancelled, ..Standing::PLACED };
    // Nobody waits for it.
    save(&test, &[change("ORD-2", 2, cancelled, None)]).await;
    let refused = tx.commit().await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    for (id, status, version) in [("ORD-1", Status::Pending, 1), ("ORD-2", Status::Cancelled, 2)] {
        let order = shown(&test, id).await.unwrap();
        assert_eq!((order.status, order.version), (status, version));
    }
}

async fn a_customers_orders_come_in_pages_the_newest_first(test: TestStore) {
    let mut orders: Vec<_> = (0..5).map(|n| placed(&format!("ORD-{n}"), "CUST-1", "{}")).collect();
    for (n, order) in orders.iter_mut().enumerate() {
        // Two are placed at the same time.
        order.at = NOW.after(Duration::from_millis(n as u64 / 2));
    }
    orders.push(placed("ORD-x", "CUST-2", "{}"));
    place(&test, &orders).await;
    let mut seen: Vec<String> = Vec::new();
    let mut after: Option<Page> = None;
    loop {
        let page = store::of_customer(&mut test.store.reading(), "CUST-1", after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(Page { placed_at: last.placed_at, id: last.id.clone() });
        seen.extend(page.into_iter().map(|order| order.id));
    }
    assert_eq!(seen, ["ORD-4", "ORD-3", "ORD-2", "ORD-1", "ORD-0"]);
}

async fn a_capture_is_claimed_by_one_and_settled_once(test: TestStore) {
    place(&test, &[placed("ORD-1", "CUST-1", "{}"), placed("ORD-2", "CUST-1", "{}")]).await;
    let amount = Money::from_cents(11_993).unwrap();
    save(
        &test,
        &[change("ORD-1", 2, confirmed(), Some(amount)), change("ORD-2", 2, confirmed(), Some(amount))],
    )
    .await;
    let (now, minute) = (NOW.after(Duration::from_secs(2)), Duration::from_secs(60));
    let mut tx = test.store.tx();
    assert!(store::claim_captures(&mut tx, NOW, now, 10).await.unwrap().is_empty(), "not due yet");
    let claimed = store::claim_captures(&mut tx, now, now.after(minute), 1).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((claimed.len(), claimed[0].amount, claimed[0].attempts), (1, amount, 0));
    let mut tx = test.store.tx();
    let other = store::claim_captures(&mut tx, now, now.after(minute), 10).await.unwrap();
    assert_eq!(other.len(), 1, "the first is another's");
    assert_ne!(other[0].order, claimed[0].order);
    let order = claimed[0].order.as_str();
    let settled =
        store::settle_captures(&mut tx, &[(order, Outcome::Captured), ("none", Outcome::Declined)]).await;
    assert_eq!(settled.unwrap().into_iter().collect::<Vec<_>>(), [order]);
    assert!(store::settle_captures(&mut tx, &[(order, Outcome::Declined)]).await.unwrap().is_empty());
    store::postpone(&mut tx, &other[0].order, now.after(minute * 2), "no answer").await.unwrap();
    assert!(store::claim_captures(&mut tx, now.after(minute), now, 10).await.unwrap().is_empty());
    let again = store::claim_captures(&mut tx, now.after(minute * 2), now, 10).await.unwrap();
    assert_eq!((again.len(), again[0].attempts), (1, 1));
    tx.commit().await.unwrap();
}

async fn a_published_announcement_says_where_it_is(test: TestStore) {
    place(&test, &[placed("ORD-1", "CUST-1", "{}")]).await;
    let rows = test.waiting().await;
    let mut tx = test.store.tx();
    let published = outbox::Published { seq: rows[0].seq, partition: 3, offset: 7 };
    outbox::settle(&mut tx, &[published], &[], NOW).await.unwrap();
    tx.commit().await.unwrap();
    let heard = store::timeline(&mut test.store.reading(), "ORD-1", 0).await.unwrap();
    let expected = Published { topic: "orders".to_owned(), partition: 3, offset: 7, at: NOW };
    assert_eq!(heard[0].published, Some(expected));
}
