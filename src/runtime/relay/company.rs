//! How long a batch waits for company.
//!
//! Every batch costs statements of its own, and each broker a request with all that follows it among the replicas. How much
//! that is here and now shows in how long batches fly, from the producer to the last acknowledgement.

use std::time::Duration;

use crate::unit::UnixMillis;

/// Behind a batch that was not full the next one waits for one and a half flights, so that the cluster has time for others
/// too, and behind one of more rows than these for longer, by the square root of how many times as many there were. So a wait
/// settles where rows come evenly: at (1.5 flights)² × rows a second / 32. In proportion to the rows it would be the shortest
/// or the most and nothing between.
const ROWS: u32 = 32;
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
    /// It ends with a beat of the clock, at which other relays have their rounds too, those of other services as well: brokers'
    /// replicas and consumers then ask once for what all of them write.
    pub(super) fn after(self, rows: usize, beat: Duration, now: UnixMillis) -> Duration {
        let beat = beat.max(Duration::from_millis(1));
        let beats = self.wanted(rows).as_secs_f64() / beat.as_secs_f64();
        let length = i64::try_from(beat.as_millis()).unwrap_or(i64::MAX);
        let left = Duration::from_millis(u64::try_from(length - now.0.rem_euclid(length)).unwrap_or(0));
        let first = if left < TOO_NEAR { left + beat } else { left };
        first + beat.mul_f64((beats.round() - 1.0).max(0.0))
    }

    fn wanted(self, rows: usize) -> Duration {
        let least = (self.flight * 3 / 2).min(MOST);
        let times = f64::from(u32::try_from(rows).unwrap_or(u32::MAX).max(ROWS)) / f64::from(ROWS);
        least.mul_f64(times.sqrt()).min(MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEAT: Duration = Duration::from_millis(12);

    fn company(flight: usize) -> Company {
        Company { flight: Duration::from_millis(flight as u64) }
    }

    fn after(flight: usize, rows: usize, now: i64) -> u128 {
        company(flight).after(rows, BEAT, UnixMillis(1_725_185_730_000 / 12 * 12 + now)).as_millis()
    }

    #[test]
    fn rounds_of_few_rows_fall_on_the_next_beat() {
        for (now, wait) in [(0, 12), (1, 11), (9, 3), (10, 2), (11, 13)] {
            for (flight, rows) in [(0, 100_000), (4, 1), (4, 200), (8, 64), (11, 1)] {
                assert_eq!(after(flight, rows, now), wait, "{flight} ms, {rows} rows");
            }
        }
    }

    #[test]
    fn those_of_many_rows_or_of_a_cluster_that_is_slow_fall_on_a_later_one() {
        assert_eq!((after(13, 1, 0), after(21, 1, 5), after(8, 192, 5), after(8, 432, 11)), (24, 31, 19, 49));
        assert_eq!((after(8, 100_000, 0), after(60_000, 1, 0), after(60_000, 100_000, 0)), (96, 96, 96));
    }

    #[test]
    fn where_rows_come_evenly_waits_settle() {
        for (flight, a_second, settled) in
            [(8, 8_000, 36), (10, 8_000, 56), (16, 4_000, 72), (16, 20_000, 100)]
        {
            for start in [1, 100] {
                let wait = (0..16).fold(Duration::from_millis(start), |wait, _| {
                    company(flight).wanted(wait.as_micros() as usize * a_second / 1_000_000)
                });
                assert!(wait.as_millis().abs_diff(settled) <= 1, "{flight} ms, {a_second} rows/s: {wait:?}");
            }
        }
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
