//! What a service does with records.

use std::error::Error;

use crate::messaging::Record;
use crate::store::{StoreError, Tx};

/// Handles batches of records inside of one transaction: effects and outbox rows are written in `tx`, and are
/// committed together with the inbox rows of the batch.
///
/// Records of one key come in their order, each once; what comes again has had no effect before. Anything outside
/// the store (mail, payments, HTTP) must not happen here, since a transaction may be rolled back.
pub trait Handler: Send + Sync + 'static {
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
}

impl HandleError {
    pub fn transient(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Transient(error.into())
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
