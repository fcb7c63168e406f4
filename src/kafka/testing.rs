//! The real brokers that `./dev test` started, for tests beside the code.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::admin::Admin;
use super::data::{Read, Reader};
use crate::cluster::port::{Mode, NewTopic, RefusalKind, Scope, Topics};
use crate::connection::{ConnectionConfig, Given};
use crate::messaging::{Outgoing, Record};
use crate::topology::TopicName;

/// How long anything may take that real brokers do.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) fn connection(variable: &str) -> ConnectionConfig {
    let brokers = std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run this by ./dev test, which starts the brokers")
    });
    let given = Given { key: "bootstrap.servers".into(), value: brokers, origin: variable.into() };
    ConnectionConfig::build(&[given]).unwrap()
}

pub(crate) fn brokers() -> ConnectionConfig {
    connection("KAFKAFLOW_TEST_BROKERS")
}

pub(crate) async fn admin(variable: &str) -> Admin {
    Admin::connect(connection(variable)).await.unwrap()
}

/// Names that no earlier run on the same brokers used.
pub(crate) fn prefix(test: &str) -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    format!("t-{test}-{:x}.", since.as_micros())
}

/// Makes a topic with three replicas and waits until every broker's metadata may show it.
pub(crate) async fn topic(name: &str, partitions: i32, configs: &[(&str, &str)]) {
    let admin = admin("KAFKAFLOW_TEST_BROKERS").await;
    let name = TopicName::parse(name).unwrap();
    let new = NewTopic {
        name: name.clone(),
        partitions,
        replication: Some(3),
        configs: configs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
    };
    // When the controller changes meanwhile, the broker asks the next one, and what the first made stands already.
    let answer = admin.create(&[new], Mode::Execute).await.unwrap().remove(0);
    let stands = answer.as_ref().is_err_and(|refusal| refusal.kind == RefusalKind::AlreadyExists);
    assert!(answer.is_ok() || stands, "{answer:?}");
    let deadline = Instant::now() + DEADLINE;
    while admin.list(Scope::Only(std::slice::from_ref(&name))).await.unwrap().topics.is_empty() {
        assert!(Instant::now() < deadline, "the cluster never showed {}", name.as_str());
    }
}

/// A record that is to be published.
pub(crate) fn outgoing(topic: &str, key: &str, value: &str) -> Outgoing {
    Outgoing {
        topic: topic.to_owned(),
        partition: None,
        key: Some(key.as_bytes().to_vec()),
        value: Some(value.as_bytes().to_vec()),
        headers: Vec::new(),
        timestamp: None,
    }
}

/// Has Java's own producer write these lines. Blocks.
pub(crate) fn java_produces(topic: &str, options: [&str; 2], lines: &str) {
    let mut java = Command::new("./dev")
        .args(["kafka", "tool", "console-producer", "--topic", topic])
        .args(options)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    java.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    assert!(java.wait().unwrap().success());
}

/// Reads `count` records of a topic, in the order of each partition. Blocks.
pub(crate) fn read(topic: &str, partitions: i32, count: usize) -> BTreeMap<i32, Vec<Record>> {
    let mut reader = Reader::open(&brokers(), Duration::from_millis(20)).unwrap();
    let starts: Vec<(i32, i64)> = (0..partitions).map(|partition| (partition, 0)).collect();
    reader.turn_to(topic, &starts).unwrap();
    let mut found: BTreeMap<i32, Vec<Record>> = BTreeMap::new();
    let deadline = Instant::now() + DEADLINE;
    let mut seen = 0;
    while seen < count {
        assert!(Instant::now() < deadline, "{seen} of {count} records of {topic}");
        if let Read::Record(record) = reader.next(Duration::from_millis(100)).unwrap() {
            found.entry(record.partition()).or_default().push(record);
            seen += 1;
        }
    }
    found
}
