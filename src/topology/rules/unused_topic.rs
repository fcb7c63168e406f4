//! A topic that nobody writes or reads.

use super::Rule;
use crate::topology::draft::Draft;
use crate::topology::problem::{Code, Problem, Report};

pub(crate) const RULE: Rule = Rule {
    code: Code(62),
    title: "a topic has neither producers nor consumers",
    why: "Who writes it and who reads it is what a topology is for: dead letters, partition counts and \
          access follow from it. `allow: [KF062]` at the top of the file silences it.",
    wrong: "\
version: 1
topics:
  - name: orders
    partitions: 3
    rationale: Orders as they are placed.
",
    right: "\
version: 1
services: { shop: {} }
topics:
  - name: shop.order-placed
    partitions: 3
    producers: [shop]
    rationale: Orders as they are placed.
",
    ..Rule::WARNING
};

pub(crate) fn check(draft: &Draft, report: &mut Report) {
    for topic in draft.topics.iter().filter(|topic| topic.is_source()) {
        let is_dead_letters = topic.shown().ends_with(&draft.dlt_suffix);
        let nobody =
            |names: &crate::topology::file::Names| names.is_no() || names.value().is_some_and(Vec::is_empty);
        if nobody(&topic.producers) && nobody(&topic.consumers) && !is_dead_letters {
            topic.report(
                report,
                Problem::new(
                    &RULE,
                    topic.place,
                    format!("{} has neither producers nor consumers", topic.title()),
                )
                .help("add `producers: [my-service]` or `consumers: [my-service]`"),
            );
        }
    }
}
