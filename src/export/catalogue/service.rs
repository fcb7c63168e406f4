//! The services of the page.

use std::fmt::Write;

use super::Page;
use super::anchors::Section;
use crate::text::{code, escaped};
use crate::topology::model::Service;
use crate::topology::{Topic, TopicRole};

pub(super) fn section(page: &Page<'_>, service: &Service, out: &mut String) {
    let _ = writeln!(out, "\n### {}", escaped(&service.name));
    let facts = facts(service);
    if !facts.is_empty() {
        let _ = writeln!(out, "\n{}.", facts.join(", "));
    }
    let mut rows = Vec::new();
    for topic in &page.topology.topics {
        for (verb, users) in [("receives", &topic.consumers), ("sends", &topic.producers)] {
            if users.contains(&service.name) {
                rows.push((verb, topic));
            }
        }
    }
    if rows.is_empty() {
        return;
    }
    // What comes in stands above what goes out.
    rows.sort_by_key(|(verb, _)| *verb);
    out.push_str("\n| | what | topic |\n|---|---|---|\n");
    for (verb, topic) in rows {
        let name = page.anchors.link(Section::Topic, topic.name.as_str());
        let _ = writeln!(out, "| {verb} | {} | {name} |", what(page, topic));
    }
}

fn what(page: &Page<'_>, topic: &Topic) -> String {
    match topic.role {
        TopicRole::Source { .. } => page.links(Section::Event, &topic.events),
        TopicRole::DeadLettersOf(_) => "dead letters".to_owned(),
    }
}

fn facts(service: &Service) -> Vec<String> {
    let group = service.group.as_ref().map(|group| format!("Consumer group {}", code(group)));
    let instances = service.instances.map(|instances| match instances {
        1 => "1 instance".to_owned(),
        _ => format!("{instances} instances"),
    });
    let handler = service.handler.map(|handler| format!("{handler} a record"));
    [group, instances, handler].into_iter().flatten().collect()
}
