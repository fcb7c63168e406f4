//! An outbox held against its topics: was everything published, and in order? Pure.
//!
//! Order is judged on first occurrences: a relay that was killed publishes again what nobody recorded, and consumers
//! know a repeat by its id.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// What was seen of an outbox's rows in the topics: a bit for each row, and a number for each key.
#[derive(Debug, Default)]
pub struct Verification {
    first: i64,
    seen: Vec<u64>,
    /// The row seen first last, by topic and key.
    last: HashMap<u64, i64>,
}

/// What a record turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Seen for the first time, behind all of its key that came before it.
    First,
    /// Seen before.
    Repeat,
    /// Seen for the first time, but after a later row of its key.
    Reordered { after: i64 },
}

impl Verification {
    /// For rows with numbers from `first` to `last`.
    #[must_use]
    pub fn of(first: i64, last: i64) -> Self {
        let rows = usize::try_from(last.saturating_sub(first).saturating_add(1)).unwrap_or(0);
        Self { first, seen: vec![0; rows.div_ceil(64)], last: HashMap::new() }
    }

    /// Takes the record of a row, in the order of its partition.
    pub fn see(&mut self, topic: &str, key: &str, seq: i64) -> Sight {
        if self.mark(seq) {
            return Sight::Repeat;
        }
        let mut hasher = DefaultHasher::new();
        (topic, key).hash(&mut hasher);
        let last = self.last.entry(hasher.finish()).or_insert(seq);
        if *last > seq {
            return Sight::Reordered { after: *last };
        }
        *last = seq;
        Sight::First
    }

    /// Whether the record of a row was seen.
    #[must_use]
    pub fn has(&self, seq: i64) -> bool {
        self.place(seq).is_some_and(|(word, bit)| self.seen[word] & bit != 0)
    }

    /// Whether it was marked before.
    fn mark(&mut self, seq: i64) -> bool {
        let Some((word, bit)) = self.place(seq) else { return false };
        let before = self.seen[word] & bit != 0;
        self.seen[word] |= bit;
        before
    }

    fn place(&self, seq: i64) -> Option<(usize, u64)> {
        let at = usize::try_from(seq.checked_sub(self.first)?).ok()?;
        (at / 64 < self.seen.len()).then_some((at / 64, 1 << (at % 64)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_is_told_from_a_record_out_of_order() {
        let mut found = Verification::of(10, 200);
        for (topic, key, seq, expected) in [
            ("t", "a", 10, Sight::First),
            ("t", "a", 12, Sight::First),
            ("t", "b", 11, Sight::First),
            ("t", "a", 10, Sight::Repeat),
            ("t", "a", 12, Sight::Repeat),
            ("t", "a", 200, Sight::First),
            ("t", "a", 150, Sight::Reordered { after: 200 }),
            ("u", "a", 149, Sight::First),
            ("t", "a", 150, Sight::Repeat),
        ] {
            assert_eq!(found.see(topic, key, seq), expected, "{topic} {key} {seq}");
        }
        assert!(found.has(10) && found.has(200) && !found.has(13) && !found.has(9) && !found.has(5000));
    }
}
