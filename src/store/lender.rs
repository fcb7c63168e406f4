//! A database's connections, each lent to one at a time.
//!
//! sqlx's pool asks every connection that comes back whether it is still there, by a message whose answer it waits for, after
//! each transaction. Here one that ended its work in order is known to be fine and is lent again as it is; only what was
//! dropped on the way goes back by way of the pool.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Database, Executor, Pool, Postgres, Sqlite};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

/// How long somebody waits for a connection.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// After how long a connection goes back to the pool, which replaces it when it is that old.
const LIFE: Duration = Duration::from_secs(30 * 60);
/// After how long one that nobody needs does, to be closed there in time.
const UNNEEDED: Duration = Duration::from_secs(60);

/// A database that runs statements without parameters.
pub(super) trait Runs: Database {
    fn run(
        connection: &mut Self::Connection,
        statement: &'static str,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}

impl Runs for Postgres {
    async fn run(connection: &mut Self::Connection, statement: &'static str) -> Result<(), sqlx::Error> {
        connection.execute(statement).await.map(drop)
    }
}

impl Runs for Sqlite {
    async fn run(connection: &mut Self::Connection, statement: &'static str) -> Result<(), sqlx::Error> {
        connection.execute(statement).await.map(drop)
    }
}

/// Lends the connections of a pool that nobody else uses.
pub(super) struct Lender<DB: Runs> {
    pool: Pool<DB>,
    kept: Mutex<Vec<Kept<DB>>>,
    turns: Arc<Semaphore>,
}

/// A connection that waits to be lent.
struct Kept<DB: Runs> {
    connection: PoolConnection<DB>,
    /// When it came from the pool, and when it was given back.
    since: Instant,
    returned: Instant,
}

/// A connection that is lent. Dropped in a transaction, that is undone before anybody else has the connection.
pub(super) struct Lent<DB: Runs> {
    lender: Arc<Lender<DB>>,
    connection: Option<PoolConnection<DB>>,
    since: Instant,
    in_transaction: bool,
    turn: Option<OwnedSemaphorePermit>,
}

impl<DB: Runs> Lender<DB> {
    pub(super) fn new(pool: Pool<DB>) -> Arc<Self> {
        let turns = usize::try_from(pool.options().get_max_connections()).unwrap_or(usize::MAX);
        Arc::new(Self { pool, kept: Mutex::default(), turns: Arc::new(Semaphore::new(turns)) })
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept<DB>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn lend(self: &Arc<Self>) -> Result<Lent<DB>, sqlx::Error> {
        let turn = timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn.map_err(|_| sqlx::Error::PoolTimedOut)?.map_err(|_| sqlx::Error::PoolClosed)?;
        let kept = self.kept().pop();
        let (connection, since) = match kept {
            Some(kept) => (kept.connection, kept.since),
            None => (self.pool.acquire().await?, Instant::now()),
        };
        Ok(Lent {
            lender: Arc::clone(self),
            connection: Some(connection),
            since,
            in_transaction: false,
            turn: Some(turn),
        })
    }

    /// The pool, for what happens before anything is lent, and for its settings.
    pub(super) fn pool(&self) -> &Pool<DB> {
        &self.pool
    }

    /// Ends all connections, those that are lent when they come back.
    pub(super) async fn close(&self) {
        let closing = self.pool.close();
        self.kept().clear();
        closing.await;
    }
}

impl<DB: Runs> Drop for Lender<DB> {
    fn drop(&mut self) {
        // The pool would look at them in a task, for which there may be no runtime any more.
        for kept in self.kept().drain(..) {
            drop(kept.connection.detach());
        }
    }
}

impl<DB: Runs> fmt::Debug for Lender<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = self.pool.options().get_max_connections();
        write!(f, "Lender({} of {of} connections free)", self.turns.available_permits())
    }
}

impl<DB: Runs> Lent<DB> {
    pub(super) async fn begin(&mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        // Before it is answered: whoever drops this meanwhile leaves a transaction all the same.
        self.in_transaction = true;
        DB::run(self, statement).await
    }

    /// Ends the transaction, if there is one, by that statement, and gives the connection back.
    pub(super) async fn end(mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        if self.in_transaction {
            DB::run(&mut self, statement).await?;
            self.in_transaction = false;
        }
        self.give_back();
        Ok(())
    }

    /// Lets others have the connection. Not in a transaction.
    pub(super) fn give_back(mut self) {
        let Some(connection) = self.connection.take() else { return };
        let returned = Instant::now();
        let mut kept = self.lender.kept();
        if returned - self.since > LIFE || self.lender.pool.is_closed() {
            return;
        }
        kept.push(Kept { connection, since: self.since, returned });
        if kept.first().is_some_and(|first| returned - first.returned > UNNEEDED) {
            kept.remove(0);
        }
    }
}

impl Lent<Sqlite> {
    /// Runs statements that begin a transaction and end it. None of them has happened when one fails.
    pub(super) async fn whole_transaction(
        mut self,
        statements: String,
        values: SqliteArguments,
    ) -> Result<Self, sqlx::Error> {
        self.in_transaction = true;
        sqlx::query_with(AssertSqlSafe(statements), values).execute(&mut *self).await?;
        self.in_transaction = false;
        Ok(self)
    }
}

impl<DB: Runs> Deref for Lent<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        self.connection.as_ref().expect("it is there until it is given back")
    }
}

impl<DB: Runs> DerefMut for Lent<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        self.connection.as_mut().expect("it is there until it is given back")
    }
}

impl<DB: Runs> Drop for Lent<DB> {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if !self.in_transaction {
            return;
        }
        let turn = self.turn.take();
        match Handle::try_current() {
            // Whoever closes the pool waits for it.
            Ok(runtime) => drop(runtime.spawn(async move {
                if DB::run(&mut connection, "ROLLBACK").await.is_err() {
                    connection.close_on_drop();
                }
                drop((connection, turn));
            })),
            Err(_) => drop(connection.detach()),
        }
    }
}

impl<DB: Runs> fmt::Debug for Lent<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lent").field("in_transaction", &self.in_transaction).finish_non_exhaustive()
    }
}
