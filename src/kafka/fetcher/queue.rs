//! What was read of a partition and is not taken yet.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;

use super::batch::Batch;

/// A batch of which the records from an offset on are wanted.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) batch: Batch,
    pub(super) from: i64,
}

/// Between the fetcher, which fills it, and the one who takes.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// From so many bytes on nothing more is read.
    most: usize,
    /// Told when there is something to take.
    ready: OnceLock<Arc<Notify>>,
    /// Told when there is room again.
    room: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    batches: VecDeque<Wanted>,
    bytes: usize,
    /// What begins there could not be used.
    damage: Option<i64>,
}

impl Queue {
    pub(super) fn new(most: usize, room: Arc<Notify>) -> Self {
        Self { state: Mutex::default(), most, ready: OnceLock::new(), room }
    }

    /// From now on this is told when there is something to take, and of what there is.
    pub(super) fn notify(&self, ready: Arc<Notify>) {
        ready.notify_one();
        let _ = self.ready.set(ready);
    }

    pub(super) fn is_full(&self) -> bool {
        self.state().bytes >= self.most
    }

    pub(super) fn push(&self, wanted: Wanted) {
        let mut state = self.state();
        // What follows damage is read again too.
        if state.damage.is_some() {
            return;
        }
        state.bytes += wanted.batch.size();
        state.batches.push_back(wanted);
        drop(state);
        if let Some(ready) = self.ready.get() {
            ready.notify_one();
        }
    }

    pub(super) fn pop(&self) -> Option<Wanted> {
        let mut state = self.state();
        let wanted = state.batches.pop_front()?;
        let before = state.bytes;
        state.bytes -= wanted.batch.size();
        if before >= self.most && state.bytes < self.most {
            self.room.notify_one();
        }
        Some(wanted)
    }

    /// What begins at that offset cannot be used: from there on it is to be read again.
    pub(super) fn damaged_at(&self, offset: i64) {
        *self.state() = State { damage: Some(offset), ..State::default() };
        self.room.notify_one();
    }

    /// Where to read again, if that was asked for since the last time.
    pub(super) fn damage(&self) -> Option<i64> {
        self.state().damage.take()
    }

    /// It is whole whatever a holder does.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
