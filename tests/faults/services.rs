//! Services whose brokers die, and instances that do.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::support::brokers::{dev, eventually};
use crate::support::stores::postgres;
use crate::support::system::{Running, System};

pub(crate) const LATE: Duration = Duration::from_secs(120);

pub(crate) fn outcomes(service: &Running, ids: &[String]) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for id in ids {
        let order = eventually(LATE, || {
            let (_, order) = service.get(&format!("/orders/{id}"));
            (order["status"] != "PENDING").then_some(order)
        });
        *counted.entry(order["status"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    counted
}

fn stock(system: &System, product: &str) -> (i64, i64) {
    let run = system.folder.run(&["stock", "list", product, "--store", &system.store, "--format", "json"]);
    let listed: Value = serde_json::from_str(&run.stdout).unwrap();
    let product = listed.as_array().or_else(|| listed["products"].as_array()).unwrap()[0].clone();
    (product["available"].as_i64().unwrap(), product["reserved"].as_i64().unwrap())
}

#[test]
fn with_all_brokers_down_orders_are_taken_and_confirmed_when_they_return() {
    let system = System::new("no-brokers", None);
    system.apply();
    let (order, inventory) = (system.run("order", &[]), system.run("inventory", &[]));
    let mut ids = vec![order.place("LOAD-1", 1)];
    outcomes(&order, &ids);
    dev(&["kafka", "stop"]);
    for _ in 0..50 {
        ids.push(order.place("LOAD-1", 1));
    }
    assert_eq!(order.get("/readyz").0, 200, "what requests need is there");
    dev(&["kafka", "start"]);
    assert_eq!(outcomes(&order, &ids), BTreeMap::from([("CONFIRMED".to_owned(), 51)]));
    assert_eq!(stock(&system, "LOAD-1"), (10_000_000 - 51, 51));
    for service in [order, inventory] {
        let (code, log) = service.end();
        assert_eq!(code, Some(0), "{log}");
    }
}

#[test]
fn three_instances_share_the_work_and_one_may_die_under_load() {
    let store = postgres();
    let system = System::new("instances", Some(store));
    system.apply();
    let session = ["--session-timeout", "6"];
    let orders: Vec<Running> = (0..3).map(|_| system.run("order", &session)).collect();
    let mut inventories: Vec<Running> = (0..3).map(|_| system.run("inventory", &session)).collect();
    let has_some = |service: &Running| {
        let text = service.text("/metrics");
        text.contains("kafkaflow_consumer_partitions{") && !text.contains("-service\"} 0\n# ")
    };
    eventually(LATE, || inventories.iter().all(has_some).then_some(()));
    let mut ids = Vec::new();
    for n in 0..150 {
        ids.push(orders[n % 3].place("LOAD-1", 1));
    }
    // In the middle of it.
    let dead = inventories.remove(0);
    dead.signal("KILL");
    for n in 0..150 {
        ids.push(orders[n % 3].place("LOAD-1", 1));
    }
    let mut orders = orders;
    let dead = orders.remove(0);
    dead.signal("KILL");
    for n in 0..100 {
        ids.push(orders[n % 2].place("LOAD-1", 1));
    }
    // Any instance tells of any order.
    assert_eq!(outcomes(&orders[0], &ids), BTreeMap::from([("CONFIRMED".to_owned(), 400)]));
    assert_eq!(stock(&system, "LOAD-1"), (10_000_000 - 400, 400));
    for service in orders.into_iter().chain(inventories) {
        let (code, log) = service.end();
        assert_eq!(code, Some(0), "{log}");
    }
}
