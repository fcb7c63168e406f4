//! Topologies that the tests of this module write out.

use crate::topology::{SchemaFiles, Topology, load};

/// Our own file.
pub(super) fn ours() -> Topology {
    topology(include_str!("../../topology.yaml"))
}

/// Names that mean something to whoever reads the output, and whatever else is out of the ordinary.
pub(super) fn odd() -> Topology {
    topology(include_str!("../../tests/data/odd-names.yaml"))
}

fn topology(text: &str) -> Topology {
    let loaded = load(text, None, |_| SchemaFiles::Unchecked);
    loaded.topology.unwrap_or_else(|| panic!("{:#?}", loaded.problems))
}
