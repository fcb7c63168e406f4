//! A topic that nobody says the purpose of.

use super::Rule;
use crate::topology::draft::Draft;
use crate::topology::problem::{Code, Problem, Report};

pub(crate) const RULE: Rule = Rule {
    code: Code(60),
    title: "a topic has no rationale",
    why: "Partition counts and retention look arbitrary a year later. One sentence says what the topic is \
          for and why its numbers are what they are. `allow: [KF060]` at the top of the file silences it.",
    wrong: "\
version: 1
services: { shop: {} }
topics:
  - name: shop.order-placed
    partitions: 12
    producers: [shop]
",
    right: "\
version: 1
services: { shop: {} }
topics:
  - name: shop.order-placed
    partitions: 12
    producers: [shop]
    rationale: Core business event; 12 partitions carry 500 orders/s with headroom.
",
    ..Rule::WARNING
};

pub(crate) fn check(draft: &Draft, report: &mut Report) {
    // A dead-letter topic is explained by its source.
    for topic in draft.topics.iter().filter(|topic| topic.is_source()) {
        if topic.rationale.is_no() {
            topic.report(
                report,
                Problem::new(&RULE, topic.place, format!("{} has no `rationale`", topic.title()))
                    .help("add `rationale: …`: what it is for, and why these numbers"),
            );
        }
    }
}
