//! How a person reads the value of a setting.

use crate::unit::{Duration, Size};

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
