//! How a service consumes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::event::EventType;
use crate::runtime::consumer::Options;
use crate::runtime::service::ServiceError;
use crate::schema::Judge;
use crate::topology::Topology;

/// How long a batch waits for what is read beside it: the relay sends to all partitions at once, and they answer one after
/// the other.
const COMPANY: Duration = Duration::from_millis(2);

/// As the topology says it of the service `name`, which takes events of these types from every topic that it consumes.
pub(super) fn options(
    topology: &Topology,
    name: &'static str,
    judge: &Arc<Judge>,
    kinds: &[EventType],
) -> Result<Options, ServiceError> {
    let taken: BTreeSet<String> = kinds.iter().map(|kind| kind.as_str().to_owned()).collect();
    let handles: BTreeMap<String, BTreeSet<String>> =
        topology.consumed_by(name).map(|topic| (topic.name.as_str().to_owned(), taken.clone())).collect();
    Options::of_topology(topology, name, judge, &handles).ok_or(ServiceError::NoGroup(name))
}

/// In one lane, which gathers what all partitions have into one transaction. Lanes of a service whose work is its store's
/// wait for each other, each with a few records of its own: for SQLite's one writer, or for the row of a product that all of
/// them sell. Letters of a batch are delivered side by side anyway.
pub(super) fn in_one_lane(options: Options) -> Options {
    Options { concurrency: Some(1), linger: COMPANY, ..options }
}
