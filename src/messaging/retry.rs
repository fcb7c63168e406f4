//! How often a record is tried again, and when. Pure.

use std::time::Duration;

/// How often a record is tried, and how long to wait in between.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// All attempts, the first one included; at least 1.
    pub attempts: u32,
    pub backoff: BackOff,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BackOff {
    /// Always as long; Spring Kafka's `FixedBackOff`.
    Fixed(Duration),
    /// Twice as long each time, up to a limit; each time between half of that and all of it, by chance.
    Exponential { initial: Duration, max: Duration },
}

impl Default for RetryPolicy {
    /// Spring Kafka's default: ten attempts; but a second apart, since a partition that waits costs nothing here.
    fn default() -> Self {
        Self { attempts: 10, backoff: BackOff::Fixed(Duration::from_secs(1)) }
    }
}

impl RetryPolicy {
    /// How long to wait after the `attempt`th attempt (from 1 on) failed; `None`: it was the last. `chance` is a
    /// number from 0 to 1 that spreads exponential delays.
    #[must_use]
    pub fn delay(&self, attempt: u32, chance: f64) -> Option<Duration> {
        if attempt >= self.attempts {
            return None;
        }
        Some(match self.backoff {
            BackOff::Fixed(delay) => delay,
            BackOff::Exponential { initial, max } => {
                doubled((initial, max), attempt.saturating_sub(1)).mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
            }
        })
    }
}

/// The first of these times, doubled so often, and the second at most.
#[must_use]
pub(crate) fn doubled((first, most): (Duration, Duration), times: u32) -> Duration {
    first.saturating_mul(1_u32.checked_shl(times).unwrap_or(u32::MAX)).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_counted_and_delays_grow_within_their_limit() {
        let seconds = Duration::from_secs;
        let fixed = RetryPolicy { attempts: 3, backoff: BackOff::Fixed(seconds(2)) };
        let exponential = RetryPolicy {
            attempts: 100,
            backoff: BackOff::Exponential { initial: seconds(1), max: seconds(60) },
        };
        for (policy, attempt, chance, expected) in [
            (fixed, 1, 0.3, Some(seconds(2))),
            (fixed, 2, 0.9, Some(seconds(2))),
            (fixed, 3, 0.9, None),
            (fixed, 4, 0.9, None),
            (exponential, 1, 1.0, Some(seconds(1))),
            (exponential, 1, 0.0, Some(Duration::from_millis(500))),
            (exponential, 4, 1.0, Some(seconds(8))),
            (exponential, 7, 1.0, Some(seconds(60))),
            (exponential, 99, 7.0, Some(seconds(60))),
            (exponential, 100, 1.0, None),
        ] {
            assert_eq!(policy.delay(attempt, chance), expected, "{policy:?} {attempt}");
        }
    }
}
