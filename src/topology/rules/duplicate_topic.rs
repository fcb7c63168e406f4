//! Two topics of one name.

use std::collections::HashMap;

use super::Rule;
use crate::text::{Span, quoted};
use crate::topology::draft::Draft;
use crate::topology::problem::{Code, Problem, Report};

pub(crate) const RULE: Rule = Rule {
    code: Code(11),
    title: "a topic is there twice",
    why: "A cluster has one topic of a name, so only one of the two could be kept. Dead-letter topics \
          count: `dlt: {…}` on `orders` is the topic `orders.DLT`.",
    wrong: "\
version: 1
allow: [KF060, KF062]
topics:
  - { name: orders, partitions: 3 }
  - { name: orders, partitions: 6 }
",
    right: "\
version: 1
allow: [KF060, KF062]
topics:
  - { name: orders, partitions: 6 }
",
    ..Rule::ERROR
};

pub(crate) fn check(draft: &Draft, report: &mut Report) {
    let mut seen: HashMap<&str, (Span, bool)> = HashMap::new();
    for topic in &draft.topics {
        let Some(name) = &topic.name else {
            continue;
        };
        let Some(&(first, first_is_source)) = seen.get(name.as_str()) else {
            seen.insert(name.as_str(), (topic.place, topic.is_source()));
            continue;
        };
        let help = if topic.is_source() == first_is_source {
            "remove one of them"
        } else {
            "keep `dlt: {…}` and remove the topic that is written out"
        };
        report.push(
            Problem::new(&RULE, topic.place, format!("{} is there twice", quoted(name.as_str())))
                .label(if topic.is_source() { "again" } else { "makes it again" })
                .also(first, if first_is_source { "first" } else { "first, as a dead-letter topic" })
                .help(help),
        );
    }
}
