//! `kafkaflow run inventory`

use std::io::Write;
use std::path::PathBuf;

use super::settings::{CommonArgs, ended};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::{catalog_file, signal};
use crate::event::Text;
use crate::services::inventory::NAME;
use crate::services::inventory::run::{Shop, run as serve};

const PORT: u16 = 8081;
const OPERATORS: &str = "operations";

/// The inventory service: reserves stock for orders, all items of an order or none.
///
/// It begins with the catalogue's stock; `kafkaflow stock` shows and changes it. HTTP serves /metrics, /healthz and /readyz.
/// SIGTERM finishes what is in hand.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    common: CommonArgs,

    /// Products and their opening stock [default: the catalogue that is part of kafkaflow]
    #[arg(long, value_name = "FILE", env = "KAFKAFLOW_CATALOG", hide_env_values = true)]
    catalog: Option<PathBuf>,

    /// Who is told of products that are short: an operators' list [default: operations]
    #[arg(long, value_name = "LIST")]
    operators: Option<String>,
}

pub(crate) async fn run(args: Args, out: &mut impl Write) -> Result<Exit, CliError> {
    let (common, file) = args.common.merged(PORT)?;
    let catalog = args.catalog.or(file.catalog);
    let operators = args.operators.or(file.operators).unwrap_or_else(|| OPERATORS.to_owned());
    if common.print {
        let mut printed = common.printed()?;
        printed.set("catalog", catalog.map(|path| path.display().to_string()));
        printed.set("operators", Some(operators));
        out.write_all(printed.text().as_bytes())?;
        return Ok(Exit::Fine);
    }
    let operators =
        Text::new(operators).map_err(|error| CliError::usage("--operators names a list").because(error))?;
    let addresses = common.addresses()?;
    let assets = common.assets()?;
    let shop =
        Shop { judge: assets.judge.clone(), catalog: catalog_file::load(catalog.as_deref())?, operators };
    let around = common.surroundings(NAME, &assets, &addresses).await?;
    let tracing = around.tracing.clone();
    let worked = Box::pin(serve(shop, around, signal::end())).await;
    // Sending may wait for a collector.
    let _ = tokio::task::spawn_blocking(move || tracing.shut_down()).await;
    worked.map_err(|error| ended(NAME, &error))?;
    Ok(Exit::Fine)
}
