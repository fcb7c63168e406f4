//! A dead-letter topic of a dead-letter topic.

use super::Rule;
use crate::topology::draft::{DeadLetters, Draft, Role};
use crate::topology::problem::{Code, Problem, Report};

pub(crate) const RULE: Rule = Rule {
    code: Code(43),
    title: "a dead-letter topic has a dead-letter topic",
    why: "Whoever reads dead letters looks at them or replays them into the source; a letter that fails \
          again comes back to the same dead-letter topic. A second one would only hide it.",
    wrong: "\
version: 1
allow: [KF060, KF062]
topics:
  - name: orders.DLT
    partitions: 1
    dlt: {}
",
    right: "\
version: 1
allow: [KF060, KF062]
topics:
  - name: orders
    partitions: 3
    dlt: {}
",
    ..Rule::ERROR
};

pub(crate) fn check(draft: &Draft, report: &mut Report) {
    for topic in &draft.topics {
        let Role::Source(DeadLetters::Topic(dead)) = topic.role else {
            continue;
        };
        if topic.shown().ends_with(&draft.dlt_suffix) {
            report.push(
                Problem::new(
                    &RULE,
                    draft.topics[dead].place,
                    format!("{} is a dead-letter topic itself", topic.title()),
                )
                .help("remove `dlt:` here"),
            );
        }
    }
}
