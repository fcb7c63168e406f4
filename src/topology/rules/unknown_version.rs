//! A version of the format that this program does not read.

use super::Rule;
use crate::text::{Span, quoted};
use crate::topology::problem::{Code, Problem, Report};

pub(crate) const RULE: Rule = Rule {
    code: Code(9),
    title: "the format's version is not known",
    why: "`version:` is the version of the file's format, not of its content. A later format may give a \
          field another meaning, so a version that this program does not know is never read on.",
    wrong: "\
version: 2
allow: [KF060, KF062]
topics: [{ name: orders, partitions: 3 }]
",
    right: "\
version: 1
allow: [KF060, KF062]
topics: [{ name: orders, partitions: 3 }]
",
    ..Rule::ERROR
};

pub(crate) fn check(text: &str, span: Span, report: &mut Report) {
    if text != "1" {
        report.push(
            Problem::new(
                &RULE,
                span,
                format!("this program reads version 1 of the format, not {}", quoted(text)),
            )
            .help("write `version: 1`; a newer kafkaflow may read this file"),
        );
    }
}
