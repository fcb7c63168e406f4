//! `kafkaflow apply` on real brokers.

use crate::plan::Shop;
use crate::support::brokers::{brokers, prefix, tool};
use crate::support::{Folder, our_topology};

#[test]
fn the_seeds_topology_is_applied_and_a_second_apply_finds_nothing() {
    let folder = Folder::new();
    let prefix = prefix("seed");
    our_topology(&folder, &prefix);
    let (servers, glob) = (brokers(), format!("{prefix}*"));
    let apply = || folder.run(&["apply", "topology.yaml", "-b", &servers, "--yes", "--topic", &glob]);
    let run = apply();
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.ends_with("8 done.\n"), "{}", run.stdout);
    let run = apply();
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(run.stdout.ends_with("Nothing to do: 8 topics as the file says.\n"), "{}", run.stdout);
    let described = tool(&["topics", "--describe", "--topic", &format!("{prefix}.*")]);
    let headline = |topic: &str| {
        described
            .lines()
            .find(|line| line.contains(&format!("Topic: {prefix}-{topic}\t")))
            .unwrap()
            .to_owned()
    };
    for (topic, partitions, retention) in [
        ("order-service.order-placed", 12, 604_800_000_i64),
        ("inventory-service.inventory-result", 12, 604_800_000),
        ("notification-service.send-notification", 6, 259_200_000),
        ("order-service.order-placed.DLT", 1, 2_592_000_000),
        ("notification-service.send-notification.DLT", 1, 2_592_000_000),
        ("inventory-service.inventory-result.DLT", 1, 2_592_000_000),
        ("inventory-service.cancel-reservation", 12, 604_800_000),
        ("inventory-service.cancel-reservation.DLT", 1, 2_592_000_000),
    ] {
        let line = headline(topic);
        for part in [
            format!("PartitionCount: {partitions}\t"),
            "ReplicationFactor: 3\t".to_owned(),
            format!("retention.ms={retention}"),
            "min.insync.replicas=2".to_owned(),
        ] {
            assert!(line.contains(&part), "{part} is not in {line}");
        }
    }
}

#[test]
fn every_kind_of_change_is_applied_and_gone_afterwards() {
    let shop = Shop::new("apply-kinds");
    shop.apply();
    shop.edit(&[
        ("partitions: 6", "partitions: 12"),
        ("retention: 7d", "retention: 3d"),
        ("max.message.bytes: 1MiB", "max.message.bytes: null, cleanup.policy: delete"),
    ]);
    let run = shop.run("apply", &["--yes"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    insta::assert_snapshot!("kinds_applied", run.stdout);
    let run = shop.run("plan", &[]);
    assert_eq!(run.code, 0, "{}", run.stdout);
}

#[test]
fn a_blocker_stops_everything_and_topic_works_around_it() {
    let shop = Shop::new("apply-blocked");
    shop.apply();
    shop.edit(&[("partitions: 6", "partitions: 5"), ("partitions: 3", "partitions: 4")]);
    let run = shop.run("apply", &["--yes"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("nothing was changed\n  because: 1 change blocked"), "{}", run.stderr);
    let (servers, glob) = (brokers(), format!("{}-pay.*", shop.prefix));
    let run = shop.folder.run(&["apply", "topology.yaml", "-b", &servers, "--yes", "--topic", &glob]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.ends_with("1 done.\n"), "{}", run.stdout);
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_changed() {
    let shop = Shop::new("apply-ask");
    let run = shop.run("apply", &[]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("nobody can be asked: this is no terminal\n  help: add --yes"),
        "{}",
        run.stderr
    );
    assert_eq!(shop.run("plan", &[]).code, 3);
}

#[test]
fn a_saved_plan_is_executed_once_and_refused_when_stale() {
    let shop = Shop::new("apply-saved");
    let run = shop.run("plan", &["--out", "plan.json"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    let servers = brokers();
    let apply = || shop.shown(shop.folder.run(&["apply", "--plan", "plan.json", "-b", &servers, "--yes"]));
    let run = apply();
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let run = apply();
    assert_eq!(run.code, 1);
    insta::assert_snapshot!("stale_created", run.stderr);
    shop.edit(&[("retention: 7d", "retention: 9d"), ("partitions: 3", "partitions: 4")]);
    assert_eq!(shop.run("plan", &["--out", "plan.json"]).code, 3);
    shop.edit(&[("retention: 7d", "retention: 8d"), ("partitions: 3", "partitions: 5")]);
    shop.apply();
    let run = apply();
    assert_eq!(run.code, 1);
    insta::assert_snapshot!("stale_changed", run.stderr);
}

#[test]
fn a_damaged_or_forged_plan_is_refused() {
    let shop = Shop::new("apply-forged");
    let servers = brokers();
    let key = [("KAFKAFLOW_PLAN_KEY", "one key")];
    let other = [("KAFKAFLOW_PLAN_KEY", "another key")];
    let glob = format!("{}*", shop.prefix);
    let plan = |env: &[(&str, &str)]| {
        let args = ["plan", "topology.yaml", "-b", &servers, "--topic", &glob, "--out", "plan.json"];
        assert_eq!(shop.folder.run_with(&args, env, b"").code, 3);
    };
    let apply = |env: &[(&str, &str)]| {
        let run = shop.folder.run_with(&["apply", "--plan", "plan.json", "-b", &servers, "--yes"], env, b"");
        assert_eq!((run.code, run.stdout.as_str()), (1, ""));
        run.stderr
    };
    let alter = || {
        let path = shop.folder.path().join("plan.json");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("\"partitions\": 3"));
        std::fs::write(&path, text.replace("\"partitions\": 3", "\"partitions\": 33")).unwrap();
    };
    plan(&[]);
    assert!(apply(&key).contains("KAFKAFLOW_PLAN_KEY is set, but the plan is not signed"));
    alter();
    assert!(apply(&[]).contains("it is damaged: its checksum does not match"));
    plan(&key);
    assert!(apply(&[]).contains("the plan is signed, and KAFKAFLOW_PLAN_KEY is not set"));
    assert!(apply(&other).contains("the signature does not match"));
    alter();
    assert!(apply(&key).contains("damaged"));
    shop.folder.write("plan.json", "{}");
    assert!(apply(&[]).contains("it is not a saved plan"));
    assert_eq!(shop.run("plan", &[]).code, 3, "nothing was changed");
}

#[test]
fn a_plan_for_another_cluster_is_refused() {
    let shop = Shop::new("apply-elsewhere");
    assert_eq!(shop.run("plan", &["--out", "plan.json"]).code, 3);
    let path = shop.folder.path().join("plan.json");
    let text = std::fs::read_to_string(&path).unwrap();
    // Written for a cluster with another id, checksum included: as if planned there.
    let plan: serde_json::Value = serde_json::from_str(&text).unwrap();
    let id = plan["plan"]["cluster"].as_str().unwrap();
    let body = text[text.find("\"plan\": ").unwrap() + 8..text.rfind('}').unwrap()].trim_end();
    let moved = body.replace(id, "AAAAAAAAAAAAAAAAAAAAAA");
    let sum = {
        let mut child = std::process::Command::new("sh")
            .args(["-c", "openssl dgst -sha256 -binary | base64"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), moved.as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
    };
    let old_sum = plan["sha256"].as_str().unwrap();
    std::fs::write(&path, text.replace(body, &moved).replace(old_sum, &sum)).unwrap();
    let run = shop.folder.run(&["apply", "--plan", "plan.json", "-b", &brokers(), "--yes"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(run.stderr.contains("it was made for cluster AAAAAAAAAAAAAAAAAAAAAA"), "{}", run.stderr);
}

#[test]
fn a_closed_pipe_ends_the_report_and_not_the_work() {
    let shop = Shop::new("apply-pipe");
    let (servers, glob) = (brokers(), format!("{}*", shop.prefix));
    let mut child =
        shop.folder.start(&["apply", "topology.yaml", "-b", &servers, "--topic", &glob, "--yes"], &[]);
    // Nobody reads, not even the plan.
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(shop.run("plan", &[]).code, 0, "all of it was done");
}

/// A client whose mutations a broker limits.
struct Limited(String);

impl Limited {
    fn new(client: String, rate: &str) -> Self {
        let quota = format!("controller_mutation_rate={rate}");
        tool(&[
            "configs",
            "--alter",
            "--add-config",
            &quota,
            "--entity-type",
            "clients",
            "--entity-name",
            &client,
        ]);
        Self(client)
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        let delete = ["configs", "--alter", "--delete-config", "controller_mutation_rate"];
        tool(&[&delete[..], &["--entity-type", "clients", "--entity-name", &self.0]].concat());
    }
}

#[test]
fn a_throttled_apply_waits_as_it_is_told_or_says_that_it_cannot() {
    let shop = Shop::new("apply-throttled");
    // A window of eleven seconds lets 220 partitions through, the next ones must wait.
    let limited = Limited::new(shop.prefix.clone(), "20");
    let client = format!("client.id={}", limited.0);
    let write = |topics: std::ops::Range<i32>| {
        let topic = |number| {
            let name = format!("{}.t{number}", shop.prefix);
            format!("  - {{ name: {name}, partitions: 40, replication: 1, rationale: many }}\n")
        };
        let topics: String = topics.map(topic).collect();
        shop.folder.write("topology.yaml", format!("version: 1\ntopics:\n{topics}"));
    };
    write(0..6);
    let run = shop.run("apply", &["--yes", "-X", &client]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.ends_with("6 done.\n"), "{}", run.stdout);
    write(6..12);
    let run = shop.run("apply", &["--yes", "-X", &client, "--timeout", "1s"]);
    assert_eq!(run.code, 1, "{}", run.stdout);
    assert!((run.stdout + &run.stderr).contains("THROTTLING_QUOTA_EXCEEDED"), "{}", run.stderr);
}
