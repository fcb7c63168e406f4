//! Where the services' stores are: `--store`, `KAFKAFLOW_STORE`.

use super::error::CliError;
use crate::store::{Location, Store, StoreError, services};
use crate::text::{listed, nearest, quoted};

/// Names that a message lists.
const MOST_LISTED: usize = 10;

/// Which stores.
#[derive(clap::Args, Debug, Clone)]
#[command(next_help_heading = "Store")]
pub(crate) struct StoreArgs {
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

    /// One service's store; without it all that are there
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
}

/// A service and its store.
pub(crate) struct Attached {
    pub(crate) service: String,
    pub(crate) store: Store,
}

impl StoreArgs {
    /// The stores that are meant, which must be there: none is made.
    pub(crate) async fn attach(&self) -> Result<Vec<Attached>, CliError> {
        let location: Location = self.store.parse().map_err(|error: crate::store::LocationError| {
            CliError::usage("--store says no store").because(&error).help(error.help())
        })?;
        let unreached =
            |error: StoreError| CliError::failed(format!("cannot read {location}")).because(error);
        let there = services(&location).await.map_err(unreached)?;
        let wanted = match &self.service {
            None if there.is_empty() => {
                return Err(CliError::failed(format!("there is no service's store in {location}"))
                    .help("`--store` says where they are; a service makes its own when it starts"));
            }
            None => there,
            Some(service) if there.contains(service) => vec![service.clone()],
            Some(service) => {
                let error = CliError::failed(format!("{location} has no store of {}", quoted(service)));
                let names = there.iter().map(String::as_str);
                return Err(match nearest(service, names.clone()) {
                    Some(likely) => error.help(format!("did you mean {}?", quoted(likely))),
                    None if there.is_empty() => {
                        error.help("it has none at all; `--store` says where they are")
                    }
                    None => error.help(format!("it has: {}", listed(names, MOST_LISTED))),
                });
            }
        };
        let mut attached = Vec::new();
        for service in wanted {
            let store = Store::attach(&location, &service).await.map_err(|error| {
                CliError::failed(format!("cannot read the store of {} in {location}", quoted(&service)))
                    .because(error)
            })?;
            if let Some(store) = store {
                attached.push(Attached { service, store });
            }
        }
        Ok(attached)
    }
}

/// A store's failure in the middle of a command.
pub(crate) fn store_failed(service: &str, error: &StoreError) -> CliError {
    CliError::failed(format!("the store of {} does not answer", quoted(service))).because(error)
}
