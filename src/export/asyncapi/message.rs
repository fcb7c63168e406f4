//! Events and dead letters as messages.

use serde_json::{Map, Value, json};

use super::payload::Payloads;
use super::{BINDING, message_ids, object};
use crate::export::Schemas;
use crate::topology::{Topic, TopicName};

/// Key and name of the message of a dead-letter topic.
pub(super) const DEAD_LETTER: &str = "DeadLetter";
/// A trace as the standard that defines the header writes it.
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The messages of a topic, by event.
pub(super) fn events(topic: &Topic, schemas: &Schemas, payloads: &mut Payloads<'_>) -> Map<String, Value> {
    let messages = topic.events.iter().zip(message_ids(topic)).map(|(event, id)| {
        let schema = schemas.event(event).map(|found| found.schema);
        let summary = schema.and_then(|schema| schema.get("description")).cloned();
        let examples = schema.map(|schema| examples(event, schema)).unwrap_or_default();
        let message = object([
            ("name", Some(json!(event))),
            ("title", Some(json!(event))),
            ("summary", summary),
            ("traits", Some(json!([trait_named("record")]))),
            ("headers", Some(json!({ "type": "object", "properties": { "eventType": { "const": event } } }))),
            ("payload", payloads.reference(event)),
            ("bindings", binding(topic)),
            ("examples", (!examples.is_empty()).then_some(Value::Array(examples))),
        ]);
        (id, message)
    });
    messages.collect()
}

/// The one message of a dead-letter topic: what failed need not be what it should have been.
pub(super) fn dead_letters(
    topic: &Topic,
    source: &TopicName,
    schemas: &Schemas,
    payloads: &mut Payloads<'_>,
) -> Map<String, Value> {
    let values: Vec<Value> = topic.events.iter().filter_map(|event| payloads.reference(event)).collect();
    let examples = topic.events.iter().filter_map(|event| {
        let example = examples(event, schemas.event(event)?.schema).into_iter().next()?;
        Some(dead_letter(example, source))
    });
    let examples: Vec<Value> = examples.take(1).collect();
    let message = object([
        ("name", Some(json!(DEAD_LETTER))),
        ("title", Some(json!(format!("Dead letter of {source}")))),
        (
            "summary",
            Some(json!(
                "A record that could not be processed: key, value and headers as they were, and headers that say where it comes from and why it is here."
            )),
        ),
        ("traits", Some(json!([trait_named("record"), trait_named("deadLetter")]))),
        ("payload", (!values.is_empty()).then(|| failed_value(values))),
        ("bindings", binding(topic)),
        ("examples", (!examples.is_empty()).then_some(Value::Array(examples))),
    ]);
    Map::from_iter([(DEAD_LETTER.to_owned(), message)])
}

fn failed_value(mut values: Vec<Value>) -> Value {
    values.push(json!({ "title": "Undecodable", "description": "Bytes that nobody could read." }));
    json!({ "title": "Value of the failed record", "anyOf": values })
}

/// Headers that every record may have, and those that a dead letter has in addition.
pub(super) fn traits() -> Value {
    json!({
        "record": { "headers": { "type": "object", "properties": {
            "eventId": text("Unique for ever, the same as in the payload; a repeated event is recognised by it."),
            "eventType": text("The event's name: consumers route by it without reading the payload."),
            "traceparent": text("The trace that the event belongs to (W3C Trace Context)."),
            "content-type": { "type": "string", "const": "application/json" },
        } } },
        "deadLetter": { "headers": { "type": "object", "properties": {
            "kafka_dlt-original-topic": text("Topic of the failed record."),
            "kafka_dlt-original-partition": bytes("Its partition: 4 bytes, big-endian."),
            "kafka_dlt-original-offset": bytes("Its offset: 8 bytes, big-endian."),
            "kafka_dlt-original-timestamp": bytes("Its timestamp in milliseconds: 8 bytes, big-endian."),
            "kafka_dlt-original-timestamp-type": { "type": "string", "enum": ["CreateTime", "LogAppendTime"] },
            "kafka_dlt-original-consumer-group": text("The consumer group that could not process it."),
            "kafka_dlt-exception-fqcn": text("Name of the error."),
            "kafka_dlt-exception-cause-fqcn": text("Name of the error behind it."),
            "kafka_dlt-exception-message": text("What went wrong."),
            "kafka_dlt-exception-stacktrace": text("Where it went wrong."),
        } } },
    })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn bytes(description: &str) -> Value {
    json!({ "type": "string", "format": "binary", "description": description })
}

fn trait_named(name: &str) -> Value {
    json!({ "$ref": format!("#/components/messageTraits/{name}") })
}

fn binding(topic: &Topic) -> Option<Value> {
    let key = topic.key.as_ref()?;
    let description = format!("The payload's `{key}`, as UTF-8.");
    Some(
        json!({ "kafka": { "key": { "type": "string", "description": description }, "bindingVersion": BINDING } }),
    )
}

/// The schema's examples, each with the headers that it would travel with.
fn examples(event: &str, schema: &Value) -> Vec<Value> {
    let payloads = schema.get("examples").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let example = |payload: &Value| {
        let headers = object([
            ("eventId", payload.get("eventId").filter(|id| id.is_string()).cloned()),
            ("eventType", Some(json!(event))),
            ("traceparent", Some(json!(TRACEPARENT))),
            ("content-type", Some(json!("application/json"))),
        ]);
        json!({ "headers": headers, "payload": payload })
    };
    payloads.iter().map(example).collect()
}

fn dead_letter(mut example: Value, source: &TopicName) -> Value {
    if let Some(Value::Object(headers)) = example.get_mut("headers") {
        headers.insert("kafka_dlt-original-topic".to_owned(), json!(source));
        headers.insert("kafka_dlt-exception-message".to_owned(), json!("the store is out of reach"));
    }
    example
}
