//! Rows that this process has just committed, handed to its relay, which then need not read them.
//!
//! Only rows before which nothing of their key waits ([`KeyOrder::NoneWaits`](super::KeyOrder::NoneWaits)), and only those
//! whose transaction wrote them after the last look at the tables had ended: no look can have found them, and none is taken
//! twice. Whatever else is committed makes the next round look.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Pending;

/// How many are kept; a relay that does not come for them looks instead.
const MOST: usize = 4000;

/// The rows of one store.
#[derive(Debug, Default)]
pub(crate) struct Fresh(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// A relay of this process takes them.
    wanted: bool,
    /// Looks at the store that have begun or ended.
    looks: u64,
    rows: VecDeque<Pending>,
    /// Rows may wait that are not among these.
    others: bool,
}

/// Which look was the last when a transaction wrote rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Since(u64);

impl Fresh {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on somebody takes them.
    pub(crate) fn want(&self) {
        self.inner().wanted = true;
    }

    /// Rows are about to be written; `None`: nobody takes them.
    pub(crate) fn about_to_write(&self) -> Option<Since> {
        let inner = self.inner();
        inner.wanted.then_some(Since(inner.looks))
    }

    /// They were committed.
    pub(crate) fn committed(&self, since: Since, rows: impl IntoIterator<Item = Pending>) {
        let mut inner = self.inner();
        if inner.looks == since.0 {
            inner.rows.extend(rows);
        } else {
            inner.others = true;
        }
        if inner.rows.len() > MOST {
            inner.rows.clear();
            inner.others = true;
        }
    }

    /// Rows may wait that are not handed over.
    pub(crate) fn others(&self) {
        self.inner().others = true;
    }

    /// So many of them at most; `None`: there are none, or others too, and it must be looked.
    pub(crate) fn take(&self, most: usize) -> Option<Vec<Pending>> {
        let mut inner = self.inner();
        if inner.others || inner.rows.is_empty() {
            return None;
        }
        let most = most.min(inner.rows.len());
        Some(inner.rows.drain(..most).collect())
    }

    /// Rows are about to be looked for: whatever was committed will be found.
    pub(crate) fn look_begins(&self) {
        let mut inner = self.inner();
        inner.looks += 1;
        inner.rows.clear();
        inner.others = false;
    }

    /// Rows were looked for: what was committed meanwhile may have been found.
    pub(crate) fn look_ended(&self) {
        let mut inner = self.inner();
        inner.looks += 1;
        inner.others |= !inner.rows.is_empty();
        inner.rows.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(seqs: std::ops::Range<i64>) -> Vec<Pending> {
        let row = |seq| Pending {
            seq,
            id: seq.to_string(),
            key: seq.to_string(),
            event_type: String::new(),
            payload: String::new(),
            topic: "t".to_owned(),
            traceparent: None,
        };
        seqs.map(row).collect()
    }

    fn wanted() -> Fresh {
        let fresh = Fresh::default();
        assert!(fresh.about_to_write().is_none(), "nobody takes them");
        fresh.want();
        fresh
    }

    #[test]
    fn what_was_committed_is_taken_once_and_in_its_order() {
        let fresh = wanted();
        assert_eq!(fresh.take(10), None);
        let (first, second) = (fresh.about_to_write().unwrap(), fresh.about_to_write().unwrap());
        fresh.committed(second, rows(3..5));
        fresh.committed(first, rows(1..3));
        assert_eq!(fresh.take(3), Some([rows(3..5), rows(1..2)].concat()));
        assert_eq!(fresh.take(3), Some(rows(2..3)));
        assert_eq!(fresh.take(3), None);
    }

    #[test]
    fn what_a_look_may_have_found_is_not_handed_over_and_looked_for_again() {
        let fresh = wanted();
        let written = || fresh.about_to_write().unwrap();
        let look = || {
            fresh.look_begins();
            fresh.look_ended();
        };
        // Written before it began, and committed at any time.
        fresh.committed(written(), rows(1..2));
        let (during, after) = (written(), written());
        fresh.look_begins();
        fresh.committed(during, rows(2..3));
        fresh.look_ended();
        fresh.committed(after, rows(3..4));
        fresh.committed(written(), rows(4..5));
        assert_eq!(fresh.take(10), None);
        look();
        assert_eq!(fresh.take(10), None, "it has found all of them");
        // Written while it lasted.
        fresh.look_begins();
        let (during, after) = (written(), written());
        fresh.committed(during, rows(5..6));
        fresh.look_ended();
        assert_eq!(fresh.take(10), None);
        look();
        fresh.committed(written(), rows(7..8));
        fresh.committed(after, rows(6..7));
        assert_eq!(fresh.take(10), None);
        look();
        fresh.committed(written(), rows(8..9));
        assert_eq!(fresh.take(10), Some(rows(8..9)));
    }

    #[test]
    fn where_others_wait_or_too_many_came_it_is_looked() {
        let fresh = wanted();
        let commit = |seqs| fresh.committed(fresh.about_to_write().unwrap(), rows(seqs));
        commit(1..2);
        fresh.others();
        assert_eq!(fresh.take(10), None);
        fresh.look_begins();
        fresh.look_ended();
        commit(2..4002);
        assert_eq!(fresh.take(1), Some(rows(2..3)));
        commit(4002..4004);
        assert_eq!(fresh.take(1), None);
    }
}
