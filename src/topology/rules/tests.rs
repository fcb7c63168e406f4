use super::*;
use crate::topology::{SchemaFiles, load};

fn codes(text: &str, env: Option<&str>) -> Vec<Code> {
    let loaded = load(text, env, |_| SchemaFiles::from_names(["OrderPlaced.v1.json"]));
    assert_eq!(loaded.topology.is_some(), loaded.errors == 0, "{text}");
    loaded.problems.iter().map(|problem| problem.code).collect()
}

#[test]
fn every_rules_wrong_example_breaks_that_rule_alone_and_its_right_one_none() {
    for rule in ALL {
        let wrong = codes(rule.wrong, rule.environment);
        assert!(!wrong.is_empty(), "{}: the wrong example has no problem", rule.code);
        assert!(wrong.iter().all(|code| *code == rule.code), "{}: {wrong:?}", rule.code);
        assert_eq!(codes(rule.right, rule.environment), [], "{}: the right example", rule.code);
    }
}

#[test]
fn codes_are_unique_and_in_order_and_every_rule_is_explained() {
    assert!(ALL.is_sorted_by(|a, b| a.code < b.code));
    for rule in ALL {
        assert!(!rule.title.is_empty() && rule.why.len() > 60, "{}", rule.code);
        assert_eq!(find(rule.code).map(|found| found.code), Some(rule.code));
    }
}

#[test]
fn what_can_be_silenced_is_silent_and_nothing_else_is() {
    for rule in ALL.into_iter().filter(|rule| rule.severity == Severity::Warning || rule.silenceable) {
        if !rule.silenceable {
            continue;
        }
        let allowed = if rule.wrong.contains("allow: [") {
            rule.wrong.replace("allow: [", &format!("allow: [{}, ", rule.code))
        } else {
            rule.wrong.replace("version: 1", &format!("version: 1\nallow: [{}]", rule.code))
        };
        assert_eq!(codes(&allowed, rule.environment), [], "{}", rule.code);
    }
}
