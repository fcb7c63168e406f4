//! Values of settings: when two texts mean the same.

use std::collections::BTreeSet;

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
}
