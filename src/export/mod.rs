//! Text out of the topology: graph, AsyncAPI, catalogue. Pure.

pub(crate) mod asyncapi;
pub(crate) mod catalogue;
mod dot;
mod graph;
mod ids;
mod mermaid;
mod schemas;

pub(crate) use graph::Graph;
pub(crate) use schemas::Schemas;

#[cfg(test)]
mod examples;
