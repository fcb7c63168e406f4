//! `min.insync.replicas` above the replication factor.

use std::collections::HashMap;

use super::Rule;
use crate::text::Span;
use crate::topology::draft::{Draft, DraftTopic};
use crate::topology::problem::{Code, Problem, Report};

pub(crate) const RULE: Rule = Rule {
    code: Code(22),
    title: "`min.insync.replicas` is above the replication factor",
    why: "A producer with `acks=all` waits for that many replicas. When there are never as many, every \
          write fails with `NotEnoughReplicas`, although the topic itself is created without complaint.",
    wrong: "\
version: 1
allow: [KF060, KF062]
topics:
  - name: orders
    partitions: 3
    replication: 1
    config: { min.insync.replicas: 2 }
",
    right: "\
version: 1
allow: [KF060, KF062]
topics:
  - name: orders
    partitions: 3
    replication: 3
    config: { min.insync.replicas: 2 }
",
    ..Rule::ERROR
};

pub(crate) fn check(draft: &Draft, report: &mut Report) {
    // Both can come from `defaults:`; then it is one mistake, however many topics inherit it.
    let mut found: Vec<(&DraftTopic, usize)> = Vec::new();
    let mut by_places: HashMap<(Span, Span), usize> = HashMap::new();
    for topic in &draft.topics {
        let Some((needed, replication)) = values(topic) else {
            continue;
        };
        if needed.1 <= replication.1 {
            continue;
        }
        let index = *by_places.entry((needed.0, replication.0)).or_insert_with(|| {
            found.push((topic, 0));
            found.len() - 1
        });
        found[index].1 += 1;
    }
    for (topic, count) in found {
        let Some((needed, replication)) = values(topic) else {
            continue;
        };
        let who = match count {
            1 => format!("{} has", topic.title()),
            _ => format!("{} and {} more have", topic.title(), count - 1),
        };
        report.push(
            Problem::new(
                &RULE,
                needed.0,
                format!("`min.insync.replicas` is {} and {who} {}", needed.1, replicas(replication.1)),
            )
            .label("no write with `acks=all` could succeed")
            .also(replication.0, "the replication factor")
            .help(format!(
                "write `min.insync.replicas: {}`, or raise `replication`",
                (replication.1 - 1).max(1)
            )),
        );
    }
}

type Placed = (Span, i64);

fn values(topic: &DraftTopic) -> Option<(Placed, Placed)> {
    let setting = topic.config.get("min.insync.replicas")?;
    let replication = topic.replication.get()?;
    Some(((setting.span, setting.number()?), (replication.span, i64::from(replication.value))))
}

fn replicas(count: i64) -> String {
    match count {
        1 => "1 replica".to_owned(),
        _ => format!("{count} replicas"),
    }
}
