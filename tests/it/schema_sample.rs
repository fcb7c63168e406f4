//! `kafkaflow schema sample`, from the outside.

use serde_json::json;

use crate::support::{Folder, our_topology};

const EVENTS: [&str; 8] = [
    "OrderPlaced",
    "InventoryReserved",
    "InventoryFailed",
    "SendNotification",
    "CancelReservation",
    "ReservationCancelled",
    "RestoreReservation",
    "ReservationRestored",
];

fn shop() -> Folder {
    let folder = Folder::new();
    our_topology(&folder, "t");
    folder
}

#[test]
fn samples_of_every_event_are_valid_and_near_misses_are_not() {
    let folder = shop();
    for event in EVENTS {
        let samples = folder.run(&["schema", "sample", event, "-n", "50"]);
        assert_eq!((samples.code, samples.stderr.as_str()), (0, ""), "{event}");
        let judged = folder.run_with(&["validate-event"], &[], samples.stdout.as_bytes());
        assert!(judged.stdout.starts_with("50 valid, 0 invalid"), "{event}: {}", judged.stdout);

        let misses = folder.run(&["schema", "sample", event, "-n", "30", "--invalid"]);
        assert_eq!((misses.code, misses.stderr.lines().count()), (0, 30), "{event}");
        let judged = folder.run_with(
            &["validate-event", "--type", event, "--max-errors", "0"],
            &[],
            misses.stdout.as_bytes(),
        );
        assert!(judged.stdout.contains("0 valid, 30 invalid"), "{event}: {}", judged.stdout);
        // One thing is wrong with each, and it is what was said.
        for (said, found) in misses.stderr.lines().zip(judged.stdout.lines()) {
            let reason = said.split_once(": ").unwrap().1;
            assert!(found.ends_with(reason), "{event}: {found}, not {reason}");
        }
    }
}

#[test]
fn near_misses_are_wrong_for_many_reasons_the_rules_included() {
    let folder = shop();
    let run = folder.run(&["schema", "sample", "OrderPlaced", "-n", "40", "--invalid"]);
    for rule in [
        "(total-amount)",
        "(money)",
        "(required)",
        "(type)",
        "(minimum)",
        "(maxLength)",
        "(format)",
        "(const)",
    ] {
        assert!(run.stderr.contains(rule), "{rule} is missing in\n{}", run.stderr);
    }
}

#[test]
fn a_seed_decides_what_is_made() {
    let folder = shop();
    let made =
        |seed: &str| folder.run(&["schema", "sample", "OrderPlaced.v1", "-n", "3", "--seed", seed]).stdout;
    assert_eq!(made("7"), made("7"));
    assert_ne!(made("7"), made("8"));
    assert!(made("7").starts_with("{\"eventId\":\"evt-"), "{}", made("7"));
}

#[test]
fn a_file_of_any_schema_will_do_and_may_refer_to_others() {
    let folder = Folder::new();
    folder.write(
        "common.json",
        json!({ "$defs": { "id": { "type": "string", "pattern": "^[A-Z]{3}-\\d{4}$" } } }).to_string(),
    );
    let schema = json!({
        "type": "object",
        "required": ["id", "tags"],
        "properties": { "id": { "$ref": "common.json#/$defs/id" }, "tags": { "type": "array", "minItems": 2, "uniqueItems": true, "items": { "enum": ["a", "b"] } } },
        "additionalProperties": false,
    });
    folder.write("thing.json", schema.to_string());
    let samples = folder.run(&["schema", "sample", "thing.json", "-n", "20"]);
    assert_eq!((samples.code, samples.stdout.lines().count()), (0, 20), "{}", samples.stderr);
    let judged =
        folder.run_with(&["validate-event", "--schema", "thing.json"], &[], samples.stdout.as_bytes());
    assert!(judged.stdout.starts_with("20 valid, 0 invalid"), "{}", judged.stdout);
}

#[test]
fn what_cannot_be_made_up_is_said_with_what_to_do() {
    let folder = shop();
    let run = folder.run(&["schema", "sample", "OrderPlacd"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("did you mean `OrderPlaced`?"), "{}", run.stderr);
    folder.write("none.json", json!({ "type": "string", "pattern": "^(?=a)b" }).to_string());
    let run = folder.run(&["schema", "sample", "none.json"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(
        run.stderr.contains("no valid event was found for none.json") && run.stderr.contains("`examples`"),
        "{}",
        run.stderr
    );
    folder.write("broken.json", "{\"type\": 7}");
    let run = folder.run(&["schema", "sample", "broken.json"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("broken.json:1:10"), "{}", run.stderr);
    let run = folder.run(&["schema", "sample", "absent.json"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("No such file"), "{}", run.stderr);
}
