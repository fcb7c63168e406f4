//! A field without which the file says too little.

use super::Rule;
use crate::topology::draft::Draft;
use crate::topology::problem::{Code, Problem, Report};

pub(crate) const RULE: Rule = Rule {
    code: Code(5),
    title: "a field is missing",
    why: "A topology begins with its format's version, a topic needs a name and a partition count. The \
          count is never guessed: partitions can be added later but never taken away, and adding them \
          moves keys to other partitions. `defaults: { partitions: … }` gives it to every topic.",
    wrong: "\
version: 1
allow: [KF060, KF062]
topics:
  - name: orders
",
    right: "\
version: 1
allow: [KF060, KF062]
topics:
  - name: orders
    partitions: 3
",
    ..Rule::ERROR
};

pub(crate) fn check(draft: &Draft, report: &mut Report) {
    for topic in draft.topics.iter().filter(|topic| topic.partitions.is_no()) {
        report.push(
            Problem::new(&RULE, topic.place, format!("{} has no `partitions`", topic.title()))
                .help("add `partitions: 3` here, or `partitions` under `defaults:` for every topic"),
        );
    }
}
