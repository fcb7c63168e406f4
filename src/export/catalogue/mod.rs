//! The topology as a page of Markdown: every topic, event and service.

mod anchors;
mod event;
mod fields;
mod kind;
mod service;
mod topic;

use std::collections::HashSet;
use std::fmt::Write;

use super::{Graph, Schemas};
use crate::text::escaped;
use crate::topology::Topology;
use crate::unit::counted;
use anchors::{Anchors, Section};

/// Writes the page. `environment`: what the topology was laid under.
pub(crate) fn render(topology: &Topology, schemas: &Schemas, environment: Option<&str>) -> String {
    let page = Page::of(topology, schemas);
    let mut out = format!(
        "# {}\n\n{}, {}, {}{}.\n",
        escaped(page.title()),
        counted(topology.topics.len(), "topic"),
        counted(page.events.len(), "event"),
        counted(topology.services.len(), "service"),
        environment.map_or(String::new(), |name| format!("; environment {}", escaped(name)))
    );
    let graph = Graph::of(topology);
    if graph.fits_mermaid() {
        let _ = write!(out, "\n```mermaid\n{}```\n", graph.mermaid());
    }
    out.push_str("\n## Topics\n\n");
    topic::index(&page, &mut out);
    for topic in &topology.topics {
        topic::section(&page, topic, &mut out);
    }
    if !page.events.is_empty() {
        out.push_str("\n## Events\n");
    }
    for event in &page.events {
        event::section(&page, event, &mut out);
    }
    if !topology.services.is_empty() {
        out.push_str("\n## Services\n");
    }
    for service in &topology.services {
        service::section(&page, service, &mut out);
    }
    out
}

/// What the sections of the page share.
struct Page<'a> {
    topology: &'a Topology,
    schemas: &'a Schemas,
    /// In the order of the topics that carry them.
    events: Vec<&'a str>,
    anchors: Anchors<'a>,
}

impl<'a> Page<'a> {
    fn of(topology: &'a Topology, schemas: &'a Schemas) -> Self {
        let mut known = HashSet::new();
        let all = topology.topics.iter().flat_map(|topic| &topic.events).map(String::as_str);
        let events = all.filter(|event| known.insert(*event)).collect();
        let mut page = Self { topology, schemas, events, anchors: Anchors::default() };
        page.anchors = page.headings();
        page
    }

    /// The headings in the order of the page, as [`render`] writes them.
    fn headings(&self) -> Anchors<'a> {
        let mut anchors = Anchors::default();
        anchors.heading(self.title(), None);
        anchors.heading("Topics", None);
        for topic in &self.topology.topics {
            anchors.heading(topic.name.as_str(), Some(Section::Topic));
        }
        if !self.events.is_empty() {
            anchors.heading("Events", None);
        }
        for event in &self.events {
            anchors.heading(event, Some(Section::Event));
        }
        if !self.topology.services.is_empty() {
            anchors.heading("Services", None);
        }
        for service in &self.topology.services {
            anchors.heading(&service.name, Some(Section::Service));
        }
        anchors
    }

    fn title(&self) -> &'a str {
        self.topology.name.as_deref().unwrap_or("Topology")
    }

    /// Links to these sections, one after the other; a dash for none.
    fn links(&self, section: Section, names: impl IntoIterator<Item = impl AsRef<str>>) -> String {
        let links = names.into_iter().map(|name| self.anchors.link(section, name.as_ref()));
        let links: Vec<String> = links.collect();
        if links.is_empty() { "–".to_owned() } else { links.join(", ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::examples;

    #[test]
    fn odd_names_stay_inside_of_their_cells() {
        insta::assert_snapshot!(render(&examples::odd(), &examples::odd_schemas(), Some("dev")));
    }
}
