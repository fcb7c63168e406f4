//! Dead letters that are gone before, or as soon as, the record itself.

use super::Rule;
use crate::topology::draft::{Draft, DraftTopic, Role};
use crate::topology::problem::{Code, Problem, Report};
use crate::unit::Duration;

pub(crate) const RULE: Rule = Rule {
    code: Code(41),
    title: "dead letters are not kept longer than the source's records",
    why: "A dead letter is looked at later than the record was: it has to outlive its source's retention, \
          or it is deleted before anybody could replay it. A dead-letter topic keeps 30 days unless it \
          says otherwise.",
    wrong: "\
version: 1
services: { shop: {}, stock: {} }
topics:
  - name: shop.order-placed
    partitions: 3
    retention: 7d
    producers: [shop]
    consumers: [stock]
    dlt: { retention: 7d }
    rationale: Orders as they are placed.
",
    right: "\
version: 1
services: { shop: {}, stock: {} }
topics:
  - name: shop.order-placed
    partitions: 3
    retention: 7d
    producers: [shop]
    consumers: [stock]
    dlt: { retention: 30d }
    rationale: Orders as they are placed.
",
    ..Rule::ERROR
};

pub(crate) fn check(draft: &Draft, report: &mut Report) {
    for dead in &draft.topics {
        let Role::DeadLettersOf(source) = dead.role else {
            continue;
        };
        let source = &draft.topics[source];
        let (Some(ours), Some(theirs)) = (retention(dead), retention(source)) else {
            continue;
        };
        let lives_longer = ours == FOREVER || (ours > theirs && theirs != FOREVER);
        if lives_longer {
            continue;
        }
        let place = dead.config.get("retention.ms").map_or(dead.place, |setting| setting.span);
        let mut problem = Problem::new(
            &RULE,
            place,
            format!(
                "dead letters of {} are kept for {}, its records for {}",
                source.title(),
                shown(ours),
                shown(theirs)
            ),
        )
        .help(proposal(theirs));
        if let Some(setting) = source.config.get("retention.ms") {
            problem = problem.also(setting.span, "the source's retention");
        }
        report.push(problem);
    }
}

const FOREVER: i64 = -1;

/// Milliseconds that records are kept; `None`: not stated, or not by time (a topic that is only
/// compacted keeps the last record of each key).
fn retention(topic: &DraftTopic) -> Option<i64> {
    let policy = topic.config.get("cleanup.policy").and_then(|setting| setting.text());
    if policy.is_some_and(|policy| !policy.split(',').any(|word| word.trim() == "delete")) {
        return None;
    }
    topic.config.get("retention.ms")?.number()
}

fn shown(millis: i64) -> String {
    if millis == FOREVER {
        return "ever".to_owned();
    }
    Duration::from_millis(millis).to_string()
}

fn proposal(source: i64) -> String {
    const MONTH: i64 = 30;
    let longer = Duration::from_days(MONTH).as_millis();
    if source == FOREVER {
        return "write `retention: forever` under `dlt:` too".to_owned();
    }
    let days = if source < longer { MONTH } else { source / Duration::from_days(1).as_millis() + MONTH };
    format!("write `dlt: {{ retention: {days}d }}`")
}
