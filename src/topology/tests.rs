//! Whole files: what they come to, and that no text whatever makes the reader fall over.

use std::fmt::Write;

use proptest::prelude::*;

use super::*;
use problem::Code;

const OURS: &str = include_str!("../../topology.yaml");

fn schemas(_: &str) -> SchemaFiles {
    SchemaFiles::from_names([
        "OrderPlaced.v1.json",
        "InventoryReserved.v1.json",
        "InventoryFailed.v1.json",
        "ReservationCancelled.v1.json",
        "ReservationRestored.v1.json",
        "SendNotification.v1.json",
        "CancelReservation.v1.json",
        "RestoreReservation.v1.json",
    ])
}

fn check(text: &str, env: Option<&str>) -> Loaded {
    load(text, env, schemas)
}

/// `KF003 3:5 message`, one a problem.
fn found(text: &str, env: Option<&str>) -> Vec<String> {
    let lines = Lines::of(text);
    let problems = check(text, env).problems;
    let shown = problems.iter().map(|problem| {
        let (line, column) = lines.position(text, problem.span.start);
        format!("{} {line}:{column} {}", problem.code, problem.message)
    });
    shown.collect()
}

fn topology(text: &str, env: Option<&str>) -> Topology {
    let loaded = check(text, env);
    loaded.topology.unwrap_or_else(|| panic!("{:#?}", loaded.problems))
}

/// A file without lints around some fields of one topic.
fn one_topic(fields: &str) -> String {
    format!("version: 1\nallow: [KF060, KF062]\ntopics:\n  - name: orders\n    partitions: 3\n{fields}")
}

#[test]
fn our_own_file_has_eight_topics_and_nothing_to_complain_about() {
    assert_eq!(found(OURS, None), [""; 0]);
    let topology = topology(OURS, None);
    let shown: Vec<String> = (topology.topics.iter())
        .map(|topic| {
            let retention = topic.configs["retention.ms"].clone().unwrap();
            let days = retention.parse::<i64>().unwrap() / 86_400_000;
            format!("{} {} x{} {days}d", topic.name, topic.partitions, topic.replication.unwrap())
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @"
    order-service.order-placed 12 x3 7d
    order-service.order-placed.DLT 1 x3 30d
    inventory-service.inventory-result 12 x3 7d
    inventory-service.inventory-result.DLT 1 x3 30d
    notification-service.send-notification 6 x3 3d
    notification-service.send-notification.DLT 1 x3 30d
    inventory-service.cancel-reservation 12 x3 7d
    inventory-service.cancel-reservation.DLT 1 x3 30d
    ");
}

#[test]
fn a_dead_letter_topic_takes_after_its_source() {
    let topology = topology(OURS, None);
    let dead = &topology.topics[1];
    assert_eq!(dead.role, TopicRole::DeadLettersOf(topology.topics[0].name.clone()));
    let source = TopicRole::Source { dead_letters: Some(dead.name.clone()), retry: Retry::default() };
    assert_eq!(topology.topics[0].role, source);
    assert_eq!(dead.producers, ["inventory-service"], "who consumes the source writes its dead letters");
    assert_eq!(dead.consumers, ["operations"]);
    assert_eq!((dead.key.as_deref(), &dead.events), (Some("orderId"), &topology.topics[0].events));
    assert_eq!(dead.configs["min.insync.replicas"].as_deref(), Some("2"), "defaults hold for it too");
    assert!(dead.line > topology.topics[0].line);
}

#[test]
fn a_bare_dlt_has_one_partition_and_thirty_days_whatever_the_defaults_are() {
    let text = "version: 1\nallow: [KF060, KF062]\ndefaults: { partitions: 9, retention: 7d, replication: 2 }\ntopics: [{ name: orders, dlt: {} }]\n";
    let topology = topology(text, None);
    let dead = &topology.topics[1];
    assert_eq!((dead.partitions, dead.replication), (1, Some(2)));
    assert_eq!(dead.configs["retention.ms"].as_deref(), Some("2592000000"));
    assert_eq!(topology.topics[0].partitions, 9);
    assert_eq!(topology.topics[0].configs["retention.ms"].as_deref(), Some("604800000"));
}

#[test]
fn an_environment_is_laid_over_the_base_field_by_field() {
    let text = "\
version: 1
allow: [KF060, KF062]
defaults: { replication: 3, config: { min.insync.replicas: 2, retention.bytes: 1GiB } }
services: { shop: { group: shop, instances: 4 } }
topics:
  - name: shop.orders
    partitions: 6
    retention: 7d
    producers: [shop]
    dlt: { retention: 60d }
environments:
  dev:
    defaults: { replication: 1, config: { min.insync.replicas: 1 } }
    services: { shop: { instances: 1 } }
    topics:
      shop.orders: { retention: 1d, config: { retention.bytes: null }, dlt: { partitions: 2 } }
";
    let base = topology(text, None);
    assert_eq!((base.topics[0].partitions, base.topics[0].replication), (6, Some(3)));
    let dev = topology(text, Some("dev"));
    let topic = &dev.topics[0];
    assert_eq!((topic.partitions, topic.replication), (6, Some(1)));
    assert_eq!(topic.configs["retention.ms"].as_deref(), Some("86400000"));
    assert_eq!(topic.configs["retention.bytes"], None, "null resets to the cluster's default");
    assert_eq!(topic.configs["min.insync.replicas"].as_deref(), Some("1"));
    assert_eq!(dev.services[0].instances, Some(1));
    assert_eq!(dev.services[0].group.as_deref(), Some("shop"));
    let dead = &dev.topics[1];
    assert_eq!((dead.partitions, dead.configs["retention.ms"].as_deref()), (2, Some("5184000000")));
}

#[test]
fn mistakes_in_an_environment_are_reported_without_selecting_it() {
    let text = one_topic(
        "environments:\n  dev: { defaults: { replication: 0 }, colour: red }\n  prod: { topics: { orders: { retention: 7 } } }\n",
    );
    assert_eq!(
        found(&text, None),
        [
            "KF020 7:35 `replication` cannot be `0`",
            "KF003 7:40 `colour` is not a field of an environment",
            "KF006 8:42 `retention`: `7` has no unit",
        ]
    );
}

#[test]
fn an_environment_changes_only_what_the_base_has() {
    let text =
        one_topic("environments:\n  dev: { topics: { order: { partitions: 1 } }, services: { shop: {} } }\n");
    assert_eq!(found(&text, None), [""; 0]);
    assert_eq!(
        found(&text, Some("dev")),
        ["KF052 7:20 there is no topic `order` in this file", "KF050 7:60 the base has no service `shop`",]
    );
    assert_eq!(found(&text, Some("prod")), ["KF008 7:3 there is no environment `prod`"]);
}

#[test]
fn values_are_taken_from_the_text_as_it_stands() {
    let config = "    config: { min.cleanable.dirty.ratio: 0.50, preallocate: true, max.message.bytes: \"2\", flush.ms: 1m30s, cleanup.policy: [compact, delete], confluent.x: 007 }\n";
    let topology = topology(&one_topic(config), None);
    let configs = &topology.topics[0].configs;
    let shown: Vec<_> =
        configs.iter().map(|(key, value)| format!("{key}={}", value.as_deref().unwrap())).collect();
    assert_eq!(
        shown,
        [
            "cleanup.policy=compact,delete",
            "confluent.x=007",
            "flush.ms=90000",
            "max.message.bytes=2",
            "min.cleanable.dirty.ratio=0.50",
            "preallocate=true"
        ]
    );
}

#[test]
fn a_topic_silences_what_may_be_silenced_for_itself_only() {
    let text = "version: 1\nallow: [KF062]\ntopics:\n  - { name: a, partitions: 1, allow: [kf060, KF030], config: { retentions.ms: 1 } }\n  - { name: b, partitions: 1 }\n";
    assert_eq!(found(text, None), ["KF060 5:13 `b` has no `rationale`"]);
}

#[test]
fn aliases_and_merge_keys_work_and_an_alias_is_shown_where_it_stands() {
    let text = "\
version: 1
allow: [KF060, KF062]
topics:
  - &base { name: a, partitions: &count 3, config: &config { retention.ms: 1d } }
  - { <<: *base, name: b }
  - { name: c, partitions: *count, config: { <<: *config, flush.ms: 1s } }
  - { name: d, partitions: *nothing }
  - *base
";
    assert_eq!(
        found(text, None),
        ["KF001 7:28 `*nothing` is not defined before this line", "KF011 8:5 `a` is there twice",]
    );
    let text: String = text.lines().take(6).fold(String::new(), |text, line| text + line + "\n");
    let topology = topology(&text, None);
    assert_eq!(topology.topics[1].name.as_str(), "b");
    assert_eq!(topology.topics[1].partitions, 3);
    assert_eq!(topology.topics[2].configs.len(), 2);
}

#[test]
fn what_is_no_topology_is_refused_at_its_place() {
    for (text, expected) in [
        ("", "KF005 1:1 the file is empty"),
        ("# only a remark\n", "KF005 1:1 the file is empty"),
        ("---\n...\n", "KF005 1:1 the file is empty"),
        ("- a\n", "KF004 1:1 a topology file is a mapping, and this is a list"),
        ("hello\n", "KF004 1:1 a topology file is a mapping, and this is `hello`"),
        ("version: 1\ntopics: []\n---\nversion: 1\n", "KF001 3:1 a second document begins here"),
        ("version: 1\ntopics:\n\t- name: a\n", "KF001 3:1 YAML does not allow tabs as indentation"),
        ("version: 1\n\ttopics: []\n", "KF001 2:1 YAML does not allow tabs as indentation"),
        ("version: 1\ntopics: [\n", "KF001"),
        ("version: 1\nname: \"abc\n", "KF001"),
        (
            "version: 1\ntopics: []\nname: a\0b\n",
            "KF001 3:8 the control character U+0000 is not allowed in YAML",
        ),
        ("version: 1\ntopics: []\n? [a, b]\n: 1\n", "KF001 3:3 a key has to be a word, not a list"),
        ("version: 1\ntopics: []\nname: !secret x\n", "KF001 3:15 the tag `!secret` means nothing here"),
        ("version: 1\ntopics: &a [*a]\n", "KF001 2:13 this alias stands inside its own value"),
        ("version: 1\ntopics: []\n<<: 5\n", "KF001 3:5 `<<` merges mappings, and this is `5`"),
    ] {
        let found = found(text, None);
        assert!(found.first().is_some_and(|first| first.starts_with(expected)), "{text:?}: {found:#?}");
        assert_eq!(found.len(), 1, "{text:?}: {found:#?}");
    }
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_fine() {
    let text = one_topic("    retention: 7d\n").replace('\n', "\r\n");
    assert_eq!(found(&text, None), [""; 0]);
    let marked = format!("\u{feff}{text}");
    assert_eq!(found(&marked, None), [""; 0]);
    assert_eq!(topology(&marked, None).topics[0].line, 4);
}

#[test]
fn alias_bombs_are_refused_before_they_expand() {
    let mut lists = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    let mut maps = String::from("m0: &m0 {k: vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv}\n");
    for level in 1..40 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(",");
        writeln!(lists, "a{level}: &a{level} [{aliases}]").unwrap();
        writeln!(maps, "m{level}: &m{level} {{a: *m{0}, b: *m{0}, c: *m{0}, d: *m{0}}}", level - 1).unwrap();
    }
    for bomb in [lists, maps] {
        let found = found(&bomb, None);
        assert!(
            found.iter().any(|line| line.contains("repeat too much") || line.contains("nests too deeply")),
            "{found:#?}"
        );
    }
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), "*a, ".repeat(1000));
    assert!(found(&long, None).iter().any(|line| line.contains("repeat too much")));
}

#[test]
fn deep_nesting_is_refused_and_never_overflows_the_stack() {
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")] {
        let text = format!("{}x{}", open.repeat(200_000), close.repeat(200_000));
        let found = found(&text, None);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("KF001"), "{found:?}");
    }
    let mut ladder = String::from("l0: &l0 [[[[[[[[[[x]]]]]]]]]]\n");
    for level in 1..1000 {
        writeln!(ladder, "l{level}: &l{level} [[[[[[[[[[*l{}]]]]]]]]]]", level - 1).unwrap();
    }
    assert!(found(&ladder, None).iter().any(|line| line.contains("nests too deeply")));
}

#[test]
fn a_file_of_countless_mistakes_keeps_the_first_ten_thousand_and_counts_all() {
    let mut text = String::from("version: 1\ntopics:\n");
    for index in 0..12_000 {
        writeln!(
            text,
            "  - {{ name: topic-{index}, partitons: 3, partitions: 1, consumers: [nobody{index}] }}"
        )
        .unwrap();
    }
    let loaded = check(&text, None);
    assert_eq!(loaded.problems.len(), 10_000);
    // Unknown field, unknown service, no dead letters; no rationale.
    assert_eq!((loaded.errors, loaded.warnings), (36_000, 12_000));
}

#[test]
fn problems_come_in_the_order_of_their_places() {
    let loaded = check(&one_topic("    retention: 7\n    colour: red\n    partitions: 4\n"), None);
    assert!(loaded.problems.is_sorted_by_key(|problem| problem.span));
    let codes: Vec<Code> = loaded.problems.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [Code(6), Code(3), Code(2)]);
}

/// Every span can be cut out of the text; rendering relies on it.
fn judge(text: &str, env: Option<&str>) {
    let loaded = check(text, env);
    assert_eq!(loaded.topology.is_some(), loaded.errors == 0);
    for problem in &loaded.problems {
        let spans = problem.also.iter().map(|(span, _)| *span).chain([problem.span]);
        for span in spans {
            assert!(text.get(span.start..span.end).is_some(), "{problem:?}");
        }
        let words = [Some(&problem.message), Some(&problem.label), problem.help.as_ref()];
        for word in words.into_iter().flatten() {
            assert!(!word.contains('\u{1b}'), "{word:?}");
        }
        assert!(!problem.message.contains('\n'));
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}") {
        judge(&text, None);
    }

    #[test]
    fn nothing_made_of_yamls_own_signs_makes_it_panic(
        text in "(version: 1\n|topics:\n|  - |name: |[a-z]{1,3}|: |\n| |\t|\\[|\\]|\\{|\\}|,|&a |\\*a|<<: |\"|'|\\||>|#|!x |\\?|---\n|null|~|0|7d|\r|\u{0}|\u{1b}|é|\u{feff}){0,60}",
    ) {
        judge(&text, Some("dev"));
    }

    #[test]
    fn no_mutation_of_our_own_file_makes_it_panic(
        edits in proptest::collection::vec((0..OURS.len(), 0..12_usize, "[ -~\n\t\u{1b}é]{0,6}"), 1..8),
    ) {
        let mut text = OURS.to_owned();
        for (at, length, insert) in edits {
            let mut from = at.min(text.len());
            while !text.is_char_boundary(from) { from -= 1; }
            let mut to = (from + length).min(text.len());
            while !text.is_char_boundary(to) { to += 1; }
            text.replace_range(from..to, &insert);
        }
        judge(&text, None);
        judge(&text, Some("dev"));
    }
}

#[test]
fn how_often_a_record_is_tried_and_what_becomes_of_unknown_events_is_read_and_overlaid() {
    let text = "version: 1\nallow: [KF060, KF062]\ntopics:\n\
        - { name: orders, partitions: 1, unknown_events: skip, dlt: { retry: { attempts: 3, backoff: 200ms, max_backoff: 1m } } }\n\
        - { name: usual, partitions: 1, dlt: {} }\n\
        environments: { dev: { topics: { orders: { unknown_events: dead-letter, dlt: { retry: { attempts: 1 } } } } } }\n";
    let read = |env| load(text, env, schemas).topology.expect("a topology");
    let of = |topology: &Topology, at: usize| match &topology.topics[at].role {
        TopicRole::Source { retry, .. } => (*retry, topology.topics[at].unknown_events),
        TopicRole::DeadLettersOf(_) => panic!("a source"),
    };
    let millis = crate::unit::Duration::from_millis;
    let stated = Retry { attempts: 3, backoff: millis(200), max_backoff: Some(millis(60_000)) };
    assert_eq!(of(&read(None), 0), (stated, UnknownEvents::Skip));
    assert_eq!(of(&read(None), 2), (Retry::default(), UnknownEvents::DeadLetter));
    assert_eq!(of(&read(Some("dev")), 0), (Retry { attempts: 1, ..stated }, UnknownEvents::DeadLetter));
    for (wrong, expected) in [
        ("unknown_events: drop", "has to be `skip` or `dead-letter`"),
        ("dlt: { retry: { attempts: 0 } }", "`attempts` cannot be `0`"),
        ("dlt: { retry: { backof: 1s } }", "`backof` is not a field of `retry`"),
        ("dlt: { retry: 3 }", "`retry` has to be a mapping"),
    ] {
        let text = format!("version: 1\ntopics: [{{ name: orders, partitions: 1, {wrong} }}]\n");
        let problems = load(&text, None, schemas).problems;
        assert!(problems.iter().any(|problem| problem.message.contains(expected)), "{wrong}: {problems:?}");
    }
}
