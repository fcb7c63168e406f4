//! Fewer partitions than instances that read them.

use super::Rule;
use crate::text::quoted;
use crate::topology::draft::Draft;
use crate::topology::problem::{Code, Problem, Report, Severity};

pub(crate) const RULE: Rule = Rule {
    code: Code(23),
    severity: Severity::Error,
    silenceable: true,
    title: "fewer partitions than the consumer has instances",
    why: "In a consumer group each partition is read by one instance. Instances beyond the number of \
          partitions get none and stay idle. For a topic that needs no more, write `allow: [KF023]` in it.",
    wrong: "\
version: 1
services: { shop: { group: shop }, stock: { group: stock, instances: 4 } }
topics:
  - name: shop.order-placed
    partitions: 3
    producers: [shop]
    consumers: [stock]
    dlt: {}
    rationale: Orders as they are placed.
",
    right: "\
version: 1
services: { shop: { group: shop }, stock: { group: stock, instances: 4 } }
topics:
  - name: shop.order-placed
    partitions: 4
    producers: [shop]
    consumers: [stock]
    dlt: {}
    rationale: Orders as they are placed.
",
    ..Rule::ERROR
};

pub(crate) fn check(draft: &Draft, report: &mut Report) {
    // Dead letters are few, and read one by one.
    for topic in draft.topics.iter().filter(|topic| topic.is_source()) {
        let Some(partitions) = topic.partitions.get() else {
            continue;
        };
        for consumer in topic.consumers.items() {
            let instances = draft.service(&consumer.value).and_then(|service| service.instances.get());
            let Some(instances) = instances else {
                continue;
            };
            if i64::from(partitions.value) >= i64::from(instances.value) {
                continue;
            }
            topic.report(
                report,
                Problem::new(
                    &RULE,
                    partitions.span,
                    format!(
                        "{} has {} partitions for the {} instances of {}",
                        topic.title(),
                        partitions.value,
                        instances.value,
                        quoted(&consumer.value)
                    ),
                )
                .label(format!(
                    "{} of them would be idle",
                    i64::from(instances.value) - i64::from(partitions.value)
                ))
                .also(instances.span, "the instances")
                .help(format!(
                    "write `partitions: {}`, or `allow: [KF023]` where fewer are enough",
                    instances.value
                )),
            );
        }
    }
}
