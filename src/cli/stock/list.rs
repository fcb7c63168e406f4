//! `kafkaflow stock list`

use std::fmt::Write as _;
use std::io::Write;

use super::{attach, unknown};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::store::{LocationArgs, store_failed};
use crate::cli::view::grid::Grid;
use crate::services::inventory::{self, Level, stock};
use crate::text::code;
use crate::unit::grouped;

/// What is available of each product, and what is reserved for orders.
///
/// A product is sold out when nothing of it is available. Operations are told of one that runs short, once until it is
/// restocked.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Only these products
    #[arg(value_name = "PRODUCT")]
    products: Vec<String>,

    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    #[command(flatten)]
    store: LocationArgs,
}

/// As what the result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Table,
    Json,
    Markdown,
}

#[derive(serde::Serialize)]
struct Shown<'s> {
    product: &'s str,
    available: u64,
    reserved: u64,
    sold_out: bool,
    operations_told: bool,
}

pub(super) async fn run(args: &Args, out: &mut impl Write) -> Result<Exit, CliError> {
    let attached = attach(&args.store).await?;
    let levels = stock::levels(&mut attached.store.reading()).await;
    let mut levels = levels.map_err(|error| store_failed(inventory::NAME, &error))?;
    let known: Vec<&str> = levels.iter().map(|(product, _)| product.as_str()).collect();
    if let Some(product) = args.products.iter().find(|product| !known.contains(&product.as_str())) {
        return Err(unknown(product, &known));
    }
    if !args.products.is_empty() {
        levels.retain(|(product, _)| args.products.contains(product));
    }
    match args.format {
        Format::Table if levels.is_empty() => writeln!(out, "no product")?,
        Format::Table => write!(out, "{}", table(&levels))?,
        Format::Markdown => write!(out, "{}", markdown(&levels))?,
        Format::Json => {
            let shown: Vec<Shown<'_>> = levels.iter().map(shown).collect();
            serde_json::to_writer_pretty(&mut *out, &shown).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
    }
    Ok(Exit::Fine)
}

fn shown((product, level): &(String, Level)) -> Shown<'_> {
    Shown {
        product,
        available: level.available,
        reserved: level.reserved,
        sold_out: level.available == 0,
        operations_told: level.told,
    }
}

fn count(pieces: u64) -> String {
    grouped(usize::try_from(pieces).unwrap_or(usize::MAX))
}

/// `sold out, operations told`, or as much of it as is true.
fn state(level: Level) -> String {
    let parts = [(level.available == 0, "sold out"), (level.told, "operations told")];
    parts.into_iter().filter(|(is_so, _)| *is_so).map(|(_, word)| word).collect::<Vec<_>>().join(", ")
}

fn table(levels: &[(String, Level)]) -> Grid {
    let mut grid = Grid::new(&["PRODUCT", "AVAILABLE", "RESERVED", "STATE"]).left_from(3);
    for (product, level) in levels {
        grid.row(vec![product.clone(), count(level.available), count(level.reserved), state(*level)]);
    }
    grid
}

fn markdown(levels: &[(String, Level)]) -> String {
    let mut text = "| product | available | reserved | state |\n|---|--:|--:|---|\n".to_owned();
    for (product, level) in levels {
        let (available, reserved) = (count(level.available), count(level.reserved));
        let _ = writeln!(text, "| {} | {available} | {reserved} | {} |", code(product), state(*level));
    }
    text
}
