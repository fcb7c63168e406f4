//! The topology as an AsyncAPI 3.0 document.

mod channel;
mod message;
mod operation;
mod payload;
mod server;

use serde_json::{Map, Value, json};

use super::Schemas;
use super::ids::Ids;
use crate::connection::ConnectionConfig;
use crate::topology::{Topic, Topology};
use payload::Payloads;

pub(crate) use payload::BadReference;

/// Of the Kafka bindings; AsyncAPI 3.0.0 knows it.
const BINDING: &str = "0.5.0";

/// What a document is about, beside the topology.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    /// The application of one service; `None`: the whole system.
    pub(crate) service: Option<&'a str>,
    /// What the topology was laid under.
    pub(crate) environment: Option<&'a str>,
    /// `info.version`.
    pub(crate) version: &'a str,
    /// Its bootstrap brokers are the servers.
    pub(crate) connection: Option<&'a ConnectionConfig>,
}

/// Writes the document; fails when a schema refers to one that is not there.
pub(crate) fn document(
    topology: &Topology,
    schemas: &Schemas,
    about: About<'_>,
) -> Result<Value, BadReference> {
    let mut payloads = Payloads::of(schemas);
    let mut channels = Map::new();
    for topic in topology.topics.iter().filter(|topic| about.uses(topic)) {
        channels.insert(topic.name.to_string(), channel::of(topic, schemas, &mut payloads));
    }
    let mut ids = Ids::of(is_id);
    let operations = operation::all(topology, about, &mut ids);
    let (servers, security) = about.connection.map(server::all).unwrap_or_default();
    Ok(object([
        ("asyncapi", Some(json!("3.0.0"))),
        ("info", Some(info(topology, about))),
        ("defaultContentType", Some(json!("application/json"))),
        ("servers", filled(servers)),
        ("channels", Some(Value::Object(channels))),
        ("operations", Some(Value::Object(operations))),
        (
            "components",
            Some(object([
                ("schemas", filled(payloads.finish()?)),
                ("messageTraits", Some(message::traits())),
                ("securitySchemes", filled(security)),
            ])),
        ),
    ]))
}

impl About<'_> {
    fn uses(self, topic: &Topic) -> bool {
        self.service
            .is_none_or(|service| topic.producers.iter().chain(&topic.consumers).any(|user| user == service))
    }
}

fn info(topology: &Topology, about: About<'_>) -> Value {
    let system = topology.name.as_deref().unwrap_or("Kafka topology");
    let place = about.environment.map_or(String::new(), |name| format!(" in environment {name}"));
    let (title, description) = match about.service {
        Some(service) => (service, format!("What {service} of {system} sends and receives{place}.")),
        None => (system, format!("What the services of {system} send and receive{place}.")),
    };
    json!({ "title": title, "version": about.version, "description": description })
}

/// What the keys of components and operations may consist of.
fn is_id(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-')
}

/// The entries that have a value, in this order.
fn object<const N: usize>(entries: [(&str, Option<Value>); N]) -> Value {
    let entries = entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(entries.collect())
}

fn filled(map: Map<String, Value>) -> Option<Value> {
    (!map.is_empty()).then_some(Value::Object(map))
}

/// The keys of a topic's messages, in the order of its events.
fn message_ids(topic: &Topic) -> Vec<String> {
    let mut ids = Ids::of(is_id);
    topic.events.iter().map(|event| ids.give(event)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::examples;

    fn yaml(service: Option<&str>, topology: &Topology, schemas: &Schemas) -> String {
        let about = About { service, environment: None, version: "1.0.0", connection: None };
        serde_saphyr::to_string(&document(topology, schemas, about).unwrap()).unwrap()
    }

    #[test]
    fn the_application_of_one_of_our_services() {
        insta::assert_snapshot!(yaml(
            Some("notification-service"),
            &examples::ours(),
            &examples::our_schemas()
        ));
    }

    #[test]
    fn a_system_of_odd_names() {
        insta::assert_snapshot!(yaml(None, &examples::odd(), &examples::odd_schemas()));
    }
}
