//! Opening a service's store.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection as _, Executor, Postgres, Sqlite};

use super::lender::{Lender, PATIENCE};
use super::migrate::{self, MESSAGING, Migration};
use super::outbox::Fresh;
use super::{Location, StoreError, Tx};

/// How long a process may say nothing in the middle of a transaction. One that was stopped, or cannot be reached any
/// more, must not hold the rows that its heirs wait for; an address may state another time.
const SILENCE: &str = "idle_in_transaction_session_timeout";
/// Every statement goes by keys, a few of a table that grows for days. Plans are kept, though, and those of a young table
/// read all of it: each fetch of the relay would read the whole outbox before long. What is off counts as dear, and the
/// dear is compiled first, for a tenth of a second. It is also why a plan made anew for each execution would be no better;
/// the database thinks otherwise of many, and planned them for a quarter of its time.
const BY_KEYS: [(&str, &str); 5] = [
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
    ("plan_cache_mode", "force_generic_plan"),
];
/// "Already exists, skipping" is no news to whoever reads a service's log.
const NO_NOTICES: [(&str, &str); 1] = [("client_min_messages", "warning")];
/// Readers of SQLite beside the one writer.
const READERS: u32 = 4;
/// Pages that each of them keeps, in kB below zero as SQLite has it: whatever is written makes them worthless.
const READER_CACHE: &str = "-256";
/// Pages of the log after which they are written to their places; the more often one was changed until then the less is written.
const WAL_PAGES: &str = "4000";
/// Rows that are read before anybody asks for them: SQLite works in a thread of its own, which wakes who asks once for all.
const ROWS_AHEAD: usize = 1024;

/// A service's own store. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Store {
    pub(super) pool: Pool,
    service: Arc<str>,
    /// The last day for which the inbox has a place (PostgreSQL only).
    pub(super) inbox_until: Arc<AtomicI32>,
    fresh: Arc<Fresh>,
}

#[derive(Clone, Debug)]
pub(super) enum Pool {
    /// One connection writes, so that writers queue here and not at the file's lock; others read beside it.
    Sqlite {
        writer: Arc<Lender<Sqlite>>,
        readers: Arc<Lender<Sqlite>>,
    },
    Postgres(Arc<Lender<Postgres>>),
}

impl Store {
    fn new(pool: Pool, service: &str) -> Self {
        Self {
            pool,
            service: service.into(),
            inbox_until: Arc::new(AtomicI32::new(i32::MIN)),
            fresh: Arc::default(),
        }
    }

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
        Ok(Self::new(pool, service))
    }

    /// Opens a store that is there, and changes nothing of it; `None`: there is none of that service. `migrations`
    /// are the service's own, where its own tables are to be used, or none.
    ///
    /// [`StoreError::Newer`] when a newer kafkaflow wrote it, and [`StoreError::Older`] when an older one did: its
    /// service brings it up to date when it starts.
    pub async fn attach(
        location: &Location,
        service: &str,
        migrations: &[Migration],
    ) -> Result<Option<Self>, StoreError> {
        if !services(location).await?.iter().any(|known| known == service) {
            return Ok(None);
        }
        let pool = match location {
            Location::Sqlite(folder) => {
                let options = sqlite_options(&folder.join(format!("{service}.db"))).create_if_missing(false);
                sqlite_pool(options).await?
            }
            Location::Postgres(options) => {
                let pool = postgres_pool(2).connect_with(in_schema(options, service)).await?;
                Pool::Postgres(Lender::new(pool))
            }
        };
        let store = Self::new(pool, service);
        let mut tx = store.reading();
        for (steps, question) in [
            (MESSAGING, "SELECT coalesce(max(version), 0) FROM messaging_migrations"),
            (migrations, "SELECT coalesce(max(version), 0) FROM service_migrations"),
        ] {
            let Some(ours) = steps.last().map(|step| step.version) else { continue };
            let found: i64 = crate::with_connection!(tx, |connection| {
                sqlx::query_scalar(question).fetch_one(connection).await?
            });
            match found.cmp(&ours) {
                std::cmp::Ordering::Less => return Err(StoreError::Older(found)),
                std::cmp::Ordering::Equal => {}
                std::cmp::Ordering::Greater => return Err(StoreError::Newer(found)),
            }
        }
        tx.commit().await?;
        Ok(Some(store))
    }

    /// Whose store it is.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The rows of its outbox that this process has just committed.
    pub(crate) fn fresh(&self) -> &Arc<Fresh> {
        &self.fresh
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

    /// For one statement that writes: on PostgreSQL without a transaction around it, which costs a third of the messages.
    /// A second statement is refused.
    #[must_use]
    pub(crate) fn alone(&self) -> Tx {
        Tx::alone(self.clone())
    }

    /// For work that reads, and then writes by one [`Writes`](super::Writes) what must only be written if what it read is
    /// still so: two messages where a transaction that holds what it reads costs five, and nothing is held between them. It is
    /// refused ([`StoreError::Conflict`]) when another was quicker, and is to be done again in a [`Self::tx`]. `None` on SQLite,
    /// whose one writer holds everything anyway.
    #[must_use]
    pub(crate) fn optimistic(&self) -> Option<Tx> {
        matches!(self.pool, Pool::Postgres(_)).then(|| Tx::optimistic(self.clone()))
    }

    /// For one statement, without a transaction: it costs a third of one's messages. On SQLite it can only read.
    #[must_use]
    pub fn glance(&self) -> Tx {
        Tx::glance(self.clone())
    }

    /// Whether the store answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut tx = self.glance();
        crate::with_connection!(tx, |connection| sqlx::query("SELECT 1")
            .execute(connection)
            .await
            .map(drop))?;
        tx.commit().await
    }

    /// Gives back the memory of SQLite's writer: pages of rows that were deleted long after they were written are none
    /// that anybody asks for again. PostgreSQL keeps its pages itself.
    pub(crate) async fn shrink(&self) -> Result<(), StoreError> {
        if let Pool::Sqlite { writer, .. } = &self.pool {
            let mut lent = writer.lend().await?;
            lent.execute("PRAGMA shrink_memory").await?;
            lent.give_back();
        }
        Ok(())
    }

    /// Ends its connections. Transactions that are under way end first.
    pub async fn close(&self) {
        match &self.pool {
            Pool::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pool::Postgres(connections) => connections.close().await,
        }
    }

    /// Whether the inbox has a place for `day` for sure.
    pub(super) fn has_inbox_for(&self, day: i32) -> bool {
        self.inbox_until.load(Ordering::Relaxed) >= day
    }
}

/// The services that have a store there, in order.
pub async fn services(location: &Location) -> Result<Vec<String>, StoreError> {
    let mut services: Vec<String> = match location {
        Location::Sqlite(folder) => {
            let entries = match std::fs::read_dir(folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
                Err(error) => {
                    return Err(StoreError::Unavailable(format!("the folder {}: {error}", folder.display())));
                }
            };
            let name =
                |entry: std::fs::DirEntry| entry.file_name().to_str()?.strip_suffix(".db").map(str::to_owned);
            entries.filter_map(|entry| name(entry.ok()?)).collect()
        }
        Location::Postgres(options) => {
            let mut server = sqlx::PgConnection::connect_with(options).await?;
            let found = sqlx::query_scalar(
                "SELECT nspname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE relname = 'messaging_migrations'",
            )
            .fetch_all(&mut server)
            .await?;
            server.close().await?;
            found
        }
    };
    services.sort();
    Ok(services)
}

fn sqlite_options(file: &std::path::Path) -> SqliteConnectOptions {
    // FULL: what was committed survives a loss of power too. An offset that Kafka has must never be ahead of it.
    SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(PATIENCE)
        .foreign_keys(true)
        // What a statement that fails is undone by would be written to a file, page by page.
        .pragma("temp_store", "MEMORY")
        .pragma("wal_autocheckpoint", WAL_PAGES)
        .row_buffer_size(ROWS_AHEAD)
}

async fn sqlite_pool(options: SqliteConnectOptions) -> Result<Pool, StoreError> {
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(options.clone())
        .await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .connect_lazy_with(
            options.read_only(true).create_if_missing(false).pragma("cache_size", READER_CACHE),
        );
    Ok(Pool::Sqlite { writer: Lender::new(writer), readers: Lender::new(readers) })
}

async fn sqlite(file: &std::path::Path, migrations: &[Migration]) -> Result<Pool, StoreError> {
    let named = |error: StoreError| match error {
        StoreError::Unavailable(words) => StoreError::Unavailable(format!("{}: {words}", file.display())),
        other => other,
    };
    let lock = locked(file.with_extension("db.lock")).await?;
    let pool = sqlite_pool(sqlite_options(file).create_if_missing(true)).await.map_err(named)?;
    if let Pool::Sqlite { writer, .. } = &pool {
        for (steps, table) in [(MESSAGING, "messaging_migrations"), (migrations, "service_migrations")] {
            migrate::sqlite(steps, table).run(writer.pool()).await.map_err(migrate::failed)?;
        }
    }
    drop(lock);
    Ok(pool)
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

fn quoted(service: &str) -> String {
    format!("\"{}\"", service.replace('"', "\"\""))
}

fn in_schema(options: &PgConnectOptions, service: &str) -> PgConnectOptions {
    let application = format!("kafkaflow {service}");
    let options = options.clone().application_name(&application).options([("search_path", quoted(service))]);
    let options = options.options(BY_KEYS).options(NO_NOTICES);
    let stated = options.get_options().is_some_and(|stated| stated.contains(SILENCE));
    if stated { options } else { options.options([(SILENCE, "30s")]) }
}

fn postgres_pool(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(PATIENCE)
        // A connection that the server ended shows at the first statement, which is tried again as a whole.
        .test_before_acquire(false)
}

async fn postgres(
    options: &PgConnectOptions,
    service: &str,
    migrations: &[Migration],
    connections: u32,
) -> Result<Pool, StoreError> {
    let quoted = quoted(service);
    let mut first = sqlx::PgConnection::connect_with(&options.clone().options(NO_NOTICES)).await?;
    // Two that start at the same time would both find that there is none.
    let made = async {
        first.execute("SELECT pg_advisory_lock(7263542111)").await?;
        first.execute(AssertSqlSafe(format!("CREATE SCHEMA IF NOT EXISTS {quoted}"))).await?;
        first.execute("SELECT pg_advisory_unlock(7263542111)").await
    };
    made.await?;
    first.close().await?;
    let pool = postgres_pool(connections.max(2)).connect_with(in_schema(options, service)).await?;
    for (steps, table) in [(MESSAGING, "messaging_migrations"), (migrations, "service_migrations")] {
        migrate::postgres(steps, table).run(&pool).await.map_err(migrate::failed)?;
    }
    Ok(Pool::Postgres(Lender::new(pool)))
}
