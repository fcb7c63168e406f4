//! Topics as channels.

use serde_json::{Map, Value, json};

use super::payload::Payloads;
use super::{BINDING, filled, message, object};
use crate::export::Schemas;
use crate::topology::{Topic, TopicRole};

pub(super) fn of(topic: &Topic, schemas: &Schemas, payloads: &mut Payloads<'_>) -> Value {
    let (title, messages) = match &topic.role {
        TopicRole::Source { .. } => (None, message::events(topic, schemas, payloads)),
        TopicRole::DeadLettersOf(source) => {
            let title = format!("Dead letters of {source}");
            (Some(json!(title)), message::dead_letters(topic, source, schemas, payloads))
        }
    };
    object([
        ("address", Some(json!(topic.name))),
        ("title", title),
        ("description", topic.rationale.as_ref().map(|rationale| json!(rationale))),
        ("messages", filled(messages)),
        ("bindings", Some(json!({ "kafka": binding(topic) }))),
    ])
}

fn binding(topic: &Topic) -> Value {
    let (known, others) = settings(topic);
    object([
        ("partitions", Some(json!(topic.partitions))),
        ("replicas", topic.replication.map(|replication| json!(replication))),
        ("topicConfiguration", filled(known)),
        ("x-kafka-config", filled(others)),
        ("bindingVersion", Some(json!(BINDING))),
    ])
}

/// The settings that the binding has a type for, and the others. A setting that falls back to the
/// cluster's default is none of the topic's.
fn settings(topic: &Topic) -> (Map<String, Value>, Map<String, Value>) {
    let (mut known, mut others) = (Map::new(), Map::new());
    for (key, value) in &topic.configs {
        let Some(text) = value else { continue };
        match typed(key, text) {
            Some(value) => known.insert(key.clone(), value),
            None => others.insert(key.clone(), json!(text)),
        };
    }
    (known, others)
}

/// As the binding's schema wants the value; `None` where it knows no such setting or allows no such
/// value.
fn typed(key: &str, text: &str) -> Option<Value> {
    let at_least = |least: i64| text.parse().ok().filter(|number: &i64| *number >= least).map(Value::from);
    match key {
        "cleanup.policy" => {
            Some(text.split(',').filter(|policy| !policy.is_empty()).map(Value::from).collect())
        }
        "retention.ms" | "retention.bytes" => at_least(-1),
        "delete.retention.ms" | "max.message.bytes" => at_least(0),
        "confluent.key.schema.validation" | "confluent.value.schema.validation" => {
            text.parse().ok().map(Value::Bool)
        }
        "confluent.key.subject.name.strategy" | "confluent.value.subject.name.strategy" => Some(json!(text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_the_types_of_the_binding_or_stay_text() {
        for (key, text, expected) in [
            ("retention.ms", "604800000", Some(json!(604_800_000))),
            ("retention.bytes", "-1", Some(json!(-1))),
            ("retention.bytes", "-5", None),
            ("cleanup.policy", "compact,delete", Some(json!(["compact", "delete"]))),
            ("cleanup.policy", "", Some(json!([]))),
            ("confluent.key.schema.validation", "true", Some(json!(true))),
            ("confluent.key.schema.validation", "maybe", None),
            ("min.insync.replicas", "2", None),
        ] {
            assert_eq!(typed(key, text), expected, "{key}={text}");
        }
    }
}
