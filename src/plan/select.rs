//! A part of a topology.

use crate::topology::{Topic, Topology};

/// The topology with only the topics that `wanted` accepts; everything else as it was.
pub(crate) fn select(topology: &Topology, wanted: impl Fn(&Topic) -> bool) -> Topology {
    Topology {
        topics: topology.topics.iter().filter(|topic| wanted(topic)).cloned().collect(),
        ..topology.clone()
    }
}
