//! A partition's part of a batch: what comes in, what was decided about each record, and what is left.

use std::time::Duration;

use crate::messaging::Record;
use crate::messaging::dead_letter::Cause;
use crate::store::fence::Owned;

/// Records of one partition, in their order.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) topic: String,
    pub(super) partition: i32,
    /// The epoch in which it is owned; `None`: nothing is stored.
    pub(super) epoch: Option<i64>,
    pub(super) records: Vec<Record>,
    /// The record that failed before, and how often.
    pub(super) failing: Option<(i64, u32)>,
}

/// What is left of a part.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// Records that are not finished, in their order.
    pub(super) unfinished: Vec<Record>,
    pub(super) stop: Option<Stop>,
}

/// Why a part was not finished.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Its first unfinished record failed so often by now, and is to be tried again after that time.
    Retry { offset: i64, attempts: u32, after: Duration },
    /// Something that it needs is not there; no fault of a record.
    Wait(String),
    /// What comes next has its time.
    Later { after: Duration, reason: String },
    /// Another process owns it, or did meanwhile.
    Fenced(String),
}

/// What was decided about a record.
#[derive(Clone, Debug)]
pub(super) enum Fate {
    /// Not handled yet; with a cause it will not be, unless it turns out to be a duplicate.
    Open { id: String, cause: Option<Box<Cause>> },
    /// Nothing is left to do.
    Finished,
    /// Nobody is to handle it: so its headers say.
    Skipped,
    /// It will not be handled; the inbox, where this transaction has it noted as handled, is still to be told.
    Doomed { id: String, cause: Box<Cause> },
    /// The inbox knows that it is given up; its dead letter is still to be acknowledged.
    Dead { cause: Box<Cause> },
}

impl Fate {
    pub(super) fn is_finished(&self) -> bool {
        matches!(self, Self::Finished | Self::Skipped)
    }
}

/// A record on its way through a batch.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) record: Record,
    pub(super) fate: Fate,
}

/// A part on its way through a batch.
#[derive(Debug)]
pub(super) struct Share {
    /// Which part of the batch it is.
    pub(super) at: usize,
    pub(super) owned: Option<Owned>,
    pub(super) works: Vec<Work>,
    pub(super) failing: Option<(i64, u32)>,
    pub(super) stop: Option<Stop>,
}

impl Share {
    /// The offset that follows the finished prefix.
    pub(super) fn next(&self) -> i64 {
        let open = self.works.iter().find(|work| !work.fate.is_finished());
        open.map_or_else(|| self.end(), |work| work.record.offset())
    }

    /// The offset that follows all of it.
    pub(super) fn end(&self) -> i64 {
        self.works.last().map_or(0, |work| work.record.offset() + 1)
    }

    /// What is left when the batch is over.
    pub(super) fn rest(self) -> Rest {
        let unfinished =
            self.works.into_iter().filter(|work| !work.fate.is_finished()).map(|work| work.record);
        Rest { unfinished: unfinished.collect(), stop: self.stop }
    }
}

/// The partitions of shares that are owned, each with an offset.
pub(super) fn owned_until(shares: &[Share], offset: fn(&Share) -> i64) -> Vec<(Owned, i64)> {
    shares.iter().filter_map(|share| Some((share.owned.clone()?, offset(share)))).collect()
}
