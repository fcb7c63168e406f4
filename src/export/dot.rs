//! The graph in Graphviz' language.

use std::fmt::Write;

use super::graph::{Graph, Kind, Node};
use crate::text::is_unprintable;

const STYLE: &str = "    \
    rankdir=LR
    nodesep=0.3
    ranksep=0.6
    node [fontname=\"Helvetica,Arial,sans-serif\", fontsize=12, margin=\"0.18,0.09\"]
    edge [color=\"#64748b\", arrowsize=0.8]
";

pub(super) fn render(graph: &Graph) -> String {
    let mut out = format!("digraph \"{}\" {{\n{STYLE}", quoted(&graph.name));
    for node in &graph.nodes {
        let looks = match node.kind {
            Kind::Service => "shape=box, style=\"rounded,filled\", fillcolor=\"#dbeafe\", color=\"#2563eb\"",
            Kind::Topic => "shape=box, style=filled, fillcolor=\"#fef9c3\", color=\"#ca8a04\"",
            Kind::DeadLetters => "shape=box, style=filled, fillcolor=\"#fee2e2\", color=\"#dc2626\"",
        };
        let _ = writeln!(out, "    {} [label=<{}>, {looks}]", node.id, label(node));
    }
    for edge in &graph.edges {
        let looks = if edge.failed { " [style=dashed, color=\"#dc2626\"]" } else { "" };
        let _ = writeln!(out, "    {} -> {}{looks}", graph.nodes[edge.from].id, graph.nodes[edge.to].id);
    }
    out.push_str("}\n");
    out
}

fn label(node: &Node) -> String {
    let lines: Vec<String> = node.lines().into_iter().map(escaped).collect();
    let mut label = format!("<b>{}</b>", lines.join("<br/>"));
    for event in &node.events {
        let _ = write!(label, "<br/><i>{}</i>", escaped(event));
    }
    label
}

/// A text inside of an HTML-like label.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if is_unprintable(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A text inside of double quotes, where only these two mean anything.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use crate::export::{Graph, examples};

    #[test]
    fn our_own_topology_for_graphviz() {
        insta::assert_snapshot!(Graph::of(&examples::ours()).dot());
    }

    #[test]
    fn odd_names_for_graphviz() {
        insta::assert_snapshot!(Graph::of(&examples::odd()).dot());
    }
}
