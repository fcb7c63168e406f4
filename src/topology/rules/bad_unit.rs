//! A duration, size or rate that cannot be read.

use super::Rule;
use crate::topology::problem::Code;

pub(crate) const RULE: Rule = Rule {
    code: Code(6),
    title: "a duration or rate cannot be read",
    why: "Durations are written with their unit, largest first (`7d`, `1h30m`, `20ms`), rates as records \
          per unit of time (`500/s`, `30/m`). A bare number would have to be guessed, and months have no \
          fixed length.",
    wrong: "\
version: 1
allow: [KF060, KF062]
topics:
  - name: orders
    partitions: 3
    retention: 7
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
