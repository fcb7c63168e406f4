//! A provider that takes no money: it declines a part of the charges and approves the others. The same key is always
//! answered the same, whoever asks and however often.

use crate::messaging::key_hash;

/// The provider.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Simulated {
    /// Which part of the charges is declined, from 0 to 1.
    decline_rate: f64,
}

/// What it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Captured,
    Declined { reason: &'static str },
}

impl Simulated {
    pub(crate) fn new(decline_rate: f64) -> Self {
        Self { decline_rate: decline_rate.clamp(0.0, 1.0) }
    }

    /// Decides by the key alone, so that nothing need be remembered.
    pub(crate) fn capture(self, key: &str) -> Verdict {
        let share = f64::from(key_hash(key.as_bytes())) / f64::from(i32::MAX);
        if share < self.decline_rate {
            Verdict::Declined { reason: "The card was declined" }
        } else {
            Verdict::Captured
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stated_part_is_declined_and_a_key_is_always_answered_the_same() {
        for (rate, expected) in
            [(0.0, 0..=0), (0.1, 700..=1300), (1.0, 10_000..=10_000), (7.0, 10_000..=10_000)]
        {
            let provider = Simulated::new(rate);
            let declined = |n: &u32| provider.capture(&format!("ORD-{n}:capture")) != Verdict::Captured;
            let count = (0..10_000).filter(declined).count();
            assert!(expected.contains(&count), "{rate}: {count}");
            assert_eq!(provider.capture("ORD-1:capture"), provider.capture("ORD-1:capture"));
        }
    }
}
