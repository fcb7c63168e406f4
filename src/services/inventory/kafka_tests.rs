//! The inventory on the runtime, on real brokers, over both stores.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::command::Command;
use super::testing::{
    cancel, event, holds_what_is_reserved, judge, levels, operators, place, product, restore, words,
};
use super::{Inventory, MIGRATIONS, Settings, Uuids, stock, store};
use crate::event::{Event, EventId};
use crate::kafka::Cluster;
use crate::kafka::testing;
use crate::messaging::{Header, Outgoing, Record, publish_all};
use crate::runtime::consumer::{self, Consumer, Intake, Options};
use crate::runtime::relay::{self, Relay, Wake};
use crate::services::announce::Announcer;
use crate::store::Store;
use crate::store::testing::{TestStore, on_both_stores};
use crate::unit::UnixMillis;

on_both_stores! { crate::services::inventory::MIGRATIONS;
    orders_and_commands_are_answered_once_and_in_order,
}

const PARTITIONS: i32 = 3;

/// A record as the order service's relay writes it.
fn outgoing(topic: &str, event: &Event) -> Outgoing {
    let id = event.event_id().as_str().as_bytes();
    let kind = event.event_type().as_str().as_bytes();
    Outgoing {
        topic: topic.to_owned(),
        partition: None,
        key: Some(event.order_id().as_str().as_bytes().to_vec()),
        value: Some(event.to_json().into_bytes()),
        headers: vec![Header::new("eventId", id), Header::new("eventType", kind)],
        timestamp: None,
    }
}

async fn produce(records: Vec<Outgoing>) {
    let producer = Cluster::from(testing::brokers()).producer().unwrap();
    for outcome in publish_all(&producer, records).await {
        outcome.unwrap();
    }
}

/// One instance: a consumer of both topics, and a relay.
fn start(tasks: &mut JoinSet<()>, store: &Store, prefix: &str, name: &str, ending: &watch::Receiver<bool>) {
    let judge = Arc::new(judge());
    let intake = |topic: &str| {
        let handles = Inventory::HANDLES.iter().map(ToString::to_string).collect();
        let dead_letters = Some(format!("{topic}.DLT"));
        (topic.to_owned(), Intake { handles, judge: Some(judge.clone()), dead_letters, ..Intake::default() })
    };
    let topics = ["order-placed", "cancel-reservation"].map(|topic| intake(&format!("{prefix}{topic}")));
    let settings = Settings {
        results: format!("{prefix}inventory-result"),
        notifications: format!("{prefix}send-notification"),
        operators: operators(),
        announcer: Announcer::new(judge.clone()),
        delay: Duration::ZERO,
        now: UnixMillis::now,
    };
    let inventory = Inventory::new(settings, Uuids);
    let cluster = Cluster::from(testing::brokers());
    let options = Options::of(format!("{prefix}inventory"), BTreeMap::from(topics));
    let wake = Wake::new();
    let consumer = Consumer::new(inventory, cluster.producer().unwrap(), Some(store.clone()), options)
        .waking(wake.clone());
    let relay = Relay::new(store.clone(), cluster.producer().unwrap(), relay::Options::default(), name);
    let asked = |mut ending: watch::Receiver<bool>| async move {
        let _ = ending.wait_for(|ending| *ending).await;
    };
    let (of_consumer, of_relay) = (asked(ending.clone()), asked(ending.clone()));
    tasks.spawn(async move {
        consumer::run(consumer, &cluster, None, Duration::from_secs(10), of_consumer).await.unwrap();
    });
    tasks.spawn(async move {
        relay::run(relay, wake, Duration::from_secs(5), of_relay).await.unwrap();
    });
}

async fn read(topic: String, partitions: i32, count: usize) -> Vec<Record> {
    let found = tokio::task::spawn_blocking(move || testing::read(&topic, partitions, count)).await.unwrap();
    found.into_values().flatten().collect()
}

/// The same order once more, by another event.
fn again(order: &Event) -> Event {
    let Event::OrderPlaced(order) = order else { panic!() };
    Event::OrderPlaced(crate::event::OrderPlaced {
        event_id: EventId::new(format!("{}-again", order.event_id)).unwrap(),
        ..order.clone()
    })
}

async fn orders_and_commands_are_answered_once_and_in_order(test: TestStore) {
    const ORDERS: usize = 60;
    let prefix = testing::prefix("inventory");
    let topic = |name: &str| format!("{prefix}{name}");
    for name in ["order-placed", "cancel-reservation", "inventory-result", "send-notification"] {
        testing::topic(&topic(name), PARTITIONS, &[]).await;
    }
    for name in ["order-placed.DLT", "cancel-reservation.DLT"] {
        testing::topic(&topic(name), 1, &[]).await;
    }
    let mut tx = test.store.tx();
    store::open(&mut tx, &[("hot", 40), ("mild", 1000)]).await.unwrap();
    tx.commit().await.unwrap();
    let (ending, ended) = watch::channel(false);
    let mut tasks = JoinSet::new();
    for name in ["x", "y"] {
        let store = Store::open(&test.location, "service", MIGRATIONS, 8).await.unwrap();
        start(&mut tasks, &store, &prefix, name, &ended);
    }

    // 60 orders want 60 of the 40; each event comes twice, each fourth order in another event too.
    let orders: Vec<Event> =
        (0..ORDERS).map(|n| event(place(&format!("O{n}"), &[("hot", 1), ("mild", 2)]))).collect();
    let mut records: Vec<Outgoing> = orders
        .iter()
        .flat_map(|order| [order, order])
        .map(|order| outgoing(&topic("order-placed"), order))
        .collect();
    records.extend(orders.iter().step_by(4).map(|order| outgoing(&topic("order-placed"), &again(order))));
    let mut unreadable = outgoing(&topic("order-placed"), &event(place("bad", &[("hot", 1)])));
    unreadable.value = Some(b"{}".to_vec());
    records.push(unreadable);
    produce(records).await;
    // One answer to each event but the unreadable one, whichever instance gives it.
    let results = read(topic("inventory-result"), PARTITIONS, ORDERS + ORDERS / 4).await;
    let said: Vec<String> = results.iter().map(said).collect();
    let outcomes: BTreeSet<&String> = said.iter().collect();
    let reserved: Vec<&str> =
        outcomes.iter().filter_map(|words| words.split_once(" reserved ")).map(|(order, _)| order).collect();
    assert_eq!((outcomes.len(), reserved.len()), (ORDERS, 40), "{said:?}");

    // Half of what was reserved is given back, one order is cancelled before it comes, and one takes its own again.
    let mut commands: Vec<Command> =
        reserved.iter().step_by(2).map(|order| cancel(order, "S", &[])).collect();
    commands.push(cancel("late", "S", &[]));
    commands.push(restore(reserved[0], "S", &[("hot", 1), ("mild", 2)]));
    let sent = commands.len();
    produce(
        commands.into_iter().map(|command| outgoing(&topic("cancel-reservation"), &event(command))).collect(),
    )
    .await;
    let before = results.len();
    let results = read(topic("inventory-result"), PARTITIONS, before + sent).await;
    produce(vec![outgoing(&topic("order-placed"), &event(place("late", &[("mild", 1)])))]).await;
    let last = read(topic("inventory-result"), PARTITIONS, before + sent + 1).await;
    let of = |records: &[Record], order: &str| -> Vec<String> {
        let of_order = records.iter().filter(|record| record.key() == Some(order.as_bytes()));
        let mut said: Vec<String> = of_order.map(self::said).collect();
        said.dedup();
        said
    };
    let of_first = of(&results, reserved[0]);
    let in_order = [" reserved ", " S cancelled ", " S restored "];
    let told = of_first.iter().zip(in_order).filter(|(words, part)| words.contains(part)).count();
    assert_eq!((of_first.len(), told), (3, 3), "{of_first:?}");
    assert_eq!(
        of(&last, "late"),
        ["late S cancelled nothing: ", "late failed: Cancelled before stock was reserved"]
    );
    // The product ran short once, and the unreadable record is a dead letter.
    let told = read(topic("send-notification"), PARTITIONS, 1).await;
    assert_eq!(self::said(&told[0]).split_once(" told ").unwrap().1, "stock-desk: \"hot\" 0");
    let dead = read(topic("order-placed.DLT"), 1, 1).await;
    assert_eq!(dead[0].key(), Some(&b"bad"[..]));

    ending.send_replace(true);
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    let mut tx = test.store.tx();
    let asked: Vec<Command> = (0..ORDERS).map(|n| cancel(&format!("O{n}"), "S", &[])).collect();
    let mut book = store::load(&mut tx, &asked).await.unwrap();
    book.products =
        stock::levels(&mut tx).await.unwrap().into_iter().map(|(id, level)| (product(&id), level)).collect();
    assert_eq!(levels(&book.products), "hot=19+21! mild=958+42");
    assert!(holds_what_is_reserved(&book));
}

/// What a record says; its key and headers say the same.
fn said(record: &Record) -> String {
    let event = Event::from_json(record.value().unwrap()).unwrap();
    assert_eq!(record.key(), Some(event.order_id().as_str().as_bytes()));
    assert_eq!(record.header("eventType"), Some(event.event_type().as_str().as_bytes()));
    assert_eq!(record.header("eventId"), Some(event.event_id().as_str().as_bytes()));
    words(&event)
}
