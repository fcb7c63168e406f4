//! Rows that brokers have acknowledged, until the store knows.

use std::time::Duration;

use tokio::time::Instant;

use crate::store::outbox::Published;

/// How long few of them wait for others: what it costs to record them hardly depends on how many they are. Those of a relay
/// that is killed meanwhile are published again by whoever comes after it.
pub(super) const GATHERED: Duration = Duration::from_millis(50);
/// So many wait for nobody; those that wait are read over by every fetch.
const MANY: usize = 256;

#[derive(Debug)]
pub(super) struct Unrecorded {
    rows: Vec<Published>,
    /// When they are to be recorded.
    due: Option<Instant>,
    gathered: Duration,
}

impl Unrecorded {
    /// None; few will wait for so long.
    pub(super) fn new(gathered: Duration) -> Self {
        Self { rows: Vec::new(), due: None, gathered }
    }

    pub(super) fn add(&mut self, rows: impl IntoIterator<Item = Published>, now: Instant) {
        self.rows.extend(rows);
        if self.rows.len() >= MANY {
            self.due = Some(now);
        } else if !self.rows.is_empty() {
            self.due.get_or_insert(now + self.gathered);
        }
    }

    pub(super) fn rows(&self) -> &[Published] {
        &self.rows
    }

    /// When they are to be recorded; `None`: there are none.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// They are recorded, or another relay's.
    pub(super) fn forget(&mut self) {
        self.rows.clear();
        self.due = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: i64) -> impl Iterator<Item = Published> {
        (0..count).map(|seq| Published { seq, partition: 0, offset: seq })
    }

    #[tokio::test(start_paused = true)]
    async fn few_wait_since_the_first_of_them_came_and_many_for_nobody() {
        let began = Instant::now();
        let mut unrecorded = Unrecorded::new(GATHERED);
        unrecorded.add(rows(0), began);
        assert_eq!(unrecorded.due(), None);
        unrecorded.add(rows(3), began);
        let later = began + GATHERED / 2;
        unrecorded.add(rows(3), later);
        assert_eq!((unrecorded.rows().len(), unrecorded.due()), (6, Some(began + GATHERED)));
        unrecorded.add(rows(250), later);
        assert_eq!(unrecorded.due(), Some(later));
        unrecorded.forget();
        assert_eq!((unrecorded.rows().len(), unrecorded.due()), (0, None));
    }
}
