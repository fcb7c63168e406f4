//! Writes that need nothing of each other, together.

use std::sync::Arc;

use serde::Serialize;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Encode, Type};

use super::open::Pool;
use super::outbox::Announced;
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
    pub(super) announced: Option<Announced>,
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

    /// Does it, and has the relay told of what it announces.
    async fn run(self, tx: &mut Tx) -> Result<(), StoreError> {
        let fresh = Arc::clone(tx.store()?.fresh());
        let since = fresh.about_to_write();
        let Connection::Postgres(connection) = tx.connection().await? else { return Ok(()) };
        let with = format!("WITH {}", self.queries.join(", "));
        match (self.announced, since) {
            (Some(Announced::Alone(mut rows)), Some(since)) => {
                let sql = AssertSqlSafe(format!("{with} SELECT seq FROM announced ORDER BY seq"));
                let seqs: Vec<i64> = sqlx::query_scalar_with(sql, self.values).fetch_all(connection).await?;
                for (row, seq) in rows.iter_mut().zip(seqs) {
                    row.seq = seq;
                }
                tx.afterwards(move || fresh.committed(since, rows));
            }
            (announced, _) => {
                let sql = AssertSqlSafe(format!("{with} SELECT 1"));
                sqlx::query_with(sql, self.values).execute(connection).await?;
                if announced.is_some() {
                    tx.afterwards(move || fresh.others());
                }
            }
        }
        Ok(())
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
            Self::Postgres(parts) if !parts.queries.is_empty() => parts.run(tx).await?,
            Self::Sqlite(Script { statements, values }) if !statements.is_empty() => {
                tx.run_in_sqlite(statements.join(";\n"), values).await?;
            }
            // Nothing begins.
            Self::Postgres(_) | Self::Sqlite(_) => {}
        }
        Ok(())
    }
}
