//! `<service>.<event-in-kebab-case>`.

use super::Rule;
use crate::text::{listed, quoted};
use crate::topology::draft::{Draft, DraftTopic};
use crate::topology::problem::{Code, Problem, Report, Severity};

pub(crate) const RULE: Rule = Rule {
    code: Code(13),
    severity: Severity::Error,
    silenceable: true,
    title: "the name does not follow `<service>.<event>`",
    why: "A topic is called after the service that owns it and what it carries, in lower case with \
          hyphens: `order-service.order-placed`. The owner is who produces an event, or who takes a \
          command. So everybody knows whom to ask. Topics of services that the file says nothing about \
          (`billing: {}`) and topics without producers are free. For an old name that cannot change, \
          write `allow: [KF013]` in the topic.",
    wrong: "\
version: 1
services: { shop: { group: shop } }
topics:
  - name: shop.OrderPlaced
    partitions: 3
    producers: [shop]
    rationale: Orders as they are placed.
",
    right: "\
version: 1
services: { shop: { group: shop } }
topics:
  - name: shop.order-placed
    partitions: 3
    producers: [shop]
    rationale: Orders as they are placed.
",
    ..Rule::ERROR
};

pub(crate) fn check(draft: &Draft, report: &mut Report) {
    for topic in draft.topics.iter().filter(|topic| topic.is_source()) {
        if let Some(problem) = judge(topic, draft) {
            topic.report(report, problem);
        }
    }
}

fn judge(topic: &DraftTopic, draft: &Draft) -> Option<Problem> {
    let name = topic.name.as_ref()?.as_str();
    // A service's name may have dots itself: the longest one that fits is the owner.
    let mut splits = name.rmatch_indices('.').map(|(dot, _)| (&name[..dot], &name[dot + 1..]));
    let split = splits.find(|(prefix, _)| draft.service(prefix).is_some());
    let (prefix, event) = split.or_else(|| name.split_once('.')).unwrap_or((name, ""));
    // A written-out dead-letter topic is called after its source.
    let event = event.strip_suffix(&draft.dlt_suffix).unwrap_or(event);
    let problem = |message: String| Problem::new(&RULE, topic.place, message);
    let Some(owner) = draft.service(prefix) else {
        let producer = (topic.producers.items().iter())
            .find(|name| draft.service(&name.value).is_some_and(|service| !service.external))?;
        return Some(
            problem(format!("{} does not begin with the service that owns it", quoted(name)))
                .label(format!("{} is no service of this file", quoted(prefix)))
                .help(format!(
                    "call it {}, or write `allow: [KF013]` here for a name that cannot change",
                    quoted(&format!(
                        "{}.{}",
                        producer.value,
                        kebab(if event.is_empty() { prefix } else { event })
                    ))
                )),
        );
    };
    if owner.external {
        return None;
    }
    if !is_kebab(event) {
        let event = kebab(event);
        let event = if event.is_empty() { "my-event" } else { &event };
        return Some(
            problem(format!("{} is not `<service>.<event>` in lower case with hyphens", quoted(name))).help(
                format!(
                    "call it {}, or write `allow: [KF013]` here for a name that cannot change",
                    quoted(&format!("{prefix}.{event}"))
                ),
            ),
        );
    }
    let broken = topic.producers.is_broken() || topic.consumers.is_broken();
    let mut users = topic.producers.items().iter().chain(topic.consumers.items());
    if broken || users.any(|user| user.value == prefix) {
        return None;
    }
    let users: Vec<&str> = (topic.producers.items().iter()).map(|user| user.value.as_str()).collect();
    let whose = if users.is_empty() {
        "nobody produces it".to_owned()
    } else {
        format!("it is produced by {}", listed(users, 3))
    };
    Some(
        problem(format!(
            "{} is called after {}, which neither produces nor consumes it",
            quoted(name),
            quoted(prefix)
        ))
        .label(whose)
        .help(format!(
            "add {0} to `producers:` or `consumers:`, or call the topic after its owner",
            quoted(prefix)
        )),
    )
}

/// Lower-case words of letters and digits, joined by hyphens; words may be grouped by dots.
fn is_kebab(text: &str) -> bool {
    text.split('.').all(|part| {
        part.split('-').all(|word| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
    })
}

/// `OrderPlaced_v2` -> `order-placed-v2`.
fn kebab(text: &str) -> String {
    let mut kebab = String::new();
    let mut before_is_lower = false;
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            if c.is_ascii_uppercase() && before_is_lower {
                kebab.push('-');
            }
            kebab.push(c.to_ascii_lowercase());
        } else if !kebab.is_empty() && !kebab.ends_with('-') {
            kebab.push('-');
        }
        before_is_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    kebab.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a topic of that name, producers and consumers follows the scheme.
    fn follows(name: &str, producers: &str, consumers: &str) -> bool {
        let text = format!(
            "version: 1\nallow: [KF060, KF061, KF062]\nservices: {{ shop: {{ group: s }}, stock: {{ group: t }}, erp: {{}}, a.b: {{ group: a }} }}\ntopics:\n  - {{ name: {name}, partitions: 1, producers: [{producers}], consumers: [{consumers}], dlt: {{}} }}\n"
        );
        let problems =
            crate::topology::load(&text, None, |_| crate::topology::SchemaFiles::Unchecked).problems;
        assert!(problems.iter().all(|problem| problem.code == RULE.code), "{problems:#?}");
        problems.is_empty()
    }

    #[test]
    fn the_owner_is_who_produces_an_event_or_takes_a_command() {
        assert!(follows("shop.order-placed", "shop", "stock"));
        assert!(follows("stock.cancel-reservation", "shop", "stock"), "a command belongs to its consumer");
        assert!(follows("a.b.order-placed", "a.b", ""), "a service's name may have dots");
        assert!(follows("erp.Orders_V1", "", "stock"), "an external service names as it likes");
        assert!(follows("legacy_orders", "erp", "stock"), "so it does without the prefix");
        assert!(follows("_schemas", "", ""), "nobody of this file produces it");
        assert!(!follows("legacy-orders", "shop", "stock"));
        assert!(!follows("shop.orderPlaced", "shop", "stock"));
        assert!(!follows("shop", "shop", ""));
        assert!(!follows("stock.order-placed", "shop", "erp"), "its owner has nothing to do with it");
    }

    #[test]
    fn a_name_is_proposed_in_lower_case_with_hyphens() {
        for (text, proposed) in [
            ("OrderPlaced", "order-placed"),
            ("order_placed.v2", "order-placed-v2"),
            ("HTTPEvents", "httpevents"),
            ("--x--", "x"),
            ("", ""),
        ] {
            assert_eq!(kebab(text), proposed);
            assert!(proposed.is_empty() || is_kebab(proposed));
        }
        assert!(!is_kebab("") && !is_kebab("a--b") && !is_kebab("A") && !is_kebab("a..b"));
    }
}
