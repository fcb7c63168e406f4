//! Settings that Kafka does not have.

use super::{Rule, outdated_setting};
use crate::text::{Span, quoted};
use crate::topology::problem::{Code, Problem, Report};
use crate::topology::topic_configs;

pub(crate) const RULE: Rule = Rule {
    code: Code(30),
    title: "Kafka has no such topic setting",
    why: "Apache Kafka refuses a topic with a setting that it does not know. It is a warning only, because \
          other products and newer versions have more; settings that begin with another product's name \
          (`confluent.`, `redpanda.`, …) are taken as they are.",
    wrong: "\
version: 1
allow: [KF060, KF062]
topics:
  - name: orders
    partitions: 3
    config: { cleanup.polcy: compact }
",
    right: "\
version: 1
allow: [KF060, KF062]
topics:
  - name: orders
    partitions: 3
    config: { cleanup.policy: compact }
",
    ..Rule::WARNING
};

pub(crate) fn check(name: &str, span: Span, report: &mut Report) {
    if topic_configs::find(name).is_some() {
        return;
    }
    if let Some((_, help)) = topic_configs::REMOVED.iter().find(|(removed, _)| *removed == name) {
        report.push(outdated_setting::removed(name, span, help));
        return;
    }
    if topic_configs::is_vendors(name) {
        return;
    }
    let help = report.did_you_mean(name, topic_configs::names(), || {
        "Kafka 4.3's settings are listed on kafka.apache.org under \"Topic Configs\"".to_owned()
    });
    report.push(
        Problem::new(&RULE, span, format!("{} is not a topic setting of Apache Kafka", quoted(name)))
            .help(help),
    );
}
