//! The command line: one file a subcommand. The only reader of the environment and of files that
//! flags name.

mod error;
mod exit;
mod explain;
mod topology_file;
mod validate;
mod view;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use error::CliError;
use exit::Exit;

/// An event-driven Kafka system as code.
#[derive(Parser)]
#[command(name = "kafkaflow", version, max_term_width = 100, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Validate(validate::Args),
    Explain(explain::Args),
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = std::io::stdout().lock();
    let result = run(cli, &mut out).and_then(|exit| {
        out.flush()?;
        Ok(exit)
    });
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            if !error.message.is_empty() {
                eprintln!("{error}");
            }
            error.exit.into()
        }
    }
}

fn run(cli: Cli, out: &mut impl Write) -> Result<Exit, CliError> {
    match cli.command {
        Command::Validate(args) => validate::run(&args, out),
        Command::Explain(args) => explain::run(&args, out),
    }
}
