//! Writes that need nothing of each other, together.

use std::sync::Arc;

use serde::Serialize;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Encode, PgConnection, Row, Type};

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
#[derive(Debug, Default)]
pub(crate) struct Parts {
    queries: Vec<String>,
    values: PgArguments,
    /// Whether what was read may have changed since.
    optimistic: bool,
    /// How many rows some queries must return, or all is refused. PostgreSQL runs them in this order, and so their locks are
    /// taken in it.
    expected: Vec<(String, i64)>,
    pub(super) announced: Option<Announced>,
}

/// What PostgreSQL says when a statement is refused: a text that it was to take for a number, which is the only way in SQL
/// to fail on purpose.
const OUTDATED: &str = "kafkaflow: no longer as it was read, and handled again";

/// Statements, and the parameters of all of them, which are numbered through.
#[derive(Default)]
pub(crate) struct Script {
    statements: Vec<String>,
    values: SqliteArguments,
}

impl Parts {
    /// One query of the `WITH`, by its name. It is run once: PostgreSQL would run one that is named once for every row that
    /// it is held against.
    pub(super) fn query(&mut self, name: &str, sql: &str) {
        self.queries.push(format!("{name} AS MATERIALIZED ({sql})"));
    }

    /// These queries must return so many rows, or all is refused; they are run in this order, before all of which that was
    /// said already.
    pub(super) fn expect_first<const N: usize>(
        &mut self,
        queries: [(&str, usize); N],
    ) -> Result<(), StoreError> {
        for (name, rows) in queries.into_iter().rev() {
            self.expected.insert(0, (name.to_owned(), count(rows)?));
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queries.is_empty()
    }

    /// The rows of `select`, which has the queries to select from.
    pub(super) async fn fetch(
        self,
        select: &str,
        connection: &mut PgConnection,
    ) -> Result<Vec<PgRow>, StoreError> {
        let sql = AssertSqlSafe(format!("WITH {} {select}", self.queries.join(", ")));
        Ok(sqlx::query_with(sql, self.values).fetch_all(connection).await?)
    }

    /// Does it, and has the relay told of what it announces. [`StoreError::Conflict`] when a query does not return what is
    /// expected of it; nothing is done then.
    pub(super) async fn run(mut self, tx: &mut Tx) -> Result<(), StoreError> {
        let fresh = Arc::clone(tx.store()?.fresh());
        let verdict = self.verdict()?;
        let announces = self.announced.is_some();
        let handed_over = match self.announced.take() {
            Some(Announced::Alone(rows)) => fresh.about_to_write().map(|since| (since, rows)),
            Some(Announced::BehindOthers) | None => None,
        };
        let seqs =
            if handed_over.is_some() { "ARRAY(SELECT seq FROM announced ORDER BY seq)" } else { "NULL" };
        let Connection::Postgres(connection) = tx.connection().await? else { return Ok(()) };
        let done = self.fetch(&format!("SELECT {verdict}, {seqs}"), connection).await;
        let done = done.map_err(|error| match error {
            StoreError::Sql(words) if words.contains(OUTDATED) => StoreError::Conflict(words),
            other => other,
        })?;
        if let Some((since, mut rows)) = handed_over {
            let seqs: Vec<i64> = done.first().map_or(Ok(Vec::new()), |row| row.try_get(1))?;
            for (row, seq) in rows.iter_mut().zip(seqs) {
                row.seq = seq;
            }
            tx.afterwards(move || fresh.committed(since, rows));
        } else if announces {
            tx.afterwards(move || fresh.others());
        }
        Ok(())
    }

    /// What fails where a query does not return what is expected of it.
    fn verdict(&mut self) -> Result<String, StoreError> {
        if self.expected.is_empty() {
            return Ok("1".to_owned());
        }
        let (names, counts): (Vec<_>, Vec<_>) = std::mem::take(&mut self.expected).into_iter().unzip();
        let found: Vec<_> = names.iter().map(|name| format!("(SELECT count(*) FROM {name})")).collect();
        let (found, counts) = (found.join(", "), self.bind(counts)?);
        Ok(format!("CAST(CASE WHEN ARRAY[{found}] = {counts} THEN '1' ELSE '{OUTDATED}' END AS integer)"))
    }

    /// A parameter, as it stands in a query.
    pub(super) fn bind<'v, T>(&mut self, value: T) -> Result<String, StoreError>
    where
        T: Encode<'v, sqlx::Postgres> + Type<sqlx::Postgres>,
    {
        bind(&mut self.values, value)
    }
}

fn count(rows: usize) -> Result<i64, StoreError> {
    i64::try_from(rows).map_err(|_| StoreError::Sql("too many rows".to_owned()))
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
            Pool::Postgres(_) => Self::Postgres(Parts { optimistic: tx.is_optimistic(), ..Parts::default() }),
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

    /// As [`Self::rows`], of an update that finds each of the rows only as they were read: it must say so itself, in its
    /// `WHERE`. In a transaction that holds them it always does; an optimistic one is refused where it does not.
    pub(crate) fn rows_as_read<R: Serialize>(
        &mut self,
        rows: &[R],
        statement: impl Fn(&str) -> String,
    ) -> Result<(), StoreError> {
        match self {
            Self::Postgres(parts) if parts.optimistic && !rows.is_empty() => {
                parts.expected.push((format!("rows_{}", parts.queries.len()), count(rows.len())?));
                self.rows(rows, |each| format!("{} RETURNING 1", statement(each)))
            }
            Self::Postgres(_) | Self::Sqlite(_) => self.rows(rows, statement),
        }
    }

    /// Does them; in an optimistic transaction when that is committed, and only once.
    pub(crate) async fn run(self, tx: &mut Tx) -> Result<(), StoreError> {
        match self {
            Self::Postgres(parts) if parts.optimistic => tx.defer(parts)?,
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
