//! Members that are stopped for longer than their session, brokers and databases that go away.

use std::process::Command;
use std::time::{Duration, Instant};

use super::child::Signal;
use super::world::{Kind, World};
use crate::support::brokers::{dev, eventually, grow_topic, prefix, tool};
use kafkaflow::runtime::Boundary;

fn at(boundary: Boundary) -> usize {
    Boundary::ALL.iter().position(|one| *one == boundary).unwrap()
}

/// The kernel's word on a process: `T` is stopped.
fn is_stopped(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T'))
}

/// Over PostgreSQL: several processes share no SQLite file, which one that is stopped in a transaction would lock.
#[test]
fn a_member_that_wakes_after_its_session_does_no_harm() {
    for (boundary, kind) in [
        (Boundary::Polled, Kind::Postgres),
        (Boundary::Handled, Kind::Postgres),
        (Boundary::Handled, Kind::Optimistic),
        (Boundary::Committed, Kind::Postgres),
        (Boundary::Taken, Kind::Postgres),
    ] {
        let mut world = World::new(&prefix("zombie"), kind);
        world.produce(200);
        let zombie = world.start(Some((at(boundary), 3, Signal::Stop)), None);
        eventually(Duration::from_secs(60), || is_stopped(zombie.id()).then_some(()));
        let before = world.effects();
        world.produce(200);
        let heir = world.start(None, None);
        // Longer than the session lasts: the heir has the partitions.
        eventually(Duration::from_secs(60), || (world.effects() > before + 100).then_some(()));
        Command::new("kill").args(["-CONT", &zombie.id().to_string()]).status().unwrap();
        world.produce(100);
        world.finish(vec![zombie, heir]);
        world.check();
    }
}

#[test]
fn brokers_that_die_and_come_back_cost_nothing() {
    let mut world = World::new(&prefix("broker"), Kind::Postgres);
    world.orders.session_ms = 6000;
    let child = world.start(None, Some("one"));
    world.produce(100);
    // One after the other, so that leaders and the group's coordinator are among them.
    for node in ["1", "2", "3"] {
        dev(&["kafka", "stop", node, "--kill"]);
        world.produce(100);
        dev(&["kafka", "start", node]);
        world.produce(50);
    }
    world.finish(vec![child]);
    world.check();
}

#[test]
fn partitions_added_under_load_cost_nothing() {
    let mut world = World::new(&prefix("partitions"), Kind::Postgres);
    world.orders.concurrency = Some(2);
    let children: Vec<_> = (0..3).map(|_| world.start(None, None)).collect();
    world.produce(200);
    let source = format!("{}.in", world.orders.name);
    // What was there is handled first: the order of a key over two partitions is nobody's promise.
    eventually(Duration::from_secs(60), || (world.effects() >= 190).then_some(()));
    grow_topic(&source, 6);
    let grown = || {
        let described = tool(&["topics", "--describe", "--topic", &source]);
        described.contains("PartitionCount: 6").then_some(())
    };
    eventually(Duration::from_secs(60), grown);
    world.produce(300);
    world.finish(children);
    world.check();
}

#[test]
fn a_database_that_dies_and_comes_back_costs_nothing() {
    let mut world = World::new(&prefix("database"), Kind::Optimistic);
    let child = world.start(None, Some("one"));
    world.produce(100);
    eventually(Duration::from_secs(60), || (world.effects() > 10).then_some(()));
    for _ in 0..3 {
        dev(&["postgres", "stop", "--kill"]);
        world.produce(100);
        dev(&["postgres", "start"]);
        world.produce(20);
    }
    world.finish(vec![child]);
    world.check();
}

#[test]
fn a_database_that_is_not_there_at_the_start_is_waited_for() {
    let mut world = World::new(&prefix("late"), Kind::Postgres);
    dev(&["postgres", "stop"]);
    let child = world.start(None, None);
    world.produce(50);
    let began = Instant::now();
    dev(&["postgres", "start"]);
    world.finish(vec![child]);
    assert!(began.elapsed() < Duration::from_secs(60));
    world.check();
}
