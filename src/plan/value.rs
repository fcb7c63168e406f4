//! Values of settings: when two texts mean the same, and how a person reads one.

use std::collections::BTreeSet;

use crate::unit::{Duration, Size};

/// Do two texts mean the same to Kafka? It keeps a value as it was written, so `0.50` and `0.5`, or
/// `compact,delete` and `delete,compact`, are one value in two spellings.
pub(super) fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.trim(), b.trim());
    if a == b || a.eq_ignore_ascii_case(b) && is_bool(a) {
        return true;
    }
    if let (Ok(a), Ok(b)) = (a.parse::<i64>(), b.parse::<i64>()) {
        return a == b;
    }
    if let (Ok(a), Ok(b)) = (a.parse::<f64>(), b.parse::<f64>()) {
        return a.total_cmp(&b).is_eq();
    }
    a.contains(',') && b.contains(',') && parts(a) == parts(b)
}

fn is_bool(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

fn parts(text: &str) -> BTreeSet<&str> {
    text.split(',').map(str::trim).collect()
}

/// The milliseconds of a retention; -1, Kafka's "for ever", is longer than anything.
pub(super) fn retention(value: &str) -> Option<i64> {
    let number: i64 = value.trim().parse().ok()?;
    Some(if number < 0 { i64::MAX } else { number })
}

/// A value in the unit that its key is written in: `7d` for `retention.ms`, `1GiB` for `…bytes`.
pub(crate) fn shown(key: &str, value: &str) -> String {
    let Ok(number) = value.trim().parse::<i64>() else {
        return if value.is_empty() { "\"\"".to_owned() } else { value.to_owned() };
    };
    let unit = key.rsplit('.').next();
    let (timed, sized) = (unit == Some("ms"), unit == Some("bytes"));
    match number {
        i64::MAX if timed => "forever".to_owned(),
        -1 if timed && key.contains("retention") => "forever".to_owned(),
        -1 if sized && key.contains("retention") => "unlimited".to_owned(),
        0.. if timed => Duration::from_millis(number).to_string(),
        0.. if sized => Size::from_bytes(number).to_string(),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_spellings_of_a_value_are_the_same() {
        for (a, b) in [
            ("7", "07"),
            ("0.5", "0.50"),
            ("TRUE", "true"),
            ("compact,delete", "delete, compact"),
            (" lz4", "lz4"),
        ] {
            assert!(same(a, b), "{a} {b}");
        }
        for (a, b) in [("7", "8"), ("delete", "compact"), ("lz4", "LZ4"), ("compact", "compact,delete")] {
            assert!(!same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn values_are_shown_in_the_unit_of_their_key() {
        for (key, value, expected) in [
            ("retention.ms", "604800000", "7d"),
            ("retention.ms", "-1", "forever"),
            ("retention.bytes", "-1", "unlimited"),
            ("segment.bytes", "1073741824", "1GiB"),
            ("local.retention.ms", "-2", "-2"),
            ("flush.ms", "9223372036854775807", "forever"),
            ("cleanup.policy", "compact", "compact"),
            ("min.insync.replicas", "2", "2"),
            ("leader.replication.throttled.replicas", "", "\"\""),
        ] {
            assert_eq!(shown(key, value), expected, "{key}={value}");
        }
    }
}
