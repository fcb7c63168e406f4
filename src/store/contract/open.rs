//! Stores and their transactions.

use std::sync::{Arc, Mutex};

use super::{MIGRATIONS, NOW, effect, effects, event, pending_ids, write};
use crate::store::outbox::{self, Event, Followers, KeyOrder};
use crate::store::testing::{TestStore, on_both_stores};
use crate::store::{Connection, Migration, Store, StoreError, Tx};

on_both_stores! { crate::store::contract::MIGRATIONS;
    what_was_not_committed_never_was,
    a_record_is_undone_without_its_neighbours,
    what_is_for_afterwards_is_done_when_it_is_committed_and_never_when_it_is_undone,
    a_transaction_without_statements_needs_no_database,
    a_full_store_says_so_and_goes_on_when_there_is_room,
    a_store_of_a_newer_program_is_refused,
    two_programs_may_open_a_store_at_once,
}

/// A process that the kernel stopped in a transaction finds its connection ended when it wakes; the batch is done
/// again, the process goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_the_server_ended_may_be_tried_again() {
    let test = TestStore::postgres(MIGRATIONS).await;
    for limit in ["idle_in_transaction_session_timeout", "statement_timeout"] {
        let mut tx = test.store.tx();
        effect(&mut tx, 1, "a").await.unwrap();
        let Connection::Postgres(connection) = tx.connection().await.unwrap() else { unreachable!() };
        let pid: i32 =
            sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *connection).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(format!("SET LOCAL {limit} = 20")))
            .execute(connection)
            .await
            .unwrap();
        let error = match limit {
            "statement_timeout" => {
                let Connection::Postgres(connection) = tx.connection().await.unwrap() else { unreachable!() };
                sqlx::query("SELECT pg_sleep(60)")
                    .execute(connection)
                    .await
                    .map_err(StoreError::from)
                    .map(drop)
            }
            _ => {
                until_the_server_ended(&test.store, pid).await;
                effect(&mut tx, 2, "a").await
            }
        };
        let error = error.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)) && error.is_transient(), "{limit}: {error:?}");
        drop(tx);
        let mut tx = test.store.tx();
        effect(&mut tx, 1, "a").await.unwrap();
        tx.rollback().await.unwrap();
    }
}

async fn until_the_server_ended(store: &Store, pid: i32) {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let mut tx = store.reading();
        let Connection::Postgres(connection) = tx.connection().await.unwrap() else { unreachable!() };
        let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)")
            .bind(pid)
            .fetch_one(connection)
            .await
            .unwrap();
        if !there {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "the server keeps the connection");
        tokio::task::yield_now().await;
    }
}

async fn what_was_not_committed_never_was(test: TestStore) {
    let mut tx = test.store.tx();
    effect(&mut tx, 1, "a").await.unwrap();
    outbox::write(&mut tx, &[event(1, "a")], KeyOrder::Lock, NOW).await.unwrap();
    drop(tx);
    let mut tx = test.store.tx();
    effect(&mut tx, 2, "a").await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(effects(&test.store).await, [0_i64; 0]);
    assert!(pending_ids(&test.store, &[], Followers::Wait).await.is_empty());
}

async fn a_record_is_undone_without_its_neighbours(test: TestStore) {
    let mut tx = test.store.tx();
    effect(&mut tx, 1, "a").await.unwrap();
    tx.savepoint().await.unwrap();
    effect(&mut tx, 2, "a").await.unwrap();
    assert!(matches!(effect(&mut tx, 1, "a").await, Err(StoreError::Duplicate(_))));
    tx.back_to_savepoint().await.unwrap();
    tx.savepoint().await.unwrap();
    effect(&mut tx, 3, "a").await.unwrap();
    tx.release_savepoint().await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(effects(&test.store).await, [1, 3]);
}

async fn what_is_for_afterwards_is_done_when_it_is_committed_and_never_when_it_is_undone(test: TestStore) {
    let done = Arc::new(Mutex::new(Vec::new()));
    let note = |tx: &mut Tx, what: &'static str| {
        let done = Arc::clone(&done);
        tx.afterwards(move || done.lock().unwrap().push(what));
    };
    let mut tx = test.store.tx();
    note(&mut tx, "dropped");
    drop(tx);
    let mut tx = test.store.tx();
    note(&mut tx, "undone");
    tx.rollback().await.unwrap();
    let mut tx = test.store.tx();
    note(&mut tx, "before");
    effect(&mut tx, 1, "a").await.unwrap();
    tx.savepoint().await.unwrap();
    note(&mut tx, "undone alone");
    tx.back_to_savepoint().await.unwrap();
    tx.savepoint().await.unwrap();
    note(&mut tx, "behind");
    tx.release_savepoint().await.unwrap();
    assert!(done.lock().unwrap().is_empty());
    tx.commit().await.unwrap();
    assert_eq!(*done.lock().unwrap(), ["before", "behind"]);
}

async fn a_transaction_without_statements_needs_no_database(test: TestStore) {
    test.store.close().await;
    let tx = test.store.tx();
    assert!(!tx.has_begun());
    tx.commit().await.unwrap();
    assert!(matches!(test.store.ping().await, Err(StoreError::Unavailable(_))));
}

/// `.cargo/config.toml` says how; a build that does not heed it works, and is slower.
#[tokio::test]
async fn caches_of_sqlite_are_the_connections_own() {
    let test = TestStore::sqlite(MIGRATIONS).await;
    let mut tx = test.store.reading();
    let Connection::Sqlite(connection) = tx.connection().await.unwrap() else { unreachable!() };
    let options: Vec<String> =
        sqlx::query_scalar("PRAGMA compile_options").fetch_all(connection).await.unwrap();
    assert!(!options.iter().any(|option| option == "ENABLE_MEMORY_MANAGEMENT"), "{options:?}");
    assert!(options.iter().any(|option| option == "DEFAULT_MEMSTATUS=0"), "{options:?}");
}

async fn a_full_store_says_so_and_goes_on_when_there_is_room(test: TestStore) {
    async fn run(store: &Store, postgres: &'static [&'static str], sqlite: &'static str) {
        use sqlx::Executor;
        let mut tx = store.tx();
        match tx.connection().await.unwrap() {
            Connection::Postgres(connection) => {
                for statement in postgres {
                    connection.execute(*statement).await.unwrap();
                }
            }
            Connection::Sqlite(connection) => drop(connection.execute(sqlite).await.unwrap()),
        }
        tx.commit().await.unwrap();
    }
    const FILL: &[&str] = &[
        "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$",
        "CREATE TRIGGER no_room BEFORE INSERT ON outbox EXECUTE FUNCTION no_room()",
    ];
    let large = |n| Event { payload: "x".repeat(100_000), ..event(n, "a") };
    write(&test.store, &[event(1, "a")]).await;
    run(&test.store, FILL, "PRAGMA max_page_count = 1").await;
    let mut tx = test.store.tx();
    let refused = outbox::write(&mut tx, &[large(2)], KeyOrder::Lock, NOW).await.unwrap_err();
    assert!(matches!(refused, StoreError::Full(_)) && refused.is_transient(), "{refused:?}");
    drop(tx);
    run(&test.store, &["DROP TRIGGER no_room ON outbox"], "PRAGMA max_page_count = 1000000").await;
    write(&test.store, &[large(2)]).await;
    assert_eq!(pending_ids(&test.store, &[], Followers::Wait).await, ["evt-1", "evt-2"]);
}

async fn a_store_of_a_newer_program_is_refused(test: TestStore) {
    let newer = [
        MIGRATIONS[0],
        Migration {
            version: 2,
            name: "more",
            sqlite: "CREATE TABLE more (id INTEGER)",
            postgres: "CREATE TABLE more (id int)",
        },
    ];
    Store::open(&test.location, "service", &newer, 2).await.unwrap().close().await;
    let refused = Store::open(&test.location, "service", MIGRATIONS, 2).await;
    assert_eq!(refused.map(drop), Err(StoreError::Newer(2)));
    // Whoever only attaches is told the same, unless the service's own tables do not matter.
    let attached = async |migrations: &[Migration]| {
        Store::attach(&test.location, "service", migrations).await.map(|store| store.is_some())
    };
    assert_eq!(attached(MIGRATIONS).await, Err(StoreError::Newer(2)));
    assert_eq!(attached(&newer).await, Ok(true));
    assert_eq!(attached(&[]).await, Ok(true));
    let third = Migration { version: 3, ..newer[1] };
    assert_eq!(attached(&[newer[0], newer[1], third]).await, Err(StoreError::Older(2)));
    assert_eq!(Store::attach(&test.location, "nobody", &[]).await.map(|store| store.is_some()), Ok(false));
    // Another service's tables are its own.
    Store::open(&test.location, "another service", MIGRATIONS, 2).await.unwrap().close().await;
}

async fn two_programs_may_open_a_store_at_once(test: TestStore) {
    let open = |name: &'static str| {
        let location = test.location.clone();
        tokio::spawn(async move { Store::open(&location, name, MIGRATIONS, 2).await.map(drop) })
    };
    let both = [open("fresh"), open("fresh"), open("fresh")];
    for one in both {
        assert_eq!(one.await.unwrap(), Ok(()));
    }
}

/// As a request does whose client hangs up at the wrong moment.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_nobody_waits_for_any_more_is_not_left_open() {
    let test = TestStore::postgres(MIGRATIONS).await;
    // Looks on without a connection of the store's own.
    let watcher = Store::open(&test.location, "watcher", MIGRATIONS, 2).await.unwrap();
    for n in 0..300_u64 {
        let mut tx = test.store.reading();
        let patience = std::time::Duration::from_micros(n * 3);
        let _ = tokio::time::timeout(patience, tx.connection()).await.map(drop);
        drop(tx);
        until_no_transaction_rests(&watcher).await;
    }
}

async fn until_no_transaction_rests(store: &Store) {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        let mut tx = store.reading();
        let Connection::Postgres(connection) = tx.connection().await.unwrap() else { unreachable!() };
        let resting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()",
        )
        .fetch_one(connection)
        .await
        .unwrap();
        if resting == 0 {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "a transaction was left open");
        tokio::task::yield_now().await;
    }
}
