//! The notification service, killed in the middle of its work.

use std::collections::BTreeMap;

use crate::support::brokers::{eventually, produce};
use crate::support::stores::postgres;
use crate::support::system::{Running, SOON, System, asks};

const COUNT: usize = 3_000;
const ORDERS: usize = 300;
/// Letters a second, and how often the service is killed.
const RATE: usize = 300;
const KILLS: usize = 3;

/// Kafka knows it by its name, so what it had is its own again as soon as it is back.
fn start(system: &System) -> Running {
    let place = "file:letters.ndjson";
    let limits = ["--rate", "300/s", "--instance", "the-one", "--session-timeout", "30"];
    let args = [&["--email", place, "--without-address", place], &limits[..]].concat();
    system.run("notification", &args)
}

fn killed_in_the_middle_it_loses_nothing_and_repeats_little(test: &str, store: Option<String>) {
    let system = System::new(test, store);
    system.apply();
    let asked: Vec<String> =
        (0..COUNT).map(|id| asks(id, &format!("ORD-{}", id % ORDERS), "email", "ada@example.com")).collect();
    produce(&system.topic("notification-service.send-notification"), &asked);
    for kill in 1..=KILLS {
        let mut service = start(&system);
        eventually(SOON, || (system.letters().len() >= kill * COUNT / (KILLS + 2)).then_some(()));
        service.child.kill().unwrap();
        service.child.wait().unwrap();
    }
    let service = start(&system);
    let of_order = eventually(SOON, || {
        let mut of_order: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for letter in system.letters() {
            let id: usize = letter["eventId"].as_str().unwrap()[4..].parse().unwrap();
            let ids = of_order.entry(letter["orderId"].as_str().unwrap().to_owned()).or_default();
            // Whoever looks at ids drops what comes again.
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        (of_order.values().map(Vec::len).sum::<usize>() == COUNT).then_some(of_order)
    });
    let (code, log) = service.end();
    assert_eq!(code, Some(0), "{log}");
    for (order, ids) in of_order {
        let first: usize = order[4..].parse().unwrap();
        assert_eq!(ids, (first..COUNT).step_by(ORDERS).collect::<Vec<_>>(), "{order}");
    }
    let repeated = system.letters().len() - COUNT;
    // A second of sending, and what the pace allows while that is recorded.
    assert!(repeated <= KILLS * 2 * RATE, "{repeated} repeats");
    println!("{repeated} of {COUNT} letters were sent twice by {KILLS} kills");
}

#[test]
fn killed_in_the_middle_it_loses_nothing_and_repeats_little_over_sqlite() {
    killed_in_the_middle_it_loses_nothing_and_repeats_little("killed-sqlite", None);
}

#[test]
fn killed_in_the_middle_it_loses_nothing_and_repeats_little_over_postgresql() {
    let store = postgres();
    killed_in_the_middle_it_loses_nothing_and_repeats_little("killed-pg", Some(store));
}
