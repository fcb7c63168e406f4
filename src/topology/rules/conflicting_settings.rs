//! Settings that exclude each other.

use std::collections::HashSet;

use super::Rule;
use crate::topology::draft::Draft;
use crate::topology::problem::{Code, Problem, Report};

pub(crate) const RULE: Rule = Rule {
    code: Code(32),
    title: "two settings exclude each other",
    why: "Records cannot be kept from compaction for longer than the time after which they must be \
          compacted; the broker refuses such a topic.",
    wrong: "\
version: 1
allow: [KF060, KF062]
topics:
  - name: orders
    partitions: 3
    config: { min.compaction.lag.ms: 2d, max.compaction.lag.ms: 1d }
",
    right: "\
version: 1
allow: [KF060, KF062]
topics:
  - name: orders
    partitions: 3
    config: { min.compaction.lag.ms: 1d, max.compaction.lag.ms: 2d }
",
    ..Rule::ERROR
};

pub(crate) fn check(draft: &Draft, report: &mut Report) {
    let mut seen = HashSet::new();
    for topic in &draft.topics {
        let setting = |name: &str| topic.config.get(name);
        let (Some(least), Some(most)) = (setting("min.compaction.lag.ms"), setting("max.compaction.lag.ms"))
        else {
            continue;
        };
        let (Some(least_ms), Some(most_ms)) = (least.number(), most.number()) else {
            continue;
        };
        if least_ms <= most_ms || !seen.insert((least.span, most.span)) {
            continue;
        }
        report.push(
            Problem::new(&RULE, least.span, "`min.compaction.lag.ms` is above `max.compaction.lag.ms`")
                .label("the least")
                .also(most.span, "the most")
                .help("swap them, or remove one"),
        );
    }
}
