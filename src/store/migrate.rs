//! Migrations: embedded, numbered, run once each, and refused by a binary that is older than the database.

use std::borrow::Cow;

use sqlx::migrate::{MigrateError, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr};

use super::StoreError;

/// One step of a schema, in both dialects. Its number and text never change once released.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// From 1 on.
    pub version: i64,
    pub name: &'static str,
    pub sqlite: &'static str,
    pub postgres: &'static str,
}

/// Migrations whose texts lie in `FOLDER/sqlite/FILE.sql` and `FOLDER/postgres/FILE.sql`, beside the source that names them:
/// `migrations!("FOLDER": 1 "name" "FILE", …)`.
#[macro_export]
macro_rules! migrations {
    ($folder:literal: $($version:literal $name:literal $file:literal),* $(,)?) => {
        &[$($crate::store::Migration {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!($folder, "/sqlite/", $file, ".sql")),
            postgres: include_str!(concat!($folder, "/postgres/", $file, ".sql")),
        }),*]
    };
}

/// What messaging itself needs.
pub(super) const MESSAGING: &[Migration] = crate::migrations!("migrations":
    1 "messaging" "0001_messaging",
    2 "cluster" "0002_cluster",
    3 "inbox key" "0003_inbox_key",
    4 "few statistics" "0004_few_statistics",
);

pub(super) fn sqlite(steps: &[Migration], table: &'static str) -> Migrator {
    migrator(steps, table, |step| step.sqlite)
}

pub(super) fn postgres(steps: &[Migration], table: &'static str) -> Migrator {
    migrator(steps, table, |step| step.postgres)
}

fn migrator(steps: &[Migration], table: &'static str, sql: impl Fn(&Migration) -> &'static str) -> Migrator {
    let step = |step: &Migration| {
        let name = Cow::Borrowed(step.name);
        let sql = AssertSqlSafe(sql(step)).into_sql_str();
        sqlx::migrate::Migration::new(step.version, name, MigrationType::Simple, sql, false)
    };
    let mut migrator = Migrator::with_migrations(steps.iter().map(step).collect());
    migrator.dangerous_set_table_name(table);
    migrator
}

pub(super) fn failed(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) => error.into(),
        MigrateError::ExecuteMigration(error, version) => match StoreError::from(error) {
            StoreError::Sql(words) => StoreError::Sql(format!("migration {version}: {words}")),
            other => other,
        },
        MigrateError::VersionMissing(version) => StoreError::Newer(version),
        other => StoreError::Sql(other.to_string()),
    }
}
