//! Brokers that go away in the middle of an apply.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::process::Child;
use std::time::Duration;

use crate::Returning;
use crate::support::Folder;
use crate::support::brokers::{brokers, dev, eventually, prefix, tool};

/// Many settings each: metadata records for five requests, with as few partitions as can be.
const TOPICS: usize = 900;

const SETTINGS: &str = "cleanup.policy: delete, compression.type: lz4, delete.retention.ms: 1h, file.delete.delay.ms: 1m, \
    flush.messages: 100000, flush.ms: 1h, index.interval.bytes: 8KiB, max.compaction.lag.ms: 7d, max.message.bytes: 1MiB, \
    message.timestamp.type: CreateTime, min.cleanable.dirty.ratio: 0.5, min.compaction.lag.ms: 0, min.insync.replicas: 1, \
    preallocate: false, retention.bytes: 1GiB, retention.ms: 1h, segment.bytes: 64MiB, segment.index.bytes: 1MiB, \
    segment.jitter.ms: 0, segment.ms: 1h, unclean.leader.election.enable: false";

fn topology(prefix: &str) -> String {
    let mut text = format!("version: 1\ndefaults: {{ replication: 1, config: {{ {SETTINGS} }} }}\ntopics:\n");
    for number in 0..TOPICS {
        writeln!(text, "  - {{ name: {prefix}.t{number:04}, partitions: 1, rationale: test }}").unwrap();
    }
    text
}

struct Apply {
    folder: Folder,
    prefix: String,
}

impl Apply {
    fn new(test: &str) -> Self {
        let (folder, prefix) = (Folder::new(), prefix(test));
        folder.write("topology.yaml", topology(&prefix));
        Self { folder, prefix }
    }

    fn start(&self) -> Child {
        self.folder.start(
            &["apply", "topology.yaml", "-b", &brokers(), "--topic", &format!("{}*", self.prefix), "--yes"],
            &[],
        )
    }

    /// Reads the child's report up to its first finished change.
    fn until_first_done(out: &mut impl BufRead) {
        let mut line = String::new();
        while !line.starts_with("done") {
            line.clear();
            assert!(out.read_line(&mut line).unwrap() > 0, "it ended without doing anything");
        }
    }

    /// What the file says must be what every broker shows.
    fn assert_applied(&self) {
        let run = self.folder.run(&[
            "plan",
            "topology.yaml",
            "-b",
            &brokers(),
            "--topic",
            &format!("{}*", self.prefix),
        ]);
        assert_eq!(run.code, 0, "{}{}", &run.stdout[run.stdout.len().saturating_sub(2000)..], run.stderr);
    }

    fn finish(&self, mut child: Child, mut out: impl Read) {
        let mut stdout = String::new();
        out.read_to_string(&mut stdout).unwrap();
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let code = child.wait().unwrap().code().unwrap();
        let tail = &stdout[stdout.len().saturating_sub(500)..];
        let failed: Vec<&str> = stdout.lines().filter(|line| line.starts_with("failed")).take(3).collect();
        assert_eq!(code, 0, "{failed:#?} … {tail}{stderr}");
        assert!(stdout.ends_with(&format!("{TOPICS} done.\n")), "{tail}{stderr}");
        self.assert_applied();
    }
}

/// The id of the node that leads the quorum.
fn controller() -> String {
    let status = tool(&["metadata-quorum", "describe", "--status"]);
    let line = status.lines().find(|line| line.starts_with("LeaderId:")).expect("a leader");
    line.split_whitespace().last().unwrap().to_owned()
}

fn interrupted_by(test: &str, node: &str, how: &[&str]) {
    let apply = Apply::new(test);
    let mut child = apply.start();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    Apply::until_first_done(&mut out);
    let returning = Returning(node);
    dev(&[&["kafka", "stop", node], how].concat());
    apply.finish(child, out);
    drop(returning);
    // The returned broker is told everything that it missed.
    eventually(Duration::from_secs(60), || {
        let run = apply.folder.run(&["snapshot", "-b", &brokers()]);
        let state: serde_json::Value = serde_json::from_str(&run.stdout).ok()?;
        (state["brokers"].as_array()?.len() == 3).then_some(())
    });
    apply.assert_applied();
}

#[test]
fn an_apply_survives_a_broker_that_is_stopped_in_its_middle() {
    let leader = controller();
    let other = ["1", "2", "3"].into_iter().find(|node| *node != leader).unwrap();
    interrupted_by("broker-stopped", other, &[]);
}

#[test]
fn an_apply_survives_the_death_of_the_controller_in_its_middle() {
    interrupted_by("controller-killed", &controller(), &["--kill"]);
}

#[test]
fn ctrl_c_stops_after_the_request_in_hand_and_the_next_run_finishes() {
    let apply = Apply::new("interrupted");
    let mut child = apply.start();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    Apply::until_first_done(&mut out);
    let signalled =
        std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(signalled.success());
    let mut stdout = String::new();
    out.read_to_string(&mut stdout).unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    let code = child.wait().unwrap().code().unwrap();
    assert_eq!(code, 4, "{stderr}");
    assert!(stdout.contains("stopped before it was sent"), "{stderr}");
    assert!(stderr.contains("stopping after the request in hand"), "{stderr}");
    let again = apply.start();
    let output = again.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    apply.assert_applied();
}
