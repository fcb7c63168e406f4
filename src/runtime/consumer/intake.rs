//! What a topic's records must be, to be handled. Pure.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;

use crate::messaging::dead_letter::{Cause, Class};
use crate::messaging::{Record, RetryPolicy};
use crate::schema::Judge;
use crate::store::inbox;
use crate::text::{listed, quoted};

const EVENT_TYPE: &str = "eventType";
const EVENT_ID: &str = "eventId";
/// Violations that a dead letter says.
const MOST_SAID: usize = 5;

/// What a group takes of a topic.
#[derive(Clone, Debug)]
pub struct Intake {
    /// The types of events that the handler takes; empty: all of them.
    pub handles: BTreeSet<String>,
    /// The types that the topology lets the topic carry; `None`: any.
    pub carries: Option<BTreeSet<String>>,
    pub unknown: UnknownEvents,
    /// Judges payloads; `None`: they are handed over as they are.
    pub judge: Option<Arc<Judge>>,
    /// Where dead letters go; without one a record that cannot be handled stops its partition.
    pub dead_letters: Option<String>,
    pub retry: RetryPolicy,
}

impl Default for Intake {
    /// Takes everything, unjudged, and stops at what cannot be handled.
    fn default() -> Self {
        Self {
            handles: BTreeSet::new(),
            carries: None,
            unknown: UnknownEvents::DeadLetter,
            judge: None,
            dead_letters: None,
            retry: RetryPolicy::default(),
        }
    }
}

/// What is done with types of events that a topic should not carry: `unknown_events`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownEvents {
    /// Counted and passed by.
    Skip,
    #[default]
    DeadLetter,
}

/// What is to be done with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sorted {
    /// To be handled, if the inbox does not know this id.
    Take {
        id: String,
    },
    /// Passed by, unparsed where its headers say enough.
    Skip,
    Dead {
        id: String,
        cause: Cause,
    },
}

/// What a payload says of itself.
#[derive(Deserialize)]
struct Envelope<'p> {
    #[serde(borrow, rename = "eventType", default)]
    event_type: Option<Cow<'p, str>>,
    #[serde(borrow, rename = "eventId", default)]
    event_id: Option<Cow<'p, str>>,
}

impl<'p> Envelope<'p> {
    fn of(record: &'p Record) -> Option<Self> {
        serde_json::from_slice(record.value()?).ok()
    }
}

/// By the headers alone, where they suffice; known duplicates can be passed by before anything is parsed.
pub(super) fn sort(record: &Record, intake: &Intake) -> Sorted {
    let header = record.header(EVENT_TYPE).filter(|name| !name.is_empty());
    let envelope = if header.is_none() || record.header(EVENT_ID).is_none() && intake.judge.is_some() {
        Envelope::of(record)
    } else {
        None
    };
    let id = id(record, envelope.as_ref());
    let name = match (header, envelope.as_ref().and_then(|envelope| envelope.event_type.as_deref())) {
        (Some(name), _) => match std::str::from_utf8(name) {
            Ok(name) => name,
            Err(_) => return dead(id, Class::Poison, "the header `eventType` is no UTF-8"),
        },
        (None, Some(name)) => name,
        (None, None) if intake.takes_anything() => return Sorted::Take { id },
        (None, None) if envelope.is_none() => {
            return dead(id, Class::Undecodable, "no `eventType` header, and the value is no JSON object");
        }
        (None, None) => {
            return dead(id, Class::Poison, "neither a header nor the payload says an `eventType`");
        }
    };
    if let Some(carries) = &intake.carries
        && !carries.contains(name)
    {
        return match intake.unknown {
            UnknownEvents::Skip => Sorted::Skip,
            UnknownEvents::DeadLetter => {
                let known = listed(carries.iter().map(String::as_str), MOST_SAID);
                let message = format!("{} is no event of {}: {known}", quoted(name), quoted(record.topic()));
                dead(id, Class::Poison, &message)
            }
        };
    }
    if !intake.handles.is_empty() && !intake.handles.contains(name) {
        return Sorted::Skip;
    }
    Sorted::Take { id }
}

impl Intake {
    pub(super) fn takes_anything(&self) -> bool {
        self.handles.is_empty() && self.carries.is_none() && self.judge.is_none()
    }
}

/// By the payload: `Some` when it is not what it should be.
pub(super) fn judge(record: &Record, intake: &Intake) -> Option<Cause> {
    let judge = intake.judge.as_ref()?;
    let Some(value) = record.value() else {
        return Some(Cause::new(Class::SchemaViolation, "the record has no value"));
    };
    let header = record.header(EVENT_TYPE).filter(|name| !name.is_empty());
    // Nearly all are; the others are worth a second look.
    if header.is_some_and(|header| judge.is_surely(value, header)) {
        return None;
    }
    if let Some(header) = header
        && let Some(Envelope { event_type: Some(said), .. }) = Envelope::of(record)
        && said.as_bytes() != header
    {
        let header = String::from_utf8_lossy(header);
        let message = format!("the header says {}, the payload {}", quoted(&header), quoted(&said));
        return Some(Cause::new(Class::Poison, message));
    }
    if judge.is_valid(value) {
        return None;
    }
    let violations = judge.violations(value);
    let undecodable = violations.iter().any(|violation| violation.rule == "json");
    let class = if undecodable { Class::Undecodable } else { Class::SchemaViolation };
    let mut said = violations.iter().map(ToString::to_string);
    let mut cause = Cause::new(class, said.next().unwrap_or_else(|| "it is not valid".to_owned()));
    cause.chain = said.take(MOST_SAID - 1).collect();
    if violations.len() > MOST_SAID {
        cause.chain.push(format!("and {} more", violations.len() - MOST_SAID));
    }
    Some(cause)
}

fn dead(id: String, class: Class, message: &str) -> Sorted {
    Sorted::Dead { id, cause: Cause::new(class, message) }
}

/// The event's id: of the header, else of the payload, else where the record stands.
fn id(record: &Record, envelope: Option<&Envelope<'_>>) -> String {
    if let Some(id) = record.header(EVENT_ID).filter(|id| !id.is_empty()) {
        return inbox::id_of(id);
    }
    match envelope.and_then(|envelope| envelope.event_id.as_deref()).filter(|id| !id.is_empty()) {
        Some(id) => inbox::id_of(id.as_bytes()),
        None => inbox::id_of(record.place().as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{ByType, Schema};

    fn record(headers: &[(&str, &str)], value: Option<&str>) -> Record {
        let headers = headers.iter().map(|(name, value)| (*name, Some(value.as_bytes())));
        Record::at("orders", 3, 7).holding(None, value.map(str::as_bytes), headers)
    }

    fn intake() -> Intake {
        let schema = br#"{"type": "object", "required": ["orderId"]}"#;
        let schemas = ByType::new()
            .with("Placed", Schema::compile(schema).unwrap())
            .with("Paid", Schema::compile(b"true").unwrap());
        Intake {
            handles: BTreeSet::from(["Placed".to_owned()]),
            carries: Some(BTreeSet::from(["Placed".to_owned(), "Paid".to_owned()])),
            judge: Some(Arc::new(Judge::by_type(schemas))),
            ..Intake::default()
        }
    }

    fn shown(sorted: &Sorted) -> String {
        match sorted {
            Sorted::Take { id } => format!("take {id}"),
            Sorted::Skip => "skip".to_owned(),
            Sorted::Dead { id, cause } => format!("{} {id}: {}", cause.class.name(), cause.message),
        }
    }

    #[test]
    fn a_record_is_sorted_by_its_headers_else_by_its_payload() {
        let payload = |text| Some(text);
        let skip_unknown = Intake { unknown: UnknownEvents::Skip, ..intake() };
        let anything = Intake::default();
        for (record, intake, expected) in [
            (record(&[("eventType", "Placed"), ("eventId", "e1")], payload("no json")), &intake(), "take e1"),
            (record(&[("eventType", "Placed")], payload(r#"{"eventId":"e2"}"#)), &intake(), "take e2"),
            (record(&[("eventType", "Placed")], payload(r#"{"eventId":7}"#)), &intake(), "take orders/3/7"),
            (record(&[], payload(r#"{"eventType":"Placed","eventId":"e\u0033"}"#)), &intake(), "take e3"),
            (record(&[("eventType", "Paid")], payload("no json")), &intake(), "skip"),
            (
                record(&[("eventType", "Lost")], None),
                &intake(),
                "kafkaflow.Poison orders/3/7: `Lost` is no event of `orders`: `Paid` and `Placed`",
            ),
            (record(&[("eventType", "Lost")], None), &skip_unknown, "skip"),
            (
                record(&[], payload("no json")),
                &intake(),
                "kafkaflow.Undecodable orders/3/7: no `eventType` header, and the value is no JSON object",
            ),
            (
                record(&[], payload("{}")),
                &intake(),
                "kafkaflow.Poison orders/3/7: neither a header nor the payload says an `eventType`",
            ),
            (record(&[], None), &anything, "take orders/3/7"),
        ] {
            assert_eq!(shown(&sort(&record, intake)), expected, "{record:?}");
        }
    }

    #[test]
    fn a_payload_is_judged_and_must_say_what_its_header_says() {
        let kind = ("eventType", "Placed");
        for (record, expected) in [
            (record(&[kind], Some(r#"{"eventType":"Placed","orderId":"o"}"#)), None),
            (
                record(&[kind], Some(r#"{"eventType":"Paid","orderId":"o"}"#)),
                Some("kafkaflow.Poison the header says `Placed`, the payload `Paid`"),
            ),
            (
                record(&[kind], Some(r#"{"eventType":"Placed"}"#)),
                Some(
                    "kafkaflow.SchemaViolation expected the property `orderId`, found none of that name (required)",
                ),
            ),
            (record(&[kind], None), Some("kafkaflow.SchemaViolation the record has no value")),
        ] {
            let found =
                judge(&record, &intake()).map(|cause| format!("{} {}", cause.class.name(), cause.message));
            assert_eq!(found.as_deref(), expected);
        }
        let broken = judge(&record(&[kind], Some("{\"a\": 01}")), &intake()).unwrap();
        assert_eq!(broken.class, Class::Undecodable, "{broken:?}");
    }
}
