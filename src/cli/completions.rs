//! `kafkaflow completions`

use std::io::Write;

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::error::CliError;
use super::exit::Exit;

/// Write the completions of a shell to standard output.
///
/// For example: kafkaflow completions bash > /etc/bash_completion.d/kafkaflow
#[derive(clap::Args)]
pub(crate) struct Args {
    shell: Shell,
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Exit, CliError> {
    let mut text = Vec::new();
    generate(args.shell, &mut super::Cli::command(), "kafkaflow", &mut text);
    out.write_all(&text)?;
    Ok(Exit::Fine)
}
