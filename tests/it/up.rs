//! `kafkaflow up` and `kafkaflow init`: the whole system in one process, from nothing.

use std::io::{BufRead, BufReader, Read};
use std::process::ChildStdout;

use serde_json::Value;

use crate::support::Folder;
use crate::support::brokers::{ROOT, brokers, eventually};
use crate::support::stores::postgres;
use crate::support::system::{Running, SOON, System};

/// Every port is a free one.
const ANYWHERE: [&str; 6] =
    ["--listen", "127.0.0.1:0", "--inventory-listen", "127.0.0.1:0", "--notification-listen", "127.0.0.1:0"];

fn letters(system: &System) -> String {
    std::fs::read_to_string(system.folder.path().join("notifications.ndjson")).unwrap_or_default()
}

fn from_nothing_to_a_confirmed_order_and_a_second_time_with_the_same_stores(
    test: &str,
    store: Option<String>,
) {
    let system = System::new(test, store);
    let mut first = system.up(&["--yes"]);
    let (said, mut stdout) = welcome(&mut first);
    // What was planned, what was done, and what to try.
    assert!(said.contains(&format!("+ {}", system.topic("order-service.order-placed"))), "{said}");
    assert!(said.contains("8 done."), "{said}");
    assert!(said.contains(&format!("curl -i {}/orders", first.url)), "{said}");
    let order = first.outcome(&first.place("PROD-101", 2));
    assert_eq!(order["status"], "CONFIRMED", "{order}");
    let id = order["orderId"].as_str().unwrap().to_owned();
    let letter = eventually(SOON, || letters(&system).lines().next().map(str::to_owned));
    assert!(letter.contains(&id) && letter.contains("order-confirmed"), "{letter}");
    let metrics = first.text("/metrics");
    for of in ["group=\"{}-inventory-service\"", "group=\"{}-notification-service\""] {
        assert!(metrics.contains(&of.replace("{}", &system.prefix)), "every service is measured: {metrics}");
    }
    let (code, log) = first.end();
    assert_eq!(code, Some(0), "{log}");
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();

    let mut second = system.up(&[]);
    let (said, _stdout) = welcome(&mut second);
    assert!(said.contains("The services run"), "{said}");
    assert!(said.contains("no changes") || said.contains("as the file says"), "{said}");
    second.ready();
    assert_eq!(second.get(&format!("/orders/{id}")).1["status"], "CONFIRMED");
    assert_eq!(second.outcome(&second.place("PROD-101", 1))["status"], "CONFIRMED");
    eventually(SOON, || (letters(&system).lines().count() == 2).then_some(()));
    let (code, log) = second.end();
    assert_eq!(code, Some(0), "{log}");
}

#[test]
fn from_nothing_to_a_confirmed_order_over_sqlite() {
    from_nothing_to_a_confirmed_order_and_a_second_time_with_the_same_stores("up-sqlite", None);
}

#[test]
fn from_nothing_to_a_confirmed_order_over_postgresql() {
    let store = postgres();
    from_nothing_to_a_confirmed_order_and_a_second_time_with_the_same_stores("up-pg", Some(store));
}

/// What it writes to standard output up to what to try first.
fn welcome(running: &mut Running) -> (String, BufReader<ChildStdout>) {
    let mut stdout = BufReader::new(running.child.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains("/orders/ORD-…/events") {
        assert_ne!(stdout.read_line(&mut said).unwrap(), 0, "{said}");
    }
    (said, stdout)
}

fn without_brokers_everything_runs_and_a_second_time_with_the_same_stores(test: &str, store: Option<String>) {
    let system = System::new(test, store);
    let mut first = system.up_alone(&[]);
    let (said, _stdout) = welcome(&mut first);
    assert!(said.contains("against cluster embedded (3 brokers)") && said.contains("8 done."), "{said}");
    assert!(said.contains("not enforced by the embedded broker"), "{said}");
    first.ready();
    let confirmed = first.place("PROD-101", 2);
    assert_eq!(first.outcome(&confirmed)["status"], "CONFIRMED");
    let sold_out = first.outcome(&first.place("PROD-404", 1));
    assert_eq!(sold_out["status"], "CANCELLED", "{sold_out}");
    assert_eq!(sold_out["reason"], "Insufficient stock for PROD-404");
    // What is on its way is finished before the broker ends: nothing is lost.
    let last: Vec<String> = (0..20).map(|_| first.place("PROD-101", 1)).collect();
    let (code, log) = first.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("still on their way"), "{log}");

    let mut second = system.up_alone(&[]);
    let (said, _stdout) = welcome(&mut second);
    assert!(said.contains("8 done.") && !said.contains("cancelled"), "{said}");
    second.ready();
    for id in last.iter().chain([&confirmed]) {
        assert_eq!(second.get(&format!("/orders/{id}")).1["status"], "CONFIRMED");
    }
    assert_eq!(second.outcome(&second.place("PROD-101", 1))["status"], "CONFIRMED");
    let (code, log) = second.end();
    assert_eq!(code, Some(0), "{log}");
    // A letter for each outcome, and one to the operators.
    assert_eq!(letters(&system).lines().count(), 24, "{}", letters(&system));
}

#[test]
fn without_brokers_everything_runs_over_sqlite() {
    without_brokers_everything_runs_and_a_second_time_with_the_same_stores("up-alone-sqlite", None);
}

#[test]
fn without_brokers_everything_runs_over_postgresql() {
    let store = postgres();
    without_brokers_everything_runs_and_a_second_time_with_the_same_stores("up-alone-pg", Some(store));
}

#[test]
fn orders_whose_records_died_with_the_embedded_broker_are_named_and_cancelled_and_their_stock_is_free_again()
{
    let system = System::new("up-killed", None);
    let stock = || {
        let run = system.folder.run(&["stock", "list", "--format", "json", "--store", &system.store]);
        let stock: Value = serde_json::from_str(&run.stdout).unwrap();
        stock.as_array().unwrap().iter().find(|one| one["product"] == "PROD-101").unwrap().clone()
    };
    let mut placed = Vec::new();
    // A kill may come too late, when everything was handled already.
    for _ in 0..10 {
        let mut up = system.up_alone(&[]);
        let (_, _stdout) = welcome(&mut up);
        up.ready();
        let orders: Vec<String> = (0..20).map(|_| up.place("PROD-101", 1)).collect();
        eventually(SOON, || {
            let status = system.folder.run(&[
                "outbox",
                "status",
                "--service",
                "order-service",
                "--store",
                &system.store,
            ]);
            status.stdout.lines().any(|line| line.split_whitespace().nth(1) == Some("0")).then_some(())
        });
        drop(up); // kill -9
        placed.extend(orders);
        let mut up = system.up_alone(&[]);
        let (said, _stdout) = welcome(&mut up);
        up.ready();
        let outcomes: Vec<Value> = placed.iter().map(|id| up.outcome(id)).collect();
        let cancelled: Vec<&Value> = outcomes.iter().filter(|order| order["status"] == "CANCELLED").collect();
        assert!(
            outcomes.iter().all(|order| order["status"] == "CANCELLED" || order["status"] == "CONFIRMED")
        );
        let held = outcomes.len() - cancelled.len();
        eventually(SOON, || (stock()["reserved"] == held).then_some(()));
        assert_eq!(stock()["available"], 500 - held);
        let (code, log) = up.end();
        assert_eq!(code, Some(0), "{log}");
        if let Some(first) = cancelled.first() {
            let count = match cancelled.len() {
                1 => "1 order is cancelled".to_owned(),
                many => format!("{many} orders are cancelled"),
            };
            assert!(said.contains(&count), "{count}: {said}");
            assert!(said.contains("  ORD-") && said.contains("and the stock given back"), "{said}");
            assert_eq!(first["reason"], "The record of the order ended with the embedded broker");
            return;
        }
    }
    panic!("no kill came in time");
}

/// Runs a load to its end: exit code, standard output, standard error.
fn loaded(system: &System, args: &[&str]) -> (i32, String, String) {
    let common = ["up", "--topology", "topology.yaml", "--store", &system.store];
    let run = system.folder.run(&[&common[..], &ANYWHERE, args].concat());
    (run.code, run.stdout, run.stderr)
}

#[test]
fn a_load_is_placed_and_every_order_is_accounted_for() {
    let system = System::new("up-load", None);
    system.folder.write("token", "s3cret\n");
    let load = ["--load", "250/s", "--for", "4s", "--decline-rate", "0.1", "--api-token-file", "token"];
    let (code, said, log) = loaded(&system, &load);
    assert_eq!(code, 0, "{said}{log}");
    let report: Vec<&str> = said.lines().skip_while(|line| !line.starts_with("load ")).collect();
    assert!(report[0].contains("250/s for 4 s to http://127.0.0.1:"), "{report:?}");
    assert!(
        report[1].contains("1,000 orders taken") && report[1].contains("0 refused, 0 without"),
        "{report:?}"
    );
    assert!(report[2].starts_with("POST       p50 ") && report[3].contains("orders followed"), "{report:?}");
    let counts: Vec<u64> =
        report[4].split_whitespace().filter_map(|word| word.replace(',', "").parse().ok()).collect();
    // Two of a thousand asked for what is sold out; some payments were declined.
    assert_eq!((counts.iter().sum::<u64>(), counts[1]), (1000, 2), "{report:?}");
    assert!(counts[2] > 0, "{report:?}");
    assert_eq!(report.last(), Some(&"Every order is accounted for, and the stock adds up."));
    // The embedded broker has a letter for each, and all of them end with it.
    assert!(letters(&system).lines().count() >= 1000 && !log.contains("still on their way"), "{log}");
}

#[test]
fn a_load_that_cannot_be_carried_says_why() {
    let system = System::new("up-load-not", None);
    let (code, _, log) = loaded(&system, &["--load", "500/x"]);
    assert!(code == 2 && log.contains("`500/x` is no rate of orders"), "{code}: {log}");
    let (code, _, log) = loaded(&system, &["--load", "500/s", "--for", "0s"]);
    assert!(code == 2 && log.contains("a load is some orders for some time"), "{code}: {log}");
    let (code, _, log) = loaded(&system, &["--for", "10s"]);
    assert!(code == 2 && log.contains("--load <RATE>"), "{code}: {log}");
    system.folder.write(
        "catalog.yaml",
        "version: 1\nproducts:\n  - { id: A, name: One of a kind, price: 1, stock: 3 }\n",
    );
    let (code, _, log) = loaded(&system, &["--load", "5000/s", "--for", "1s", "--catalog", "catalog.yaml"]);
    assert_eq!(code, 1, "{log}");
    assert!(log.contains("the embedded broker holds 1000/s"), "{log}");
    assert!(
        log.contains("no product has 1001 pieces in stock") && log.contains("kafkaflow stock set"),
        "{log}"
    );
}

fn two_at_once_are_refused_and_leave_the_first_ones_orders_alone(test: &str, store: Option<String>) {
    let system = System::new(test, store);
    let mut first = system.up_alone(&[]);
    drop(welcome(&mut first));
    first.ready();
    // Groups need a moment to come together: it is pending while the second one starts.
    let order = first.place("PROD-101", 1);
    let (code, _, log) = loaded(&system, &[]);
    assert_eq!(code, 1, "{log}");
    assert!(log.contains("another `kafkaflow up` with an embedded broker uses the same stores"), "{log}");
    assert_eq!(first.outcome(&order)["status"], "CONFIRMED");
    assert_eq!(first.end().0, Some(0));
}

#[test]
fn two_at_once_are_refused_over_sqlite() {
    two_at_once_are_refused_and_leave_the_first_ones_orders_alone("up-two-sqlite", None);
}

#[test]
fn two_at_once_are_refused_over_postgresql() {
    two_at_once_are_refused_and_leave_the_first_ones_orders_alone("up-two-pg", Some(postgres()));
}

#[test]
fn a_store_stays_with_the_kind_of_cluster_that_it_was_used_with() {
    let system = System::new("up-other", None);
    let alone = system.up_alone(&[]);
    assert_eq!(alone.end().0, Some(0));
    system.apply();
    let (code, log) = system.run("order", &[]).ended();
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("the store belongs to the embedded broker, and this is a Kafka cluster"), "{log}");
    assert!(log.contains("--store sqlite:FOLDER"), "{log}");

    let system = System::new("up-other-way", None);
    let mut real = system.up(&["--yes"]);
    drop(welcome(&mut real));
    real.ready();
    assert_eq!(real.end().0, Some(0));
    let run = system.folder.run(&["up", "--topology", "topology.yaml", "--store", &system.store]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("the store belongs to a Kafka cluster, and this is the embedded broker"));
}

#[test]
fn what_is_in_effect_can_be_given_as_settings_again() {
    let folder = Folder::new();
    let printed = folder.run(&[
        "up",
        "-b",
        "127.0.0.1:1",
        "--email",
        "file:letters",
        "--rate",
        "5/s",
        "--print-config",
    ]);
    assert_eq!(printed.code, 0, "{}", printed.stderr);
    folder.write("settings.yaml", &printed.stdout);
    for command in [&["up"][..], &["run", "notification"], &["run", "order"], &["run", "inventory"]] {
        let again = folder.run(&[command, &["--settings", "settings.yaml", "--print-config"]].concat());
        assert_eq!(again.code, 0, "{}", again.stderr);
        assert!(again.stdout.lines().all(|line| printed.stdout.contains(line)), "{}", again.stdout);
    }
    // And what is printed is also what can be used.
    let run = folder.run(&["up", "--settings", "settings.yaml", "--yes", "--listen", "127.0.0.1:0"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("cannot reach the cluster"), "{}", run.stderr);
}

#[test]
fn nothing_is_changed_when_nobody_can_be_asked() {
    let (system, at) = (System::new("up-asked", None), brokers());
    let args =
        [&["up", "--topology", "topology.yaml", "--store", &system.store, "-b", &at], &ANYWHERE[..]].concat();
    let run = system.folder.run(&args);
    assert_eq!(run.code, 2, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("8 to create"), "{}", run.stdout);
    assert!(run.stderr.contains("nobody can be asked") && run.stderr.contains("add --yes"), "{}", run.stderr);
}

#[test]
fn what_is_wrong_with_any_service_is_said_before_the_cluster_is_touched() {
    let folder = Folder::new();
    // Nobody serves there: whoever asked would say so.
    let args = ["up", "--yes", "-b", "127.0.0.1:1", "--email", "ftp://example.com"];
    let run = folder.run(&args);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("--email says no place"), "{}", run.stderr);
    let run = folder.run(&["up", "--yes", "-b", "127.0.0.1:1", "--templates", "none"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("cannot read the templates in `none`"), "{}", run.stderr);
}

#[test]
fn the_files_that_are_part_of_kafkaflow_are_those_of_the_repository() {
    let folder = Folder::new();
    let run = folder.run(&["init", "mine"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let written: Vec<&str> = run.stdout.lines().take_while(|line| !line.is_empty()).collect();
    assert_eq!(
        run.stdout.lines().last(),
        Some(format!("{} files. Next: kafkaflow validate mine/topology.yaml", written.len()).as_str())
    );
    for name in &written {
        let ours = std::fs::read(format!("{ROOT}/{}", name.strip_prefix("mine/").unwrap())).unwrap();
        assert_eq!(std::fs::read(folder.path().join(name)).unwrap(), ours, "{name}");
    }
    for folder in ["schemas", "templates"] {
        let files = std::fs::read_dir(format!("{ROOT}/{folder}")).unwrap().count();
        let start = format!("mine/{folder}/");
        assert_eq!(written.iter().filter(|name| name.starts_with(&start)).count(), files);
    }
    let valid = folder.run(&["validate", "mine/topology.yaml"]);
    assert_eq!(valid.code, 0, "{}{}", valid.stdout, valid.stderr);

    // Again: nothing to do. With one of them changed: nothing is touched.
    let run = folder.run(&["init", "mine"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, format!("all {} files are there already\n", written.len()).as_str())
    );
    folder.write("mine/catalog.yaml", "version: 1\nproducts: []\n");
    std::fs::remove_file(folder.path().join("mine/topology.yaml")).unwrap();
    let run = folder.run(&["init", "mine"]);
    assert_eq!(run.code, 1);
    insta::assert_snapshot!(run.stderr);
    assert!(!folder.path().join("mine/topology.yaml").exists());
}
