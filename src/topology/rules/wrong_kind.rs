//! A value of another kind than its field takes.

use super::Rule;
use crate::topology::problem::Code;

pub(crate) const RULE: Rule = Rule {
    code: Code(4),
    title: "a value is of the wrong kind",
    why: "A list where a number belongs, a word where a list belongs, or nothing at all. Numbers are \
          written in digits only: YAML reads `010` as eight in one program and as ten in the next.",
    wrong: "\
version: 1
services: { shop: {} }
topics:
  - name: shop.ordered
    partitions: 3
    producers: shop
    rationale: Orders as they are placed.
",
    right: "\
version: 1
services: { shop: {} }
topics:
  - name: shop.ordered
    partitions: 3
    producers: [shop]
    rationale: Orders as they are placed.
",
    ..Rule::ERROR
};
