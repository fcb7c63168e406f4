//! Leaders that never had what the one before them had.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Returning;
use crate::services::{LATE, outcomes};
use crate::support::brokers::{dev, eventually, tool};
use crate::support::system::{Running, System};

/// An order-placed topic whose records brokers 1 and 2 have; one of them is enough.
fn of_two_brokers(system: &System) {
    let topic = system.topic("order-service.order-placed");
    let assignment = ["1:2"; 12].join(",");
    tool(&["topics", "--create", "--topic", &topic, "--replica-assignment", &assignment]);
    let file = system.folder.path().join("topology.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let own = format!(
        "- name: {topic}\n    replication: 2\n    config: {{ min.insync.replicas: 1, unclean.leader.election.enable: true }}"
    );
    let changed = text.replacen(&format!("- name: {topic}"), &own, 1);
    assert_ne!(changed, text);
    std::fs::write(file, changed).unwrap();
}

/// How many records a log says to be lost.
fn lost(log: &str) -> i64 {
    let number = |words: &str| words.trim().parse::<i64>().unwrap();
    log.lines()
        .filter_map(|line| line.split_once(": the records from ")?.1.split_once(" are lost"))
        .filter_map(|(range, _)| range.split_once(" to "))
        .map(|(from, to)| number(to) - number(from) + 1)
        .sum()
}

/// How many orders no broker has yet.
fn pending(system: &System) -> i64 {
    let status =
        ["outbox", "status", "--service", "order-service", "--store", &system.store, "--format", "json"];
    let run = system.folder.run(&status);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let services: Value = serde_json::from_str(&run.stdout).unwrap();
    services[0]["pending"].as_i64().unwrap()
}

fn what_a_new_leader_never_had(test: &str, restarted: bool) {
    let system = System::new(test, None);
    of_two_brokers(&system);
    system.apply();
    // Longer than brokers take to agree who coordinates the group now.
    let inventory = || system.run("inventory", &["--session-timeout", "60"]);
    let (order, mut running) = (system.run("order", &[]), Some(inventory()));
    let place = |count: usize| (0..count).map(|_| order.place("LOAD-1", 1)).collect::<Vec<_>>();
    let confirmed = |ids: &[String]| {
        assert_eq!(outcomes(&order, ids), BTreeMap::from([("CONFIRMED".to_owned(), ids.len())]));
    };
    confirmed(&place(30));
    let _returning = (Returning("1"), Returning("2"));
    dev(&["kafka", "stop", "2"]);
    // Broker 1 alone has these.
    confirmed(&place(30));
    let ended = if restarted { running.take().map(Running::end) } else { None };
    dev(&["kafka", "stop", "1", "--kill"]);
    dev(&["kafka", "start", "2"]);
    // At the offsets of those there are others now.
    let ids = place(60);
    eventually(LATE, || (pending(&system) == 0).then_some(()));
    let mut running = running.unwrap_or_else(inventory);
    confirmed(&ids);
    eventually(LATE, || (lost(&running.log()) == 30).then_some(()));
    for (code, log) in ended.into_iter().chain([order.end(), running.end()]) {
        assert_eq!(code, Some(0), "{log}");
    }
}

#[test]
fn what_a_new_leader_never_had_is_said_to_be_lost_and_what_follows_is_handled() {
    what_a_new_leader_never_had("unclean", false);
}

#[test]
fn nor_does_who_reads_on_later_pass_over_what_a_new_leader_has_instead() {
    what_a_new_leader_never_had("unclean-later", true);
}
