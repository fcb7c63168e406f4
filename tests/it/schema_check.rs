//! `kafkaflow schema check`, from the outside.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Folder, our_topology};

fn shop() -> Folder {
    let folder = Folder::new();
    our_topology(&folder, "t");
    folder
}

/// Writes another version of an event's schema.
fn version(folder: &Folder, event: &str, number: u32, change: impl FnOnce(&mut Value)) {
    let text = std::fs::read_to_string(folder.path().join(format!("schemas/{event}.v1.json"))).unwrap();
    let mut schema: Value = serde_json::from_str(&text).unwrap();
    change(&mut schema);
    folder.write(&format!("schemas/{event}.v{number}.json"), format!("{schema:#}\n"));
}

fn git(folder: &Folder, args: &[&str]) {
    let who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"];
    let output = Command::new("git").current_dir(folder.path()).args(who).args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn repository() -> Folder {
    let folder = shop();
    git(&folder, &["init", "-q"]);
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "-q", "-m", "first"]);
    folder
}

fn tightened(schema: &mut Value) {
    schema["properties"]["note"] = json!({ "type": "string", "maxLength": 100 });
    schema["$defs"]["quantity"]["minimum"] = json!(2);
}

#[test]
fn one_version_of_each_event_leaves_nothing_to_compare() {
    let run = shop().run(&["schema", "check"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(run.stdout);
}

#[test]
fn a_break_is_shown_with_both_places_and_an_example() {
    let folder = shop();
    version(&folder, "OrderPlaced", 2, tightened);
    let run = folder.run(&["schema", "check"]);
    assert_eq!((run.code, run.stderr.as_str()), (3, ""));
    insta::assert_snapshot!(run.stdout);
    // The example is an event that both versions were really asked about.
    let example = run.stdout.lines().find_map(|line| line.trim().strip_prefix("v1 accepts ")).unwrap();
    for (version, code) in [("OrderPlaced.v1", 0), ("OrderPlaced.v2", 3)] {
        let judged = folder.run_with(&["validate-event", "--type", version], &[], example.as_bytes());
        assert_eq!(judged.code, code, "{version}: {}", judged.stdout);
    }
    let run = folder.run(&["schema", "check", "--format", "github"]);
    assert_eq!(run.code, 3);
    insta::assert_snapshot!("github", run.stdout);
}

#[test]
fn a_program_reads_the_same_as_json() {
    let folder = shop();
    version(&folder, "OrderPlaced", 2, tightened);
    let run = folder.run(&["schema", "check", "--format", "json"]);
    assert_eq!(run.code, 3);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        (&report["version"], &report["mode"], &report["policy"]),
        (&json!(1), &json!("backward"), &json!("lenient"))
    );
    let [comparison] = &report["comparisons"].as_array().unwrap()[..] else { panic!("{report}") };
    assert_eq!(
        (&comparison["event"], &comparison["verdict"]),
        (&json!("OrderPlaced"), &json!("incompatible"))
    );
    assert_eq!(comparison["writer"], json!({ "label": "v1", "file": "schemas/OrderPlaced.v1.json" }));
    let found = &comparison["breaks"][0];
    assert_eq!((&found["rule"], &found["place"]), (&json!("MINIMUM_INCREASED"), &json!("/items/0/quantity")));
    assert_eq!(found["reader"]["pointer"], "/$defs/quantity/minimum");
    assert_eq!(found["example"]["items"][0]["quantity"], 1);
    assert_eq!(comparison["tolerated"][0]["rule"], "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL");
}

#[test]
fn modes_and_policies_decide_what_is_a_break() {
    let folder = shop();
    version(&folder, "OrderPlaced", 2, |schema| schema["properties"]["note"] = json!({ "type": "string" }));
    version(&folder, "OrderPlaced", 3, |schema| {
        schema["properties"]["note"] = json!({ "type": "string" });
        schema["$defs"]["quantity"]["minimum"] = json!(0);
    });
    for (args, code, comparisons) in [
        (&[][..], 0, 1),
        (&["--policy", "strict"], 0, 1),
        (&["--mode", "backward-transitive"], 0, 2),
        (&["--mode", "backward-transitive", "--policy", "strict"], 3, 2),
        (&["--mode", "forward"], 3, 1),
        (&["--mode", "full"], 3, 2),
        (&["--mode", "full-transitive"], 3, 4),
        (&["InventoryReserved"], 0, 0),
    ] {
        let args = [&["schema", "check", "--format", "json"], args].concat();
        let run = folder.run(&args);
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(
            (run.code, report["comparisons"].as_array().unwrap().len()),
            (code, comparisons),
            "{args:?}"
        );
    }
}

#[test]
fn a_git_revision_is_compared_with_what_is_there_now() {
    let folder = repository();
    let run = folder.run(&["schema", "check", "--against", "main"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(
        run.stdout.ends_with("8 events, 8 comparisons (backward, lenient): all compatible.\n"),
        "{}",
        run.stdout
    );
    version(&folder, "OrderPlaced", 2, tightened);
    // A version that is out changes in place, and an event goes.
    version(&folder, "SendNotification", 1, |schema| {
        schema["properties"]["channel"]["enum"] = json!(["email"]);
    });
    std::fs::remove_file(folder.path().join("schemas/CancelReservation.v1.json")).unwrap();
    let run = folder.run(&["schema", "check", "--against", "main"]);
    assert_eq!((run.code, run.stderr.as_str()), (3, ""));
    insta::assert_snapshot!(run.stdout);
    let run =
        folder.run(&["schema", "check", "--schemas", "./schemas", "--against", "HEAD", "SendNotification"]);
    assert_eq!(run.code, 3);
    assert!(run.stdout.contains("HEAD:schemas/SendNotification.v1.json:"), "{}", run.stdout);
}

#[test]
fn schemas_of_a_revision_may_refer_to_its_other_files() {
    let folder = repository();
    let event = json!({ "type": "object", "properties": { "price": { "$ref": "../common/money.json#/$defs/money" } } });
    folder.write("schemas/Sold.v1.json", event.to_string());
    let money =
        |most: u32| json!({ "$defs": { "money": { "type": "number", "maximum": most } } }).to_string();
    folder.write("common/money.json", money(100));
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "-q", "-m", "second"]);
    folder.write("common/money.json", money(50));
    let run = folder.run(&["schema", "check", "--against", "HEAD", "Sold"]);
    assert_eq!((run.code, run.stderr.as_str()), (3, ""));
    assert!(run.stdout.contains("MAXIMUM_DECREASED at /price: maximum 100 -> 50"), "{}", run.stdout);
    for place in [
        "reader   common/money.json:1:46 /$defs/money/maximum\n",
        "writer   HEAD:common/money.json:1:46 /$defs/money/maximum\n",
    ] {
        assert!(run.stdout.contains(place), "{place}: {}", run.stdout);
    }
}

#[test]
fn a_place_is_in_the_file_that_it_stands_in() {
    let folder = Folder::new();
    let event = |least: u32| {
        format!(
            "{{\"properties\": {{\"d\": {{\"$ref\": \"#/$defs/xs:date\"}}, \"m\": {{\"$ref\": \"urn:money{least}\"}}}},\n\"$defs\": {{\"xs:date\": {{\"minLength\": {least}}}}}}}\n"
        )
    };
    for version in 1..=2 {
        folder.write(&format!("schemas/E.v{version}.json"), event(version));
        let money = format!("{{\"$id\": \"urn:money{version}\",\n\"minimum\": {version}}}");
        folder.write(&format!("schemas/money{version}.json"), money);
    }
    let run = folder.run(&["schema", "check"]);
    assert_eq!((run.code, run.stderr.as_str()), (3, ""));
    for place in [
        "reader   schemas/E.v2.json:2:36 /$defs/xs:date/minLength\n",
        "reader   schemas/money2.json:2:12 /minimum\n",
        "writer   schemas/money1.json:2:12 /minimum\n",
    ] {
        assert!(run.stdout.contains(place), "{place}: {}", run.stdout);
    }
}

#[test]
fn another_folder_is_compared_too() {
    let (folder, other) = (shop(), shop());
    version(&other, "OrderPlaced", 1, |schema| schema["$defs"]["id"]["maxLength"] = json!(200));
    let other = other.path().join("schemas").display().to_string();
    let run = folder.run(&["schema", "check", "--against", &other, "OrderPlaced"]);
    assert_eq!(run.code, 3);
    assert!(
        run.stdout.contains("MAX_LENGTH_DECREASED") && run.stdout.contains("maxLength 200 -> 128"),
        "{}",
        run.stdout
    );
}

#[test]
fn what_cannot_be_decided_is_no_yes() {
    let folder = Folder::new();
    let schema = |pattern: &str| json!({ "type": "object", "properties": { "id": { "type": "string", "pattern": pattern } } });
    folder.write("schemas/E.v1.json", schema("^[a-z]{3}$").to_string());
    folder.write("schemas/E.v2.json", schema("^[a-z]+$").to_string());
    let run = folder.run(&["schema", "check"]);
    assert_eq!((run.code, run.stderr.as_str()), (3, ""));
    insta::assert_snapshot!(run.stdout);
}

#[test]
fn what_cannot_be_compared_is_said_with_what_to_do() {
    let folder = shop();
    for (args, code, message) in [
        (&["schema", "check", "--against", "main"][..], 2, "not a git repository"),
        (&["schema", "check", "Ordr"], 2, "has no schema of `Ordr`"),
        (&["schema", "check", "OrderPlacd"], 2, "did you mean `OrderPlaced`?"),
        (&["schema", "check", "--schemas", "nowhere"], 1, "cannot read the folder of schemas `nowhere`"),
        (&["schema", "sample", "Ordr", "--schemas", "nowhere"], 1, "`--schemas FOLDER` names it"),
    ] {
        let run = folder.run(args);
        assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{args:?}");
        assert!(run.stderr.contains(message), "{args:?}: {}", run.stderr);
        assert!(!run.stderr.contains("--topology"), "a flag that is not there: {}", run.stderr);
    }
    let folder = repository();
    for name in ["nope", "--output=x", "main:schemas"] {
        let against = format!("--against={name}");
        let run = folder.run(&["schema", "check", &against]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{name}");
        assert!(run.stderr.contains("neither such a folder nor such a git revision"), "{}", run.stderr);
    }
    // A folder that was not there yet is not compared in silence.
    folder.write("renamed/E.v1.json", "{}");
    let run = folder.run(&["schema", "check", "--schemas", "renamed", "--against", "main"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(run.stderr.contains("`main` has no schemas in `renamed`"), "{}", run.stderr);
    folder.write("renamed/E.v01.json", "{}");
    for args in
        [&["schema", "check", "--schemas", "renamed"][..], &["validate-event", "--schemas", "renamed"]]
    {
        let run = folder.run_with(args, &[], b"{}");
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{args:?}");
        let both = "`E.v01.json` and `E.v1.json` are both version 1 of E";
        assert!(run.stderr.contains(both), "{}", run.stderr);
    }
    folder.write("schemas/OrderPlaced.v2.json", "{\"type\": \"objekt\"}");
    let run = folder.run(&["schema", "check"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("schemas/OrderPlaced.v2.json:1:10"), "{}", run.stderr);
}
