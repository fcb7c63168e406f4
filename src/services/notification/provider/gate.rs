//! Whether a provider may be asked at all.

use std::time::Duration;

use tokio::time::Instant;

use crate::messaging::doubled;

/// How long a provider that is not there, or does not know us, is left alone: at first, and at most.
const AWAY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
const LOCKED: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));
/// Nobody is believed who wants to be left alone for longer.
const MOST: Duration = Duration::from_secs(3600);

/// Closed for a while after a failure that is no letter's fault; for longer each time until something is taken.
#[derive(Debug, Default)]
pub(super) struct Gate {
    closed: Option<(Instant, String)>,
    closings: u32,
    locked: bool,
}

impl Gate {
    /// For how much longer it is closed, and why.
    pub(super) fn closed(&self, now: Instant) -> Option<(Duration, String)> {
        let (until, reason) = self.closed.as_ref()?;
        let left = until.saturating_duration_since(now);
        (!left.is_zero()).then(|| (left, reason.clone()))
    }

    /// It takes nothing before `after`; whether this is the first failure since something was taken.
    pub(super) fn away(&mut self, after: Option<Duration>, reason: &str, now: Instant) -> bool {
        let first = self.closings == 0;
        self.close(after, AWAY, reason, now);
        first
    }

    /// The provider does not know us; whether that is new.
    pub(super) fn lock(&mut self, reason: &str, now: Instant) -> bool {
        self.close(None, LOCKED, reason, now);
        !std::mem::replace(&mut self.locked, true)
    }

    fn close(&mut self, after: Option<Duration>, growing: (Duration, Duration), reason: &str, now: Instant) {
        let closed = self.closed(now).is_some();
        let time = match after {
            Some(after) => after,
            // Calls that were under way together close it once.
            None if closed => return,
            None => doubled(growing, self.closings),
        };
        self.closings += u32::from(!closed);
        let until = now + time.min(MOST);
        let until = self.closed.as_ref().map_or(until, |(known, _)| until.max(*known));
        self.closed = Some((until, reason.to_owned()));
    }

    /// Something was taken; whether it was closed before.
    pub(super) fn open(&mut self) -> bool {
        let was = std::mem::take(self);
        was.closings > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_provider_that_stays_away_is_asked_ever_less_until_something_is_taken() {
        let (mut gate, start) = (Gate::default(), Instant::now());
        let mut now = start;
        let mut waits = Vec::new();
        for _ in 0..7 {
            gate.away(None, "refused", now);
            let (left, reason) = gate.closed(now).unwrap();
            assert_eq!(reason, "refused");
            waits.push(left.as_secs());
            now += left;
            assert_eq!(gate.closed(now), None);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        assert!(gate.open());
        assert!(!gate.open());
        assert!(gate.away(None, "refused", now));
        assert_eq!(gate.closed(now).unwrap().0, Duration::from_secs(1));
    }

    #[tokio::test]
    async fn who_says_when_to_come_again_is_obeyed_for_an_hour_at_most() {
        let (mut gate, now) = (Gate::default(), Instant::now());
        gate.away(Some(Duration::from_secs(90)), "too many", now);
        assert_eq!(gate.closed(now).unwrap().0, Duration::from_secs(90));
        // A call that was under way brings a shorter one.
        gate.away(Some(Duration::from_secs(2)), "too many", now);
        assert_eq!(gate.closed(now).unwrap().0, Duration::from_secs(90));
        gate.away(Some(Duration::MAX), "for ever", now);
        assert_eq!(gate.closed(now).unwrap().0, MOST);
    }

    #[tokio::test]
    async fn a_lock_is_told_of_once_and_tried_seldom() {
        let (mut gate, now) = (Gate::default(), Instant::now());
        assert!(gate.lock("535", now));
        assert_eq!(gate.closed(now).unwrap().0, Duration::from_secs(5));
        let now = now + Duration::from_secs(5);
        assert!(!gate.lock("535", now));
        assert_eq!(gate.closed(now).unwrap().0, Duration::from_secs(10));
        assert!(gate.open());
    }
}
