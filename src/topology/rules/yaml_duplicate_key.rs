//! A key that one mapping has twice.

use super::Rule;
use crate::topology::problem::Code;

pub(crate) const RULE: Rule = Rule {
    code: Code(2),
    title: "a key is given twice",
    why: "Most readers of YAML keep the last one and drop the first without a word, so the file means \
          something else than it says.",
    wrong: "\
version: 1
allow: [KF060, KF062]
topics:
  - name: orders
    partitions: 3
    partitions: 6
",
    right: "\
version: 1
allow: [KF060, KF062]
topics:
  - name: orders
    partitions: 6
",
    ..Rule::ERROR
};
