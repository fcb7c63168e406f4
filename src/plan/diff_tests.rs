use std::collections::BTreeMap;

use super::*;
use crate::plan::{Evidence, Expiring, Risk, grade, questions};
use crate::topology::observed::{Broker, SNAPSHOT_VERSION, Setting};
use crate::topology::{TopicId, shown};

fn name(text: &str) -> TopicName {
    TopicName::parse(text).unwrap()
}

fn topic(text: &str, partitions: i32, configs: &[(&str, Option<&str>)]) -> Topic {
    Topic {
        name: name(text),
        partitions,
        replication: Some(3),
        configs: configs.iter().map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned))).collect(),
        key: Some("orderId".into()),
        events: Vec::new(),
        producers: Vec::new(),
        consumers: Vec::new(),
        rate: None,
        unknown_events: crate::topology::UnknownEvents::default(),
        copartitioned_with: None,
        rationale: None,
        role: TopicRole::Source { dead_letters: None, retry: crate::topology::Retry::default() },
        line: 1,
    }
}

fn desired(topics: Vec<Topic>) -> Topology {
    Topology { topics, ..Topology::default() }
}

/// A cluster with one topic `t`, and the defaults of Kafka.
fn observed(partitions: usize, overrides: &[(&str, &str)]) -> ClusterState {
    let setting = |value: &str, source| Setting { value: Some(value.into()), source };
    let own = overrides.iter().map(|(key, value)| ((*key).to_owned(), Some((*value).to_owned())));
    let found = ObservedTopic {
        id: TopicId::from_bytes([7; 16]),
        internal: false,
        partitions: vec![vec![1, 2, 3]; partitions],
        overrides: own.collect(),
        inherited: BTreeMap::new(),
    };
    ClusterState {
        version: SNAPSHOT_VERSION,
        cluster_id: "c".into(),
        brokers: (1..=3).map(|id| Broker { id, rack: None }).collect(),
        elr_version: 1,
        defaults: BTreeMap::from([
            ("retention.ms".to_owned(), setting("604800000", Source::Default)),
            ("retention.bytes".to_owned(), setting("-1", Source::Default)),
            ("cleanup.policy".to_owned(), setting("delete", Source::Default)),
            ("min.insync.replicas".to_owned(), setting("1", Source::DynamicDefaultBroker)),
            ("unclean.leader.election.enable".to_owned(), setting("false", Source::StaticBroker)),
        ]),
        topics: BTreeMap::from([(name("t"), found)]),
    }
}

/// The plan's changes for topic `t`, as one line each.
fn changes(desired_topic: Topic, observed: &ClusterState) -> Vec<String> {
    let plan = diff(&desired(vec![desired_topic]), observed);
    plan.changes
        .iter()
        .map(|change| {
            let blocked = if change.blocked.is_some() { " BLOCKED" } else { "" };
            let what = match &change.action {
                Action::Create { partitions, .. } => format!("create {partitions}"),
                Action::AddPartitions { from, to } => format!("partitions {from}>{to}"),
                Action::RemovePartitions { from, to } => format!("fewer {from}>{to}"),
                Action::ChangeReplication { from, to } => format!("replicas {from:?}>{to}"),
                Action::SetConfig { key, from, to, .. } => {
                    format!("set {key} {}>{to}", from.as_deref().unwrap_or(""))
                }
                Action::ResetConfig { key, to, .. } => {
                    format!("reset {key} >{}", to.as_deref().unwrap_or(""))
                }
                Action::PinConfig { key, value, .. } => format!("pin {key} {value}"),
            };
            what + blocked
        })
        .collect()
}

#[test]
fn each_difference_becomes_a_change_of_its_own_kind() {
    let state = observed(6, &[("retention.ms", "1000"), ("segment.ms", "5")]);
    for (configs, expected) in [
        (&[][..], &[][..]),
        (&[("retention.ms", Some("1000"))], &[]),
        (&[("retention.ms", Some("01000"))], &[]),
        (&[("retention.ms", Some("2000"))], &["set retention.ms 1000>2000"]),
        (&[("retention.ms", None)], &["reset retention.ms >604800000"]),
        (&[("segment.ms", None)], &["reset segment.ms >"]),
        (&[("retention.bytes", None)], &[]),
        (&[("retention.bytes", Some("-1"))], &["pin retention.bytes -1"]),
        (&[("cleanup.policy", Some("compact"))], &["set cleanup.policy delete>compact"]),
        (&[("vendor.x", Some("1"))], &["set vendor.x >1"]),
    ] {
        assert_eq!(changes(topic("t", 6, configs), &state), expected, "{configs:?}");
    }
    assert_eq!(changes(topic("t", 8, &[]), &state), ["partitions 6>8"]);
    assert_eq!(changes(topic("new", 8, &[]), &state), ["create 8"]);
}

#[test]
fn the_impossible_is_blocked_and_never_silently_fine() {
    let mut state = observed(6, &[]);
    assert_eq!(changes(topic("t", 5, &[]), &state), ["fewer 6>5 BLOCKED"]);
    let two = Topic { replication: Some(2), ..topic("t", 6, &[]) };
    assert_eq!(changes(two.clone(), &state), ["replicas (3, 3)>2 BLOCKED"]);
    assert_eq!(changes(Topic { replication: None, ..two }, &state), Vec::<String>::new());
    state.topics.get_mut("t").unwrap().partitions[4] = vec![1];
    assert_eq!(changes(topic("t", 6, &[]), &state), ["replicas (1, 3)>3 BLOCKED"]);
    assert_eq!(changes(topic("huge", 10_000, &[]), &state), ["create 10000 BLOCKED"]);
    assert_eq!(changes(topic("large", 9_999, &[]), &state), ["create 9999"]);
    assert_eq!(changes(topic("__consumer_offsets", 50, &[]), &state), ["create 50 BLOCKED"]);
    state.topics.get_mut("t").unwrap().internal = true;
    assert!(
        changes(topic("t", 9, &[("retention.ms", Some("1"))]), &state)
            .iter()
            .all(|one| one.ends_with("BLOCKED"))
    );
}

#[test]
fn what_the_file_does_not_mention_is_reported() {
    let mut state = observed(6, &[("segment.ms", "5")]);
    let other = state.topics["t"].clone();
    state.topics.insert(name("legacy"), other.clone());
    state.topics.insert(name("__consumer_offsets"), ObservedTopic { internal: true, ..other });
    let plan = diff(&desired(vec![topic("t", 6, &[])]), &state);
    assert_eq!((plan.changes.len(), plan.unchanged), (0, 1));
    assert_eq!(plan.unmanaged.topics, [name("legacy")]);
    let settings: Vec<_> =
        plan.unmanaged.settings.iter().map(|one| (one.topic.as_str(), one.key.as_str())).collect();
    assert_eq!(settings, [("t", "segment.ms")]);
}

/// The risk of the only change, and its reasons as one text.
fn risk(change: Topic, state: &ClusterState, expiring: Option<Expiring>) -> (Risk, String) {
    let desired = desired(vec![change]);
    let evidence = Evidence { expiring: expiring.into_iter().map(|found| (name("t"), found)).collect() };
    let plan = grade(diff(&desired, state), &desired, state, &evidence);
    let [change] = plan.changes.as_slice() else { panic!("{:?}", plan.changes) };
    (change.risk, change.reasons.join("; "))
}

#[test]
fn more_partitions_of_a_keyed_topic_break_the_order_and_it_says_for_how_long() {
    let caution = |overrides: &[(&str, &str)], keyed: bool| {
        let mut topic = topic("t", 8, &[]);
        topic.key = topic.key.filter(|_| keyed);
        let (risk, reasons) = risk(topic, &observed(6, overrides), None);
        assert_eq!(risk, Risk::Caution);
        reasons
    };
    assert!(caution(&[], true).contains("a replay meets the same until retention (7d) has passed"));
    assert!(
        caution(&[("retention.ms", "-1")], true)
            .contains("a replay from the beginning meets the same for good")
    );
    assert!(caution(&[("cleanup.policy", "compact")], true).contains("in its old partition for good"));
    assert_eq!(
        caution(&[], false),
        "a group with auto.offset.reset=latest may skip records of the new partitions"
    );
}

#[test]
fn a_shorter_retention_asks_the_logs_and_is_as_risky_as_they_answer() {
    let state = observed(6, &[]);
    let shorter = || topic("t", 6, &[("retention.ms", Some("1000"))]);
    let plan = diff(&desired(vec![shorter()]), &state);
    let asked = questions(&plan, &state);
    assert_eq!((asked.len(), asked[0].partitions, asked[0].retention_ms), (1, 6, 1000));
    let judged = |records, silent| risk(shorter(), &state, Some(Expiring { records, silent }));
    assert_eq!(judged(1, 0).1, "up to 1 record is older than that and would be deleted");
    assert_eq!(judged(1, 0).0, Risk::Destructive);
    assert_eq!(judged(0, 0), (Risk::Caution, "no record is older than that at the moment".into()));
    assert!(judged(0, 2).1.contains("2 partitions did not answer and may hold more"));
    assert_eq!(risk(shorter(), &state, None).0, Risk::Caution);
    for longer in ["604800001", "-1"] {
        let longer = topic("t", 6, &[("retention.ms", Some(longer))]);
        assert!(questions(&diff(&desired(vec![longer.clone()]), &state), &state).is_empty());
        assert_eq!(risk(longer, &state, None), (Risk::Safe, String::new()));
    }
}

#[test]
fn settings_are_graded_by_what_they_can_cost() {
    let state = observed(6, &[("max.message.bytes", "2000000"), ("retention.bytes", "1000")]);
    for (key, to, expected) in [
        ("max.message.bytes", "1000000", Risk::Caution),
        ("max.message.bytes", "3000000", Risk::Safe),
        ("retention.bytes", "500", Risk::Caution),
        ("retention.bytes", "-1", Risk::Safe),
        ("cleanup.policy", "compact", Risk::Destructive),
        ("min.insync.replicas", "2", Risk::Caution),
        ("min.insync.replicas", "1", Risk::Caution),
        ("unclean.leader.election.enable", "true", Risk::Caution),
        ("segment.ms", "1000", Risk::Safe),
    ] {
        let (risk, reasons) = risk(topic("t", 6, &[(key, Some(to))]), &state, None);
        assert_eq!(risk, expected, "{key} {to}: {reasons}");
        assert_eq!(reasons.is_empty(), risk == Risk::Safe, "{key}: a risk has a reason");
    }
    let old = ClusterState { elr_version: 0, ..state };
    let pinned = topic("t", 6, &[("min.insync.replicas", Some("1"))]);
    assert_eq!(risk(pinned, &old, None).0, Risk::Safe, "without ELR there is nothing to clear");
    assert_eq!(shown("retention.ms", "604800000"), "7d");
}
