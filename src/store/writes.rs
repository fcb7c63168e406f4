//! Writes that need nothing of each other, together.

use serde::Serialize;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe};

use super::open::Pool;
use super::{Connection, Dialect, StoreError, Tx, json};

/// Writes of one transaction, which none of them reads: in PostgreSQL one statement, since every statement is a message
/// there whose answer is waited for; in SQLite, whose statements are calls, one after the other.
pub(crate) enum Writes {
    Postgres(Parts),
    Sqlite(Vec<(String, SqliteArguments)>),
}

/// The `WITH` of a statement, and its parameters.
#[derive(Default)]
pub(crate) struct Parts {
    queries: Vec<String>,
    values: PgArguments,
}

impl Parts {
    /// One query of the `WITH`, by its name.
    pub(super) fn query(&mut self, name: &str, sql: &str) {
        self.queries.push(format!("{name} AS ({sql})"));
    }

    /// A parameter, as it stands in a query.
    pub(super) fn bind<'v, T>(&mut self, value: T) -> Result<String, StoreError>
    where
        T: sqlx::Encode<'v, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        Arguments::add(&mut self.values, value).map_err(|error| StoreError::Sql(error.to_string()))?;
        Ok(format!("${}", self.values.len()))
    }
}

impl Writes {
    /// None yet, for the database that `tx` is in.
    pub(crate) fn of(tx: &Tx) -> Result<Self, StoreError> {
        Ok(match tx.store()?.pool {
            Pool::Postgres(_) => Self::Postgres(Parts::default()),
            Pool::Sqlite { .. } => Self::Sqlite(Vec::new()),
        })
    }

    /// One write of all rows. `statement` is told what to select them from, as [`Dialect::EACH`] has it.
    pub(crate) fn rows<R: Serialize>(
        &mut self,
        rows: &[R],
        statement: impl Fn(&str) -> String,
    ) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let rows = json(&rows)?;
        match self {
            Self::Postgres(parts) => {
                let rows = parts.bind(rows)?;
                let each = sqlx::PgConnection::EACH.replace("$1", &rows);
                parts.query(&format!("rows_{}", parts.queries.len()), &statement(&each));
            }
            Self::Sqlite(statements) => {
                let mut values = SqliteArguments::default();
                Arguments::add(&mut values, rows).map_err(|error| StoreError::Sql(error.to_string()))?;
                statements.push((statement(sqlx::SqliteConnection::EACH), values));
            }
        }
        Ok(())
    }

    /// Does them.
    pub(crate) async fn run(self, tx: &mut Tx) -> Result<(), StoreError> {
        match self {
            Self::Postgres(Parts { queries, values }) if !queries.is_empty() => {
                let sql = format!("WITH {} SELECT 1", queries.join(", "));
                if let Connection::Postgres(connection) = tx.connection().await? {
                    sqlx::query_with(AssertSqlSafe(sql), values).execute(connection).await?;
                }
            }
            Self::Sqlite(statements) if !statements.is_empty() => {
                if let Connection::Sqlite(connection) = tx.connection().await? {
                    for (sql, values) in statements {
                        sqlx::query_with(AssertSqlSafe(sql), values).execute(&mut *connection).await?;
                    }
                }
            }
            // Nothing begins.
            Self::Postgres(_) | Self::Sqlite(_) => {}
        }
        Ok(())
    }
}
