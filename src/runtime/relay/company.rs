//! How long a batch waits for company.
//!
//! Every batch costs statements of its own, and each broker a request with all that follows it among the replicas. How much
//! that is here and now shows in how long batches fly, from the producer to the last acknowledgement.

use std::time::Duration;

use crate::unit::UnixMillis;

/// Behind a batch that was not full the next one waits for one and a half flights, so that the cluster has time for others
/// too, and behind one of more rows than these for as much again for each so many. Where more rows come than these in one and
/// a half flights, a longer wait finds more of them and is followed by a longer one, up to the most: batches are as few as
/// may be then, and a machine that has no time for many is not kept slow by them.
const ROWS: u32 = 48;
const MOST: Duration = Duration::from_millis(100);
/// The beat that is too near behind a round to be the next one's.
const TOO_NEAR: Duration = Duration::from_millis(2);

/// What is known of earlier batches.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Company {
    /// How long one flies: a mean in which each has an eighth, and counts for twice the mean at most. One that a pause of a
    /// broker held up says nothing of those after it.
    flight: Duration,
}

impl Company {
    /// A batch has landed.
    pub(super) fn flew(&mut self, flight: Duration) {
        let flight = if self.flight.is_zero() { flight.min(MOST) } else { flight.min(self.flight * 2) };
        self.flight = (self.flight * 7 + flight) / 8;
    }

    /// How long a batch that is not full, of so many rows and taken at that time, keeps the next one waiting.
    ///
    /// As long as that is short it ends with the beat of the clock, at which other relays have their rounds too, those of
    /// other services as well: brokers' replicas and consumers then ask once for what all of them write.
    pub(super) fn after(self, rows: usize, beat: Duration, now: UnixMillis) -> Duration {
        let least = self.flight * 3 / 2;
        let rows = u32::try_from(rows).unwrap_or(u32::MAX).max(ROWS);
        let wanted = (least.saturating_mul(rows) / ROWS).min(MOST);
        if wanted > beat {
            return wanted;
        }
        let length = i64::try_from(beat.as_millis()).unwrap_or(i64::MAX).max(1);
        let left = Duration::from_millis(u64::try_from(length - now.0.rem_euclid(length)).unwrap_or(0));
        if left < TOO_NEAR { left + beat } else { left }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEAT: Duration = Duration::from_millis(12);

    fn after(flight: u64, rows: usize, now: i64) -> u128 {
        let company = Company { flight: Duration::from_millis(flight) };
        company.after(rows, BEAT, UnixMillis(1_725_185_730_000 / 12 * 12 + now)).as_millis()
    }

    #[test]
    fn rounds_of_few_rows_fall_on_the_beat() {
        for (now, wait) in [(0, 12), (1, 11), (9, 3), (10, 2), (11, 13)] {
            for (flight, rows) in [(0, 100_000), (4, 1), (4, 80), (8, 48)] {
                assert_eq!(after(flight, rows, now), wait);
            }
        }
    }

    #[test]
    fn those_of_many_rows_or_of_a_cluster_that_is_slow_wait_longer() {
        assert_eq!((after(4, 160, 5), after(8, 96, 5), after(8, 100_000, 5)), (20, 24, 100));
        assert_eq!((after(20, 1, 5), after(60_000, 1, 5)), (30, 100));
    }

    #[test]
    fn a_batch_that_was_held_up_changes_little_and_a_dozen_change_all() {
        let mut company = Company::default();
        for _ in 0..64 {
            company.flew(Duration::from_millis(8));
        }
        assert_eq!(company.flight.as_millis(), 7);
        company.flew(Duration::from_secs(10));
        assert_eq!(company.flight.as_millis(), 8);
        for _ in 0..12 {
            company.flew(Duration::from_millis(40));
        }
        assert!(company.flight.as_millis() > 25, "{:?}", company.flight);
    }
}
