//! A field that nothing reads.

use super::Rule;
use crate::topology::problem::Code;

pub(crate) const RULE: Rule = Rule {
    code: Code(3),
    title: "a field is not known",
    why: "A misspelt field would be ignored, and the topic would quietly get a default instead of what \
          the file says. Settings of Kafka (with dots in their names) belong into `config:`.",
    wrong: "\
version: 1
allow: [KF060, KF062]
topics:
  - name: orders
    partitions: 3
    retentoin: 7d
",
    right: "\
version: 1
allow: [KF060, KF062]
topics:
  - name: orders
    partitions: 3
    retention: 7d
",
    ..Rule::ERROR
};
