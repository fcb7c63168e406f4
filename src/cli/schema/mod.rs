//! `kafkaflow schema`

mod check;
mod json;
mod sample;
mod versions;

use std::io::Write;

use super::error::CliError;
use super::exit::Exit;

pub(in crate::cli) use check::{Compared, Modes, Report, Side};

/// Work with the events' schemas; no cluster is needed.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Check(check::Args),
    Sample(sample::Args),
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Exit, CliError> {
    match &args.command {
        Command::Check(args) => check::run(args, out),
        Command::Sample(args) => sample::run(args, out),
    }
}
