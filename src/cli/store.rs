//! Where the services' stores are: `--store`, `KAFKAFLOW_STORE`.

use super::error::CliError;
use crate::store::{Location, LocationError, Migration, Store, StoreError, services};
use crate::text::{listed, nearest, quoted};

/// Names that a message lists.
const MOST_LISTED: usize = 10;

/// Where the stores are.
#[derive(clap::Args, Debug, Clone)]
#[command(next_help_heading = "Store")]
pub(crate) struct LocationArgs {
    /// The services' stores: a folder of SQLite files, or a PostgreSQL database
    #[arg(
        long,
        value_name = "sqlite:DIR|postgres://…",
        env = "KAFKAFLOW_STORE",
        hide_env_values = true,
        hide_default_value = true,
        default_value = "sqlite:.kafkaflow"
    )]
    store: String,
}

/// Which stores.
#[derive(clap::Args, Debug, Clone)]
#[command(next_help_heading = "Store")]
pub(crate) struct StoreArgs {
    #[command(flatten)]
    at: LocationArgs,

    /// One service's store, by its name or as `run` has it (`order`); without it all that are there
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
}

/// A service and its store.
pub(crate) struct Attached {
    pub(crate) service: String,
    pub(crate) store: Store,
}

impl LocationArgs {
    fn location(&self) -> Result<Location, CliError> {
        self.store.parse().map_err(|error: LocationError| {
            CliError::usage("--store says no store").because(&error).help(error.help())
        })
    }

    /// The store of one service, whose own tables are to be used; it must be there, none is made. `starter` is the
    /// command that starts the service.
    pub(crate) async fn attach(
        &self,
        service: &str,
        migrations: &[Migration],
        starter: &str,
    ) -> Result<Attached, CliError> {
        let location = self.location()?;
        match attach(&location, service, migrations).await? {
            Some(store) => Ok(Attached { service: service.to_owned(), store }),
            None => Err(CliError::failed(format!("{location} has no store of {}", quoted(service))).help(
                format!("`--store` says where it is; the service makes it when it starts: `{starter}`"),
            )),
        }
    }
}

async fn attach(
    location: &Location,
    service: &str,
    migrations: &[Migration],
) -> Result<Option<Store>, CliError> {
    Store::attach(location, service, migrations).await.map_err(|error| {
        CliError::failed(format!("cannot read the store of {} in {location}", quoted(service))).because(error)
    })
}

impl StoreArgs {
    /// The stores that are meant, which must be there: none is made.
    pub(crate) async fn attach(&self) -> Result<Vec<Attached>, CliError> {
        let location = self.at.location()?;
        let unreached =
            |error: StoreError| CliError::failed(format!("cannot read {location}")).because(error);
        let there = services(&location).await.map_err(unreached)?;
        let wanted = match &self.service {
            None if there.is_empty() => {
                return Err(CliError::failed(format!("there is no service's store in {location}"))
                    .help("`--store` says where they are; a service makes its own when it starts"));
            }
            None => there,
            Some(service) => match named(&there, service) {
                Some(service) => vec![service.to_owned()],
                None => return Err(none_named(service, &there, &location)),
            },
        };
        let mut attached = Vec::new();
        for service in wanted {
            if let Some(store) = attach(&location, &service, &[]).await? {
                attached.push(Attached { service, store });
            }
        }
        Ok(attached)
    }
}

/// The service of that name, or the one that `run` calls so.
fn named<'t>(there: &'t [String], service: &str) -> Option<&'t str> {
    let mut names = there.iter().map(String::as_str);
    names
        .clone()
        .find(|name| *name == service)
        .or_else(|| names.find(|name| name.strip_suffix("-service") == Some(service)))
}

fn none_named(service: &str, there: &[String], location: &Location) -> CliError {
    let error = CliError::failed(format!("{location} has no store of {}", quoted(service)));
    let names = there.iter().map(String::as_str);
    match nearest(service, names.clone()) {
        Some(likely) => error.help(format!("did you mean {}?", quoted(likely))),
        None if there.is_empty() => error.help("it has none at all; `--store` says where they are"),
        None => error.help(format!("it has: {}", listed(names, MOST_LISTED))),
    }
}

/// A store's failure in the middle of a command.
pub(crate) fn store_failed(service: &str, error: &StoreError) -> CliError {
    CliError::failed(format!("the store of {} does not answer", quoted(service))).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_named_as_its_store_is_or_as_run_has_it() {
        let there = ["order-service", "payment", "payment-service"].map(str::to_owned);
        for (said, meant) in [
            ("order-service", Some("order-service")),
            ("order", Some("order-service")),
            ("payment", Some("payment")),
            ("order-servic", None),
            ("", None),
        ] {
            assert_eq!(named(&there, said), meant, "{said}");
        }
    }
}
