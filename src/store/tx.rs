//! One transaction, whichever database it is in.

use std::fmt;

use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Executor, PgConnection, Postgres, Sqlite, SqliteConnection};

use super::inbox::Note;
use super::lender::Lent;
use super::open::Pool;
use super::writes::Parts;
use super::{Store, StoreError};

/// Who will write in SQLite says so at once: a reader that turns writer may find that another was quicker.
const TO_WRITE: &str = "BEGIN IMMEDIATE";

/// A transaction. It begins with its first statement, and is rolled back when it is dropped without [`Tx::commit`].
#[derive(Debug)]
pub struct Tx {
    store: Option<Store>,
    kind: Kind,
    open: Option<Open>,
    deferred: Deferred,
    afterwards: Afterwards,
}

/// What an optimistic transaction sends when it is committed.
#[derive(Debug, Default)]
struct Deferred {
    note: Option<Note>,
    writes: Option<Parts>,
}

/// What is done once it is committed.
#[derive(Default)]
struct Afterwards {
    steps: Vec<Box<dyn FnOnce() + Send + Sync>>,
    /// How many of them there were at the savepoint.
    kept: usize,
}

impl fmt::Debug for Afterwards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} steps", self.steps.len())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Writes,
    Reads,
    /// No transaction at all.
    Glances,
    /// One statement, a transaction by itself.
    WritesOnce,
    /// Reads without holding anything, and writes by one statement at its end.
    Optimistic,
}

#[derive(Debug)]
enum Open {
    Sqlite(Lent<Sqlite>),
    Postgres(Lent<Postgres>),
}

/// The database's own connection, inside of the transaction.
#[derive(Debug)]
pub enum Connection<'t> {
    Sqlite(&'t mut SqliteConnection),
    Postgres(&'t mut PgConnection),
}

impl Tx {
    fn new(store: Option<Store>, kind: Kind) -> Self {
        Self { store, kind, open: None, deferred: Deferred::default(), afterwards: Afterwards::default() }
    }

    pub(super) fn writing(store: Store) -> Self {
        Self::new(Some(store), Kind::Writes)
    }

    pub(super) fn reading(store: Store) -> Self {
        Self::new(Some(store), Kind::Reads)
    }

    pub(super) fn glance(store: Store) -> Self {
        Self::new(Some(store), Kind::Glances)
    }

    pub(super) fn alone(store: Store) -> Self {
        Self::new(Some(store), Kind::WritesOnce)
    }

    pub(super) fn optimistic(store: Store) -> Self {
        Self::new(Some(store), Kind::Optimistic)
    }

    /// Whether nothing that it reads is held for it: what it writes is refused by [`Tx::commit`], with
    /// [`StoreError::Conflict`], when somebody else was quicker.
    #[must_use]
    pub(crate) fn is_optimistic(&self) -> bool {
        self.kind == Kind::Optimistic
    }

    /// Ends a `SELECT` whose rows are held until the transaction ends: SQLite's one writer holds everything, and an
    /// optimistic transaction nothing.
    pub(crate) fn holding(&self) -> Result<&'static str, StoreError> {
        Ok(match self.store()?.pool {
            Pool::Postgres(_) if !self.is_optimistic() => "FOR UPDATE",
            Pool::Postgres(_) | Pool::Sqlite { .. } => "",
        })
    }

    /// For groups that keep nothing: its first statement fails.
    #[must_use]
    pub fn without_store() -> Self {
        Self::new(None, Kind::Writes)
    }

    /// The store that it is in.
    pub(super) fn store(&self) -> Result<&Store, StoreError> {
        self.store.as_ref().ok_or(StoreError::None)
    }

    /// Whether a statement was sent in it.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.open.is_some()
    }

    /// The connection to send statements on; begins the transaction.
    pub async fn connection(&mut self) -> Result<Connection<'_>, StoreError> {
        if self.kind == Kind::WritesOnce {
            first(self.open.is_none())?;
        }
        if self.open.is_none() {
            let store = self.store.as_ref().ok_or(StoreError::None)?;
            self.open = Some(match &store.pool {
                Pool::Sqlite { writer, readers } => {
                    let writes = matches!(self.kind, Kind::Writes | Kind::WritesOnce);
                    let mut lent = if writes { writer } else { readers }.lend().await?;
                    match self.kind {
                        Kind::Writes | Kind::WritesOnce => lent.begin(TO_WRITE).await?,
                        Kind::Reads => lent.begin("BEGIN").await?,
                        Kind::Glances | Kind::Optimistic => {}
                    }
                    Open::Sqlite(lent)
                }
                Pool::Postgres(connections) => {
                    let mut lent = connections.lend().await?;
                    match self.kind {
                        Kind::Writes => lent.begin("BEGIN").await?,
                        Kind::Reads => lent.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?,
                        Kind::Glances | Kind::WritesOnce | Kind::Optimistic => {}
                    }
                    Open::Postgres(lent)
                }
            });
        }
        match &mut self.open {
            Some(Open::Sqlite(lent)) => Ok(Connection::Sqlite(lent)),
            Some(Open::Postgres(lent)) => Ok(Connection::Postgres(lent)),
            None => Err(StoreError::None),
        }
    }

    /// Runs statements of SQLite's. Where they are meant to be alone, in a transaction of their own that they also end.
    pub(super) async fn run_in_sqlite(
        &mut self,
        statements: String,
        values: SqliteArguments,
    ) -> Result<(), StoreError> {
        if let (Kind::WritesOnce, None, Pool::Sqlite { writer, .. }) =
            (self.kind, &self.open, &self.store()?.pool)
        {
            let lent = writer.lend().await?;
            let statements = format!("{TO_WRITE};\n{statements};\nCOMMIT");
            self.open = Some(Open::Sqlite(lent.whole_transaction(statements, values).await?));
        } else if let Connection::Sqlite(connection) = self.connection().await? {
            sqlx::query_with(AssertSqlSafe(statements), values).execute(connection).await?;
        }
        Ok(())
    }

    /// Has the inbox note events when this is committed, if it is optimistic.
    pub(super) fn note(&mut self, note: Note) -> Result<(), StoreError> {
        first(self.deferred.note.replace(note).is_none())
    }

    /// Has this written when it is committed, if it is optimistic.
    pub(super) fn defer(&mut self, writes: Parts) -> Result<(), StoreError> {
        first(self.deferred.writes.replace(writes).is_none())
    }

    /// Sends what was deferred, as one statement.
    async fn send_deferred(&mut self) -> Result<(), StoreError> {
        let Deferred { note, writes } = std::mem::take(&mut self.deferred);
        let mut parts = writes.unwrap_or_default();
        if let Some(note) = note {
            note.check_in(&mut parts)?;
        }
        if parts.is_empty() {
            return Ok(());
        }
        parts.run(self).await.map_err(|error| match error {
            // Whoever wrote that row did so after it was looked for.
            StoreError::Duplicate(words) => StoreError::Conflict(words),
            other => other,
        })
    }

    /// Runs one record's work so that its failure leaves no trace: what follows can be undone by
    /// [`Tx::back_to_savepoint`].
    pub async fn savepoint(&mut self) -> Result<(), StoreError> {
        self.afterwards.kept = self.afterwards.steps.len();
        self.run("SAVEPOINT record").await
    }

    /// Undoes all since [`Tx::savepoint`].
    pub async fn back_to_savepoint(&mut self) -> Result<(), StoreError> {
        self.afterwards.steps.truncate(self.afterwards.kept);
        self.run("ROLLBACK TO SAVEPOINT record").await
    }

    /// Keeps what was done since [`Tx::savepoint`].
    pub async fn release_savepoint(&mut self) -> Result<(), StoreError> {
        self.run("RELEASE SAVEPOINT record").await
    }

    async fn run(&mut self, statement: &'static str) -> Result<(), StoreError> {
        match self.connection().await? {
            Connection::Sqlite(connection) => connection.execute(statement).await.map(drop)?,
            Connection::Postgres(connection) => connection.execute(statement).await.map(drop)?,
        }
        Ok(())
    }

    /// Has this done once it is committed, and never when it is undone. Where the commit fails, or the process ends with
    /// it, it is not done though the store may have committed: so it can only be what somebody else finds out as well.
    pub(crate) fn afterwards(&mut self, step: impl FnOnce() + Send + Sync + 'static) {
        self.afterwards.steps.push(Box::new(step));
    }

    /// Makes it last. A failure may still have committed: only the store can tell, so work must bear repetition.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        self.send_deferred().await?;
        self.end("COMMIT").await?;
        for step in self.afterwards.steps {
            step();
        }
        Ok(())
    }

    /// Undoes it.
    pub async fn rollback(mut self) -> Result<(), StoreError> {
        self.end("ROLLBACK").await
    }

    async fn end(&mut self, statement: &'static str) -> Result<(), StoreError> {
        match self.open.take() {
            Some(Open::Sqlite(lent)) => lent.end(statement).await?,
            Some(Open::Postgres(lent)) => lent.end(statement).await?,
            None => {}
        }
        Ok(())
    }
}

/// Refuses a second statement where there is a first.
fn first(is_first: bool) -> Result<(), StoreError> {
    let second = || StoreError::Sql("a second statement where one was meant to be alone".to_owned());
    if is_first { Ok(()) } else { Err(second()) }
}
