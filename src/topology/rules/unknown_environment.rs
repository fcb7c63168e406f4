//! An environment that the file does not have.

use super::Rule;
use crate::text::{Span, listed, quoted};
use crate::topology::file::{Environment, File};
use crate::topology::problem::{Code, Problem, Report};

pub(crate) const RULE: Rule = Rule {
    code: Code(8),
    title: "the environment is not in the file",
    why: "`--env` names a block under `environments:`. Going on without it would apply the base to a \
          cluster that was meant to get something else.",
    wrong: "\
version: 1
allow: [KF060, KF062]
topics: [{ name: orders, partitions: 3 }]
environments:
  production: { defaults: { replication: 3 } }
",
    right: "\
version: 1
allow: [KF060, KF062]
topics: [{ name: orders, partitions: 3 }]
environments:
  dev: { defaults: { replication: 1 } }
",
    environment: Some("dev"),
    ..Rule::ERROR
};

/// Takes the block called `wanted` out of the file.
pub(crate) fn take(file: &mut File, wanted: &str, report: &mut Report) -> Option<Environment> {
    let found = (file.environments.iter()).position(|each| each.name.value == wanted);
    if let Some(index) = found {
        return Some(file.environments.swap_remove(index));
    }
    let names: Vec<&str> = (file.environments.iter()).map(|each| each.name.value.as_str()).collect();
    let help = if names.is_empty() {
        "the file has none; add `environments:`, or leave `--env` out".to_owned()
    } else {
        let others = format!("the file has {}", listed(names.iter().copied(), 10));
        match report.nearest(wanted, names.iter().copied()) {
            Some(near) => format!("did you mean `--env {near}`? {others}"),
            None => others,
        }
    };
    let span = (file.environments.first()).map_or(Span::default(), |each| each.name.span);
    report.push(Problem::new(&RULE, span, format!("there is no environment {}", quoted(wanted))).help(help));
    None
}
