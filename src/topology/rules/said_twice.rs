//! `retention:` and `retention.ms` side by side.

use super::Rule;
use crate::text::{Span, quoted};
use crate::topology::file::Setting;
use crate::topology::problem::{Code, Problem};

pub(crate) const RULE: Rule = Rule {
    code: Code(7),
    title: "`retention` is said twice",
    why: "`retention: 7d` is Kafka's setting `retention.ms`. With both, one of them is not what happens.",
    wrong: "\
version: 1
allow: [KF060, KF062]
topics:
  - name: orders
    partitions: 3
    retention: 7d
    config: { retention.ms: 3d }
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

pub(crate) fn problem(key: Span, retention: &Setting, setting: &Setting) -> Problem {
    Problem::new(&RULE, key, "`retention` and `retention.ms` are the same setting")
        .label(format!("says {}", quoted(&retention.written)))
        .also(setting.span, format!("says {}", quoted(&setting.written)))
        .help("keep `retention:` and remove `retention.ms`")
}
