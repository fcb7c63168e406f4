//! `kafkaflow outbox`

mod dead;
mod status;
mod verify;

use std::io::Write;

use clap::Subcommand;

use super::error::CliError;
use super::exit::Exit;

/// What services announce, and what became of it.
///
/// A service writes its events to the outbox in its own store, in the transaction of their cause; its relay publishes
/// them. These commands open the store directly.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Status(status::Args),
    Verify(verify::Args),
    Dead(dead::Args),
}

/// As what the result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Table,
    Json,
}

pub(crate) async fn run(args: Args, out: &mut impl Write) -> Result<Exit, CliError> {
    match args.command {
        Command::Status(args) => status::run(&args, out).await,
        Command::Verify(args) => verify::run(&args, out).await,
        Command::Dead(args) => dead::run(&args, out).await,
    }
}
