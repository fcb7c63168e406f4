//! The dead-letter breaker: when most records would become dead letters, it is not the records that are broken. Pure.

use std::collections::VecDeque;

/// When the breaker opens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakerOptions {
    /// How many records, the last ones, decide.
    pub window: usize,
    /// Which part of them may become dead letters, from 0 to 1.
    pub most: f64,
}

impl Default for BreakerOptions {
    fn default() -> Self {
        Self { window: 100, most: 0.5 }
    }
}

/// Remembers what became of the last records. While it is open nothing is dead-lettered: one record at a time is
/// tried, and the first that is handled closes it.
#[derive(Debug)]
pub(super) struct Breaker {
    options: BreakerOptions,
    /// Whether each of the last records became a dead letter.
    last: VecDeque<bool>,
    open: bool,
}

/// What the breaker says of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Go,
    /// The batch is to be undone; `opened`: the breaker was closed before.
    Stop {
        opened: bool,
    },
}

impl Breaker {
    pub(super) fn new(options: BreakerOptions) -> Self {
        Self { options, last: VecDeque::new(), open: false }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Asked before a batch is committed, of which so many records were handled and so many would die.
    pub(super) fn judge(&mut self, handled: usize, dying: usize) -> Verdict {
        if self.open {
            if dying > 0 {
                return Verdict::Stop { opened: false };
            }
            if handled > 0 {
                self.open = false;
                self.last.clear();
            }
            return Verdict::Go;
        }
        let kept = self.options.window.saturating_sub(handled + dying).min(self.last.len());
        let dead_kept = self.last.iter().rev().take(kept).filter(|dead| **dead).count();
        let seen = kept + handled + dying;
        let broken = (dead_kept + dying) as f64 > self.options.most * seen as f64;
        if dying > 0 && seen >= self.options.window && broken {
            self.open = true;
            return Verdict::Stop { opened: true };
        }
        Verdict::Go
    }

    /// Told after the commit of a batch.
    pub(super) fn record(&mut self, handled: usize, died: usize) {
        let outcomes = std::iter::repeat_n(false, handled).chain(std::iter::repeat_n(true, died));
        self.last.extend(outcomes);
        self.last.drain(..self.last.len().saturating_sub(self.options.window));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker() -> Breaker {
        Breaker::new(BreakerOptions { window: 10, most: 0.5 })
    }

    /// Judges and, if it may go on, records.
    fn batch(breaker: &mut Breaker, handled: usize, dying: usize) -> Verdict {
        let verdict = breaker.judge(handled, dying);
        if verdict == Verdict::Go {
            breaker.record(handled, dying);
        }
        verdict
    }

    #[test]
    fn it_opens_when_more_than_half_of_the_last_records_would_die() {
        let mut breaker = breaker();
        assert_eq!(batch(&mut breaker, 0, 9), Verdict::Go, "too few to tell");
        assert_eq!(batch(&mut breaker, 4, 0), Verdict::Go);
        // Of the last ten: six dead, four handled.
        assert_eq!(batch(&mut breaker, 0, 1), Verdict::Stop { opened: true });
        assert!(breaker.is_open());
    }

    #[test]
    fn half_is_not_more_than_half() {
        let mut breaker = breaker();
        assert_eq!(batch(&mut breaker, 5, 5), Verdict::Go);
        assert_eq!(batch(&mut breaker, 5, 5), Verdict::Go);
        assert_eq!(batch(&mut breaker, 500, 499), Verdict::Go);
        assert_eq!(batch(&mut breaker, 499, 500), Verdict::Stop { opened: true });
    }

    #[test]
    fn a_flood_is_stopped_before_its_first_letter() {
        let mut breaker = breaker();
        assert_eq!(batch(&mut breaker, 0, 500), Verdict::Stop { opened: true });
        assert_eq!(batch(&mut breaker, 0, 1), Verdict::Stop { opened: false });
    }

    #[test]
    fn the_first_record_that_is_handled_closes_it() {
        let mut breaker = breaker();
        batch(&mut breaker, 0, 500);
        assert_eq!(batch(&mut breaker, 0, 0), Verdict::Go, "a duplicate says nothing");
        assert!(breaker.is_open());
        assert_eq!(batch(&mut breaker, 1, 0), Verdict::Go);
        assert!(!breaker.is_open());
        assert_eq!(batch(&mut breaker, 0, 5), Verdict::Go, "the count begins anew");
    }
}
