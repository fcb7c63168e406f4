//! The graph as a Mermaid flowchart, which GitHub and GitLab draw where it stands.

use std::fmt::Write;

use super::graph::{Graph, Kind, Node};
use crate::text::is_unprintable;

/// Names are broken where [`Node::lines`] breaks them, not at any hyphen.
const HEAD: &str = "\
%%{init: {\"flowchart\": {\"wrappingWidth\": 400}}}%%
flowchart LR
";

/// Fill, line and text are given together, so that they are readable on a dark page too.
const CLASSES: &str = "    \
    classDef service fill:#dbeafe,stroke:#2563eb,color:#172554
    classDef topic fill:#fef9c3,stroke:#ca8a04,color:#422006
    classDef dlt fill:#fee2e2,stroke:#dc2626,color:#450a0a
";

pub(super) fn render(graph: &Graph) -> String {
    let mut out = String::from(HEAD);
    for node in &graph.nodes {
        let (open, close, class) = match node.kind {
            Kind::Service => ("([", "])", "service"),
            Kind::Topic => ("[[", "]]", "topic"),
            Kind::DeadLetters => ("[[", "]]", "dlt"),
        };
        let _ = writeln!(out, "    {}{open}\"{}\"{close}:::{class}", node.id, label(node));
    }
    for edge in &graph.edges {
        let arrow = if edge.failed { "-.->" } else { "-->" };
        let _ = writeln!(out, "    {} {arrow} {}", graph.nodes[edge.from].id, graph.nodes[edge.to].id);
    }
    let failed = graph.edges.iter().enumerate().filter(|(_, edge)| edge.failed);
    let failed: Vec<String> = failed.map(|(number, _)| number.to_string()).collect();
    if !failed.is_empty() {
        let _ = writeln!(out, "    linkStyle {} stroke:#dc2626", failed.join(","));
    }
    out.push_str(CLASSES);
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

/// A text inside of a label, which is Markdown and HTML at once: whatever could mean something is
/// written as its number.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            c if c.is_alphanumeric() || matches!(c, ' ' | '-' | '.' | ',' | '/') => out.push(c),
            c if is_unprintable(c) => out.push('\u{fffd}'),
            c => {
                let _ = write!(out, "#{};", u32::from(c));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::escaped;
    use crate::export::{Graph, examples};
    use crate::text::is_unprintable;

    /// What Mermaid makes of `#34;`.
    fn decoded(label: &str) -> String {
        let mut parts = label.split('#');
        let first = parts.next().unwrap().to_owned();
        parts.fold(first, |text, part| {
            let (number, rest) = part.split_once(';').unwrap();
            let character = char::from_u32(number.parse().unwrap()).unwrap();
            text + &character.to_string() + rest
        })
    }

    proptest! {
        #[test]
        fn a_label_says_its_text_and_means_nothing_else(text in any::<String>()) {
            let label = escaped(&text);
            prop_assert!(label.chars().all(|c| c.is_alphanumeric() || " -.,/#;\u{fffd}".contains(c)), "{}", label);
            prop_assert_eq!(decoded(&label), text.replace(is_unprintable, "\u{fffd}"));
        }
    }

    #[test]
    fn our_own_topology_as_mermaid() {
        insta::assert_snapshot!(Graph::of(&examples::ours()).mermaid());
    }

    #[test]
    fn odd_names_as_mermaid() {
        insta::assert_snapshot!(Graph::of(&examples::odd()).mermaid());
    }
}
