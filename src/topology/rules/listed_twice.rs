//! A list that holds a name twice.

use super::Rule;
use crate::text::{Span, quoted};
use crate::topology::problem::{Code, Problem};

pub(crate) const RULE: Rule = Rule {
    code: Code(53),
    title: "a name is listed twice",
    why: "It changes nothing, and is often a slip: another name was meant.",
    wrong: "\
version: 1
services: { shop: {} }
topics:
  - name: shop.order-placed
    partitions: 3
    producers: [shop, shop]
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

pub(crate) fn problem(list: &str, name: &str, span: Span) -> Problem {
    Problem::new(&RULE, span, format!("{} is in {} twice", quoted(name), quoted(list)))
        .help("remove one of them")
}
