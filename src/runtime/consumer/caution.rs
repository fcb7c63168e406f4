//! Whether a batch is worth trying optimistically. Pure.
//!
//! One that is refused costs a statement for nothing, and what happens once, such as events that come again, happens again
//! soon. Where others work on the same rows it happens all the time, and is tried ever more seldom.

/// Batches that are not tried after the first that was refused, and after one of many.
const LEAST: u32 = 50;
const MOST: u32 = 12_800;

#[derive(Debug)]
pub(super) struct Caution {
    /// Batches that are not tried now.
    left: u32,
    /// Batches that will not be after the next that is refused.
    next: u32,
}

impl Default for Caution {
    fn default() -> Self {
        Self { left: 0, next: LEAST }
    }
}

impl Caution {
    /// Whether the next batch is tried.
    pub(super) fn tries(&mut self) -> bool {
        let tries = self.left == 0;
        self.left = self.left.saturating_sub(1);
        tries
    }

    /// One was tried and written.
    pub(super) fn written(&mut self) {
        self.next = LEAST.max(self.next - 1);
    }

    /// One was tried and refused.
    pub(super) fn refused(&mut self) {
        self.left = self.next;
        self.next = MOST.min(self.next * 4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many batches pass until one is tried.
    fn passed(caution: &mut Caution) -> u32 {
        let mut passed = 0;
        while !caution.tries() {
            passed += 1;
        }
        passed
    }

    #[test]
    fn refusals_that_go_on_make_trials_rare_and_success_brings_them_back() {
        let mut caution = Caution::default();
        assert_eq!(passed(&mut caution), 0);
        let waits: Vec<u32> = (0..6)
            .map(|_| {
                caution.refused();
                passed(&mut caution)
            })
            .collect();
        assert_eq!(waits, [50, 200, 800, 3200, 12_800, 12_800]);
        for _ in 0..12_700 {
            assert!(caution.tries());
            caution.written();
        }
        caution.refused();
        assert_eq!(passed(&mut caution), 100);
    }

    #[test]
    fn one_refusal_in_eight_makes_trials_as_rare_as_many() {
        let mut caution = Caution::default();
        for _ in 0..10 {
            for _ in 0..7 {
                passed(&mut caution);
                caution.written();
            }
            caution.refused();
        }
        assert!(passed(&mut caution) > 12_000);
    }
}
