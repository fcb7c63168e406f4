//! `kafkaflow plan` and `kafkaflow snapshot` on real brokers and on snapshots.

use crate::support::brokers::{brokers, eventually, grow_topic, prefix, tool};
use crate::support::{Folder, Run};

const SHOP: &str = "\
version: 1
services:
  SHOP: { group: SHOP }
  PAY: { group: PAY }
topics:
  - name: SHOP.order-placed
    partitions: 6
    replication: 3
    retention: 7d
    key: orderId
    producers: [SHOP]
    consumers: [PAY]
    dlt: {}
    config: { max.message.bytes: 1MiB, min.insync.replicas: 2 }
    rationale: Orders as they are placed.
  - name: PAY.paid
    partitions: 3
    replication: 3
    producers: [PAY]
    rationale: Payments as they are made.
";

/// A topology whose topics are this test's own, and the folder that holds it.
pub(crate) struct Shop {
    pub(crate) folder: Folder,
    pub(crate) prefix: String,
}

impl Shop {
    pub(crate) fn new(test: &str) -> Self {
        let shop = Self { folder: Folder::new(), prefix: prefix(test) };
        shop.edit(&[]);
        shop
    }

    /// Writes the topology anew, with some of its text replaced.
    pub(crate) fn edit(&self, replaced: &[(&str, &str)]) {
        let mut text = SHOP.to_owned();
        for (old, new) in replaced {
            assert!(text.contains(old), "{old}");
            text = text.replace(old, new);
        }
        let text = text
            .replace("SHOP", &format!("{}-shop", self.prefix))
            .replace("PAY", &format!("{}-pay", self.prefix));
        self.folder.write("topology.yaml", text);
    }

    /// Runs a command on the file, for this test's topics alone: others come and go on the brokers.
    pub(crate) fn run(&self, command: &str, more: &[&str]) -> Run {
        let (servers, glob) = (brokers(), format!("{}*", self.prefix));
        let args = [&[command, "topology.yaml", "-b", &servers, "--topic", &glob], more].concat();
        self.shown(self.folder.run(&args))
    }

    /// Output without what is different in each run.
    pub(crate) fn shown(&self, run: Run) -> Run {
        let tidy = |text: String| {
            let text = text.replace(&self.prefix, "T");
            let Some(at) = text.find(" against cluster ") else { return text };
            let rest = &text[at + " against cluster ".len()..];
            let id = rest.split_whitespace().next().unwrap_or("").to_owned();
            text.replace(&id, "CLUSTER")
        };
        Run { code: run.code, stdout: tidy(run.stdout), stderr: tidy(run.stderr) }
    }

    pub(crate) fn apply(&self) {
        let run = self.run("apply", &["--yes"]);
        assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    }
}

#[test]
fn a_plan_shows_what_would_be_created_and_changes_nothing() {
    let shop = Shop::new("plan-create");
    for _ in 0..2 {
        let run = shop.run("plan", &[]);
        assert_eq!((run.code, run.stderr.as_str()), (3, ""));
        insta::allow_duplicates! { insta::assert_snapshot!("create", run.stdout) }
    }
}

#[test]
fn every_kind_of_change_stands_in_the_plan_with_its_risk() {
    let shop = Shop::new("plan-kinds");
    shop.apply();
    shop.edit(&[
        ("partitions: 6", "partitions: 12"),
        ("retention: 7d", "retention: 3d"),
        ("max.message.bytes: 1MiB", "max.message.bytes: null, cleanup.policy: delete"),
        ("partitions: 3\n    replication: 3", "partitions: 2\n    replication: 2"),
    ]);
    let table = shop.run("plan", &[]);
    assert_eq!((table.code, table.stderr.as_str()), (1, ""));
    insta::assert_snapshot!("kinds", table.stdout);
    insta::assert_snapshot!("kinds_markdown", shop.run("plan", &["--format", "markdown"]).stdout);
    let json = shop.run("plan", &["--format", "json"]);
    let id = serde_json::from_str::<serde_json::Value>(&json.stdout).unwrap()["cluster"]
        .as_str()
        .unwrap()
        .to_owned();
    insta::assert_snapshot!("kinds_json", json.stdout.replace(&id, "CLUSTER"));
}

#[test]
fn records_that_a_shorter_retention_would_delete_are_counted() {
    let shop = Shop::new("plan-retention");
    shop.apply();
    let topic = format!("{}-pay.paid", shop.prefix);
    let output = std::process::Command::new("sh")
        .arg("-c")
        .arg(format!("printf 'a\\nb\\nc\\n' | ./dev kafka tool console-producer --topic {topic}"))
        .current_dir(crate::support::brokers::ROOT)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    shop.edit(&[(
        "replication: 3\n    producers: [PAY]",
        "replication: 3\n    retention: 1ms\n    producers: [PAY]",
    )]);
    let run = eventually(std::time::Duration::from_secs(20), || {
        let run = shop.run("plan", &[]);
        run.stdout.contains("3 records").then_some(run)
    });
    assert!(run.stdout.contains("destructive"), "{}", run.stdout);
    assert!(
        run.stdout.contains("up to 3 records are older than that and would be deleted."),
        "{}",
        run.stdout
    );
}

#[test]
fn what_the_broker_would_refuse_stands_on_its_line_and_stops_the_apply() {
    let shop = Shop::new("plan-refused");
    shop.apply();
    shop.edit(&[
        ("max.message.bytes: 1MiB", "max.message.bytes: 2MiB, confluent.value.schema.validation: true"),
        ("  - name: PAY.paid\n    partitions: 3", "  - name: PAY.refunded\n    partitions: 3"),
        (
            "Payments as they are made.\n",
            "Money back.\n    config: { confluent.key.schema.validation: true }\n",
        ),
    ]);
    let run = shop.run("plan", &[]);
    assert_eq!(run.code, 1);
    insta::assert_snapshot!("refused", run.stdout);
    let run = shop.run("apply", &["--yes"]);
    assert_eq!(run.code, 1);
    insta::assert_snapshot!("refused_apply", run.stderr);
    shop.edit(&[]);
    assert_eq!(shop.run("plan", &[]).code, 0, "nothing was changed");
}

#[test]
fn a_change_made_with_kafkas_own_tools_is_seen_and_mended() {
    let shop = Shop::new("plan-drift");
    shop.apply();
    let (placed, paid) = (format!("{}-shop.order-placed", shop.prefix), format!("{}-pay.paid", shop.prefix));
    let entity = ["--entity-type", "topics", "--entity-name", &placed];
    tool(
        &[&["configs", "--alter"], &entity[..], &["--add-config", "retention.ms=1000,segment.ms=60000"]]
            .concat(),
    );
    tool(&[&["configs", "--alter"], &entity[..], &["--delete-config", "min.insync.replicas"]].concat());
    grow_topic(&paid, 5);
    let run = eventually(std::time::Duration::from_secs(20), || {
        let run = shop.run("plan", &[]);
        (run.stdout.contains("5 -> 3") && run.stdout.contains("min.insync")).then_some(run)
    });
    assert_eq!(run.code, 1, "fewer partitions cannot be");
    insta::assert_snapshot!("drift", run.stdout);
    shop.edit(&[("partitions: 3", "partitions: 5")]);
    shop.apply();
    let run = shop.run("plan", &[]);
    assert_eq!(run.code, 0);
    assert!(run.stdout.contains("Not in the file, left alone: 1 setting"), "{}", run.stdout);
}

#[test]
fn a_snapshot_plans_as_the_cluster_does() {
    let shop = Shop::new("plan-snapshot");
    shop.apply();
    let run = shop.folder.run(&["snapshot", "-b", &brokers()]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    shop.folder.write("snapshot.json", &run.stdout);
    let glob = format!("{}*", shop.prefix);
    let offline = |args: &[&str]| {
        shop.folder
            .run(&[&["plan", "topology.yaml", "--against", "snapshot.json", "--topic", &glob], args].concat())
    };
    assert_eq!(offline(&[]).code, 0);
    shop.edit(&[("partitions: 6", "partitions: 7"), ("retention: 7d", "retention: 8d")]);
    let strip = |run: Run| {
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        let mut changes = document["changes"].clone();
        for change in changes.as_array_mut().unwrap() {
            change.as_object_mut().unwrap().remove("verification");
        }
        changes
    };
    let live = strip(shop.folder.run(&[
        "plan",
        "topology.yaml",
        "-b",
        &brokers(),
        "--topic",
        &glob,
        "--format",
        "json",
    ]));
    assert_eq!(strip(offline(&["--format", "json"])), live);
    shop.folder.write("snapshot.json", "{\"version\": 1}");
    let run = offline(&[]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("snapshot.json is not a snapshot"), "{}", run.stderr);
}

#[test]
fn a_file_with_errors_is_shown_with_all_of_them_and_not_planned() {
    let shop = Shop::new("plan-errors");
    shop.edit(&[("partitions: 6", "partitions: 0"), ("retention: 7d", "retention: soon")]);
    for command in ["plan", "apply"] {
        let run = shop.run(command, &[]);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""));
        assert!(run.stderr.contains("topology.yaml has 2 errors; nothing was planned"), "{}", run.stderr);
    }
    let run = shop.folder.run(&["plan", "topology.yaml", "-b", &brokers(), "--topic", "nothing.*"]);
    assert_eq!(run.code, 1, "the file's errors come first");
}
