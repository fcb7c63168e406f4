//! The order service and the inventory together, on the real brokers, over both stores.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;

use serde_json::Value;

use crate::support::brokers::{consume, eventually};
use crate::support::stores::postgres;
use crate::support::system::{Running, SOON, System, order};

const CATALOG: &str = "version: 1
products:
  - { id: PROD-101, name: Keyboard, price: 49.99, stock: 5 }
  - { id: PROD-205, name: Mouse pad, price: 19.95, stock: 1000 }
  - { id: GONE,     name: Poster,   price: 12,    stock: 0 }
";

fn start(test: &str, store: Option<String>) -> (System, Running, Running) {
    let system = System::new(test, store);
    system.folder.write("catalog.yaml", CATALOG);
    system.apply();
    let catalog = ["--catalog", "catalog.yaml"];
    let (order, inventory) = (system.run("order", &catalog), system.run("inventory", &catalog));
    (system, order, inventory)
}

fn stock(system: &System) -> BTreeMap<String, (i64, i64)> {
    let run = system.folder.run(&["stock", "list", "--store", &system.store, "--format", "json"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let listed: Value = serde_json::from_str(&run.stdout).unwrap();
    let products = listed.as_array().or_else(|| listed["products"].as_array()).unwrap();
    let level = |product: &Value| {
        let pieces = |name: &str| product[name].as_i64().unwrap();
        (product["product"].as_str().unwrap().to_owned(), (pieces("available"), pieces("reserved")))
    };
    products.iter().map(level).collect()
}

fn an_order_is_confirmed_while_there_is_stock_and_cancelled_when_not(test: &str, store: Option<String>) {
    let (system, order, inventory) = start(test, store);
    let confirmed = order.outcome(&order.place("PROD-101", 3));
    assert_eq!(confirmed["status"], "CONFIRMED", "{confirmed}");
    assert!(confirmed["reservationId"].as_str().unwrap().starts_with("RES-"), "{confirmed}");
    let cancelled = order.outcome(&order.place("PROD-101", 3));
    assert_eq!(
        (cancelled["status"].as_str(), cancelled["reason"].as_str()),
        (Some("CANCELLED"), Some("Insufficient stock for PROD-101"))
    );
    assert_eq!(order.outcome(&order.place("GONE", 1))["reason"], "Insufficient stock for GONE");
    assert_eq!(order.outcome(&order.place("PROD-101", 2))["status"], "CONFIRMED");
    let levels = stock(&system);
    assert_eq!((levels["PROD-101"], levels["GONE"], levels["PROD-205"]), ((0, 5), (0, 0), (1000, 0)));
    // The timeline knows where each event is.
    let id = confirmed["orderId"].as_str().unwrap();
    let (_, timeline) = order.get(&format!("/orders/{id}/timeline"));
    let published = eventually(SOON, || {
        let (_, timeline) = order.get(&format!("/orders/{id}/timeline"));
        timeline["entries"][0]["published"].as_object().cloned()
    });
    assert_eq!(published["topic"], system.topic("order-service.order-placed"));
    let heard = timeline["entries"][1]["heardAt"].as_str().unwrap();
    assert!(
        heard.starts_with(&format!("{}/", system.topic("inventory-service.inventory-result"))),
        "{heard}"
    );
    let paid = eventually(SOON, || {
        let (_, order) = order.get(&format!("/orders/{id}"));
        (order["paid"] == true).then_some(order)
    });
    assert_eq!(paid["status"], "CONFIRMED");
    for service in [order, inventory] {
        let (code, log) = service.end();
        assert_eq!(code, Some(0), "{log}");
        for secret in ["ada.secret", "123 Main St", "CUST-42"] {
            assert!(!log.contains(secret), "{log}");
        }
        assert!(!log.contains("skipping"), "{log}");
    }
    // One word to the customer for each outcome, one to operations for each product that is short.
    let read = consume(&system.topic("notification-service.send-notification"), 6, &[]);
    let mut told: Vec<(String, String)> = read
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .map(|notice| {
            (notice["template"].as_str().unwrap().to_owned(), notice["to"].as_str().unwrap().to_owned())
        })
        .collect();
    told.sort();
    let customer = |template: &str| (template.to_owned(), "ada.secret@example.com".to_owned());
    let mut expected = vec![
        customer("order-cancelled"),
        customer("order-cancelled"),
        customer("order-confirmed"),
        customer("order-confirmed"),
    ];
    expected.extend([
        ("out-of-stock".to_owned(), "operations".to_owned()),
        ("out-of-stock".to_owned(), "operations".to_owned()),
    ]);
    assert_eq!(told, expected);
}

#[test]
fn orders_are_confirmed_or_cancelled_over_sqlite() {
    an_order_is_confirmed_while_there_is_stock_and_cancelled_when_not("flow-sqlite", None);
}

#[test]
fn orders_are_confirmed_or_cancelled_over_postgresql() {
    an_order_is_confirmed_while_there_is_stock_and_cancelled_when_not("flow-postgres", Some(postgres()));
}

#[test]
fn a_declined_payment_is_a_state_of_its_own() {
    let system = System::new("declined", None);
    system.apply();
    let (order, _inventory) = (system.run("order", &["--decline-rate", "1"]), system.run("inventory", &[]));
    let id = order.place("PROD-205", 1);
    let failed = eventually(SOON, || {
        let (_, order) = order.get(&format!("/orders/{id}"));
        (order["status"] == "PAYMENT_FAILED").then_some(order)
    });
    assert_eq!(
        (failed["paid"].as_bool(), failed["reason"].as_str()),
        (Some(false), Some("The card was declined"))
    );
}

/// Receives spans as a collector does, by OTLP over HTTP with JSON: trace, span, parent, service and name of each.
fn collector() -> (String, mpsc::Receiver<[String; 5]>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (found, spans) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let found = found.clone();
            std::thread::spawn(move || receive(stream, &found));
        }
    });
    (url, spans)
}

fn receive(mut stream: std::net::TcpStream, found: &mpsc::Sender<[String; 5]>) {
    let mut read = Vec::new();
    let mut some = vec![0; 65536];
    while let Ok(count @ 1..) = stream.read(&mut some) {
        read.extend_from_slice(&some[..count]);
        let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&read[..end]).to_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        let length: usize = length.unwrap().trim().parse().unwrap();
        if read.len() < end + 4 + length {
            continue;
        }
        let body: Value = serde_json::from_slice(&read[end + 4..end + 4 + length]).unwrap();
        read.drain(..end + 4 + length);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
            .unwrap();
        for resource in body["resourceSpans"].as_array().unwrap() {
            let attributes = resource["resource"]["attributes"].as_array().unwrap();
            let service = attributes.iter().find(|one| one["key"] == "service.name").unwrap();
            let service = service["value"]["stringValue"].as_str().unwrap();
            for scope in resource["scopeSpans"].as_array().unwrap() {
                for span in scope["spans"].as_array().unwrap() {
                    let text = |name: &str| span[name].as_str().unwrap_or_default().to_owned();
                    let _ = found.send([
                        text("traceId"),
                        text("spanId"),
                        text("parentSpanId"),
                        service.to_owned(),
                        text("name"),
                    ]);
                }
            }
        }
    }
}

#[test]
fn a_trace_leads_from_the_request_through_both_services_to_the_notification() {
    let (url, spans) = collector();
    let system = System::new("trace", None);
    system.apply();
    let env = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
    ];
    let (order, inventory) = (system.run_with("order", &[], &env), system.run_with("inventory", &[], &env));
    let caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let client = crate::support::system::client();
    let body = crate::support::system::order("PROD-205", 1);
    let answer = client
        .post(format!("{}/orders", order.url))
        .header("traceparent", caller)
        .json(&body)
        .send()
        .unwrap();
    let answer: Value = answer.json().unwrap();
    order.outcome(answer["orderId"].as_str().unwrap());
    for service in [order, inventory] {
        assert_eq!(service.end().0, Some(0));
    }
    let spans: Vec<[String; 5]> =
        spans.try_iter().filter(|span| span[0] == "4bf92f3577b34da6a3ce929d0e0e4736").collect();
    let find = |service: &str, name: &str| {
        let found = spans.iter().find(|span| span[3] == service && span[4] == name);
        found.unwrap_or_else(|| panic!("{service}: {name} in {spans:?}")).clone()
    };
    let [placed, result, notice] = [
        "order-service.order-placed",
        "inventory-service.inventory-result",
        "notification-service.send-notification",
    ]
    .map(|topic| system.topic(topic));
    // Each in the one before it.
    let chain = [
        find("order-service", "POST /orders"),
        find("order-service", &format!("send {placed}")),
        find("inventory-service", &format!("process {placed}")),
        find("inventory-service", &format!("send {result}")),
        find("order-service", &format!("process {result}")),
        find("order-service", &format!("send {notice}")),
    ];
    let mut before = "00f067aa0ba902b7";
    for span in &chain {
        assert_eq!(span[2], before, "the parent of {} of {} in {spans:?}", span[4], span[3]);
        before = &span[1];
    }
    let read = consume(&notice, 1, &["--formatter-property", "print.headers=true"]);
    let header = format!("traceparent:00-4bf92f3577b34da6a3ce929d0e0e4736-{before}-01");
    assert!(read.contains(&header), "{read}");
}

/// The first records of a topic, each with its partition.
fn records(topic: &str, count: usize) -> Vec<(u32, Value)> {
    let read = consume(topic, count, &["--formatter-property", "print.partition=true"]);
    let records = read.lines().filter_map(|line| {
        let (partition, value) = line.strip_prefix("Partition:")?.split_once('\t')?;
        Some((partition.parse().unwrap(), serde_json::from_str(value).unwrap()))
    });
    records.collect()
}

/// Which 20 ms of its minute an order was placed in. A minute has 3,000 of them, so twelve partitions go round 250 times.
fn moment(event: &Value) -> u32 {
    let seconds = &event["timestamp"].as_str().unwrap()["2026-11-30T06:25:".len()..][.."19.123".len()];
    seconds.replace('.', "").parse::<u32>().unwrap() / 20
}

#[test]
fn orders_placed_together_have_one_partition_and_so_have_their_answers_and_letters() {
    const ORDERS: usize = 60;
    let system = System::new("together", None);
    system.apply();
    let (orders, inventory) = (system.run("order", &[]), system.run("inventory", &[]));
    let (client, url) = (crate::support::system::client(), format!("{}/orders", orders.url));
    let place = || client.post(&url).json(&order("PROD-205", 1)).send().unwrap().status().as_u16();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..ORDERS / 4).for_each(|_| assert_eq!(place(), 202)));
        }
    });
    let placed = records(&system.topic("order-service.order-placed"), ORDERS);
    assert_eq!(placed.len(), ORDERS);
    // Twelve partitions have their turns in steps of seven, from wherever this instance began.
    let begins = placed.iter().map(|(partition, event)| (partition + 5 * moment(event)) % 12);
    let begins: BTreeSet<u32> = begins.collect();
    assert_eq!(begins.len(), 1, "{placed:?}");
    let of: BTreeMap<&str, u32> =
        placed.iter().map(|(partition, event)| (event["orderId"].as_str().unwrap(), *partition)).collect();
    for (topic, partitions) in
        [("inventory-service.inventory-result", 12), ("notification-service.send-notification", 6)]
    {
        let records = records(&system.topic(topic), ORDERS);
        assert_eq!(records.len(), ORDERS, "{topic}");
        for (partition, event) in records {
            assert_eq!(partition, of[event["orderId"].as_str().unwrap()] % partitions, "{topic}: {event}");
        }
    }
    for service in [orders, inventory] {
        assert_eq!(service.end().0, Some(0));
    }
}

#[test]
fn by_a_call_the_customer_knows_at_once_and_fails_with_the_inventory_over_sqlite() {
    by_a_call("rest-sqlite", None);
}

#[test]
fn by_a_call_the_customer_knows_at_once_and_fails_with_the_inventory_over_postgresql() {
    by_a_call("rest-pg", Some(postgres()));
}

fn by_a_call(test: &str, store: Option<String>) {
    let system = System::new(test, store);
    system.folder.write("catalog.yaml", CATALOG);
    system.folder.write("token", "reserve-me");
    system.apply();
    let reserving = ["--catalog", "catalog.yaml", "--reservations", "--reservation-token-file", "token"];
    let inventory = system.run("inventory", &reserving);
    inventory.ready();
    let url = inventory.url.clone();
    let waiting = ["--reserve", "http", "--inventory", &url, "--inventory-token-file", "token"];
    let orders = system.run("order", &[&["--catalog", "catalog.yaml"], &waiting[..]].concat());
    let settled = |product: &str, quantity| {
        let (status, said) = orders.post("/orders", &order(product, quantity));
        (status, said["status"].as_str().unwrap_or_default().to_owned(), said["reason"].clone())
    };
    assert_eq!(settled("PROD-101", 3), (201, "CONFIRMED".to_owned(), Value::Null));
    assert_eq!(
        settled("PROD-101", 3),
        (201, "CANCELLED".to_owned(), "Insufficient stock for PROD-101".into())
    );
    assert_eq!(stock(&system)["PROD-101"], (2, 3));

    let (code, log) = inventory.end();
    assert_eq!(code, Some(0), "{log}");
    let (status, problem) = orders.post("/orders", &order("PROD-205", 1));
    assert_eq!((status, problem["type"].as_str()), (503, Some("urn:kafkaflow:problem:inventory")));
    let (_, listed) = orders.get("/orders?customerId=CUST-42");
    let newest = &listed["orders"][0];
    assert_eq!(
        (newest["status"].as_str(), newest["reason"].as_str()),
        (Some("CANCELLED"), Some("The inventory did not answer"))
    );

    // By Kafka the inventory hears of it when it is back, and of nothing that it reserved for others.
    let inventory = system.run("inventory", &reserving);
    let id = newest["orderId"].as_str().unwrap();
    eventually(SOON, || {
        let (_, timeline) = orders.get(&format!("/orders/{id}/timeline"));
        let entries = timeline["entries"].as_array().unwrap().clone();
        entries.iter().any(|entry| entry["kind"] == "reservation-cancelled").then_some(())
    });
    let levels = stock(&system);
    assert_eq!((levels["PROD-101"], levels["PROD-205"]), ((2, 3), (1000, 0)));
    for service in [orders, inventory] {
        let (code, log) = service.end();
        assert_eq!(code, Some(0), "{log}");
        assert!(!log.contains("reserve-me"), "{log}");
    }
}
