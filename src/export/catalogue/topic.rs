//! The topics of the page.

use std::fmt::Write;

use super::Page;
use super::anchors::Section;
use crate::text::{code, escaped, prose};
use crate::topology::{Retry, Topic, TopicName, TopicRole, UnknownEvents, shown};

/// One row a topic.
pub(super) fn index(page: &Page<'_>, out: &mut String) {
    out.push_str("| topic | owner | partitions | replication | retention | carries |\n");
    out.push_str("|---|---|--:|--:|--:|---|\n");
    for topic in &page.topology.topics {
        let carries = match &topic.role {
            TopicRole::Source { .. } => page.links(Section::Event, &topic.events),
            TopicRole::DeadLettersOf(_) => "dead letters".to_owned(),
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {carries} |",
            page.anchors.link(Section::Topic, topic.name.as_str()),
            owner(page, topic),
            topic.partitions,
            replication(topic),
            retention(topic),
        );
    }
}

pub(super) fn section(page: &Page<'_>, topic: &Topic, out: &mut String) {
    let _ = writeln!(out, "\n### {}", escaped(topic.name.as_str()));
    let paragraphs = topic.rationale.iter().flat_map(|text| text.split('\n')).map(prose);
    for paragraph in paragraphs.filter(|paragraph| !paragraph.is_empty()) {
        let _ = writeln!(out, "\n{paragraph}");
    }
    out.push_str("\n| | |\n|---|---|\n");
    for (name, value) in properties(page, topic) {
        let _ = writeln!(out, "| {name} | {value} |");
    }
}

fn properties(page: &Page<'_>, topic: &Topic) -> Vec<(&'static str, String)> {
    let services = |names: &[String]| page.links(Section::Service, names);
    let mut rows = vec![("owner", owner(page, topic))];
    match &topic.role {
        TopicRole::Source { .. } => rows.push(("events", page.links(Section::Event, &topic.events))),
        TopicRole::DeadLettersOf(source) => {
            rows.push(("dead letters of", page.anchors.link(Section::Topic, source.as_str())));
        }
    }
    rows.push(("producers", services(&topic.producers)));
    rows.push(("consumers", services(&topic.consumers)));
    if let TopicRole::Source { dead_letters, retry } = &topic.role {
        let mut letters = page.links(Section::Topic, dead_letters.iter().map(TopicName::as_str));
        if dead_letters.is_some() {
            let _ = write!(letters, ", after {}", attempts(*retry));
        }
        rows.push(("dead letters", letters));
        if topic.unknown_events == UnknownEvents::Skip {
            rows.push(("other events", "are passed by".to_owned()));
        }
    }
    rows.push(("partitions", partitions(page, topic)));
    rows.push(("replication", replication(topic)));
    rows.push(("retention", retention(topic)));
    if let Some(key) = &topic.key {
        rows.push(("key", code(key)));
    }
    if let Some(rate) = topic.rate {
        rows.push(("rate", rate.to_string()));
    }
    let others = topic.configs.iter().filter(|(key, _)| *key != "retention.ms");
    let others: Vec<String> = others.map(|(key, value)| code(&setting(key, value.as_deref()))).collect();
    if !others.is_empty() {
        rows.push(("settings", others.join("<br>")));
    }
    rows
}

fn attempts(retry: Retry) -> String {
    match (retry.attempts, retry.max_backoff) {
        (1, _) => "the first attempt".to_owned(),
        (attempts, None) => format!("{attempts} attempts, {} apart", retry.backoff),
        (attempts, Some(most)) => format!("{attempts} attempts, {} to {most} apart", retry.backoff),
    }
}

fn partitions(page: &Page<'_>, topic: &Topic) -> String {
    match &topic.copartitioned_with {
        Some(other) => {
            format!("{}, as many as {}", topic.partitions, page.anchors.link(Section::Topic, other.as_str()))
        }
        None => topic.partitions.to_string(),
    }
}

/// Nothing is stated: the cluster decides.
const CLUSTERS_DEFAULT: &str = "cluster default";

fn replication(topic: &Topic) -> String {
    topic.replication.map_or_else(|| CLUSTERS_DEFAULT.to_owned(), |replication| replication.to_string())
}

fn retention(topic: &Topic) -> String {
    match topic.configs.get("retention.ms") {
        Some(Some(value)) => shown("retention.ms", value),
        Some(None) | None => CLUSTERS_DEFAULT.to_owned(),
    }
}

fn setting(key: &str, value: Option<&str>) -> String {
    match value {
        Some(value) => format!("{key}={}", shown(key, value)),
        None => format!("{key} ({CLUSTERS_DEFAULT})"),
    }
}

/// The service that the topic is called after, else the only one that writes to it.
fn owner(page: &Page<'_>, topic: &Topic) -> String {
    let name = topic.name.as_str();
    // A service's name may have dots itself: the longest one that fits is the owner.
    let mut prefixes = name.rmatch_indices('.').map(|(dot, _)| &name[..dot]);
    let is_service = |name: &&str| page.topology.services.iter().any(|service| service.name == *name);
    let producer = match topic.producers.as_slice() {
        [only] => Some(only.as_str()),
        _ => None,
    };
    page.links(Section::Service, prefixes.find(is_service).or(producer))
}
