//! `kafkaflow validate-event --from-topic`, on real records.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::brokers::{brokers, eventually, prefix, produce, tool};
use crate::support::{Folder, our_topology};

/// A topology of our own, its topic of orders, and an order.
fn shop(name: &str) -> (Folder, String, Value) {
    let folder = Folder::new();
    let prefix = prefix(name);
    our_topology(&folder, &prefix);
    let topic = format!("{prefix}-order-service.order-placed");
    let run = folder.run(&["apply", "topology.yaml", "-b", &brokers(), "--topic", &topic, "--yes"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let order = include_str!("../fixtures/events/OrderPlaced.json");
    (folder, topic, serde_json::from_str(order).unwrap())
}

/// A line for the producer: headers, key and value as they should be, then changed.
fn line(order: &Value, id: &str, header_id: &str, key: &str) -> String {
    let mut order = order.clone();
    order["eventId"] = id.into();
    order["orderId"] = "ORD-1".into();
    format!("eventId:{header_id},eventType:OrderPlaced\t{key}\t{order}")
}

fn audit(folder: &Folder, topic: &str, args: &[&str]) -> (i32, String, String) {
    let run = folder.run(&[&["validate-event", "--from-topic", topic, "-b", &brokers()], args].concat());
    let stdout = run.stdout.lines().map(|line| match line.rsplit_once(" invalid, ") {
        Some((counts, _)) => format!("{counts} invalid"),
        None => line.replace(topic, "TOPIC"),
    });
    (run.code, stdout.collect::<Vec<_>>().join("\n"), run.stderr.replace(topic, "TOPIC"))
}

#[test]
fn keys_headers_and_payloads_of_a_live_topic_are_judged_without_a_group() {
    let (folder, topic, order) = shop("audit");
    let (code, stdout, stderr) = audit(&folder, &topic, &[]);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (0, "no record", ""));

    let mut wrong_sum = order.clone();
    wrong_sum["totalAmount"] = 1.into();
    let mut other = order.clone();
    other["eventType"] = "InventoryFailed".into();
    produce(
        &topic,
        &[
            line(&order, "e-1", "e-1", "ORD-1"),
            line(&order, "e-2", "e-7", "ORD-1"),
            line(&wrong_sum, "e-3", "e-3", "ORD-1"),
            line(&other, "e-4", "e-4", "ORD-1"),
            "x:y\tORD-1\tno json".to_owned(),
            line(&order, "e-5", "e-5", "ORD-1"),
        ],
    );
    let (code, stdout, stderr) = audit(&folder, &topic, &[]);
    assert_eq!((code, stderr.as_str()), (3, ""));
    // One key, hence one partition, whose number is the key's business.
    let partition = stdout.split(['[', ']']).nth(1).unwrap().to_owned();
    insta::assert_snapshot!(stdout.replace(&format!("[{partition}]"), "[P]"));

    let (code, stdout, _) = audit(&folder, &topic, &["--from", "5"]);
    assert_eq!((code, stdout.as_str()), (0, "1 valid, 0 invalid"));
    let (code, stdout, _) = audit(&folder, &topic, &["--count", "1", "--from", "-1h"]);
    assert_eq!((code, stdout.as_str()), (0, "1 valid, 0 invalid"));
    let (code, stdout, _) = audit(&folder, &topic, &["--format", "json", "--max-errors", "1"]);
    assert_eq!(code, 3);
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        report,
        json!({
            "version": 1,
            "violations": [{
                "topic": "TOPIC", "partition": partition.parse::<i32>().unwrap(), "offset": 1, "pointer": "/eventId",
                "rule": "header", "expected": "the header `eventId` to say what the payload says, `e-2`",
                "found": "`e-7`", "help": null,
            }],
            "sources": [{ "source": "TOPIC", "valid": 2, "invalid": 4 }],
            "valid": 2,
            "invalid": 4,
        })
    );
    // Under any schema headers are still held against payloads; which field is the key is not known then.
    folder.write("any.json", "{\"type\": \"object\"}");
    let (_, stdout, _) = audit(&folder, &topic, &["--schema", "any.json", "--max-errors", "0"]);
    assert!(stdout.ends_with("3 valid, 3 invalid"), "{stdout}");

    let groups = tool(&["groups", "--list"]);
    assert!(!groups.contains("kafkaflow"), "a group was joined:\n{groups}");
}

#[test]
fn new_records_are_judged_as_they_come_until_enough_were_seen() {
    let (folder, topic, order) = shop("follow");
    let args = [
        "validate-event",
        "--from-topic",
        &topic,
        "-b",
        &brokers(),
        "--from",
        "latest",
        "--follow",
        "--count",
        "2",
    ];
    let mut child = folder.start(&args, &[]);
    // It begins at the end as it was when it looked: records are produced until it has seen two.
    let code = eventually(Duration::from_secs(60), || {
        produce(&topic, &[line(&order, "e-1", "e-1", "ORD-1")]);
        child.try_wait().unwrap()
    });
    assert!(code.success());
    let output = child.wait_with_output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("2 valid, 0 invalid, "));
}

#[test]
fn a_topic_that_cannot_be_read_is_said_to_be_one() {
    let (folder, topic, order) = shop("unread");
    produce(&topic, &[line(&order, "e-1", "e-1", "ORD-1")]);
    let (code, stdout, stderr) = audit(&folder, &topic, &["--from", "100"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert_eq!(
        stderr,
        "error: no partition of `TOPIC` has an offset 100\n  because: the longest ends at 1\n"
    );
    let (code, _, stderr) = audit(&folder, "no.such.topic", &[]);
    assert_eq!(code, 1);
    assert!(stderr.starts_with("error: there is no topic `TOPIC`"), "{stderr}");
    let (code, _, stderr) = audit(&folder, &topic, &["--from", "latest"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("`--follow`"), "{stderr}");
    let (code, _, stderr) = audit(&folder, &topic, &["-X", "security.protocol=SSL"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("does not speak TLS"), "{stderr}");
}
