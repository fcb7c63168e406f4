//! A consumed topic that says nothing about its failures.

use super::Rule;
use crate::text::listed;
use crate::topology::draft::{DeadLetters, Draft, Role};
use crate::topology::problem::{Code, Problem, Report};

pub(crate) const RULE: Rule = Rule {
    code: Code(40),
    title: "a consumed topic does not say where its failures go",
    why: "A record that its consumer cannot process blocks the partition behind it, or is lost. With \
          `dlt: {}` it goes to a dead-letter topic (1 partition, 30 days) from which it can be replayed. \
          `dlt: none` with a `reason:` says that this is not wanted.",
    wrong: "\
version: 1
services: { shop: {}, stock: {} }
topics:
  - name: shop.order-placed
    partitions: 3
    producers: [shop]
    consumers: [stock]
    rationale: Orders as they are placed.
",
    right: "\
version: 1
services: { shop: {}, stock: {} }
topics:
  - name: shop.order-placed
    partitions: 3
    producers: [shop]
    consumers: [stock]
    dlt: {}
    rationale: Orders as they are placed.
",
    ..Rule::ERROR
};

pub(crate) fn check(draft: &Draft, report: &mut Report) {
    for topic in &draft.topics {
        let is_dead_letters = topic.shown().ends_with(&draft.dlt_suffix);
        let consumers = topic.consumers.items();
        if topic.role != Role::Source(DeadLetters::NotSaid) || is_dead_letters || consumers.is_empty() {
            continue;
        }
        let who = listed(consumers.iter().map(|name| name.value.as_str()), 3);
        report.push(
            Problem::new(&RULE, topic.place, format!("{} is consumed and has no `dlt`", topic.title()))
                .label(format!("where do the failures of {who} go?"))
                .help("add `dlt: {}`, or `dlt: none` and a `reason:`"),
        );
    }
}
