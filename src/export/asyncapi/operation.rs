//! What services do with topics, as operations.

use serde_json::{Map, Value, json};

use super::message::DEAD_LETTER;
use super::{About, BINDING, message_ids, object};
use crate::export::ids::Ids;
use crate::text::{listed, quoted};
use crate::topology::model::Service;
use crate::topology::{Topic, TopicRole, Topology};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Send,
    Receive,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Receive => "receive",
        }
    }
}

/// Service by service, as the file has them.
pub(super) fn all(topology: &Topology, about: About<'_>, ids: &mut Ids) -> Map<String, Value> {
    let mut operations = Map::new();
    let services = topology.services.iter();
    for service in services.filter(|service| about.service.is_none_or(|name| name == service.name)) {
        for topic in &topology.topics {
            for (action, users) in [(Action::Receive, &topic.consumers), (Action::Send, &topic.producers)] {
                if users.contains(&service.name) {
                    let id = ids.give(&format!("{}.{}.{}", service.name, action.name(), topic.name));
                    operations.insert(id, operation(service, action, topic));
                }
            }
        }
    }
    operations
}

fn operation(service: &Service, action: Action, topic: &Topic) -> Value {
    let channel = format!("#/channels/{}", topic.name);
    let (messages, what) = match &topic.role {
        TopicRole::Source { .. } => {
            let events = topic.events.iter().map(String::as_str);
            (message_ids(topic), listed(events, topic.events.len()))
        }
        TopicRole::DeadLettersOf(source) => {
            (vec![DEAD_LETTER.to_owned()], format!("dead letters of {}", quoted(source.as_str())))
        }
    };
    let messages: Vec<Value> =
        messages.iter().map(|message| json!({ "$ref": format!("{channel}/messages/{message}") })).collect();
    let verb = match action {
        Action::Send => "sends",
        Action::Receive => "receives",
    };
    let summary = (!what.is_empty()).then(|| json!(format!("{} {verb} {what}.", service.name)));
    let group = service.group.as_ref().filter(|_| action == Action::Receive);
    object([
        ("action", Some(json!(action.name()))),
        ("channel", Some(json!({ "$ref": channel }))),
        ("summary", summary),
        ("tags", Some(json!([{ "name": service.name }]))),
        (
            "bindings",
            group.map(|group| {
                json!({ "kafka": { "groupId": { "type": "string", "enum": [group] }, "bindingVersion": BINDING } })
            }),
        ),
        ("messages", (!messages.is_empty()).then_some(Value::Array(messages))),
    ])
}
