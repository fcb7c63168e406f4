//! `kafkaflow export`

use std::io::Write;
use std::path::{Path, PathBuf};

use super::connect::{ConnectArgs, properties_help};
use super::error::CliError;
use super::exit::Exit;
use super::select::{SelectArgs, Wanted};
use super::{schema_files, topology_file};
use crate::export::{Schemas, asyncapi, catalogue};
use crate::text::{listed, nearest, quoted};

/// Write the topology in another form.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    form: Form,
}

#[derive(clap::Subcommand)]
enum Form {
    #[command(after_long_help = properties_help())]
    Asyncapi(AsyncApiArgs),
    Docs(DocsArgs),
}

/// An AsyncAPI 3.0 document: topics as channels, services' sending and receiving as operations.
///
/// AsyncAPI describes one application; --service NAME writes the one of a service. Without it the
/// document has the operations of every service, each tagged with the service's name. The servers
/// are the brokers of -b or --config where one is given; KAFKAFLOW_BROKERS alone names none.
#[derive(clap::Args)]
struct AsyncApiArgs {
    /// The topology file; `-` reads standard input
    file: PathBuf,
    #[command(flatten)]
    select: SelectArgs,
    /// Only what this service sends and receives
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Version of what is described, `info.version`: a release, a commit
    #[arg(long, value_name = "VERSION", default_value = "1.0.0")]
    api_version: String,
    /// How to write the document
    #[arg(long, value_enum, default_value_t = Format::Yaml)]
    format: Format,
    #[command(flatten)]
    connect: ConnectArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Yaml,
    Json,
}

/// A page of Markdown: the graph, every topic, event and service.
///
/// For example: kafkaflow export docs topology.yaml > EVENTS.md
#[derive(clap::Args)]
struct DocsArgs {
    /// The topology file; `-` reads standard input
    file: PathBuf,
    #[command(flatten)]
    select: SelectArgs,
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Exit, CliError> {
    match &args.form {
        Form::Asyncapi(args) => asyncapi(args, out),
        Form::Docs(args) => docs(args, out),
    }
}

fn asyncapi(args: &AsyncApiArgs, out: &mut impl Write) -> Result<Exit, CliError> {
    let wanted = args.select.wanted(&args.file, "exported")?;
    if let Some(service) = &args.service {
        known_service(&wanted, service)?;
    }
    let schemas = schemas(&args.file, &wanted)?;
    // Not from the environment alone: the document of one file is the same on every machine.
    let connection = args.connect.is_given().then(|| args.connect.config()).transpose()?;
    let about = asyncapi::About {
        service: args.service.as_deref(),
        environment: args.select.env.as_deref(),
        version: &args.api_version,
        connection: connection.as_ref(),
    };
    let document = asyncapi::document(&wanted.topology, &schemas, about).map_err(|bad| {
        CliError::failed("a schema refers to one that is not there")
            .because(bad)
            .help("a `$ref` leads to a place in the same file, or to a file of the same folder")
    })?;
    match args.format {
        Format::Yaml => {
            let text = serde_saphyr::to_string(&document)
                .map_err(|error| CliError::failed("the document cannot be written").because(error))?;
            out.write_all(text.as_bytes())?;
        }
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &document).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
    }
    Ok(Exit::Fine)
}

fn docs(args: &DocsArgs, out: &mut impl Write) -> Result<Exit, CliError> {
    let wanted = args.select.wanted(&args.file, "exported")?;
    let schemas = schemas(&args.file, &wanted)?;
    let page = catalogue::render(&wanted.topology, &schemas, args.select.env.as_deref());
    out.write_all(page.as_bytes())?;
    Ok(Exit::Fine)
}

fn known_service(wanted: &Wanted, name: &str) -> Result<(), CliError> {
    let names = wanted.topology.services.iter().map(|service| service.name.as_str());
    let names: Vec<&str> = names.collect();
    if names.contains(&name) {
        return Ok(());
    }
    let error = CliError::usage(format!("{} has no service {}", wanted.file, quoted(name)));
    Err(match (nearest(name, names.iter().copied()), names.as_slice()) {
        (Some(likely), _) => error.help(format!("did you mean {}?", quoted(likely))),
        (None, []) => error.help("add it to `services:`"),
        (None, names) => error.help(format!("it has {}", listed(names.iter().copied(), 10))),
    })
}

/// What `schemas:` names; without it events are only names.
fn schemas(file: &Path, wanted: &Wanted) -> Result<Schemas, CliError> {
    match &wanted.topology.schemas {
        Some(folder) => schema_files::read(&topology_file::beside(file, folder)).map(Schemas::of),
        None => Ok(Schemas::default()),
    }
}
