//! Text out of the topology. Pure.

mod dot;
mod graph;
mod ids;
mod mermaid;

pub(crate) use graph::Graph;

#[cfg(test)]
mod examples;
