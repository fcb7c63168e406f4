//! Answers of the inventory and of a payment provider, over both stores.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::capturing::Captures;
use super::feed::Feed;
use super::payment::{Answer, Charge, Payments};
use super::results::{Ledger, Results};
use super::state::Status;
use super::store::{self, Order};
use super::testing::{NOW, ledger, place, placed};
use crate::event::{Channel, Event, SendNotification};
use crate::messaging::Record;
use crate::runtime::relay::Wake;
use crate::runtime::{BatchOutcome, HandleError, Handler};
use crate::store::outbox;
use crate::store::testing::{TestStore, on_both_stores};

on_both_stores! { crate::services::order::store::MIGRATIONS;
    an_outcome_is_told_to_the_customer_once,
    an_answer_about_an_order_that_is_not_there_is_poison_and_its_neighbours_are_heard,
    a_batch_may_hold_several_answers_about_one_order,
    orders_and_their_first_outcomes_go_past_the_outbox,
    a_payment_is_captured_or_declined_once,
    a_capture_of_which_nothing_is_known_is_asked_for_again_with_its_key,
    what_was_captured_before_a_crash_is_captured_once,
}

fn answer(offset: i64, body: &Value) -> Record {
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = [("traceparent", Some(trace.as_bytes()))];
    Record::at("results", 0, offset).holding(None, Some(body.to_string().as_bytes()), headers.into_iter())
}

fn reserved(order: &str) -> Value {
    json!({"eventId": format!("evt-r-{order}"), "eventType": "InventoryReserved", "orderId": order,
           "reservationId": format!("RES-{order}"), "timestamp": "2024-09-01T10:15:31Z", "status": "RESERVED",
           "failureReason": null, "reservedItems": [{"productId": "PROD-101", "quantity": 2}]})
}

fn failed(order: &str) -> Value {
    json!({"eventId": format!("evt-f-{order}"), "eventType": "InventoryFailed", "orderId": order,
           "timestamp": "2024-09-01T10:15:31Z", "status": "FAILED",
           "failureReason": "Insufficient stock for PROD-101", "reservedItems": []})
}

async fn hear(test: &TestStore, ledger: &Ledger, batch: &[Record]) -> BatchOutcome {
    let mut tx = test.store.tx();
    let outcome = Results(ledger.clone()).handle(&mut tx, batch).await;
    tx.commit().await.unwrap();
    outcome
}

async fn order(test: &TestStore, id: &str) -> Order {
    store::order(&mut test.store.reading(), id).await.unwrap().unwrap()
}

/// What customers are told, in the order of the outbox, with the trace of each.
async fn notices(test: &TestStore) -> Vec<(SendNotification, Option<String>)> {
    let rows = test.waiting().await;
    let read = |row: outbox::Pending| match Event::from_json(row.payload.as_bytes()) {
        Ok(Event::SendNotification(notice)) => Some((notice, row.traceparent)),
        _ => None,
    };
    rows.into_iter().filter_map(read).collect()
}

async fn an_outcome_is_told_to_the_customer_once(test: TestStore) {
    let contact = r#"{"email":"ada@example.com","phone":"+15125550100"}"#;
    place(
        &test,
        &[
            placed("A", "CUST-1", contact),
            placed("B", "CUST-2", "{}"),
            placed("C", "CUST-3", r#"{"phone":"+15125550100"}"#),
        ],
    )
    .await;
    let ledger = ledger(false, Feed::default());
    let batch = [
        answer(1, &reserved("A")),
        answer(2, &failed("B")),
        answer(3, &failed("C")),
        answer(4, &reserved("A")),
    ];
    assert!(matches!(hear(&test, &ledger, &batch).await, BatchOutcome::Done));
    let told = notices(&test).await;
    let shown: Vec<_> = told
        .iter()
        .map(|(notice, _)| {
            (notice.order_id.as_str(), notice.template.as_str(), notice.channel, notice.to.as_str())
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("A", "order-confirmed", Channel::Email, "ada@example.com"),
            ("B", "order-cancelled", Channel::Email, "CUST-2"),
            ("C", "order-cancelled", Channel::Sms, "+15125550100"),
        ]
    );
    let reason = told[1].0.parameters.get("reason").unwrap().get();
    assert_eq!(reason, "\"Insufficient stock for PROD-101\"");
    assert_eq!(told[0].0.parameters.get("totalAmount").unwrap().get(), "\"119.93\"");
    assert!(
        told[0].1.as_ref().unwrap().starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"),
        "the answer's trace goes on"
    );
    let a = order(&test, "A").await;
    assert_eq!((a.status, a.reservation.as_deref(), a.version), (Status::Confirmed, Some("RES-A"), 3));
    let due = store::next_capture(&mut test.store.reading()).await.unwrap();
    assert_eq!(due, None, "capture is off");
}

async fn an_answer_about_an_order_that_is_not_there_is_poison_and_its_neighbours_are_heard(test: TestStore) {
    place(&test, &[placed("A", "CUST-1", "{}")]).await;
    let wrong = json!({"eventId": "e", "eventType": "OrderPlaced"});
    let batch = [answer(1, &failed("nobody")), answer(2, &reserved("A")), answer(3, &wrong)];
    let BatchOutcome::Poisoned(poisoned) = hear(&test, &ledger(false, Feed::default()), &batch).await else {
        panic!("poisoned");
    };
    let mut said: Vec<_> =
        poisoned.into_iter().map(|(at, error)| (at, matches!(error, HandleError::Poison(_)))).collect();
    said.sort_unstable();
    assert_eq!(said, [(0, true), (2, true)]);
    assert_eq!(order(&test, "A").await.status, Status::Confirmed);
}

async fn a_batch_may_hold_several_answers_about_one_order(test: TestStore) {
    place(&test, &[placed("A", "CUST-1", "{}")]).await;
    let batch = [answer(1, &failed("A")), answer(2, &reserved("A"))];
    assert!(matches!(hear(&test, &ledger(true, Feed::default()), &batch).await, BatchOutcome::Done));
    let heard = store::timeline(&mut test.store.reading(), "A", 0).await.unwrap();
    let shown: Vec<_> =
        heard.iter().map(|entry| (entry.kind.as_str(), entry.status, entry.ignored.is_some())).collect();
    assert_eq!(
        shown,
        [
            ("placed", Status::Pending, false),
            ("inventory-failed", Status::Cancelled, false),
            ("inventory-reserved", Status::Cancelled, true),
        ]
    );
    assert_eq!(store::next_capture(&mut test.store.reading()).await.unwrap(), None);
    assert_eq!(notices(&test).await.len(), 1);
}

/// Answers as a test says, and remembers what it was asked.
#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<Charge>>,
}

impl Payments for Script {
    async fn capture(&self, charge: Charge) -> Answer {
        self.asked.lock().unwrap().push(charge);
        self.answers.lock().unwrap().pop_front().expect("an answer")
    }
}

async fn orders_and_their_first_outcomes_go_past_the_outbox(test: TestStore) {
    test.store.fresh().want();
    let orders = ["A", "B", "C"].map(|id| placed(id, "CUST-1", "{}"));
    place(&test, &orders).await;
    assert_eq!(test.handed_over(), test.hands_over(["A OrderPlaced", "B OrderPlaced", "C OrderPlaced"]));
    let ledger = ledger(false, Feed::default());
    hear(&test, &ledger, &[answer(1, &reserved("A")), answer(2, &failed("B"))]).await;
    assert_eq!(test.handed_over(), test.hands_over(["A SendNotification", "B SendNotification"]));
    // What was said of A may wait.
    hear(&test, &ledger, &[answer(3, &failed("A")), answer(4, &reserved("C"))]).await;
    assert_eq!(test.handed_over(), Vec::<String>::new());
}

fn captures(test: &TestStore, answers: &[Answer]) -> Captures<Script> {
    let script = Script { answers: Mutex::new(answers.iter().cloned().collect()), ..Script::default() };
    Captures {
        store: test.store.clone(),
        ledger: ledger(true, Feed::default()),
        payments: Arc::new(script),
        wake: Wake::new(),
    }
}

async fn confirmed(test: &TestStore, ids: &[&str]) {
    let orders: Vec<_> = ids.iter().map(|id| placed(id, "CUST-1", "{}")).collect();
    place(test, &orders).await;
    let batch: Vec<_> =
        ids.iter().enumerate().map(|(n, id)| answer(i64::try_from(n).unwrap(), &reserved(id))).collect();
    assert!(matches!(hear(test, &ledger(true, Feed::default()), &batch).await, BatchOutcome::Done));
}

async fn a_payment_is_captured_or_declined_once(test: TestStore) {
    confirmed(&test, &["A"]).await;
    let declines = Answer::Declined { reason: "The card was declined".to_owned() };
    let captures = captures(&test, &[Answer::Captured, declines]);
    assert_eq!(captures.step(NOW).await.unwrap(), 1);
    assert_eq!(captures.step(NOW.after(Duration::from_secs(3600))).await.unwrap(), 0, "once");
    confirmed(&test, &["B"]).await;
    assert_eq!(captures.step(NOW).await.unwrap(), 1);
    let asked: Vec<_> = captures
        .payments
        .asked
        .lock()
        .unwrap()
        .iter()
        .map(|charge| (charge.key.clone(), charge.amount.cents()))
        .collect();
    assert_eq!(asked, [("A:capture".to_owned(), 11_993), ("B:capture".to_owned(), 11_993)]);
    let (a, b) = (order(&test, "A").await, order(&test, "B").await);
    assert_eq!((a.status, a.paid), (Status::Confirmed, true));
    assert_eq!(
        (b.status, b.paid, b.reason.as_deref()),
        (Status::PaymentFailed, false, Some("The card was declined"))
    );
    let told: Vec<_> =
        notices(&test).await.into_iter().map(|(notice, _)| notice.template.as_str().to_owned()).collect();
    assert_eq!(told, ["order-confirmed", "order-confirmed", "payment-failed"]);
}

async fn a_capture_of_which_nothing_is_known_is_asked_for_again_with_its_key(test: TestStore) {
    confirmed(&test, &["A"]).await;
    let silent = || Answer::Unknown { reason: "503".to_owned() };
    let captures = captures(&test, &[silent(), silent(), Answer::Captured]);
    assert_eq!(captures.step(NOW).await.unwrap(), 1);
    assert_eq!(captures.step(NOW).await.unwrap(), 0, "not at once");
    // Half a second, then a whole one.
    for pause in [500, 1000] {
        let due = NOW.after(Duration::from_millis(pause));
        assert_eq!(captures.step(due.before(Duration::from_millis(1))).await.unwrap(), 0, "{pause}");
        assert_eq!(captures.step(due).await.unwrap(), 1, "{pause}");
    }
    let asked = captures.payments.asked.lock().unwrap().clone();
    assert!(asked.iter().all(|charge| charge.key == "A:capture") && asked.len() == 3, "{asked:?}");
    assert!(order(&test, "A").await.paid);
}

async fn what_was_captured_before_a_crash_is_captured_once(test: TestStore) {
    confirmed(&test, &["A"]).await;
    // Claimed by a process that died before it could settle, whatever the provider did.
    let mut tx = test.store.tx();
    let claimed = store::claim_captures(&mut tx, NOW, NOW.after(Duration::from_secs(60)), 10).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(claimed.len(), 1);
    let captures = captures(&test, &[Answer::Captured]);
    assert_eq!(captures.step(NOW.after(Duration::from_secs(59))).await.unwrap(), 0, "another's for now");
    assert_eq!(captures.step(NOW.after(Duration::from_secs(60))).await.unwrap(), 1);
    assert_eq!(captures.payments.asked.lock().unwrap()[0].key, "A:capture");
    let heard = store::timeline(&mut test.store.reading(), "A", 0).await.unwrap();
    assert_eq!(heard.iter().filter(|entry| entry.kind == "payment-captured").count(), 1);
}
