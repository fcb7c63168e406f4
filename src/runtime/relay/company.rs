//! How long a batch waits for company.

use std::time::Duration;

use crate::unit::UnixMillis;

/// How long the next batch waits for company behind one that was not full, for each of that one's rows, and at most. Every
/// batch costs statements of its own, and each broker a request with all that follows it among the replicas.
///
/// As long as that is short it ends with the beat of the clock, at which other relays have their rounds too, those of other
/// services as well: brokers' replicas and consumers then ask once for what all of them write.
const COMPANY_A_ROW: Duration = Duration::from_micros(150);
const MOST_COMPANY: Duration = Duration::from_millis(100);
/// The beat that is too near behind a round to be the next one's.
const TOO_NEAR: Duration = Duration::from_millis(2);

/// How long a batch that is not full, of so many rows and taken at that time, keeps the next one waiting.
pub(super) fn company(rows: usize, beat: Duration, now: UnixMillis) -> Duration {
    let wanted = COMPANY_A_ROW.saturating_mul(u32::try_from(rows).unwrap_or(u32::MAX)).min(MOST_COMPANY);
    if wanted > beat {
        return wanted;
    }
    let length = i64::try_from(beat.as_millis()).unwrap_or(i64::MAX).max(1);
    let left = Duration::from_millis(u64::try_from(length - now.0.rem_euclid(length)).unwrap_or(0));
    if left < TOO_NEAR { left + beat } else { left }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_of_few_rows_fall_on_the_beat_and_those_of_many_wait_longer() {
        let began = 1_725_185_730_000 / 12 * 12;
        let length = Duration::from_millis(12);
        let company = |rows, after: i64| company(rows, length, UnixMillis(began + after)).as_millis();
        for (after, wait) in [(0, 12), (1, 11), (9, 3), (10, 2), (11, 13)] {
            assert_eq!(company(1, after), wait);
            assert_eq!(company(80, after), wait);
        }
        assert_eq!((company(200, 5), company(600, 5), company(100_000, 5)), (30, 90, 100));
    }
}
