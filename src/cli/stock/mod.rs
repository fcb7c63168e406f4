//! `kafkaflow stock`

mod change;
mod list;

use std::io::Write;

use clap::Subcommand;

use super::error::CliError;
use super::exit::Exit;
use super::store::{Attached, LocationArgs};
use crate::services::inventory::{self, stock};
use crate::store::{StoreError, Tx};
use crate::text::{listed, nearest, quoted};

/// Names that a message lists.
const MOST_LISTED: usize = 10;

/// How much there is of each product.
///
/// These commands open the inventory's store directly, beside the service, whether it runs or not.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::Args),
    Set(change::SetArgs),
    Adjust(change::AdjustArgs),
}

pub(crate) async fn run(args: Args, out: &mut impl Write) -> Result<Exit, CliError> {
    match args.command {
        Command::List(args) => list::run(&args, out).await,
        Command::Set(args) => change::set(&args, out).await,
        Command::Adjust(args) => change::adjust(&args, out).await,
    }
}

async fn attach(store: &LocationArgs) -> Result<Attached, CliError> {
    store.attach(inventory::NAME, inventory::MIGRATIONS, "kafkaflow run inventory").await
}

/// Somebody named a product that the inventory does not have.
fn unknown(product: &str, known: &[&str]) -> CliError {
    let error = CliError::failed(format!("the inventory has no product {}", quoted(product)));
    match nearest(product, known.iter().copied()) {
        Some(likely) => error.help(format!("did you mean {}?", quoted(likely))),
        None if known.is_empty() => error.help("it has none at all; the service begins with the catalogue's"),
        None => error.help(format!("it has {}", listed(known.iter().copied(), MOST_LISTED))),
    }
}

/// The names of all products.
async fn names(tx: &mut Tx) -> Result<Vec<String>, StoreError> {
    Ok(stock::levels(tx).await?.into_iter().map(|(name, _)| name).collect())
}
