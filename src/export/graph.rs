//! The topology as nodes and edges.

use std::collections::{HashMap, HashSet};

use super::ids::Ids;
use super::{dot, mermaid};
use crate::topology::{Topic, TopicRole, Topology};

/// Who writes to which topic, who reads it, and where its failures go.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(super) name: String,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
}

#[derive(Debug)]
pub(super) struct Node {
    /// Letters, digits and `_`.
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) name: String,
    /// What a topic carries; a dead-letter topic carries what its source does.
    pub(super) events: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Service,
    Topic,
    DeadLetters,
}

/// From one node to another, by their indices.
#[derive(Debug)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Records that could not be processed take it.
    pub(super) failed: bool,
}

impl Node {
    /// The name on one line or two: a long one is broken at the dot that is nearest to its middle.
    pub(super) fn lines(&self) -> Vec<&str> {
        const LONG: usize = 24;
        let middle = |dot: &usize| self.name.len().abs_diff(2 * dot + 1);
        let dots = self.name.match_indices('.').map(|(dot, _)| dot);
        match dots.min_by_key(middle) {
            Some(dot) if self.kind != Kind::Service && self.name.len() > LONG => {
                vec![&self.name[..=dot], &self.name[dot + 1..]]
            }
            _ => vec![&self.name],
        }
    }
}

impl Graph {
    /// Everything that takes part: a service without topics is not drawn.
    pub(crate) fn of(topology: &Topology) -> Self {
        let mut drawing = Drawing::new(topology);
        for topic in &topology.topics {
            drawing.edges_of(topic);
        }
        let name = topology.name.clone().unwrap_or_else(|| "topology".to_owned());
        Self { name, nodes: drawing.nodes, edges: drawing.edges }
    }

    pub(crate) fn mermaid(&self) -> String {
        mermaid::render(self)
    }

    pub(crate) fn dot(&self) -> String {
        dot::render(self)
    }

    /// Mermaid refuses to draw more, unless it is configured otherwise (`maxEdges`, `maxTextSize`).
    pub(crate) fn fits_mermaid(&self) -> bool {
        const MOST_EDGES: usize = 500;
        const MOST_CHARACTERS: usize = 50_000;
        self.edges.len() <= MOST_EDGES && self.mermaid().chars().count() <= MOST_CHARACTERS
    }
}

struct Drawing<'a> {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    services: HashMap<&'a str, usize>,
    topics: HashMap<&'a str, usize>,
}

impl<'a> Drawing<'a> {
    fn new(topology: &'a Topology) -> Self {
        let mut ids = Ids::of(|c| c.is_ascii_alphanumeric());
        let mut drawing =
            Self { nodes: Vec::new(), edges: Vec::new(), services: HashMap::new(), topics: HashMap::new() };
        let users = topology.topics.iter().flat_map(|topic| topic.producers.iter().chain(&topic.consumers));
        let users: HashSet<&String> = users.collect();
        for service in topology.services.iter().filter(|service| users.contains(&service.name)) {
            let id = ids.give(&format!("service_{}", service.name));
            drawing.services.insert(&service.name, drawing.nodes.len());
            drawing.nodes.push(Node {
                id,
                kind: Kind::Service,
                name: service.name.clone(),
                events: Vec::new(),
            });
        }
        for topic in &topology.topics {
            let (kind, events) = match topic.role {
                TopicRole::Source { .. } => (Kind::Topic, topic.events.clone()),
                TopicRole::DeadLettersOf(_) => (Kind::DeadLetters, Vec::new()),
            };
            let id = ids.give(&format!("topic_{}", topic.name));
            drawing.topics.insert(topic.name.as_str(), drawing.nodes.len());
            drawing.nodes.push(Node { id, kind, name: topic.name.to_string(), events });
        }
        drawing
    }

    fn edges_of(&mut self, topic: &Topic) {
        let here = self.topics[topic.name.as_str()];
        let source = match &topic.role {
            TopicRole::Source { .. } => None,
            TopicRole::DeadLettersOf(source) => self.topics.get(source.as_str()).copied(),
        };
        match source {
            // That the source's consumer writes them goes without saying.
            Some(source) => self.edges.push(Edge { from: source, to: here, failed: true }),
            None => {
                let failed = matches!(topic.role, TopicRole::DeadLettersOf(_));
                let producers = topic.producers.iter().filter_map(|name| self.services.get(name.as_str()));
                self.edges.extend(producers.map(|&from| Edge { from, to: here, failed }));
            }
        }
        let consumers = topic.consumers.iter().filter_map(|name| self.services.get(name.as_str()));
        self.edges.extend(consumers.map(|&to| Edge { from: here, to, failed: false }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::examples;

    fn edges(topology: &Topology) -> Vec<String> {
        let graph = Graph::of(topology);
        let name = |index: usize| graph.nodes[index].name.as_str();
        let shown = |edge: &Edge| {
            let arrow = if edge.failed { "-.->" } else { "-->" };
            format!("{} {arrow} {}", name(edge.from), name(edge.to))
        };
        graph.edges.iter().map(shown).collect()
    }

    #[test]
    fn records_flow_through_topics_and_failures_to_dead_letters() {
        let mut topology = examples::ours();
        topology.topics.truncate(2);
        assert_eq!(
            edges(&topology),
            [
                "order-service --> order-service.order-placed",
                "order-service.order-placed --> inventory-service",
                "order-service.order-placed -.-> order-service.order-placed.DLT",
                "order-service.order-placed.DLT --> operations",
            ]
        );
        topology.topics.remove(0);
        assert_eq!(
            edges(&topology),
            [
                "inventory-service -.-> order-service.order-placed.DLT",
                "order-service.order-placed.DLT --> operations",
            ],
            "without its source"
        );
    }

    #[test]
    fn a_long_name_is_broken_at_a_dot() {
        let lines = |name: &str| {
            let (id, name, events) = (String::new(), name.to_owned(), Vec::new());
            Node { id, kind: Kind::Topic, name, events }.lines().join("|")
        };
        assert_eq!(lines("shop.order-placed"), "shop.order-placed");
        assert_eq!(
            lines("notification-service.send-notification.DLT"),
            "notification-service.|send-notification.DLT"
        );
        assert_eq!(lines("a-name-without-any-dot-that-is-long"), "a-name-without-any-dot-that-is-long");
    }

    #[test]
    fn a_service_without_topics_is_not_drawn() {
        let topology = examples::odd();
        let graph = Graph::of(&topology);
        assert!(topology.services.iter().any(|service| service.name == "idle"));
        assert!(!graph.nodes.iter().any(|node| node.name == "idle"));
    }

    #[test]
    fn mermaid_is_known_to_refuse_a_large_graph() {
        let mut topology = examples::ours();
        assert!(Graph::of(&topology).fits_mermaid());
        let topic = topology.topics[0].clone();
        topology.topics.extend(std::iter::repeat_n(topic, 200));
        assert!(!Graph::of(&topology).fits_mermaid());
    }
}
