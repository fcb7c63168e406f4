//! The headers of Spring Kafka's `DeadLetterPublishingRecoverer`, byte for byte: `kafka_dlt-original-*` say where a
//! record comes from and pile up when it dies again, `kafka_dlt-exception-*` say why and are replaced.

use super::Cause;
use crate::messaging::{Header, Outgoing, Record};
use crate::unit::UnixMillis;

const ORIGINAL: &str = "kafka_dlt-original-";
const EXCEPTION: &str = "kafka_dlt-exception-";
/// Bytes of the longest message and of the longest chain of causes; a header must not make a record too large.
const LONGEST_MESSAGE: usize = 2000;
const LONGEST_TRACE: usize = 8000;

/// The dead letter of a record: its key, value and headers as they were, and Spring's beside them.
///
/// `partitions` is how many the dead-letter topic has: the partition is the source's modulo that, and of the key
/// where the number is not known. The record's own time is `now`; the original one is in its header.
#[must_use]
pub fn dead_letter(
    record: &Record,
    cause: &Cause,
    group: &str,
    topic: &str,
    partitions: Option<u32>,
    now: UnixMillis,
) -> Outgoing {
    let mut headers: Vec<Header> = record
        .headers()
        .filter(|(name, _)| !name.starts_with(EXCEPTION))
        .map(|(name, value)| Header { name: name.to_owned(), value: value.map(<[u8]>::to_vec) })
        .collect();
    let mut original =
        |name: &str, value: &[u8]| headers.push(Header::new(format!("{ORIGINAL}{name}"), value));
    original("topic", record.topic().as_bytes());
    original("partition", &record.partition().to_be_bytes());
    original("offset", &record.offset().to_be_bytes());
    if let Some(timestamp) = record.timestamp() {
        original("timestamp", &timestamp.at.0.to_be_bytes());
        original("timestamp-type", timestamp.kind.name().as_bytes());
    }
    original("consumer-group", group.as_bytes());
    let mut exception =
        |name: &str, value: &str| headers.push(Header::new(format!("{EXCEPTION}{name}"), value.as_bytes()));
    exception("fqcn", cause.class.name());
    exception("message", shortened(&cause.message, LONGEST_MESSAGE));
    exception("stacktrace", shortened(&trace(cause), LONGEST_TRACE));
    let partition = partitions
        .filter(|count| *count > 0)
        .map(|count| record.partition().rem_euclid(count.cast_signed().max(1)));
    Outgoing {
        topic: topic.to_owned(),
        partition,
        key: record.key().map(<[u8]>::to_vec),
        value: record.value().map(<[u8]>::to_vec),
        headers,
        timestamp: Some(now),
    }
}

/// As Java prints an exception and its causes.
fn trace(cause: &Cause) -> String {
    let mut text = format!("{}: {}", cause.class.name(), cause.message);
    for behind in &cause.chain {
        text.push_str("\nCaused by: ");
        text.push_str(behind);
    }
    text
}

/// The beginning of a text, whole characters of it.
fn shortened(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messaging::dead_letter::Class;
    use crate::messaging::{Timestamp, TimestampKind};

    fn source() -> Record {
        let at = UnixMillis(0x0102_0304_0506_0708);
        Record::at("orders", 7, 0x1122)
            .timestamped(Some(Timestamp { at, kind: TimestampKind::CreateTime }))
            .holding(Some(b"k"), Some(b"\xff"), [("a", Some(&b"1"[..])), ("b", None)].into_iter())
    }

    fn shown(outgoing: &Outgoing) -> Vec<(String, Option<Vec<u8>>)> {
        outgoing.headers.iter().map(|header| (header.name.clone(), header.value.clone())).collect()
    }

    #[test]
    fn a_dead_letter_keeps_what_it_was_and_says_where_it_comes_from_and_why() {
        let cause =
            Cause { chain: vec!["disk full".to_owned()], ..Cause::new(Class::Poison, "no such product") };
        let letter = dead_letter(&source(), &cause, "inventory", "orders.DLT", Some(3), UnixMillis(5));
        assert_eq!((letter.key.as_deref(), letter.value.as_deref()), (Some(&b"k"[..]), Some(&b"\xff"[..])));
        assert_eq!((letter.partition, letter.timestamp), (Some(1), Some(UnixMillis(5))));
        let text = |name: &str, value: &str| (name.to_owned(), Some(value.as_bytes().to_vec()));
        let bytes = |name: &str, value: &[u8]| (name.to_owned(), Some(value.to_vec()));
        let expected = [
            text("a", "1"),
            ("b".to_owned(), None),
            text("kafka_dlt-original-topic", "orders"),
            bytes("kafka_dlt-original-partition", &[0, 0, 0, 7]),
            bytes("kafka_dlt-original-offset", &[0, 0, 0, 0, 0, 0, 0x11, 0x22]),
            bytes("kafka_dlt-original-timestamp", &[1, 2, 3, 4, 5, 6, 7, 8]),
            text("kafka_dlt-original-timestamp-type", "CreateTime"),
            text("kafka_dlt-original-consumer-group", "inventory"),
            text("kafka_dlt-exception-fqcn", "kafkaflow.Poison"),
            text("kafka_dlt-exception-message", "no such product"),
            text("kafka_dlt-exception-stacktrace", "kafkaflow.Poison: no such product\nCaused by: disk full"),
        ];
        assert_eq!(shown(&letter), expected);
    }

    #[test]
    fn dying_again_piles_up_where_it_was_and_replaces_why() {
        let first = dead_letter(
            &source(),
            &Cause::new(Class::Poison, "first"),
            "g",
            "orders.DLT",
            None,
            UnixMillis(5),
        );
        let headers = first.headers.iter().map(|header| (header.name.as_str(), header.value.as_deref()));
        let replayed = Record::at("orders", 2, 99).holding(None, None, headers);
        let again = dead_letter(
            &replayed,
            &Cause::new(Class::Undecodable, "second"),
            "g",
            "orders.DLT",
            None,
            UnixMillis(6),
        );
        let of = |name: &str| -> Vec<Vec<u8>> {
            again
                .headers
                .iter()
                .filter(|header| header.name == name)
                .filter_map(|header| header.value.clone())
                .collect()
        };
        assert_eq!(of("kafka_dlt-original-partition"), [7_i32.to_be_bytes(), 2_i32.to_be_bytes()]);
        assert_eq!(of("kafka_dlt-exception-message"), [b"second"]);
        assert_eq!(of("kafka_dlt-exception-fqcn"), [b"kafkaflow.Undecodable"]);
        assert_eq!(again.partition, None);
    }

    #[test]
    fn long_messages_are_cut_between_characters() {
        let cause = Cause::new(Class::Poison, "\u{fc}".repeat(5000));
        let letter = dead_letter(&source(), &cause, "g", "t", Some(1), UnixMillis(0));
        let lengths: Vec<usize> = letter
            .headers
            .iter()
            .filter(|header| header.name.starts_with(EXCEPTION))
            .filter_map(|header| String::from_utf8(header.value.clone()?).ok().map(|text| text.len()))
            .collect();
        assert_eq!(lengths, ["kafkaflow.Poison".len(), 2000, 8000]);
    }
}
