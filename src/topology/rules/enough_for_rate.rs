//! Fewer partitions than the stated load needs.

use super::Rule;
use crate::text::quoted;
use crate::topology::draft::Draft;
use crate::topology::problem::{Code, Problem, Report, Severity};
use crate::unit::{Duration, Rate};

pub(crate) const RULE: Rule = Rule {
    code: Code(24),
    severity: Severity::Error,
    silenceable: true,
    title: "fewer partitions than the stated rate needs",
    why: "A partition is worked off by one instance, one record after the other: with `handler: 20ms` at \
          most 50 records a second. So rate x handler partitions keep up, and a fifth more leaves room to \
          catch up after an outage. 500/s x 20ms x 1.2 = 12.",
    wrong: "\
version: 1
services: { shop: { group: shop }, stock: { group: stock, handler: 20ms } }
topics:
  - name: shop.order-placed
    partitions: 10
    rate: 500/s
    producers: [shop]
    consumers: [stock]
    dlt: {}
    rationale: Orders as they are placed.
",
    right: "\
version: 1
services: { shop: { group: shop }, stock: { group: stock, handler: 20ms } }
topics:
  - name: shop.order-placed
    partitions: 12
    rate: 500/s
    producers: [shop]
    consumers: [stock]
    dlt: {}
    rationale: Orders as they are placed.
",
    ..Rule::ERROR
};

pub(crate) fn check(draft: &Draft, report: &mut Report) {
    for topic in &draft.topics {
        let (Some(partitions), Some(rate)) = (topic.partitions.get(), topic.rate.get()) else {
            continue;
        };
        for consumer in topic.consumers.items() {
            let handler = draft.service(&consumer.value).and_then(|service| service.handler.get());
            let Some(handler) = handler else {
                continue;
            };
            let needed = needed(rate.value, handler.value);
            if u128::try_from(partitions.value).is_ok_and(|partitions| partitions >= needed) {
                continue;
            }
            topic.report(
                report,
                Problem::new(
                    &RULE,
                    partitions.span,
                    format!(
                        "{} has {} partitions; {} at {} a record needs {needed} in {}",
                        topic.title(),
                        partitions.value,
                        rate.value,
                        handler.value,
                        quoted(&consumer.value)
                    ),
                )
                .label(format!("fewer than {} x {} x 1.2 = {needed}", rate.value, handler.value))
                .also(rate.span, "the rate")
                .also(handler.span, "the time that a record takes")
                .help(format!("write `partitions: {needed}`, or a faster handler")),
            );
        }
    }
}

/// Partitions for a rate and a handler's time, with a fifth in reserve; exact, rounded up.
fn needed(rate: Rate, handler: Duration) -> u128 {
    let (count, seconds) = rate.as_fraction();
    let millis = u128::from(handler.as_millis().unsigned_abs());
    // x 1.2 / 1000 ms is x 12 / 10,000.
    (u128::from(count) * millis * 12).div_ceil(u128::from(seconds) * 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partitions_needed_are_exact_and_rounded_up() {
        for (rate, handler, partitions) in [
            ("500/s", "20ms", 12),
            ("501/s", "20ms", 13),
            ("30000/m", "20ms", 12),
            ("1/h", "1s", 1),
            ("0/s", "1d", 0),
            ("1000000000000/s", "9223372036854775807ms", 11_068_046_444_225_730_968_400_000_000),
        ] {
            let needed = needed(Rate::parse(rate).unwrap(), Duration::parse(handler).unwrap());
            assert_eq!(needed, partitions, "{rate} {handler}");
        }
    }
}
