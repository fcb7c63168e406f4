//! Names that differ only in `.` and `_`.

use std::collections::HashMap;

use super::Rule;
use crate::text::quoted;
use crate::topology::draft::{Draft, DraftTopic};
use crate::topology::problem::{Code, Problem, Report};

pub(crate) const RULE: Rule = Rule {
    code: Code(12),
    title: "two names differ only in `.` and `_`",
    why: "Kafka's metrics write `.` as `_`, so `order.placed` and `order_placed` would be one and the same \
          there. The broker refuses to create the second one (`InvalidTopicException`: collides with \
          existing topics). Use dots or underscores in a cluster, not both.",
    wrong: "\
version: 1
allow: [KF060, KF062]
topics:
  - { name: order.placed, partitions: 3 }
  - { name: order_placed, partitions: 3 }
",
    right: "\
version: 1
allow: [KF060, KF062]
topics:
  - { name: order.placed, partitions: 3 }
  - { name: order.paid, partitions: 3 }
",
    ..Rule::ERROR
};

pub(crate) fn check(draft: &Draft, report: &mut Report) {
    let mut seen: HashMap<String, &DraftTopic> = HashMap::new();
    for topic in &draft.topics {
        let Some(name) = &topic.name else {
            continue;
        };
        let first = *seen.entry(name.collision_key()).or_insert(topic);
        let Some(other) = first.name.as_ref().filter(|other| *other != name) else {
            continue;
        };
        report.push(
            Problem::new(
                &RULE,
                topic.place,
                format!("{} collides with {}", quoted(name.as_str()), quoted(other.as_str())),
            )
            .label("differs only in `.` and `_`")
            .also(first.place, "from this one")
            .help("rename one of them; the broker would refuse the second"),
        );
    }
}
