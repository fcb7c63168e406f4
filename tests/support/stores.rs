//! Places for stores, one test's own.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection, Executor};

use super::Folder;
use super::brokers::endpoint;

pub(crate) fn sqlite(folder: &Folder) -> String {
    format!("sqlite:{}", folder.path().join("stores").display())
}

/// A database of its own on the server that `./dev test` started; `./dev test` also removes it.
pub(crate) async fn database() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let url = endpoint("KAFKAFLOW_TEST_POSTGRES");
    let name = format!("t_it_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let mut server = sqlx::PgConnection::connect(&url).await.expect("PostgreSQL serves");
    server
        .execute(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name}")))
        .await
        .expect("none is in the way");
    server.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.expect("a database");
    let base = url.rsplit_once('/').expect("an address with a database").0;
    format!("{base}/{name}")
}

/// The same for tests that wait by themselves.
pub(crate) fn postgres() -> String {
    tokio::runtime::Runtime::new().unwrap().block_on(database())
}
