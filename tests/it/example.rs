//! The example works as its first lines say, on both stores.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::Folder;
use crate::support::brokers::{brokers, consume, eventually, prefix, produce, tool};
use crate::support::stores::{postgres, sqlite};

fn start(store: &str, prefix: &str) -> Child {
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_kafkaflow")).parent().unwrap();
    Command::new(folder.join("examples/parcels"))
        .args([&brokers(), store, prefix])
        .stdin(Stdio::null())
        .spawn()
        .expect("the example is built: run this by ./dev test, which builds everything")
}

fn end(mut child: Child) {
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let status = eventually(Duration::from_secs(20), || child.try_wait().unwrap());
    assert!(status.success(), "{status}");
}

fn records(topic: &str, count: usize) -> Vec<String> {
    consume(topic, count, &[]).lines().filter(|line| line.starts_with('{')).map(str::to_owned).collect()
}

fn works(store: &str) {
    let prefix = format!("{}.", prefix("parcels"));
    for (topic, partitions) in [("parcels", "3"), ("parcels.DLT", "1"), ("routes", "3")] {
        let topic = format!("{prefix}{topic}");
        tool(&[
            "topics",
            "--create",
            "--topic",
            &topic,
            "--partitions",
            partitions,
            "--replication-factor",
            "3",
        ]);
    }
    let parcel = |n: usize, route: &str, grams: &str| {
        let event = format!(
            r#"{{"eventId": "p{n}", "eventType": "ParcelHandedIn", "route": "{route}", "grams": {grams}}}"#
        );
        format!("eventId:p{n},eventType:ParcelHandedIn\t{route}\t{event}")
    };
    let mut lines: Vec<String> = (0..10).map(|n| parcel(n, "north", "90")).collect();
    // Handed in twice, of no weight, and the one that fills the route.
    lines.extend([parcel(3, "north", "90"), parcel(10, "north", "0"), parcel(11, "north", "100")]);
    lines.push(parcel(12, "south", "999"));
    let child = start(store, &prefix);
    produce(&format!("{prefix}parcels"), &lines[..6]);
    end(child);
    let child = start(store, &prefix);
    produce(&format!("{prefix}parcels"), &lines[6..]);
    let full = records(&format!("{prefix}routes"), 1);
    assert_eq!(full, [r#"{"eventId":"full-north","eventType":"RouteFull","route":"north","grams":1000}"#]);
    let dead = records(&format!("{prefix}parcels.DLT"), 1);
    assert_eq!(dead.len(), 1, "{dead:?}");
    assert!(dead[0].contains(r#""p10""#), "{dead:?}");
    end(child);
}

#[test]
fn the_example_keeps_its_promises_over_sqlite() {
    works(&sqlite(&Folder::new()));
}

#[test]
fn the_example_keeps_its_promises_over_postgresql() {
    let store = postgres();
    works(&store);
}
