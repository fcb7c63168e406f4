//! Counts that are zero, negative or beyond reason.

use super::Rule;
use crate::text::{Span, quoted};
use crate::topology::problem::{Code, Problem};

pub(crate) const RULE: Rule = Rule {
    code: Code(20),
    title: "a count is zero or beyond reason",
    why: "A topic has at least one partition and one replica. A controller takes at most 10,000 metadata \
          records in one request, and a topic costs one a partition, so a larger topic cannot be created; \
          a hundred replicas or a hundred thousand instances are a slip of the finger.",
    wrong: "\
version: 1
allow: [KF060, KF062]
topics:
  - { name: orders, partitions: 0 }
",
    right: "\
version: 1
allow: [KF060, KF062]
topics:
  - { name: orders, partitions: 3 }
",
    ..Rule::ERROR
};

/// What a count may be.
pub(crate) struct Limits {
    most: i64,
    /// When the count is below one.
    too_low: &'static str,
    /// When it is above `most`.
    too_high: &'static str,
}

pub(crate) const PARTITIONS: Limits = Limits {
    most: 10_000,
    too_low: "write 1 or more; as many as consumers are to work side by side",
    too_high: "the controller cannot create more than 10,000 partitions in one request",
};
pub(crate) const REPLICATION: Limits = Limits {
    most: 100,
    too_low: "write 1 or more; leave `replication` out for the cluster's own default",
    too_high: "a replica needs a broker of its own; 3 is usual",
};
pub(crate) const ATTEMPTS: Limits = Limits {
    most: 1_000_000,
    too_low: "write 1 or more: the first attempt counts",
    too_high: "a record that fails so often holds up its partition for ever",
};
pub(crate) const INSTANCES: Limits = Limits {
    most: 100_000,
    too_low: "write 1 or more, or leave `instances` out",
    too_high: "write how many instances of the service run side by side",
};

/// Why a count is refused.
#[derive(Debug, Default)]
pub(crate) struct Refusal {
    help: &'static str,
}

impl Limits {
    pub(crate) fn check(&self, number: i64) -> Result<i64, Refusal> {
        match number {
            ..1 => Err(Refusal { help: self.too_low }),
            _ if number > self.most => Err(Refusal { help: self.too_high }),
            _ => Ok(number),
        }
    }
}

impl Refusal {
    pub(crate) fn problem(&self, text: &str, field: &str, span: Span) -> Problem {
        Problem::new(&RULE, span, format!("{} cannot be {}", quoted(field), quoted(text))).help(self.help)
    }
}
