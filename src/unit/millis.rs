//! Points in time, as Kafka and the stores have them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: i64 = 24 * 60 * 60 * 1000;

/// Milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// Of the system's clock. Only loops ask it; steps take the time as an argument.
    #[must_use]
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long ago that was at `now`; nothing when it lies ahead.
    #[must_use]
    pub fn age(self, now: Self) -> Duration {
        Duration::from_millis(u64::try_from(now.0.saturating_sub(self.0)).unwrap_or(0))
    }

    /// Days since 1970-01-01 UTC.
    pub(crate) fn day(self) -> i32 {
        i32::try_from(self.0.div_euclid(DAY)).unwrap_or(i32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_at_midnight_before_and_after_1970() {
        for (millis, day) in [(0, 0), (DAY - 1, 0), (DAY, 1), (-1, -1), (-DAY, -1), (-DAY - 1, -2)] {
            assert_eq!(UnixMillis(millis).day(), day, "{millis}");
        }
    }

    #[test]
    fn time_does_not_overflow() {
        assert_eq!(UnixMillis(i64::MAX).after(Duration::MAX), UnixMillis(i64::MAX));
        assert_eq!(UnixMillis(5).age(UnixMillis(3)), Duration::ZERO);
        assert_eq!(UnixMillis(3).age(UnixMillis(5)), Duration::from_millis(2));
    }
}
