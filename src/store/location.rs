//! Where stores are: `sqlite:DIR` or `postgres://…`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

/// Where the services' stores are. Printed without its password.
#[derive(Clone)]
pub enum Location {
    /// A folder that holds a file `<service>.db` for each service.
    Sqlite(PathBuf),
    /// A database that holds a schema for each service.
    Postgres(Box<PgConnectOptions>),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct LocationError {
    reason: String,
}

impl LocationError {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }

    /// What to type instead.
    #[must_use]
    pub fn help(&self) -> &'static str {
        "write `sqlite:FOLDER` or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`"
    }
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        if let Some(folder) = text.strip_prefix("sqlite:") {
            let folder = folder.strip_prefix("//").unwrap_or(folder);
            if folder.is_empty() || folder.contains(":memory:") {
                return Err(LocationError::new("SQLite stores need a folder"));
            }
            return Ok(Self::Sqlite(PathBuf::from(folder)));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            // The parser's own words may repeat the address, and with it the password.
            let options = PgConnectOptions::from_str(text)
                .map_err(|_| LocationError::new("this is no address of a PostgreSQL database"))?;
            return Ok(Self::Postgres(Box::new(options)));
        }
        let scheme = text.split_once(':').map_or("it has none", |(scheme, _)| scheme);
        Err(LocationError::new(format!("a store is of the kind `sqlite` or `postgres`, not {scheme}")))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(folder) => write!(f, "sqlite:{}", folder.display()),
            Self::Postgres(options) => write!(
                f,
                "postgres://{}@{}:{}/{}",
                options.get_username(),
                options.get_host(),
                options.get_port(),
                options.get_database().unwrap_or(options.get_username())
            ),
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_shown_without_its_password() {
        for (text, shown) in [
            ("sqlite:.kafkaflow", "sqlite:.kafkaflow"),
            ("sqlite:///var/lib/kafkaflow", "sqlite:/var/lib/kafkaflow"),
            ("postgres://me:secret@db:5433/shop?sslmode=require", "postgres://me@db:5433/shop"),
            ("postgresql://me:secret@db/shop", "postgres://me@db:5432/shop"),
        ] {
            let location: Location = text.parse().unwrap();
            assert_eq!((location.to_string(), format!("{location:?}")), (shown.to_owned(), shown.to_owned()));
        }
    }

    #[test]
    fn what_is_no_location_is_refused_without_repeating_a_password() {
        for text in
            ["", "sqlite:", "sqlite::memory:", "mysql://me:secret@db", "postgres://me:secret@db:x/shop"]
        {
            let error = text.parse::<Location>().unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
