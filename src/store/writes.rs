//! Writes that need nothing of each other, together.

use serde::Serialize;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Encode, Type};

use super::open::Pool;
use super::{Connection, Dialect, StoreError, Tx, json};

/// Writes of one transaction, which none of them reads. Each message to a database is waited for, to SQLite's too, which has
/// a thread of its own: so it is one for all of them. PostgreSQL has them in one statement, SQLite as one text.
pub(crate) enum Writes {
    Postgres(Parts),
    Sqlite(Script),
}

/// The `WITH` of a statement, and its parameters.
#[derive(Default)]
pub(crate) struct Parts {
    queries: Vec<String>,
    values: PgArguments,
}

/// Statements, and the parameters of all of them, which are numbered through.
#[derive(Default)]
pub(crate) struct Script {
    statements: Vec<String>,
    values: SqliteArguments,
}

impl Parts {
    /// One query of the `WITH`, by its name.
    pub(super) fn query(&mut self, name: &str, sql: &str) {
        self.queries.push(format!("{name} AS ({sql})"));
    }

    /// A parameter, as it stands in a query.
    pub(super) fn bind<'v, T>(&mut self, value: T) -> Result<String, StoreError>
    where
        T: Encode<'v, sqlx::Postgres> + Type<sqlx::Postgres>,
    {
        bind(&mut self.values, value)
    }
}

/// A parameter, as it stands in a statement.
fn bind<'v, A, T>(values: &mut A, value: T) -> Result<String, StoreError>
where
    A: Arguments,
    T: Encode<'v, A::Database> + Type<A::Database>,
{
    values.add(value).map_err(|error| StoreError::Sql(error.to_string()))?;
    Ok(format!("${}", values.len()))
}

impl Writes {
    /// None yet, for the database that `tx` is in.
    pub(crate) fn of(tx: &Tx) -> Result<Self, StoreError> {
        Ok(match tx.store()?.pool {
            Pool::Postgres(_) => Self::Postgres(Parts::default()),
            Pool::Sqlite { .. } => Self::Sqlite(Script::default()),
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
            Self::Sqlite(script) => {
                let rows = bind(&mut script.values, rows)?;
                let each = sqlx::SqliteConnection::EACH.replace("$1", &rows);
                script.statements.push(statement(&each));
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
            Self::Sqlite(Script { statements, values }) if !statements.is_empty() => {
                tx.run_in_sqlite(statements.join(";\n"), values).await?;
            }
            // Nothing begins.
            Self::Postgres(_) | Self::Sqlite(_) => {}
        }
        Ok(())
    }
}
