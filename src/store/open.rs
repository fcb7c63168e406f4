//! Opening a service's store.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, Connection as _, Executor};

use super::migrate::{self, MESSAGING, Migration};
use super::{Location, StoreError, Tx};

/// How long a statement waits for a connection, or for another process's transaction on SQLite.
const PATIENCE: Duration = Duration::from_secs(5);
/// Readers of SQLite beside the one writer.
const READERS: u32 = 4;

/// A service's own store. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Store {
    pub(super) pool: Pool,
    /// The last day for which the inbox has a place (PostgreSQL only).
    pub(super) inbox_until: Arc<AtomicI32>,
}

#[derive(Clone, Debug)]
pub(super) enum Pool {
    /// One connection writes, so that writers queue here and not at the file's lock; others read beside it.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

impl Store {
    /// Opens the store of `service`, making it when it is not there, and brings its tables up to date: messaging's
    /// own, then the service's `migrations`. `connections` bounds those to PostgreSQL.
    ///
    /// A store that cannot be reached is [`StoreError::Unavailable`]: try again. One that a newer kafkaflow wrote is
    /// [`StoreError::Newer`], and stays as it is.
    pub async fn open(
        location: &Location,
        service: &str,
        migrations: &[Migration],
        connections: u32,
    ) -> Result<Self, StoreError> {
        let pool = match location {
            Location::Sqlite(folder) => {
                std::fs::create_dir_all(folder).map_err(|error| {
                    StoreError::Unavailable(format!("the folder {}: {error}", folder.display()))
                })?;
                sqlite(&folder.join(format!("{service}.db")), migrations).await?
            }
            Location::Postgres(options) => postgres(options, service, migrations, connections).await?,
        };
        Ok(Self { pool, inbox_until: Arc::new(AtomicI32::new(i32::MIN)) })
    }

    /// A transaction, which begins with its first statement.
    #[must_use]
    pub fn tx(&self) -> Tx {
        Tx::writing(self.clone())
    }

    /// A transaction that only reads; on SQLite it never waits for a writer.
    #[must_use]
    pub fn reading(&self) -> Tx {
        Tx::reading(self.clone())
    }

    /// Whether the store answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut tx = self.reading();
        crate::with_connection!(tx, |connection| sqlx::query("SELECT 1")
            .execute(connection)
            .await
            .map(drop))?;
        tx.commit().await
    }

    /// Ends its connections. Transactions that are under way end first.
    pub async fn close(&self) {
        match &self.pool {
            Pool::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pool::Postgres(pool) => pool.close().await,
        }
    }

    /// Whether the inbox has a place for `day` for sure.
    pub(super) fn has_inbox_for(&self, day: i32) -> bool {
        self.inbox_until.load(Ordering::Relaxed) >= day
    }
}

async fn sqlite(file: &std::path::Path, migrations: &[Migration]) -> Result<Pool, StoreError> {
    // FULL: what was committed survives a loss of power too. An offset that Kafka has must never be ahead of it.
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(PATIENCE)
        .foreign_keys(true);
    let named = |error: sqlx::Error| match StoreError::from(error) {
        StoreError::Unavailable(words) => StoreError::Unavailable(format!("{}: {words}", file.display())),
        other => other,
    };
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(options.clone())
        .await
        .map_err(named)?;
    let lock = locked(file.with_extension("db.lock")).await?;
    for (steps, table) in [(MESSAGING, "messaging_migrations"), (migrations, "service_migrations")] {
        migrate::sqlite(steps, table).run(&writer).await.map_err(migrate::failed)?;
    }
    drop(lock);
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .connect_lazy_with(options.read_only(true).create_if_missing(false));
    Ok(Pool::Sqlite { writer, readers })
}

/// A lock that one program at a time has: two that open the same new file would both make its tables.
async fn locked(file: PathBuf) -> Result<std::fs::File, StoreError> {
    let shown = file.display().to_string();
    let lock = tokio::task::spawn_blocking(move || {
        let file = std::fs::File::options().create(true).append(true).open(file)?;
        file.lock()?;
        Ok::<_, std::io::Error>(file)
    });
    let failed = |reason: String| StoreError::Unavailable(format!("{shown}: {reason}"));
    lock.await.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))
}

async fn postgres(
    options: &PgConnectOptions,
    service: &str,
    migrations: &[Migration],
    connections: u32,
) -> Result<Pool, StoreError> {
    let quoted = format!("\"{}\"", service.replace('"', "\"\""));
    let application = format!("kafkaflow {service}");
    let mut first = sqlx::PgConnection::connect_with(options).await?;
    // Two that start at the same time would both find that there is none.
    let made = async {
        first.execute("SELECT pg_advisory_lock(7263542111)").await?;
        first.execute(AssertSqlSafe(format!("CREATE SCHEMA IF NOT EXISTS {quoted}"))).await?;
        first.execute("SELECT pg_advisory_unlock(7263542111)").await
    };
    made.await?;
    first.close().await?;
    let options = options.clone().application_name(&application).options([("search_path", &quoted)]);
    let pool = PgPoolOptions::new()
        .max_connections(connections.max(2))
        .acquire_timeout(PATIENCE)
        // A connection that the server ended shows at the first statement, which is tried again as a whole.
        .test_before_acquire(false)
        .connect_with(options)
        .await?;
    for (steps, table) in [(MESSAGING, "messaging_migrations"), (migrations, "service_migrations")] {
        migrate::postgres(steps, table).run(&pool).await.map_err(migrate::failed)?;
    }
    Ok(Pool::Postgres(pool))
}
