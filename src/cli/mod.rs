//! The command line: one file a subcommand. The only reader of the environment and of files that
//! flags name.

mod apply;
mod audit;
mod catalog_file;
mod completions;
mod connect;
mod error;
mod event_judge;
mod event_report;
mod exit;
mod explain;
mod export;
mod graph;
mod init;
mod input;
mod log;
mod man;
mod offsets;
mod outbox;
mod plan;
mod planning;
mod progress;
mod run;
mod schema;
mod schema_file;
mod schema_files;
mod select;
mod signal;
mod snapshot;
mod stock;
mod store;
mod topology_file;
mod up;
mod validate;
mod validate_event;
mod view;

use std::io::Write;
use std::process::ExitCode;

use clap::{ArgAction, Parser, Subcommand};

use error::CliError;
use exit::Exit;

/// An event-driven Kafka system as code.
#[derive(Parser)]
#[command(name = "kafkaflow", version, max_term_width = 100, disable_help_subcommand = true)]
struct Cli {
    /// Say more about what is done, on standard error (-vv: every connection and request)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Init(init::Args),
    Validate(validate::Args),
    Explain(explain::Args),
    #[command(after_long_help = connect::properties_help())]
    ValidateEvent(validate_event::Args),
    Schema(schema::Args),
    #[command(after_long_help = connect::properties_help())]
    Plan(plan::Args),
    #[command(after_long_help = connect::properties_help())]
    Apply(apply::Args),
    #[command(after_long_help = connect::properties_help())]
    Snapshot(snapshot::Args),
    #[command(after_long_help = connect::properties_help())]
    Outbox(outbox::Args),
    #[command(after_long_help = connect::properties_help())]
    Run(run::Args),
    #[command(after_long_help = connect::properties_help())]
    Up(Box<up::Args>),
    Stock(stock::Args),
    Graph(graph::Args),
    Export(export::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    log::start(cli.verbose, matches!(cli.command, Command::Run(_) | Command::Up(_)));
    let mut out = std::io::stdout().lock();
    let result = run(cli, &mut out).and_then(|exit| match out.flush() {
        // Nobody reads on; how the command ended stays true.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(exit),
        flushed => flushed.map(|()| exit).map_err(CliError::from),
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
        Command::Init(args) => init::run(&args, out),
        Command::Validate(args) => validate::run(&args, out),
        Command::Explain(args) => explain::run(&args, out),
        Command::ValidateEvent(args) => validate_event::run(&args, out),
        Command::Schema(args) => schema::run(&args, out),
        Command::Plan(args) => wait_for(plan::run(&args, out)),
        Command::Apply(args) => wait_for(apply::run(&args, out)),
        Command::Snapshot(args) => wait_for(snapshot::run(&args, out)),
        Command::Outbox(args) => wait_for(outbox::run(args, out)),
        Command::Run(args) => serve(run::run(args, out)),
        Command::Up(args) => serve(up::run(*args, out)),
        Command::Stock(args) => wait_for(stock::run(args, out)),
        Command::Graph(args) => graph::run(&args, out),
        Command::Export(args) => export::run(&args, out),
        Command::Completions(args) => completions::run(&args, out),
        Command::Man(args) => man::run(&args, out),
    }
}

/// Services use all cores.
fn serve(work: impl Future<Output = Result<Exit, CliError>>) -> Result<Exit, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::failed("the runtime does not start").because(error))?;
    runtime.block_on(work)
}

/// One thread is enough: the work is the network's and the brokers'.
fn wait_for(work: impl Future<Output = Result<Exit, CliError>>) -> Result<Exit, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::failed("the runtime does not start").because(error))?;
    runtime.block_on(work)
}
