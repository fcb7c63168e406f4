//! `kafkaflow man`

use std::io::Write;
use std::path::PathBuf;

use clap::CommandFactory;

use super::error::CliError;
use super::exit::Exit;

/// Write the manual page to standard output, or every command's page into a folder.
///
/// For example: kafkaflow man | man -l -
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder for kafkaflow.1, kafkaflow-plan.1, …
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Exit, CliError> {
    let command = super::Cli::command();
    match &args.dir {
        Some(dir) => std::fs::create_dir_all(dir)
            .and_then(|()| clap_mangen::generate_to(command, dir))
            .map_err(|error| CliError::failed(format!("cannot write to {}", dir.display())).because(error))?,
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page)?;
            out.write_all(&page)?;
        }
    }
    Ok(Exit::Fine)
}
