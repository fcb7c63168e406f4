//! `allow:` with a code that it cannot silence.

use super::{ALL, Rule, find};
use crate::text::{Located, quoted};
use crate::topology::problem::{Code, Problem, Report};

pub(crate) const RULE: Rule = Rule {
    code: Code(63),
    title: "`allow` names a code that it cannot silence",
    why: "`allow:` silences hints and warnings, in the whole file or in one topic. What Kafka would refuse \
          cannot be silenced.",
    wrong: "\
version: 1
allow: [KF020]
topics: []
",
    right: "\
version: 1
allow: [KF060]
topics: []
",
    silenceable: false,
    ..Rule::WARNING
};

/// The code that `name` means, when it can be silenced.
pub(crate) fn check(name: &Located<String>, report: &mut Report) -> Option<Code> {
    let rule = Code::parse(&name.value).and_then(find);
    if let Some(rule) = rule.filter(|rule| rule.silenceable) {
        return Some(rule.code);
    }
    let message = match rule {
        Some(rule) => format!("{} ({}) cannot be silenced", quoted(&name.value), rule.title),
        None => format!("there is no rule {}", quoted(&name.value)),
    };
    let codes: Vec<String> =
        (ALL.iter()).filter(|rule| rule.silenceable).map(|rule| rule.code.to_string()).collect();
    report.push(Problem::new(&RULE, name.span, message).help(format!("`allow` takes {}", codes.join(", "))));
    None
}
