//! `kafkaflow stock set` and `kafkaflow stock adjust`

use std::io::Write;

use super::{attach, names, unknown};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::store::{LocationArgs, store_failed};
use crate::services::inventory;
use crate::services::inventory::stock::{self, Change, Changed, Refused};
use crate::store::StoreError;
use crate::text::quoted;

/// Say how many pieces of a product are available, whatever it was before.
///
/// What is reserved for orders stays reserved.
#[derive(clap::Args)]
pub(super) struct SetArgs {
    product: String,

    /// Pieces, from 0 to 2147483647
    #[arg(allow_negative_numbers = true, value_parser = quantity)]
    quantity: u32,

    #[command(flatten)]
    store: LocationArgs,
}

/// Add pieces to what is available of a product, or take some away: `adjust PROD-101 -- -5`.
///
/// Never below zero: when there are fewer, nothing is changed and the command fails.
#[derive(clap::Args)]
pub(super) struct AdjustArgs {
    product: String,

    /// Pieces: `5` or `+5` come in, `-5` go out
    #[arg(value_name = "PIECES", allow_negative_numbers = true, value_parser = pieces)]
    by: i64,

    #[command(flatten)]
    store: LocationArgs,
}

fn quantity(text: &str) -> Result<u32, String> {
    let quantity = text.parse().ok().filter(|quantity| u64::from(*quantity) <= stock::most());
    quantity.ok_or_else(|| format!("write how many are there, from 0 to {}", stock::most()))
}

fn pieces(text: &str) -> Result<i64, String> {
    match text.parse() {
        Ok(0) => Err("0 changes nothing".to_owned()),
        Ok(pieces) => Ok(pieces),
        Err(_) => Err("write a whole number, like `+5` or `-5`".to_owned()),
    }
}

pub(super) async fn set(args: &SetArgs, out: &mut impl Write) -> Result<Exit, CliError> {
    change(&args.store, &args.product, Change::To(args.quantity), out).await
}

pub(super) async fn adjust(args: &AdjustArgs, out: &mut impl Write) -> Result<Exit, CliError> {
    change(&args.store, &args.product, Change::By(args.by), out).await
}

async fn change(
    store: &LocationArgs,
    product: &str,
    change: Change,
    out: &mut impl Write,
) -> Result<Exit, CliError> {
    let attached = attach(store).await?;
    let failed = |error: StoreError| store_failed(inventory::NAME, &error);
    let mut tx = attached.store.tx();
    let changed = match stock::change(&mut tx, product, change).await.map_err(failed)? {
        Ok(changed) => changed,
        Err(Refused::Unknown) => {
            let known = names(&mut tx).await.map_err(failed)?;
            return Err(unknown(product, &known.iter().map(String::as_str).collect::<Vec<_>>()));
        }
        Err(Refused::TooFew { available }) => return Err(too_few(product, available)),
        Err(Refused::TooMany { available }) => return Err(too_many(product, available)),
    };
    tx.commit().await.map_err(failed)?;
    let Changed { before, after } = changed;
    writeln!(
        out,
        "{product}: {} available (was {}), {} reserved",
        after.available, before.available, after.reserved
    )?;
    Ok(Exit::Fine)
}

fn too_few(product: &str, available: u64) -> CliError {
    let has = |what: &str| CliError::failed(format!("{} has {what} available", quoted(product)));
    match available {
        0 => has("nothing").help("what is reserved for orders cannot be taken away"),
        _ => has(&format!("only {available}"))
            .help(format!("`kafkaflow stock set {product} 0` takes all of it away")),
    }
}

fn too_many(product: &str, available: u64) -> CliError {
    CliError::failed(format!("{} has {available} available, and would have too many", quoted(product)))
        .help(format!("at most {} can be there: as many as an order can ask for", stock::most()))
}
