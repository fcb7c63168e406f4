//! `dlt: none` without a reason.

use super::Rule;
use crate::topology::draft::{DeadLetters, Draft, Role};
use crate::topology::problem::{Code, Problem, Report};

pub(crate) const RULE: Rule = Rule {
    code: Code(42),
    title: "`dlt: none` has no reason",
    why: "Failed records of this topic are dropped or block it. That can be right (a cache that is filled \
          anew, a metric), and whoever reads the file next year needs to know why.",
    wrong: "\
version: 1
services: { shop: {}, stock: {} }
topics:
  - name: shop.price-changed
    partitions: 3
    producers: [shop]
    consumers: [stock]
    dlt: none
    rationale: The current price of each product.
",
    right: "\
version: 1
services: { shop: {}, stock: {} }
topics:
  - name: shop.price-changed
    partitions: 3
    producers: [shop]
    consumers: [stock]
    dlt: none
    reason: The next change of the price replaces a lost one.
    rationale: The current price of each product.
",
    ..Rule::ERROR
};

pub(crate) fn check(draft: &Draft, report: &mut Report) {
    for topic in &draft.topics {
        let Role::Source(DeadLetters::None(span)) = topic.role else {
            continue;
        };
        if topic.reason.is_no() {
            report.push(
                Problem::new(
                    &RULE,
                    span,
                    format!("{} has no dead-letter topic and says no reason", topic.title()),
                )
                .help("add `reason: …`: why its failed records may be lost"),
            );
        }
    }
}
