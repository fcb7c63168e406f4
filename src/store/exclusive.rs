//! One process alone with the stores of a location, for as long as it lives; a killed one has them no longer.

use std::fs::{File, TryLockError};

use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions, Connection};

use super::{Location, StoreError};

/// The advisory lock of PostgreSQL that stands for being alone; the number is our own.
const ALONE: i64 = 7_263_542_112;
/// The file in SQLite's folder that is locked.
const LOCK: &str = "embedded.lock";

/// Alone until it is dropped.
#[derive(Debug)]
pub(crate) enum Exclusive {
    Folder(#[expect(dead_code, reason = "holding it is what counts")] File),
    Database(Box<PgConnection>),
}

impl Exclusive {
    /// `None`: another process has them.
    pub(crate) async fn take(location: &Location) -> Result<Option<Self>, StoreError> {
        match location {
            Location::Sqlite(folder) => {
                let unavailable = |error: std::io::Error| StoreError::Unavailable(error.to_string());
                std::fs::create_dir_all(folder).map_err(unavailable)?;
                let file =
                    File::options().create(true).append(true).open(folder.join(LOCK)).map_err(unavailable)?;
                match file.try_lock() {
                    Ok(()) => Ok(Some(Self::Folder(file))),
                    Err(TryLockError::WouldBlock) => Ok(None),
                    Err(TryLockError::Error(error)) => Err(unavailable(error)),
                }
            }
            Location::Postgres(options) => {
                let mut connection = options.connect().await?;
                let taken: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
                    .bind(ALONE)
                    .fetch_one(&mut connection)
                    .await?;
                Ok(taken.then(|| Self::Database(Box::new(connection))))
            }
        }
    }

    /// Lets others have them.
    pub(crate) async fn give_up(self) {
        if let Self::Database(connection) = self {
            let _ = connection.close().await;
        }
    }
}
