//! Producers and consumers that the file does not declare.

use std::collections::HashMap;

use super::Rule;
use crate::text::{Located, quoted};
use crate::topology::draft::Draft;
use crate::topology::problem::{Code, Problem, Report};

pub(crate) const RULE: Rule = Rule {
    code: Code(50),
    title: "a service is not declared",
    why: "Every producer and consumer stands under `services:`, so that a misspelt one is noticed. One \
          that runs elsewhere and of which nothing more is known is declared as `billing: {}`.",
    wrong: "\
version: 1
services: { shop: {} }
topics:
  - name: shop.order-placed
    partitions: 3
    producers: [shop, shopp]
    rationale: Orders as they are placed.
",
    right: "\
version: 1
services: { shop: {} }
topics:
  - name: shop.order-placed
    partitions: 3
    producers: [shop]
    rationale: Orders as they are placed.
",
    ..Rule::ERROR
};

pub(crate) fn check(draft: &Draft, report: &mut Report) {
    for topic in &draft.topics {
        // The producers of a dead-letter topic are its source's consumers, checked there.
        let producers = if topic.is_source() { topic.producers.items() } else { &[] };
        for name in producers.iter().chain(topic.consumers.items()) {
            if draft.service(&name.value).is_some() {
                continue;
            }
            let services = draft.services.iter().map(|service| service.name.value.as_str());
            let help = report.did_you_mean(&name.value, services, || {
                format!("declare it: `services: {{ {}: {{}} }}`", quoted(&name.value).trim_matches('`'))
            });
            report.push(
                Problem::new(
                    &RULE,
                    name.span,
                    format!("{} is not declared under `services:`", quoted(&name.value)),
                )
                .help(help),
            );
        }
    }
}

pub(crate) fn in_environment(name: &Located<String>, known: &HashMap<String, usize>, report: &mut Report) {
    let mut names: Vec<&str> = known.keys().map(String::as_str).collect();
    names.sort_unstable();
    let help = report.did_you_mean(&name.value, names, || {
        "an environment changes services; declare new ones under `services:` of the base".to_owned()
    });
    report.push(
        Problem::new(&RULE, name.span, format!("the base has no service {}", quoted(&name.value))).help(help),
    );
}
