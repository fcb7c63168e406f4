//! Apache Kafka's topic settings: type and limits of each, and people's words for their values.
//!
//! Source: `ConfigDef` of `org.apache.kafka.storage.internals.log.LogConfig` in Kafka 4.3.0, printed
//! by a program and compared with 3.9.1; names are those of
//! `org.apache.kafka.common.config.TopicConfig`.

use crate::text::quoted;
use crate::unit::{Duration, Size, UnitError};

/// A setting's type and limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Type {
    Boolean,
    /// `INT` and `LONG`: smallest and largest legal value.
    Number(i64, i64),
    /// `compression.gzip.level`: 1 to 9, or -1 for the library's default.
    GzipLevel,
    /// 0 to 1.
    Ratio,
    OneOf(&'static [&'static str]),
    ListOf(&'static [&'static str]),
    /// `*` or `[partition]:[broker],…`.
    Replicas,
}

use Type::{Boolean, GzipLevel, ListOf, Number, OneOf, Ratio, Replicas};

const INT: i64 = i32::MAX as i64;
const LONG: i64 = i64::MAX;

/// By name, so that lookups are binary searches.
const SETTINGS: [(&str, Type); 34] = [
    ("cleanup.policy", ListOf(&["compact", "delete"])),
    ("compression.gzip.level", GzipLevel),
    ("compression.lz4.level", Number(1, 17)),
    ("compression.type", OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"])),
    ("compression.zstd.level", Number(-131_072, 22)),
    ("delete.retention.ms", Number(0, LONG)),
    ("file.delete.delay.ms", Number(0, LONG)),
    ("flush.messages", Number(1, LONG)),
    ("flush.ms", Number(0, LONG)),
    ("follower.replication.throttled.replicas", Replicas),
    ("index.interval.bytes", Number(0, INT)),
    ("internal.segment.bytes", Number(-INT - 1, INT)),
    ("leader.replication.throttled.replicas", Replicas),
    ("local.retention.bytes", Number(-2, LONG)),
    ("local.retention.ms", Number(-2, LONG)),
    ("max.compaction.lag.ms", Number(1, LONG)),
    ("max.message.bytes", Number(0, INT)),
    ("message.timestamp.after.max.ms", Number(0, LONG)),
    ("message.timestamp.before.max.ms", Number(0, LONG)),
    ("message.timestamp.type", OneOf(&["CreateTime", "LogAppendTime"])),
    ("min.cleanable.dirty.ratio", Ratio),
    ("min.compaction.lag.ms", Number(0, LONG)),
    ("min.insync.replicas", Number(1, INT)),
    ("preallocate", Boolean),
    ("remote.log.copy.disable", Boolean),
    ("remote.log.delete.on.disable", Boolean),
    ("remote.storage.enable", Boolean),
    ("retention.bytes", Number(i64::MIN, LONG)),
    ("retention.ms", Number(-1, LONG)),
    // Kafka 4 asks for 1 MiB; 3.9 still accepts 14 bytes (see `SEGMENT_MINIMUM`).
    ("segment.bytes", Number(14, INT)),
    ("segment.index.bytes", Number(4, INT)),
    ("segment.jitter.ms", Number(0, LONG)),
    ("segment.ms", Number(1, LONG)),
    ("unclean.leader.election.enable", Boolean),
];

/// Settings that Kafka 3 knows and Kafka 4 refuses, and what replaces each.
pub(crate) const REMOVED: [(&str, &str); 3] = [
    ("message.downconversion.enable", "remove the line: Kafka 4 converts no records for old clients"),
    ("message.format.version", "remove the line: Kafka 4 writes one record format only"),
    (
        "message.timestamp.difference.max.ms",
        "write `message.timestamp.before.max.ms` and `message.timestamp.after.max.ms`",
    ),
];

/// Smallest `segment.bytes` that Kafka 4 accepts.
pub(crate) const SEGMENT_MINIMUM: i64 = 1 << 20;

/// First words of settings that products built on Kafka add.
const VENDORS: [&str; 9] =
    ["aiven", "automq", "confluent", "diskless", "inkless", "kora", "redpanda", "warpstream", "write"];

/// Why a value cannot stand in a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) message: String,
    pub(crate) help: String,
}

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().map(|(name, _)| *name)
}

pub(crate) fn find(name: &str) -> Option<Type> {
    SETTINGS.binary_search_by_key(&name, |(name, _)| name).ok().map(|index| SETTINGS[index].1)
}

pub(crate) fn is_list(name: &str) -> bool {
    matches!(find(name), Some(ListOf(_) | Replicas))
}

/// Whether an unknown setting is another product's: a first word of theirs, or one that no setting
/// of Kafka begins with or nearly begins with.
pub(crate) fn is_vendors(name: &str) -> bool {
    let Some((first, _)) = name.split_once('.') else {
        return false;
    };
    VENDORS.contains(&first)
        || !names().any(|known| {
            let known = known.split('.').next().unwrap_or(known);
            strsim::normalized_damerau_levenshtein(first, known) >= 0.6
        })
}

/// The value in Kafka's text. Durations and sizes in people's words become numbers where the
/// setting's name ends in `.ms` or `.bytes`; everything else stays as it is written.
pub(crate) fn normalise(name: &str, written: &str) -> Result<String, Refusal> {
    // Kafka trims too.
    let written = written.trim();
    let Some(kind) = find(name) else {
        return Ok(written.to_owned());
    };
    let refuse = |help: String| {
        Err(Refusal { message: format!("{} cannot be {}", quoted(name), quoted(written)), help })
    };
    let accepted = match kind {
        Boolean => {
            if !["true", "false"].iter().any(|word| word.eq_ignore_ascii_case(written)) {
                return refuse("write `true` or `false`".to_owned());
            }
            written.to_ascii_lowercase()
        }
        Number(least, most) => {
            let (text, value) = match number(name, written, least) {
                Ok(number) => number,
                Err(help) => return refuse(help),
            };
            if !(least..=most).contains(&value) {
                return refuse(range(name, least, most));
            }
            text
        }
        GzipLevel => match written.parse() {
            Ok(-1 | 1..=9) => written.to_owned(),
            _ => return refuse("write a number from 1 to 9, or -1".to_owned()),
        },
        Ratio => match written.parse::<f64>() {
            Ok(ratio) if (0.0..=1.0).contains(&ratio) => written.to_owned(),
            _ => return refuse("write a number from 0 to 1, like `0.5`".to_owned()),
        },
        OneOf(words) => {
            if !words.contains(&written) {
                return refuse(choice(written, words));
            }
            written.to_owned()
        }
        ListOf(words) => {
            let parts: Vec<&str> = written.split(',').map(str::trim).collect();
            match parts.iter().find(|part| !words.contains(part)) {
                // Kafka accepts the empty list: nothing is deleted and nothing compacted.
                Some(_) if written.is_empty() => String::new(),
                Some(part) => return refuse(choice(part, words)),
                None => parts.join(","),
            }
        }
        Replicas => {
            let pair = |pair: &str| {
                pair.trim().split_once(':').is_some_and(|(partition, broker)| {
                    partition.parse::<u32>().is_ok() && broker.parse::<u32>().is_ok()
                })
            };
            if !(written.is_empty() || written == "*" || written.split(',').all(pair)) {
                return refuse("write `*`, or `partition:broker` pairs like `0:1,1:2`".to_owned());
            }
            written.to_owned()
        }
    };
    Ok(accepted)
}

fn is_time(name: &str) -> bool {
    name.rsplit('.').next() == Some("ms")
}

fn is_size(name: &str) -> bool {
    name.rsplit('.').next() == Some("bytes")
}

/// A number's text and value, from digits or people's words.
fn number(name: &str, written: &str, least: i64) -> Result<(String, i64), String> {
    if let Ok(value) = written.parse() {
        return Ok((written.to_owned(), value));
    }
    let value = if is_time(name) {
        if written == "forever" && (-2..=-1).contains(&least) {
            -1
        } else {
            let duration =
                Duration::parse(written).map_err(|error| format!("{}; {}", error.message, error.help))?;
            duration.as_millis()
        }
    } else if is_size(name) {
        let size = Size::parse(written).map_err(|error| format!("{}; {}", error.message, error.help))?;
        size.as_bytes()
    } else {
        return Err("write a whole number: digits only".to_owned());
    };
    Ok((value.to_string(), value))
}

/// A `retention:`: a duration, or `forever` (-1 for Kafka).
pub(crate) fn duration(text: &str) -> Result<i64, UnitError> {
    match text.trim() {
        "forever" | "-1" => Ok(-1),
        text => Duration::parse(text).map(Duration::as_millis),
    }
}

fn range(name: &str, least: i64, most: i64) -> String {
    let shown = |value: i64| {
        if is_size(name) && value > 0 {
            format!("{value} ({})", Size::from_bytes(value))
        } else {
            value.to_string()
        }
    };
    match most {
        LONG => format!("at least {}", shown(least)),
        _ => format!("from {} to {}", shown(least), shown(most)),
    }
}

fn choice(written: &str, words: &[&str]) -> String {
    let near = words
        .iter()
        .find(|word| word.eq_ignore_ascii_case(written) || strsim::damerau_levenshtein(word, written) <= 2);
    match near {
        Some(word) => format!("did you mean `{word}`?"),
        None => format!("write one of {}", words.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_are_sorted_so_that_each_is_found() {
        assert!(names().is_sorted());
        assert!(names().all(|name| find(name).is_some()));
        assert_eq!(find("retention"), None);
    }

    /// Verdicts of Kafka 4.3.0's own `LogConfig.validate`.
    #[test]
    fn values_are_judged_as_kafka_judges_them() {
        for (name, value, accepted) in [
            ("cleanup.policy", "", true),
            ("cleanup.policy", "delete,delete", true),
            ("cleanup.policy", " compact , delete ", true),
            ("cleanup.policy", "none", false),
            ("compression.type", "GZIP", false),
            ("compression.type", " gzip", true),
            ("preallocate", "TRUE", true),
            ("preallocate", "yes", false),
            ("retention.ms", "-2", false),
            ("retention.ms", "+5", true),
            ("retention.bytes", "-5", true),
            ("min.cleanable.dirty.ratio", "5e-1", true),
            ("min.cleanable.dirty.ratio", "1.0", true),
            ("min.cleanable.dirty.ratio", "1.1", false),
            ("compression.gzip.level", "0", false),
            ("compression.gzip.level", "-1", true),
            ("follower.replication.throttled.replicas", "*", true),
            ("follower.replication.throttled.replicas", "0:1,1:2", true),
            ("follower.replication.throttled.replicas", "x", false),
            ("max.message.bytes", " 5 ", true),
            ("max.message.bytes", "2147483648", false),
            ("message.timestamp.type", "createTime", false),
            ("local.retention.ms", "-2", true),
            ("compression.zstd.level", "-131073", false),
            ("flush.ms", "-1", false),
            ("index.interval.bytes", "0", true),
            ("retention.ms", "", false),
        ] {
            assert_eq!(normalise(name, value).is_ok(), accepted, "{name}={value}");
        }
    }

    #[test]
    fn peoples_words_become_kafkas_numbers_and_numbers_stay() {
        for (name, written, text) in [
            ("retention.ms", "7d", "604800000"),
            ("retention.ms", "forever", "-1"),
            ("retention.ms", "604800000", "604800000"),
            ("segment.bytes", "1GiB", "1073741824"),
            ("min.cleanable.dirty.ratio", "0.50", "0.50"),
            ("cleanup.policy", "compact, delete", "compact,delete"),
            ("confluent.value.schema.validation", "true", "true"),
        ] {
            assert_eq!(normalise(name, written).as_deref(), Ok(text));
        }
        assert!(normalise("flush.ms", "forever").is_err());
        assert!(normalise("min.insync.replicas", "2d").is_err());
    }

    #[test]
    fn other_products_settings_are_told_from_misspelt_ones() {
        for name in ["confluent.placement.constraints", "redpanda.remote.read", "acme.tier"] {
            assert!(is_vendors(name), "{name}");
        }
        for name in ["retentoin.ms", "cleanup.polcy", "segments.bytes", "retention"] {
            assert!(!is_vendors(name), "{name}");
        }
    }
}
