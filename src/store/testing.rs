//! Stores for tests: each has one of its own, on both databases.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, Executor};

use super::outbox::{self, BUCKETS, Followers, Pending};
use super::{Connection, Location, Migration, Store, StoreError, Tx, Writes};

/// A store that nobody else has, and where it is.
pub(crate) struct TestStore {
    pub(crate) store: Store,
    pub(crate) location: Location,
    _folder: Option<tempfile::TempDir>,
}

impl TestStore {
    pub(crate) async fn sqlite(migrations: &[Migration]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let location = Location::Sqlite(folder.path().to_owned());
        let store = Store::open(&location, "service", migrations, 8).await.expect("the store opens");
        Self { store, location, _folder: Some(folder) }
    }

    pub(crate) async fn postgres(migrations: &[Migration]) -> Self {
        let location = postgres_database().await;
        let store = Store::open(&location, "service", migrations, 8).await.expect("the store opens");
        Self { store, location, _folder: None }
    }

    /// What waits to be published.
    pub(crate) async fn waiting(&self) -> Vec<Pending> {
        let all: Vec<i16> = (0..i16::try_from(BUCKETS).unwrap()).collect();
        outbox::pending(&mut self.store.reading(), &all, &[], &[], Followers::Wait, 100).await.unwrap()
    }

    /// What a relay of this process is handed instead of looking for it; never anything of SQLite's.
    pub(crate) fn handed_over(&self) -> Vec<String> {
        let rows = self.store.fresh().take(100);
        self.store.fresh().look_begins();
        rows.unwrap_or_default().into_iter().map(|row| format!("{} {}", row.key, row.event_type)).collect()
    }

    /// Says what is handed over where something is: by PostgreSQL.
    pub(crate) fn hands_over<const N: usize>(&self, rows: [&str; N]) -> Vec<String> {
        if self.is_postgres() { rows.map(str::to_owned).to_vec() } else { Vec::new() }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.location, Location::Postgres(_))
    }
}

/// A database of its own on the server that `./dev test` started; `./dev test` also removes it.
pub(crate) async fn postgres_database() -> Location {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let url = std::env::var("KAFKAFLOW_TEST_POSTGRES")
        .expect("KAFKAFLOW_TEST_POSTGRES is not set: run this by ./dev test, which starts what tests need");
    let name = format!("t_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let mut server = sqlx::PgConnection::connect(&url).await.expect("PostgreSQL serves");
    server
        .execute(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name}")))
        .await
        .expect("none is in the way");
    server.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.expect("a database");
    let base = url.rsplit_once('/').expect("an address with a database").0;
    format!("{base}/{name}").parse().expect("an address")
}

/// Makes every function a test on both databases.
macro_rules! on_both_stores {
    ($migrations:expr; $($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::store::testing::TestStore::sqlite($migrations).await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::store::testing::TestStore::postgres($migrations).await).await;
            })*
        }
    };
}
pub(crate) use on_both_stores;

/// A table of effects, in the order of their writing.
pub(crate) const EFFECTS: &[Migration] = &[Migration {
    version: 1,
    name: "effects",
    sqlite: "CREATE TABLE effect (n INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, id TEXT NOT NULL) STRICT",
    postgres: "CREATE TABLE effect (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text NOT NULL,
                                    id text NOT NULL)",
}];

/// Writes an effect.
pub(crate) async fn effect(tx: &mut Tx, key: &str, id: &str) -> Result<(), StoreError> {
    write_effects(tx, &[(key, id)]).await
}

/// Writes effects by key and id, by one statement.
pub(crate) async fn write_effects(tx: &mut Tx, effects: &[(&str, &str)]) -> Result<(), StoreError> {
    let mut writes = Writes::of(tx)?;
    writes.rows(effects, |each| {
        format!("INSERT INTO effect (key, id) SELECT value ->> 0, value ->> 1 FROM {each}")
    })?;
    writes.run(tx).await
}

/// Key and id of each effect.
pub(crate) async fn effects(store: &Store) -> Vec<(String, String)> {
    let mut tx = store.reading();
    let asked: Result<Vec<(String, String)>, StoreError> = async {
        Ok(crate::with_connection!(tx, |connection| {
            sqlx::query_as("SELECT key, id FROM effect ORDER BY n").fetch_all(connection).await?
        }))
    }
    .await;
    asked.expect("the effects")
}

/// PostgreSQL: until this is rolled back whoever looks for rows of the outbox waits, and whoever writes some does not.
pub(crate) async fn looks_held_up(store: &Store) -> Tx {
    let mut tx = store.tx();
    let Connection::Postgres(connection) = tx.connection().await.unwrap() else { panic!("not PostgreSQL") };
    connection.execute("LOCK TABLE outbox_dead IN ACCESS EXCLUSIVE MODE").await.unwrap();
    tx
}

/// Runs a statement that both databases take.
pub(crate) async fn execute(store: &Store, statement: &str) {
    let mut tx = store.tx();
    let done: Result<(), StoreError> = async {
        crate::with_connection!(tx, |connection| {
            sqlx::query(AssertSqlSafe(statement)).execute(connection).await?;
        });
        tx.commit().await
    }
    .await;
    done.expect("the statement");
}

/// The epochs in which partitions are owned.
pub(crate) async fn epochs(store: &Store) -> Vec<i64> {
    let mut tx = store.reading();
    let asked: Result<Vec<i64>, StoreError> = async {
        Ok(crate::with_connection!(tx, |connection| {
            sqlx::query_scalar("SELECT epoch FROM consumer_partition ORDER BY topic, partition")
                .fetch_all(connection)
                .await?
        }))
    }
    .await;
    asked.expect("the epochs")
}

/// A row of the outbox: `seq`, the columns that Debezium reads, and `created_at`.
pub(crate) type OutboxRow = (i64, String, String, String, String, String, String, Option<String>, i64);

/// What the outbox holds, in its order.
pub(crate) async fn outbox_rows(store: &Store) -> Vec<OutboxRow> {
    let mut tx = store.reading();
    let asked: Result<Vec<OutboxRow>, StoreError> = async {
        Ok(crate::with_connection!(tx, |connection| {
            sqlx::query_as(
                "SELECT seq, id, aggregatetype, aggregateid, type, payload, topic, traceparent, created_at
                 FROM outbox ORDER BY seq",
            )
            .fetch_all(connection)
            .await?
        }))
    }
    .await;
    asked.expect("the rows")
}

/// Waits until a transaction waits for another one's lock; on SQLite, where writers queue, not at all.
pub(crate) async fn until_somebody_waits_for_a_lock(store: &Store) {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let mut tx = store.reading();
        let Connection::Postgres(connection) = tx.connection().await.unwrap() else { return };
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
        )
        .fetch_one(connection)
        .await
        .unwrap();
        if waiting > 0 {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "nobody waits");
        tokio::task::yield_now().await;
    }
}
