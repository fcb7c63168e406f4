//! What a service does with records.

use std::error::Error;
use std::time::Duration;

use crate::messaging::Record;
use crate::store::{StoreError, Tx};

/// Handles batches of records inside of one transaction: effects and outbox rows are written in `tx`, and are
/// committed together with the inbox rows of the batch.
///
/// Records of one key come in their order, each once; what comes again has had no effect before. Anything outside
/// the store (mail, payments, HTTP) must not happen here, since a transaction may be rolled back.
pub trait Handler: Send + Sync + 'static {
    /// Whether it writes only by one [`Writes`](crate::store::Writes), which says what must still be as it was read: then a
    /// batch is first tried in an optimistic transaction, and handled again in an ordinary one when that was refused.
    #[doc(hidden)]
    const OPTIMISTIC: bool = false;

    fn handle(&self, tx: &mut Tx, batch: &[Record]) -> impl Future<Output = BatchOutcome> + Send;
}

/// What became of a batch.
#[derive(Debug)]
pub enum BatchOutcome {
    /// Every record has had its effect in the transaction.
    Done,
    /// These records, by their place in the batch, will never be handled, and have had no effect; all others have.
    Poisoned(Vec<(usize, HandleError)>),
    /// The transaction is to be undone. Of several records each is then handled alone, so that the others go on.
    Failed(HandleError),
}

impl From<Result<(), HandleError>> for BatchOutcome {
    fn from(result: Result<(), HandleError>) -> Self {
        match result {
            Ok(()) => Self::Done,
            Err(error) => Self::Failed(error),
        }
    }
}

/// Why a record was not handled.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// The same may succeed later: it is tried again as often as the topic's policy says.
    #[error(transparent)]
    Transient(Box<dyn Error + Send + Sync>),
    /// It will never succeed: the record goes to the dead-letter topic.
    #[error(transparent)]
    Poison(Box<dyn Error + Send + Sync>),
    /// The store cannot do it now. This is no fault of the record: it waits for as long as it takes.
    #[error(transparent)]
    Store(StoreError),
    /// Nothing is wrong with the record, and trying others helps neither: the partition waits until somebody mends
    /// what it needs, such as a provider's credentials. No attempt is counted, nothing is dead-lettered.
    #[error(transparent)]
    Waits(Box<dyn Error + Send + Sync>),
    /// Nothing is wrong with the record, and its time has not come: a provider said when to come again, or takes only so
    /// many a second. Its partition waits so long. No attempt is counted, nothing is dead-lettered, nobody is warned.
    #[error("{reason}")]
    Later { after: Duration, reason: String },
}

impl HandleError {
    pub fn transient(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Transient(error.into())
    }

    pub fn waits(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Waits(error.into())
    }

    pub fn later(after: Duration, reason: impl Into<String>) -> Self {
        Self::Later { after, reason: reason.into() }
    }

    pub fn poison(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Poison(error.into())
    }
}

impl From<StoreError> for HandleError {
    fn from(error: StoreError) -> Self {
        if error.is_transient() || matches!(error, StoreError::Fenced { .. }) {
            Self::Store(error)
        } else {
            Self::Poison(error.into())
        }
    }
}

/// Does with records what no transaction can undo: sends mails, calls webhooks, charges cards.
///
/// In three steps: `claim` records in a transaction what will be done and under which key, `perform` does it while no
/// transaction is open, `settle` records what came of it, together with the inbox. Whoever dies in between has records that
/// were performed and are not settled: they are performed again, with the same keys, and it is the other side that tells them
/// from new ones. Offsets are stored after `settle` alone.
pub trait Performer: Send + Sync + 'static {
    /// What will be done for a record.
    type Task: Send + 'static;

    /// Says what will be done for each record, in their order. What it writes is committed before anything is done.
    fn claim(
        &self,
        tx: &mut Tx,
        batch: &[Record],
    ) -> impl Future<Output = Result<Vec<Self::Task>, StoreError>> + Send;

    /// Does it; what came of each task, in their order. A task whose key's earlier one failed must fail as well, unless
    /// order does not matter.
    fn perform(&self, tasks: Vec<Self::Task>) -> impl Future<Output = Vec<Result<(), HandleError>>> + Send;

    /// Records that it was done for these records.
    fn settle(&self, tx: &mut Tx, done: &[&Record]) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// A [`Performer`] as a consumer takes it.
#[derive(Clone, Debug)]
pub struct Outside<T>(pub T);

/// What a consumer takes: every [`Handler`], and every [`Performer`] in [`Outside`].
pub trait Handling: sealed::Sealed + Send + Sync + 'static {
    /// What is done for a record outside of the store.
    #[doc(hidden)]
    type Task: Send + 'static;
    /// Whether anything is.
    #[doc(hidden)]
    const OUTSIDE: bool;
    /// As [`Handler::OPTIMISTIC`].
    #[doc(hidden)]
    const OPTIMISTIC: bool;

    #[doc(hidden)]
    fn handle(&self, tx: &mut Tx, batch: &[Record]) -> impl Future<Output = BatchOutcome> + Send;

    #[doc(hidden)]
    fn claim(
        &self,
        tx: &mut Tx,
        batch: &[Record],
    ) -> impl Future<Output = Result<Vec<Self::Task>, StoreError>> + Send;

    #[doc(hidden)]
    fn perform(&self, tasks: Vec<Self::Task>) -> impl Future<Output = Vec<Result<(), HandleError>>> + Send;

    #[doc(hidden)]
    fn settle(&self, tx: &mut Tx, done: &[&Record]) -> impl Future<Output = Result<(), StoreError>> + Send;
}

mod sealed {
    pub trait Sealed {}
    impl<H: super::Handler> Sealed for H {}
    impl<T: super::Performer> Sealed for super::Outside<T> {}
}

impl<H: Handler> Handling for H {
    type Task = ();
    const OUTSIDE: bool = false;
    const OPTIMISTIC: bool = <H as Handler>::OPTIMISTIC;

    fn handle(&self, tx: &mut Tx, batch: &[Record]) -> impl Future<Output = BatchOutcome> + Send {
        Handler::handle(self, tx, batch)
    }

    async fn claim(&self, _: &mut Tx, batch: &[Record]) -> Result<Vec<()>, StoreError> {
        Ok(vec![(); batch.len()])
    }

    async fn perform(&self, tasks: Vec<()>) -> Vec<Result<(), HandleError>> {
        tasks.into_iter().map(Ok).collect()
    }

    async fn settle(&self, _: &mut Tx, _: &[&Record]) -> Result<(), StoreError> {
        Ok(())
    }
}

impl<T: Performer> Handling for Outside<T> {
    type Task = T::Task;
    const OUTSIDE: bool = true;
    const OPTIMISTIC: bool = false;

    async fn handle(&self, _: &mut Tx, _: &[Record]) -> BatchOutcome {
        BatchOutcome::Done
    }

    fn claim(
        &self,
        tx: &mut Tx,
        batch: &[Record],
    ) -> impl Future<Output = Result<Vec<Self::Task>, StoreError>> + Send {
        self.0.claim(tx, batch)
    }

    fn perform(&self, tasks: Vec<Self::Task>) -> impl Future<Output = Vec<Result<(), HandleError>>> + Send {
        self.0.perform(tasks)
    }

    fn settle(&self, tx: &mut Tx, done: &[&Record]) -> impl Future<Output = Result<(), StoreError>> + Send {
        self.0.settle(tx, done)
    }
}
