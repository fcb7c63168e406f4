//! One transaction, whichever database it is in.

use sqlx::pool::PoolConnection;
use sqlx::{Executor, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, Transaction};

use super::open::Pool;
use super::{Store, StoreError};

/// A transaction. It begins with its first statement, and is rolled back when it is dropped without [`Tx::commit`].
#[derive(Debug)]
pub struct Tx {
    store: Option<Store>,
    kind: Kind,
    open: Option<Open>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Writes,
    Reads,
    /// No transaction at all.
    Glances,
    /// One statement, a transaction by itself.
    WritesOnce,
}

#[derive(Debug)]
enum Open {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
    SqliteGlance(PoolConnection<Sqlite>),
    PostgresGlance(PoolConnection<Postgres>),
}

/// The database's own connection, inside of the transaction.
#[derive(Debug)]
pub enum Connection<'t> {
    Sqlite(&'t mut SqliteConnection),
    Postgres(&'t mut PgConnection),
}

impl Tx {
    pub(super) fn writing(store: Store) -> Self {
        Self { store: Some(store), kind: Kind::Writes, open: None }
    }

    pub(super) fn reading(store: Store) -> Self {
        Self { store: Some(store), kind: Kind::Reads, open: None }
    }

    pub(super) fn glance(store: Store) -> Self {
        Self { store: Some(store), kind: Kind::Glances, open: None }
    }

    pub(super) fn alone(store: Store) -> Self {
        Self { store: Some(store), kind: Kind::WritesOnce, open: None }
    }

    /// For groups that keep nothing: its first statement fails.
    #[must_use]
    pub fn without_store() -> Self {
        Self { store: None, kind: Kind::Writes, open: None }
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
        if self.kind == Kind::WritesOnce && self.open.is_some() {
            return Err(StoreError::Sql("a second statement where one was meant to be alone".to_owned()));
        }
        if self.open.is_none() {
            let store = self.store.as_ref().ok_or(StoreError::None)?;
            self.open = Some(match (&store.pool, self.kind) {
                // Who will write says so at once: a reader that turns writer may find that another was quicker.
                (Pool::Sqlite { writer, .. }, Kind::Writes | Kind::WritesOnce) => {
                    Open::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?)
                }
                (Pool::Sqlite { readers, .. }, Kind::Reads) => Open::Sqlite(readers.begin().await?),
                (Pool::Sqlite { readers, .. }, Kind::Glances) => Open::SqliteGlance(readers.acquire().await?),
                (Pool::Postgres(pool), Kind::Glances | Kind::WritesOnce) => {
                    Open::PostgresGlance(pool.acquire().await?)
                }
                (Pool::Postgres(pool), kind) => {
                    Open::Postgres(begin(pool.clone(), kind == Kind::Writes).await?)
                }
            });
        }
        match &mut self.open {
            Some(Open::Sqlite(tx)) => Ok(Connection::Sqlite(tx)),
            Some(Open::Postgres(tx)) => Ok(Connection::Postgres(tx)),
            Some(Open::SqliteGlance(connection)) => Ok(Connection::Sqlite(connection)),
            Some(Open::PostgresGlance(connection)) => Ok(Connection::Postgres(connection)),
            None => Err(StoreError::None),
        }
    }

    /// Runs one record's work so that its failure leaves no trace: what follows can be undone by
    /// [`Tx::back_to_savepoint`].
    pub async fn savepoint(&mut self) -> Result<(), StoreError> {
        self.run("SAVEPOINT record").await
    }

    /// Undoes all since [`Tx::savepoint`].
    pub async fn back_to_savepoint(&mut self) -> Result<(), StoreError> {
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

    /// Makes it last. A failure may still have committed: only the store can tell, so work must bear repetition.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        match self.open.take() {
            Some(Open::Sqlite(tx)) => tx.commit().await?,
            Some(Open::Postgres(tx)) => tx.commit().await?,
            Some(Open::SqliteGlance(_) | Open::PostgresGlance(_)) | None => {}
        }
        Ok(())
    }

    /// Undoes it.
    pub async fn rollback(mut self) -> Result<(), StoreError> {
        match self.open.take() {
            Some(Open::Sqlite(tx)) => tx.rollback().await?,
            Some(Open::Postgres(tx)) => tx.rollback().await?,
            Some(Open::SqliteGlance(_) | Open::PostgresGlance(_)) | None => {}
        }
        Ok(())
    }
}

/// In a task of its own, which goes on when nobody waits any more, such as a request whose client hung up. sqlx counts a
/// transaction as open when the server has answered; dropped before that it gives the connection back as it is, and the
/// next transaction on it would be part of this one, and read only perhaps.
async fn begin(pool: PgPool, writes: bool) -> Result<Transaction<'static, Postgres>, StoreError> {
    let begun = tokio::spawn(async move {
        if writes {
            pool.begin().await
        } else {
            pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
        }
    });
    match begun.await {
        Ok(begun) => Ok(begun?),
        Err(ended) => Err(StoreError::Unavailable(format!("no transaction began: {ended}"))),
    }
}
