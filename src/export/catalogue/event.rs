//! The events of the page.

use std::fmt::Write;

use serde_json::Value;

use super::Page;
use super::anchors::Section;
use super::fields::fields;
use crate::export::schemas::EventSchema;
use crate::text::{code, escaped, prose};
use crate::topology::TopicRole;

pub(super) fn section(page: &Page<'_>, event: &str, out: &mut String) {
    let _ = writeln!(out, "\n### {}", escaped(event));
    let found = page.schemas.event(event);
    if let Some(description) = found.and_then(|found| found.schema.get("description")?.as_str()) {
        let _ = writeln!(out, "\n{}", prose(description));
    }
    let carriers = page.topology.topics.iter().filter(|topic| {
        matches!(topic.role, TopicRole::Source { .. }) && topic.events.iter().any(|carried| carried == event)
    });
    let carriers = page.links(Section::Topic, carriers.map(|topic| topic.name.as_str()));
    let _ = write!(out, "\nCarried by {carriers}.");
    match found {
        Some(found) => schema(page, found, out),
        None => out.push('\n'),
    }
}

fn schema(page: &Page<'_>, found: EventSchema<'_>, out: &mut String) {
    let _ = writeln!(out, " Version {}: {}.", found.version, code(found.file));
    let fields = fields(page.schemas, found);
    if !fields.is_empty() {
        out.push_str("\n| field | type | required | meaning |\n|---|---|---|---|\n");
    }
    for field in fields {
        let required = if field.required { "yes" } else { "" };
        let _ = writeln!(out, "| {} | {} | {required} | {} |", code(&field.path), field.kind, field.meaning);
    }
    if let Some(example) = found.schema.get("examples").and_then(|examples| examples.get(0)) {
        let _ = writeln!(
            out,
            "\n<details><summary>Example</summary>\n\n```json\n{}\n```\n\n</details>",
            pretty(example)
        );
    }
}

/// Every line of JSON begins with a blank, a bracket or a quote, so none ends the block.
fn pretty(example: &Value) -> String {
    format!("{example:#}")
}
