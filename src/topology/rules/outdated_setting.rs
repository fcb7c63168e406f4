//! Settings and values that only older versions of Kafka take.

use std::collections::HashSet;

use super::Rule;
use crate::text::{Span, quoted};
use crate::topology::draft::Draft;
use crate::topology::problem::{Code, Problem, Report};
use crate::topology::topic_configs::SEGMENT_MINIMUM;

pub(crate) const RULE: Rule = Rule {
    code: Code(33),
    title: "only Kafka before 4.0 takes this",
    why: "Kafka 4.0 removed some settings and raised the least `segment.bytes` from 14 bytes to 1 MiB. On \
          a cluster of version 3 the file works; on the day of the upgrade it does not.",
    wrong: "\
version: 1
allow: [KF060, KF062]
topics:
  - name: orders
    partitions: 3
    config: { segment.bytes: 64KiB }
",
    right: "\
version: 1
allow: [KF060, KF062]
topics:
  - name: orders
    partitions: 3
    config: { segment.bytes: 1MiB }
",
    ..Rule::WARNING
};

pub(crate) fn check(draft: &Draft, report: &mut Report) {
    let mut seen = HashSet::new();
    for topic in &draft.topics {
        let Some(setting) = topic.config.get("segment.bytes") else {
            continue;
        };
        let small = setting.number().is_some_and(|bytes| bytes < SEGMENT_MINIMUM);
        if small && seen.insert(setting.span) {
            topic.report(
                report,
                Problem::new(&RULE, setting.span, "`segment.bytes` is at least 1MiB from Kafka 4.0 on")
                    .help("write `segment.bytes: 1MiB`, or `segment.ms` to roll small segments by time"),
            );
        }
    }
}

pub(crate) fn removed(name: &str, span: Span, help: &str) -> Problem {
    Problem::new(&RULE, span, format!("Kafka 4.0 removed {}", quoted(name))).help(help)
}
