//! A service that no topic mentions.

use std::collections::HashSet;

use super::Rule;
use crate::text::quoted;
use crate::topology::draft::{Draft, DraftTopic};
use crate::topology::problem::{Code, Problem, Report};

pub(crate) const RULE: Rule = Rule {
    code: Code(61),
    title: "a service is never used",
    why: "It neither produces nor consumes anything: a leftover, or a topic forgot to name it.",
    wrong: "\
version: 1
services: { shop: {}, stock: {} }
topics:
  - name: shop.order-placed
    partitions: 3
    producers: [shop]
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
    let unreadable = |topic: &DraftTopic| topic.producers.is_broken() || topic.consumers.is_broken();
    if draft.topics.iter().any(unreadable) {
        // Who is named in a list that could not be read is not known.
        return;
    }
    let used: HashSet<&str> = (draft.topics.iter())
        .flat_map(|topic| topic.producers.items().iter().chain(topic.consumers.items()))
        .map(|name| name.value.as_str())
        .collect();
    for service in &draft.services {
        let name = &service.name;
        if !used.contains(name.value.as_str()) {
            report.push(
                Problem::new(
                    &RULE,
                    name.span,
                    format!("the service {} neither produces nor consumes a topic", quoted(&name.value)),
                )
                .help("name it in `producers:` or `consumers:` of a topic, or remove it"),
            );
        }
    }
}
