//! Why a store did not do what it was asked.

/// A failure of a store. What is behind it says the database in its own words; no address's password is in them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, or ended the connection; trying again may help.
    #[error("the store cannot be reached: {0}")]
    Unavailable(String),
    /// Two transactions were in each other's way; trying again helps.
    #[error("the store gave way to another transaction: {0}")]
    Conflict(String),
    /// There is no room; trying again helps when there is.
    #[error("the store is full: {0}")]
    Full(String),
    /// Another process owns what this transaction is about; it changed nothing.
    #[error("{what} has another owner now (epoch {found}, ours was {ours})")]
    Fenced { what: String, ours: i64, found: i64 },
    /// The database was made by a newer kafkaflow.
    #[error("the store has migration {0}, which this kafkaflow does not know; it was written by a newer one")]
    Newer(i64),
    /// An older kafkaflow wrote the database, and its service was not started since.
    #[error("the store has migration {0}; the service brings it up to date when it starts")]
    Older(i64),
    /// Its events were published to another kind of cluster.
    #[error("the store belongs to {found}, and this is {ours}")]
    OtherCluster { found: String, ours: String },
    /// A row that must be unique is there already.
    #[error("{0}")]
    Duplicate(String),
    /// There is no store behind this transaction.
    #[error("this group was started without a store")]
    None,
    #[error("{0}")]
    Sql(String),
}

impl StoreError {
    /// Whether the same may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Conflict(_) | Self::Full(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error;
        match error {
            Error::Database(error) => of_database(error.as_ref()),
            Error::Io(error) => Self::Unavailable(error.to_string()),
            Error::Tls(error) => Self::Unavailable(error.to_string()),
            Error::PoolTimedOut => Self::Unavailable("no connection became free in time".to_owned()),
            Error::PoolClosed => Self::Unavailable("it was closed".to_owned()),
            Error::WorkerCrashed => Self::Unavailable("its connection ended".to_owned()),
            // A server that ends in the middle of an answer.
            Error::Protocol(reason) => Self::Unavailable(reason),
            other => Self::Sql(other.to_string()),
        }
    }
}

/// By PostgreSQL's SQLSTATE (<https://www.postgresql.org/docs/current/errcodes-appendix.html>) or SQLite's extended
/// result code (<https://www.sqlite.org/rescode.html>), whose lowest byte is the plain one.
fn of_database(error: &dyn sqlx::error::DatabaseError) -> StoreError {
    let words = error.message().to_owned();
    if error.is_unique_violation() {
        return StoreError::Duplicate(words);
    }
    let code = error.code().unwrap_or_default();
    let sqlite = error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some();
    if sqlite {
        return match code.parse::<i32>().unwrap_or(0) & 0xff {
            5 | 6 | 15 => StoreError::Conflict(words),
            10 | 14 => StoreError::Unavailable(words),
            13 => StoreError::Full(words),
            _ => StoreError::Sql(words),
        };
    }
    match code.as_ref() {
        "53100" | "53200" => StoreError::Full(words),
        "40001" | "40P01" | "55P03" => StoreError::Conflict(words),
        // 25P03 and 25P04: the server ended the connection because its transaction rested or lasted for too long;
        // 57014: a statement was cancelled, by a time limit or by a person.
        "53300" | "25006" | "25P03" | "25P04" | "57014" => StoreError::Unavailable(words),
        code if code.starts_with("08") || code.starts_with("57P") || code.starts_with("58") => {
            StoreError::Unavailable(words)
        }
        _ => StoreError::Sql(words),
    }
}
