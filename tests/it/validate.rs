//! `kafkaflow validate` and `kafkaflow explain`, from the outside.

use std::fmt::Write;

use crate::support::Folder;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

const WRONG: &str = "\
version: 1
services:
  shop: { group: shop, instances: 4 }
topics:
  - name: shop.order-placed
    partitons: 12
    partitions: 3
    retention: 7
    producers: [shop]
    consumers: [shpo]
    rationale: Orders as they are placed.
";

#[test]
fn our_own_topology_has_no_problem_in_any_environment() {
    let folder = Folder::new();
    let file = format!("{ROOT}/topology.yaml");
    let run = folder.run(&["validate", &file]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let inbox = "  inventory-service will remember some 345 million events \
                 (500/s of order-service.order-placed, kept 7d)\n";
    assert_eq!(run.stdout, format!("{file}: 8 topics, no problems\n{inbox}"));
    let run = folder.run(&["validate", &file, "--env", "dev"]);
    assert_eq!(run.stdout, format!("{file} (environment dev): 8 topics, no problems\n{inbox}"));
}

#[test]
fn every_problem_is_reported_at_once_and_underlined() {
    let folder = Folder::new();
    folder.write("topology.yaml", WRONG);
    let run = folder.run(&["validate", "topology.yaml"]);
    assert_eq!((run.code, run.stderr.as_str()), (3, ""));
    insta::assert_snapshot!(run.stdout);
}

#[test]
fn a_program_reads_the_same_problems_as_json() {
    let folder = Folder::new();
    folder.write("topology.yaml", WRONG);
    let run = folder.run(&["validate", "topology.yaml", "--format", "json"]);
    assert_eq!(run.code, 3);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["version"], 1);
    assert_eq!((&report["errors"], &report["warnings"]), (&4.into(), &0.into()));
    let first = &report["problems"][0];
    assert_eq!(
        *first,
        serde_json::json!({
            "code": "KF040", "severity": "error",
            "message": "`shop.order-placed` is consumed and has no `dlt`",
            "line": 5, "column": 11, "endLine": 5, "endColumn": 28,
            "help": "add `dlt: {}`, or `dlt: none` and a `reason:`",
        })
    );
    let whole = folder.run(&["validate", &format!("{ROOT}/topology.yaml"), "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&whole.stdout).unwrap();
    assert_eq!((whole.code, &report["problems"]), (0, &serde_json::json!([])));
}

#[test]
fn github_gets_one_annotation_a_problem() {
    let folder = Folder::new();
    folder.write("a,b/topology.yaml", WRONG);
    let run = folder.run(&["validate", "a,b/topology.yaml", "--format", "github"]);
    assert_eq!(run.code, 3);
    insta::assert_snapshot!(run.stdout);
}

#[test]
fn standard_input_is_a_file_too() {
    let folder = Folder::new();
    let run = folder.run_with(&["validate", "-"], &[], WRONG.as_bytes());
    assert_eq!(run.code, 3);
    assert!(run.stdout.contains("[<stdin>:6:5]"), "{}", run.stdout);
}

#[test]
fn what_cannot_be_read_says_so_and_what_to_do() {
    let folder = Folder::new();
    folder.write("utf8.yaml", b"version: 1\nname: caf\xe9\n");
    folder.write("utf16.yaml", b"\xff\xfev\0e\0");
    folder.write("folder/topology.yaml", "");
    for (file, message, help) in [
        ("missing.yaml", "cannot read `missing.yaml`", "check the path"),
        ("folder", "`folder` is a folder", "folder/topology.yaml"),
        ("utf8.yaml", "byte 20 (line 2, column 10) is 0xe9", "save it as UTF-8"),
        ("utf16.yaml", "byte 0 (line 1, column 1) is 0xff", "UTF-16"),
        ("/dev/zero", "is too large for a topology", "give the topology file"),
    ] {
        let run = folder.run(&["validate", file]);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{file}");
        assert!(run.stderr.contains(message) && run.stderr.contains(help), "{file}: {}", run.stderr);
    }
}

#[test]
fn hostile_files_are_refused_and_nothing_panics() {
    let folder = Folder::new();
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(",");
        writeln!(bomb, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    let long_line = format!("version: 1\ntopics: [{}\n", "{name: a, colour: b}, ".repeat(50_000));
    let words = "lorem ipsum ".repeat(900_000);
    let many_keys: String = (0..50_000).fold(String::new(), |mut text, index| {
        writeln!(text, "key{index}: x").unwrap();
        text
    });
    for (name, text) in [
        ("bomb", bomb.as_str()),
        ("empty", ""),
        ("tab", "version: 1\ntopics:\n\t- a\n"),
        ("nul", "version: 1\nname: \0\n"),
        ("deep", &"[".repeat(1_000_000)),
        ("long line", &long_line),
        ("words", &words),
        ("many keys", &many_keys),
        ("quotes", &"\"".repeat(1_000_001)),
    ] {
        folder.write("topology.yaml", text);
        // Ten megabytes once are enough.
        let formats = if text.len() > 5_000_000 { &["table"][..] } else { &["table", "json", "github"] };
        for format in formats {
            let run = folder.run(&["validate", "topology.yaml", "--format", format]);
            assert_eq!((run.code, run.stderr.as_str()), (3, ""), "{name}");
            assert!(!run.stdout.is_empty() && run.stdout.len() < 8_000_000, "{name}");
        }
    }
}

#[test]
fn the_first_fifty_of_many_problems_are_shown_and_all_on_demand() {
    let folder = Folder::new();
    let mut text = String::from("version: 1\nallow: [KF060]\ntopics:\n");
    for index in 0..200 {
        writeln!(text, "  - {{ name: topic-{index}, partitions: 0 }}").unwrap();
    }
    folder.write("topology.yaml", text);
    let run = folder.run(&["validate", "topology.yaml"]);
    assert_eq!(run.stdout.matches("KF020").count() + run.stdout.matches("KF062").count(), 50);
    let end = "… and 350 more; `--all` shows them\ntopology.yaml: 200 errors, 200 warnings\n";
    assert!(run.stdout.ends_with(end), "{}", run.stdout);
    let run = folder.run(&["validate", "topology.yaml", "--all"]);
    assert_eq!(run.stdout.matches("\nKF020").count(), 200);
}

#[test]
fn nothing_written_to_a_pipe_can_drive_a_terminal() {
    let folder = Folder::new();
    folder.write(
        "topology.yaml",
        "version: 1\ntopics:\n  - { name: \"a\\e[31m\", partitions: 3, \"\\e[2J\": 1 } # \u{202e}\n",
    );
    for format in ["table", "json", "github"] {
        let run = folder.run(&["validate", "topology.yaml", "--format", format]);
        assert!(!run.stdout.contains('\u{1b}'), "{}", run.stdout);
        assert!(format != "table" || !run.stdout.contains('\u{202e}'), "{}", run.stdout);
    }
}

#[test]
fn a_rule_is_explained_with_an_example() {
    let folder = Folder::new();
    for code in ["KF012", "kf012", "12"] {
        let run = folder.run(&["explain", code]);
        assert_eq!(run.code, 0);
        assert!(run.stdout.starts_with("KF012 (error): two names differ only in `.` and `_`\n"));
    }
    insta::assert_snapshot!(folder.run(&["explain", "KF013"]).stdout);
}

#[test]
fn all_rules_are_listed_and_an_unknown_one_is_refused() {
    let folder = Folder::new();
    insta::assert_snapshot!(folder.run(&["explain"]).stdout);
    let run = folder.run(&["explain", "KF999"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("there is no rule `KF999`"), "{}", run.stderr);
}
