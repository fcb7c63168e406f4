use std::collections::BTreeMap;

use super::super::markdown;
use super::*;
use crate::plan::PlanDocument;
use crate::topology::TopicName;

fn name(text: &str) -> TopicName {
    TopicName::parse(text).unwrap()
}

fn text(value: &str) -> String {
    value.to_owned()
}

/// One of everything that a plan can hold.
fn everything() -> Plan {
    let orders = name("order-service.order-placed");
    let long = name(&format!("warehouse.{}", "stock-level-".repeat(9)));
    let create = |topic: &TopicName, dead_letters_of| {
        let configs = BTreeMap::from([
            (text("retention.ms"), text("2592000000")),
            (text("segment.bytes"), text("536870912")),
            (text("cleanup.policy"), text("compact,delete")),
        ]);
        Change::new(topic, Action::Create { partitions: 1, replication: Some(3), configs, dead_letters_of })
    };
    let set = |key: &str, from: Option<&str>, source, to: &str| {
        let action = Action::SetConfig { key: text(key), from: from.map(text), source, to: text(to) };
        Change::new(&orders, action)
    };
    let risky = |change: Change, risk, reasons: &[&str]| Change {
        risk,
        reasons: reasons.iter().map(|reason| text(reason)).collect(),
        ..change
    };
    let verified = |change: Change, verification| Change { verification, ..change };
    let reset = Action::ResetConfig {
        key: text("segment.ms"),
        from: Some(text("3600000")),
        to: Some(text("604800000")),
    };
    let blind_reset = Action::ResetConfig { key: text("vendor.secret"), from: None, to: None };
    let pin = Action::PinConfig {
        key: text("compression.type"),
        value: text("producer"),
        source: Source::StaticBroker,
    };
    let changes = vec![
        create(&name("order-service.order-placed.DLT"), Some(orders.clone())),
        create(&long, None),
        verified(create(&name("a"), None), Verification::Unverified(text("CREATE on a"))),
        verified(
            create(&name("b"), None),
            Verification::Refused(text("POLICY_VIOLATION: Topic names must begin with a team's name.")),
        ),
        risky(
            Change::new(&orders, Action::AddPartitions { from: 6, to: 12 }),
            Risk::Caution,
            &["a group with auto.offset.reset=latest may skip records of the new partitions"],
        ),
        risky(
            set("retention.ms", Some("604800000"), Source::Topic, "86400000"),
            Risk::Destructive,
            &["up to 1,204,311 records are older than that and would be deleted"],
        ),
        set("retention.bytes", Some("-1"), Source::Default, "1073741824"),
        set("min.insync.replicas", Some("1"), Source::DynamicDefaultBroker, "2"),
        verified(
            set("vendor.flag", None, Source::Unknown, "on"),
            Verification::Refused(text("INVALID_CONFIG: Unknown topic config name: vendor.flag")),
        ),
        Change::new(&orders, reset),
        Change::new(&orders, blind_reset),
        Change::new(&orders, pin),
        Change::new(&name("c"), Action::ChangeReplication { from: (2, 3), to: 3 })
            .blocked("this version of kafkaflow does not move replicas yet", "kafka-reassign-partitions.sh"),
        Change::new(&name("c"), Action::RemovePartitions { from: 12, to: 6 })
            .blocked("Kafka cannot remove partitions from a topic", "keep `partitions: 12`"),
    ];
    let unmanaged = Unmanaged {
        topics: (0..13).map(|number| name(&format!("legacy.{number}"))).collect(),
        settings: vec![crate::plan::UnmanagedSetting {
            topic: orders,
            key: text("flush.ms"),
            value: Some(text("1000")),
        }],
    };
    Plan { cluster_id: text("4L6g3nShT-eMCtK--X86sw"), changes, unmanaged, unchanged: 5 }
}

fn heading() -> Heading<'static> {
    Heading { file: "topology.yaml", env: Some("prod"), brokers: 3, snapshot: None }
}

#[test]
fn a_plan_of_everything_is_readable_at_eighty_columns() {
    insta::assert_snapshot!(render(&everything(), &heading(), Screen { width: 80, colour: false }));
}

#[test]
fn a_plan_of_everything_is_readable_at_a_hundred_and_twenty_columns() {
    insta::assert_snapshot!(render(&everything(), &heading(), Screen { width: 120, colour: false }));
}

#[test]
fn colour_adds_nothing_but_colour() {
    let plain = render(&everything(), &heading(), Screen { width: 80, colour: false });
    let coloured = render(&everything(), &heading(), Screen { width: 80, colour: true });
    assert!(coloured.contains("\u{1b}[32m+\u{1b}[0m"));
    let mut stripped = String::new();
    let mut rest = coloured.as_str();
    while let Some(at) = rest.find('\u{1b}') {
        stripped.push_str(&rest[..at]);
        rest = &rest[at + rest[at..].find('m').unwrap() + 1..];
    }
    assert_eq!(stripped + rest, plain);
}

#[test]
fn no_line_but_one_with_an_unbreakable_name_is_too_long() {
    let plan = render(&everything(), &heading(), Screen { width: 80, colour: false });
    for line in plan.lines().filter(|line| line.chars().count() > 80) {
        assert!(line.contains("stock-level-stock-level-"), "{line}");
    }
}

#[test]
fn a_plan_of_everything_as_markdown() {
    insta::assert_snapshot!(markdown::render(&everything(), &heading()));
}

#[test]
fn a_long_plan_is_folded_and_cut_in_markdown() {
    let changes = (0..400)
        .map(|number| {
            let action = Action::Create {
                partitions: 1,
                replication: None,
                configs: BTreeMap::new(),
                dead_letters_of: None,
            };
            Change::new(&name(&format!("t.{number}")), action)
        })
        .collect();
    let plan = Plan { changes, unmanaged: Unmanaged::default(), ..everything() };
    let shown = markdown::render(&plan, &heading());
    assert!(shown.contains("<details><summary>400 changes</summary>"));
    assert!(shown.contains("… and 100 more; `--format json` has all."));
    assert!(shown.len() < 65_536, "a forge would refuse it");
}

#[test]
fn what_a_broker_says_cannot_break_the_markdown() {
    let mut plan = everything();
    plan.changes.truncate(1);
    plan.changes[0].verification =
        Verification::Refused(text("<script>alert(1)</script> | a\nb `c` *d* [e](f)"));
    let shown = markdown::render(&plan, &heading());
    assert!(!shown.contains("<script>") && !shown.contains("[e](f)"), "{shown}");
    assert!(shown.contains("\\| a b \\`c\\` \\*d\\* \\[e\\](f)"), "{shown}");
}

#[test]
fn a_plan_of_everything_as_json() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&PlanDocument::of(&everything())).unwrap());
}

#[test]
fn a_plan_with_nothing_to_do_says_so() {
    let plan = Plan { changes: Vec::new(), unmanaged: Unmanaged::default(), unchanged: 1, ..everything() };
    assert_eq!(
        render(&plan, &heading(), Screen { width: 80, colour: false }),
        "topology.yaml (env prod) against cluster 4L6g3nShT-eMCtK--X86sw (3 brokers)\n\n\
         Nothing to do: 1 topic as the file says.\n"
    );
}
