//! Values that a setting does not take.

use super::Rule;
use crate::text::Span;
use crate::topology::problem::{Code, Problem};
use crate::topology::topic_configs::Refusal;

pub(crate) const RULE: Rule = Rule {
    code: Code(31),
    title: "a setting does not take the value",
    why: "The broker would refuse the topic (`InvalidConfigurationException`). Types and limits are those \
          of Kafka 4.3. Settings whose name ends in `.ms` also take durations (`7d`), those in `.bytes` \
          sizes (`1GiB`).",
    wrong: "\
version: 1
allow: [KF060, KF062]
topics:
  - name: orders
    partitions: 3
    config: { cleanup.policy: compress }
",
    right: "\
version: 1
allow: [KF060, KF062]
topics:
  - name: orders
    partitions: 3
    config: { cleanup.policy: [compact, delete] }
",
    ..Rule::ERROR
};

pub(crate) fn problem(span: Span, refusal: Refusal) -> Problem {
    Problem::new(&RULE, span, refusal.message).help(refusal.help)
}
