//! `kafkaflow validate-event`, from the outside.

use std::fmt::Write as _;
use std::io::Write as _;

use serde_json::{Value, json};

use crate::support::{Folder, our_topology};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The events of the design document, as they stand there.
fn seed() -> [String; 3] {
    let example = |event: &str| {
        let text = std::fs::read_to_string(format!("{ROOT}/schemas/{event}.v1.json")).unwrap();
        let schema: Value = serde_json::from_str(&text).unwrap();
        schema["examples"][0].to_string()
    };
    ["OrderPlaced", "InventoryReserved", "InventoryFailed"].map(example)
}

fn shop() -> Folder {
    let folder = Folder::new();
    our_topology(&folder, "t");
    folder
}

/// Our own order with something changed.
fn order(change: impl FnOnce(&mut Value)) -> String {
    let mut event: Value = serde_json::from_str(&seed()[0]).unwrap();
    change(&mut event);
    event.to_string()
}

/// How fast it was is different every time.
fn without_rate(text: &str) -> String {
    let line = |line: &str| match line.rsplit_once(" invalid, ") {
        Some((counts, rate)) if rate.ends_with(" events/s") => format!("{counts} invalid, RATE events/s\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[test]
fn the_events_of_the_design_document_are_valid_however_they_are_written() {
    let folder = shop();
    let [placed, reserved, failed] = seed();
    let pretty =
        |text: &str| serde_json::to_string_pretty(&serde_json::from_str::<Value>(text).unwrap()).unwrap();
    folder.write("lines.ndjson", format!("{placed}\n{reserved}\r\n{failed}"));
    folder.write("array.json", format!("[{placed},\n{reserved}, {failed}]"));
    folder.write(
        "pretty.json",
        format!("\u{feff}{}\n{}\n{}\n", pretty(&placed), pretty(&reserved), pretty(&failed)),
    );
    let lines = format!("{placed}\n{reserved}\n{failed}\n");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(lines.as_bytes()).unwrap();
    folder.write("lines.gz", gzip.finish().unwrap());
    folder.write("lines.zst", zstd::encode_all(lines.as_bytes(), 1).unwrap());
    for file in ["lines.ndjson", "array.json", "pretty.json", "lines.gz", "lines.zst"] {
        let run = folder.run(&["validate-event", file]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{file}");
        assert_eq!(without_rate(&run.stdout), "3 valid, 0 invalid, RATE events/s\n", "{file}");
    }
    let run = folder.run_with(&["validate-event"], &[], lines.as_bytes());
    assert_eq!((run.code, without_rate(&run.stdout).as_str()), (0, "3 valid, 0 invalid, RATE events/s\n"));
}

#[test]
fn every_violation_is_said_with_its_place_and_the_rest_is_judged() {
    let folder = shop();
    let lines = [
        order(|_| {}),
        order(|event| {
            event["items"][0]["quantity"] = 0.into();
            event["timestamp"] = "yesterday".into();
            event["totalAmount"] = 119.94.into();
        }),
        order(|event| event["totalAmount"] = 119.94.into()),
        order(|event| event["items"][1]["unitPrice"] = 19.955.into()),
        order(|event| event["eventType"] = "OrderPlacd".into()),
        "{\"eventType\": \"OrderPlaced\", ".to_owned(),
        seed()[1].replace("\"RES-4471\"", "null"),
        seed()[2].replace("\"status\"", "\"reservationId\":\"RES-1\",\"status\""),
        order(|_| {}),
    ];
    folder.write("events.ndjson", lines.join("\n"));
    let run = folder.run(&["validate-event", "events.ndjson"]);
    assert_eq!((run.code, run.stderr.as_str()), (3, ""));
    insta::assert_snapshot!("lines", without_rate(&run.stdout));
    let run = folder.run(&["validate-event", "events.ndjson", "--format", "github", "--max-errors", "3"]);
    assert_eq!(run.code, 3);
    insta::assert_snapshot!("github", without_rate(&run.stdout));
    let run = folder.run(&["validate-event", "events.ndjson", "--no-rules", "--max-errors", "0"]);
    assert!(
        !run.stdout.contains("total-amount") && run.stdout.contains("4 valid, 5 invalid"),
        "{}",
        run.stdout
    );
    let run = folder.run(&["validate-event", "events.ndjson", "--quiet"]);
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (3, "", ""));
}

#[test]
fn a_program_reads_the_violations_as_json() {
    let folder = shop();
    folder.write("good.json", seed()[0].clone());
    folder.write("bad.json", format!("\n\n  {}", seed()[1].replace("\"RES-4471\"", "7")));
    let run = folder.run(&["validate-event", "good.json", "bad.json", "--format", "json"]);
    assert_eq!(run.code, 3);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let column = 3 + seed()[1].find("\"RES-4471\"").unwrap();
    assert_eq!(
        report,
        json!({
            "version": 1,
            "violations": [{
                "file": "bad.json", "document": 1, "line": 3, "column": column, "endLine": 3, "endColumn": column + 1,
                "pointer": "/reservationId", "rule": "type", "expected": "a string", "found": "a number `7`", "help": null,
            }],
            "sources": [
                { "source": "good.json", "valid": 1, "invalid": 0 },
                { "source": "bad.json", "valid": 0, "invalid": 1 },
            ],
            "valid": 1,
            "invalid": 1,
        })
    );
    let run = folder.run(&["validate-event", "good.json", "--format", "json"]);
    assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap()["violations"], json!([]));
}

#[test]
fn a_topic_is_asked_what_it_carries() {
    let folder = shop();
    let [placed, reserved, _] = seed();
    folder.write("both.ndjson", format!("{placed}\n{reserved}\n"));
    let on = |topic: &str| folder.run(&["validate-event", "both.ndjson", "--topic", topic]);
    let run = on("t-order-service.order-placed");
    assert_eq!(run.code, 3);
    let dead = on("t-order-service.order-placed.DLT");
    let same = run.stdout.lines().next().unwrap().replace("order-placed`", "order-placed.DLT`");
    assert_eq!(dead.stdout.lines().next(), Some(same.as_str()));
    let other = on("t-order-service.order-palced");
    assert_eq!(other.code, 2);
    insta::assert_snapshot!(format!("{}\n{}", without_rate(&run.stdout), other.stderr));
}

#[test]
fn any_schema_can_judge_with_the_files_that_it_refers_to() {
    let folder = Folder::new();
    let draft = "http://json-schema.org/draft-07/schema#";
    folder.write(
        "s p/list.json",
        json!({ "$schema": draft, "type": "array", "items": { "$ref": "./item.json#/definitions/a" } })
            .to_string(),
    );
    folder.write("s p/item.json", json!({ "definitions": { "a": { "$ref": "urn:x:money" } } }).to_string());
    folder.write("s p/money.json", json!({ "$id": "urn:x:money", "type": "number" }).to_string());
    folder.write("events.json", "[1, 2]\n[1, \"2\"]\n");
    let run = folder.run(&["validate-event", "--schema", "s p/list.json", "events.json"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert_eq!(
        without_rate(&run.stdout),
        "events.json:2:5: /1: expected a number, found a string `\"2\"` (type)\n1 valid, 1 invalid, RATE events/s\n"
    );
    folder.write("net.json", "{\n  \"type\": \"objet\",\n  \"$ref\": \"https://example.com/a.json\"\n}");
    folder.write("cut.json", "{\n  \"type\": ");
    let mut said = String::new();
    for schema in ["net.json", "cut.json", "none.json"] {
        let run = folder.run(&["validate-event", "--schema", schema, "events.json"]);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""));
        writeln!(said, "{}", run.stderr).unwrap();
    }
    insta::assert_snapshot!(said);
}

#[test]
fn what_cannot_be_read_is_said_and_the_other_files_are_judged() {
    let folder = shop();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(format!("{}\n", seed()[0]).repeat(10_000).as_bytes()).unwrap();
    let whole = gzip.finish().unwrap();
    folder.write("cut.gz", &whole[..whole.len() - 20]);
    folder.write("good.json", seed()[0].clone());
    folder.write("empty.json", "");
    let run = folder.run(&["validate-event", "none.json", "schemas", "cut.gz", "good.json", "empty.json"]);
    assert_eq!(run.code, 1);
    insta::with_settings!({ filters => vec![(r"after [\d,]+ events", "after N events")] }, {
        insta::assert_snapshot!(run.stderr);
    });
    let run = folder.run(&["validate-event", "empty.json"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "no event\n"));
}

#[test]
fn whoever_names_the_wrong_thing_is_told_what_there_is() {
    let folder = shop();
    folder.write("good.json", seed()[0].clone());
    folder.write("empty/x.json", "{}");
    folder.write("broken.yaml", "version: 1\ntopics: 3\n");
    let mut said = String::new();
    for args in [
        &["--type", "OrderPlacd"][..],
        &["--type", "OrderPlaced.v7"],
        &["--schemas", "none"],
        &["--schemas", "empty"],
        &["--topology", "broken.yaml"],
        &["--topology", "none.yaml"],
        &["--max-size", "0B"],
        &["--schema", "a.json", "--topic", "t"],
    ] {
        let run = folder.run(&[&["validate-event", "good.json"], args].concat());
        assert!(run.code == 1 || run.code == 2, "{args:?}");
        assert_eq!(run.stdout, "", "{args:?}");
        writeln!(said, "$ validate-event good.json {} -> {}\n{}", args.join(" "), run.code, run.stderr)
            .unwrap();
    }
    insta::assert_snapshot!(said);
    let run = folder.run(&["validate-event", "good.json", "--type", "OrderPlaced.v1"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_work_quietly() {
    let folder = shop();
    let bad = order(|event| event["items"][0]["quantity"] = 0.into());
    folder.write("bad.ndjson", format!("{bad}\n").repeat(200_000));
    let mut child = folder.start(&["validate-event", "bad.ndjson", "--max-errors", "0"], &[]);
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
