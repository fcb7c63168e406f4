//! `kafkaflow graph`

use std::io::Write;
use std::path::PathBuf;

use super::error::CliError;
use super::exit::Exit;
use super::select::SelectArgs;
use crate::export::Graph;

/// Draw who writes to which topic, who reads it, and where its failures go.
///
/// For example: kafkaflow graph topology.yaml --format dot | dot -Tsvg > topology.svg
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The topology file; `-` reads standard input
    file: PathBuf,
    #[command(flatten)]
    select: SelectArgs,
    /// The language of the graph
    #[arg(long, value_enum, default_value_t = Format::Mermaid)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For Markdown on GitHub and GitLab: put it into a ```mermaid block
    Mermaid,
    /// For Graphviz
    Dot,
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Exit, CliError> {
    let wanted = args.select.wanted(&args.file, "drawn")?;
    let graph = Graph::of(&wanted.topology);
    let text = match args.format {
        Format::Mermaid => graph.mermaid(),
        Format::Dot => graph.dot(),
    };
    if args.format == Format::Mermaid && !graph.fits_mermaid() {
        eprintln!(
            "warning: Mermaid does not draw a graph this large; choose some with --topic, or use --format dot"
        );
    }
    out.write_all(text.as_bytes())?;
    Ok(Exit::Fine)
}
