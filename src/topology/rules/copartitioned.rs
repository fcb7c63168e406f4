//! Topics that are read together need the same partition count.

use super::Rule;
use crate::text::quoted;
use crate::topology::draft::Draft;
use crate::topology::problem::{Code, Problem, Report};

pub(crate) const RULE: Rule = Rule {
    code: Code(25),
    title: "topics that belong together have different partition counts",
    why: "`copartitioned_with` says that records of one key are in the partition of the same number in \
          both topics, so that one instance sees both. With different counts they are not.",
    wrong: "\
version: 1
allow: [KF060, KF062]
topics:
  - { name: order-placed, partitions: 12 }
  - { name: inventory-result, partitions: 6, copartitioned_with: order-placed }
",
    right: "\
version: 1
allow: [KF060, KF062]
topics:
  - { name: order-placed, partitions: 12 }
  - { name: inventory-result, partitions: 12, copartitioned_with: order-placed }
",
    ..Rule::ERROR
};

pub(crate) fn check(draft: &Draft, report: &mut Report) {
    for topic in &draft.topics {
        let Some(stated) = topic.copartitioned_with.get() else {
            continue;
        };
        let Some(other) = draft.topic(&stated.value) else {
            // Another rule says that there is no such topic.
            continue;
        };
        let (Some(ours), Some(theirs)) = (topic.partitions.get(), other.partitions.get()) else {
            continue;
        };
        if ours.value == theirs.value {
            continue;
        }
        report.push(
            Problem::new(
                &RULE,
                ours.span,
                format!(
                    "{} has {} partitions and {} has {}",
                    topic.title(),
                    ours.value,
                    quoted(&stated.value),
                    theirs.value
                ),
            )
            .also(theirs.span, "has to be the same number")
            .also(stated.span, "said here")
            .help(format!("write `partitions: {}` in both", ours.value.max(theirs.value))),
        );
    }
}
