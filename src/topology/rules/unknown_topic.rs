//! Topics that the file speaks of and does not have.

use super::Rule;
use crate::text::{Located, quoted};
use crate::topology::draft::Draft;
use crate::topology::name::TopicName;
use crate::topology::problem::{Code, Problem, Report};

pub(crate) const RULE: Rule = Rule {
    code: Code(52),
    title: "a topic is not in the file",
    why: "`copartitioned_with:` and the topics of an environment name topics of the base. What an \
          environment changes has to be there first.",
    wrong: "\
version: 1
allow: [KF060, KF062]
topics:
  - { name: order-placed, partitions: 12 }
  - { name: inventory-result, partitions: 12, copartitioned_with: order-place }
",
    right: "\
version: 1
allow: [KF060, KF062]
topics:
  - { name: order-placed, partitions: 12 }
  - { name: inventory-result, partitions: 12, copartitioned_with: order-placed }
",
    ..Rule::ERROR
};

pub(crate) fn check(draft: &Draft, report: &mut Report) {
    for topic in &draft.topics {
        let Some(stated) = topic.copartitioned_with.get() else {
            continue;
        };
        if draft.topic(&stated.value).is_none() {
            let help = report
                .did_you_mean(&stated.value, draft.topic_names(), || "name a topic of this file".to_owned());
            report.push(unknown(&stated.value, stated, help));
        }
    }
}

pub(crate) fn in_environment<'k>(
    name: &Located<TopicName>,
    known: impl Iterator<Item = &'k String>,
    report: &mut Report,
) {
    let mut names: Vec<&str> = known.map(String::as_str).collect();
    names.sort_unstable();
    let help = report.did_you_mean(name.value.as_str(), names, || {
        "an environment changes topics; add new ones under `topics:` of the base".to_owned()
    });
    report.push(unknown(name.value.as_str(), name, help));
}

fn unknown<T>(name: &str, place: &Located<T>, help: String) -> Problem {
    Problem::new(&RULE, place.span, format!("there is no topic {} in this file", quoted(name))).help(help)
}
