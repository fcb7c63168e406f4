//! What a service waits for before it works, and what it refuses to work without.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::cluster::port::{RefusalKind, Scope, Topics as _};
use crate::connection::ConnectionConfig;
use crate::kafka::admin::Admin;
use crate::messaging::doubled;
use crate::store::{Location, Migration, Store, StoreError};
use crate::topology::{Topic, TopicName, TopicRole, Topology};

use super::health::Health;

/// The pause before something that is not there is tried again: at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// How long brokers may take that were just asked to make a topic.
const SEEN_AGAIN: u32 = 3;

/// Opens a service's store. One that cannot be reached is waited for, and said to `health`.
pub(crate) async fn open_store(
    location: &Location,
    service: &str,
    migrations: &[Migration],
    connections: u32,
    health: &Health,
) -> Result<Store, StoreError> {
    let mut attempt = 0;
    loop {
        match Store::open(location, service, migrations, connections).await {
            Ok(store) => return Ok(store),
            Err(error) if error.is_transient() => {
                if attempt == 0 {
                    tracing::warn!("{service} waits for its store in {location}: {error}");
                }
                health.troubled("start", format!("it waits for its store: {error}"));
                pause(&mut attempt).await;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn pause(attempt: &mut u32) {
    tokio::time::sleep(doubled(PAUSE, *attempt)).await;
    *attempt += 1;
}

/// What the topology promises a service: topics that it reads or writes, their dead-letter topics, and how many
/// partitions each has.
pub(crate) fn needs(topology: &Topology, service: &str) -> BTreeMap<TopicName, i32> {
    let concerns = |names: &[String]| names.iter().any(|name| name == service);
    let mut needed = BTreeMap::new();
    for topic in &topology.topics {
        if concerns(&topic.producers) || concerns(&topic.consumers) {
            needed.insert(topic.name.clone(), topic.partitions);
        }
        if let TopicRole::DeadLettersOf(source) = &topic.role {
            let source = topology.topics.iter().find(|topic| topic.name == *source);
            if source.is_some_and(|source| concerns(&source.consumers)) {
                needed.insert(topic.name.clone(), topic.partitions);
            }
        }
    }
    needed
}

/// The topic to which a service sends events of a type, as its topology says.
pub(crate) fn outlet<'t>(topology: &'t Topology, service: &str, event: &str) -> Result<&'t Topic, NoOutlet> {
    let sends = |topic: &&Topic| {
        topic.producers.iter().any(|name| name == service) && topic.events.iter().any(|name| name == event)
    };
    let topic = topology.topics.iter().find(sends);
    topic.ok_or_else(|| NoOutlet { service: service.to_owned(), event: event.to_owned() })
}

/// A topology that has no place for what a service sends.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the topology has no topic that {service} produces and that carries {event}")]
pub(crate) struct NoOutlet {
    service: String,
    event: String,
}

/// Every way in which a cluster is less than a service needs, in the order of the topics.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub(crate) struct Lacking(pub(crate) Vec<String>);

/// Waits until brokers answer, and says what they lack. A cluster that cannot be reached is no missing topic.
pub(crate) async fn cluster_has(
    connection: &ConnectionConfig,
    needed: &BTreeMap<TopicName, i32>,
    health: &Health,
) -> Result<(), Lacking> {
    let names: Vec<TopicName> = needed.keys().cloned().collect();
    let mut attempt = 0;
    let mut lacked = 0;
    loop {
        let asked = async {
            let admin = Admin::connect(connection.clone()).await.map_err(|error| error.to_string())?;
            admin.list(Scope::Only(&names)).await.map_err(|error| error.to_string())
        };
        match asked.await {
            Ok(listing) => {
                let found: BTreeMap<&TopicName, i32> = listing
                    .topics
                    .iter()
                    .map(|one| (&one.name, i32::try_from(one.partitions.len()).unwrap_or(i32::MAX)))
                    .collect();
                // What may not be described may be there all the same; using it will show.
                let hidden = |name: &TopicName| {
                    listing
                        .refused
                        .iter()
                        .any(|(hidden, refusal)| hidden == name && refusal.kind == RefusalKind::Unauthorized)
                };
                let lacking = lacking(needed, |name| found.get(name).copied(), hidden);
                match lacking {
                    Ok(()) => {
                        health.fine("start", "the cluster has what the topology promises");
                        return Ok(());
                    }
                    // A broker that is behind does not know the newest topics.
                    Err(_) if lacked < SEEN_AGAIN => lacked += 1,
                    Err(lacking) => return Err(lacking),
                }
            }
            Err(error) => {
                if attempt == 0 {
                    tracing::warn!("the cluster cannot be reached, which is tried again: {error}");
                }
                health.troubled("start", format!("the cluster cannot be reached: {error}"));
            }
        }
        pause(&mut attempt).await;
    }
}

fn lacking(
    needed: &BTreeMap<TopicName, i32>,
    found: impl Fn(&TopicName) -> Option<i32>,
    hidden: impl Fn(&TopicName) -> bool,
) -> Result<(), Lacking> {
    let lack = |(name, partitions): (&TopicName, &i32)| match found(name) {
        None if hidden(name) => None,
        None => Some(format!("there is no topic {}", name.as_str())),
        Some(some) if some < *partitions => {
            Some(format!("{} has {some} of {partitions} partitions", name.as_str()))
        }
        Some(_) => None,
    };
    let lacks: Vec<String> = needed.iter().filter_map(lack).collect();
    if lacks.is_empty() { Ok(()) } else { Err(Lacking(lacks)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{SchemaFiles, load};

    fn topology() -> Topology {
        let text = include_str!("../../topology.yaml");
        load(text, None, |_| SchemaFiles::Unchecked).topology.unwrap()
    }

    #[test]
    fn a_service_needs_what_it_reads_and_writes_and_where_its_dead_letters_go() {
        let names = |service| {
            needs(&topology(), service).into_iter().map(|(name, count)| format!("{} {count}", name.as_str()))
        };
        assert_eq!(
            names("inventory-service").collect::<Vec<_>>(),
            [
                "inventory-service.cancel-reservation 12",
                "inventory-service.cancel-reservation.DLT 1",
                "inventory-service.inventory-result 12",
                "notification-service.send-notification 6",
                "order-service.order-placed 12",
                "order-service.order-placed.DLT 1",
            ]
        );
        assert_eq!(
            names("notification-service").collect::<Vec<_>>(),
            ["notification-service.send-notification 6", "notification-service.send-notification.DLT 1"]
        );
    }

    #[test]
    fn every_lack_is_said_and_what_is_hidden_or_larger_is_none() {
        let name = |name: &str| TopicName::parse(name).unwrap();
        let needed = BTreeMap::from([(name("a"), 3), (name("b"), 3), (name("c"), 3), (name("d"), 3)]);
        let found = |name: &TopicName| match name.as_str() {
            "b" => Some(2),
            "c" => Some(4),
            _ => None,
        };
        let lacking = lacking(&needed, found, |name| name.as_str() == "d");
        assert_eq!(lacking.unwrap_err().to_string(), "there is no topic a; b has 2 of 3 partitions");
    }
}
