//! Counts and latencies of a load.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

/// The longest that is told apart, in microseconds; three significant digits.
const LONGEST: u64 = 120_000_000;

/// What was placed, and how long it took.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    /// Orders that were to be placed.
    pub(crate) planned: u64,
    /// Orders that were refused, by HTTP status.
    pub(crate) refused: BTreeMap<u16, u64>,
    /// Orders without an answer.
    pub(crate) unanswered: u64,
    /// From the first order to the last.
    pub(crate) placing_took: Duration,
    post: Histogram<u64>,
    outcome: Histogram<u64>,
}

/// Of some latencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Percentiles {
    pub(crate) count: u64,
    pub(crate) p50: Duration,
    pub(crate) p95: Duration,
    pub(crate) p99: Duration,
    pub(crate) most: Duration,
}

impl Figures {
    pub(super) fn new(planned: u64) -> Self {
        let histogram =
            || Histogram::new_with_max(LONGEST, 3).unwrap_or_else(|_| unreachable!("bounds that fit"));
        Self {
            planned,
            refused: BTreeMap::new(),
            unanswered: 0,
            placing_took: Duration::ZERO,
            post: histogram(),
            outcome: histogram(),
        }
    }

    pub(super) fn answered(&mut self, took: Duration) {
        self.post.saturating_record(micros(took));
    }

    pub(super) fn settled(&mut self, took: Duration) {
        self.outcome.saturating_record(micros(took));
    }

    /// Orders that were taken.
    pub(crate) fn accepted(&self) -> u64 {
        self.post.len()
    }

    /// Orders a second that were taken.
    pub(crate) fn rate(&self) -> f64 {
        self.accepted() as f64 / self.placing_took.as_secs_f64().max(f64::EPSILON)
    }

    /// From sending an order to the answer; `None`: there was none.
    pub(crate) fn post(&self) -> Option<Percentiles> {
        percentiles(&self.post)
    }

    /// From sending an order to its outcome, of those that were followed.
    pub(crate) fn outcome(&self) -> Option<Percentiles> {
        percentiles(&self.outcome)
    }
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

fn percentiles(of: &Histogram<u64>) -> Option<Percentiles> {
    let at = |quantile| Duration::from_micros(of.value_at_quantile(quantile));
    (!of.is_empty()).then(|| Percentiles {
        count: of.len(),
        p50: at(0.5),
        p95: at(0.95),
        p99: at(0.99),
        most: Duration::from_micros(of.max()),
    })
}
