//! `kafkaflow validate`

use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;

use super::error::CliError;
use super::exit::Exit;
use super::topology_file::{self, LoadedFile};
use super::view::screen::Screen;
use super::view::text::{counted, grouped};
use super::view::{diagnostics, github};
use crate::text::Lines;
use crate::topology::{Inbox, inboxes, shown};

/// Problems that a person reads at once; `--all` shows the rest.
const SHOWN: usize = 50;
const JSON_VERSION: u32 = 1;

/// Check a topology file; no cluster is needed.
///
/// Reports every problem at once, each with its place and what to type next. `kafkaflow explain
/// CODE` says more about one. Exit code 0: the file can be used (there may be warnings); 3: it has
/// errors; 1: it cannot be read.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The topology file; `-` reads standard input
    file: PathBuf,
    /// Lay an environment of the file over its base before checking
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// How to write the problems
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Show every problem, not only the first 50
    #[arg(long)]
    all: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people: each problem underlined in the file
    Table,
    /// For programs
    Json,
    /// For GitHub Actions: annotations on the lines of a pull request
    Github,
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Exit, CliError> {
    let loaded = topology_file::load(&args.file, args.env.as_deref())?;
    match args.format {
        Format::Table => {
            let shown = if args.all { usize::MAX } else { SHOWN };
            table(&loaded, args.env.as_deref(), shown, Screen::of_stdout(), out)?;
        }
        Format::Json => json(&loaded, out)?,
        Format::Github => {
            github::write(out, &loaded.path, &loaded.text, &loaded.problems)?;
            writeln!(out, "{}", summary(&loaded, args.env.as_deref()))?;
        }
    }
    Ok(if loaded.errors > 0 { Exit::Pending } else { Exit::Fine })
}

fn table(
    loaded: &LoadedFile,
    env: Option<&str>,
    most: usize,
    screen: Screen,
    out: &mut impl Write,
) -> Result<(), CliError> {
    let shown = &loaded.problems[..loaded.problems.len().min(most)];
    diagnostics::write(out, &loaded.path, &loaded.text, shown, screen)?;
    let hidden = loaded.errors + loaded.warnings - shown.len();
    if hidden > 0 {
        let all = if shown.len() < loaded.problems.len() { "; `--all` shows them" } else { "" };
        writeln!(out, "… and {} more{all}", grouped(hidden))?;
    }
    writeln!(out, "{}", summary(loaded, env))?;
    for inbox in loaded.topology.iter().flat_map(inboxes) {
        writeln!(out, "  {}", sizes(&inbox))?;
    }
    Ok(())
}

/// `inventory-service will remember some 346 million events (500/s of order-service.order-placed, kept 7d)`.
fn sizes(inbox: &Inbox<'_>) -> String {
    let of: Vec<String> = inbox
        .topics
        .iter()
        .filter_map(|topic| {
            let kept = shown("retention.ms", topic.configs.get("retention.ms")?.as_ref()?);
            Some(format!("{} of {}, kept {kept}", topic.rate?, topic.name.as_str()))
        })
        .collect();
    format!("{} will remember some {} events ({})", inbox.service, about(inbox.rows), of.join("; "))
}

/// Two or three figures of a number.
fn about(number: u64) -> String {
    match number {
        0..10_000 => grouped(usize::try_from(number).unwrap_or(usize::MAX)),
        10_000..1_000_000 => format!("{},000", number / 1000),
        1_000_000..1_000_000_000 => format!("{} million", number / 1_000_000),
        _ => format!("{} billion", grouped(usize::try_from(number / 1_000_000_000).unwrap_or(usize::MAX))),
    }
}

/// `topology.yaml: 3 errors, 1 warning`.
fn summary(loaded: &LoadedFile, env: Option<&str>) -> String {
    let mut parts = Vec::new();
    if let Some(topology) = &loaded.topology {
        parts.push(counted(topology.topics.len(), "topic"));
    }
    if loaded.errors > 0 {
        parts.push(counted(loaded.errors, "error"));
    }
    if loaded.warnings > 0 {
        parts.push(counted(loaded.warnings, "warning"));
    }
    if loaded.errors + loaded.warnings == 0 {
        parts.push("no problems".to_owned());
    }
    let env = env.map_or(String::new(), |env| format!(" (environment {env})"));
    format!("{}{env}: {}", loaded.path, parts.join(", "))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonReport<'a> {
    version: u32,
    file: &'a str,
    problems: Vec<JsonProblem<'a>>,
    errors: usize,
    warnings: usize,
}

/// Lines and columns count from 1, columns in characters; the end is exclusive.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonProblem<'a> {
    code: String,
    severity: String,
    message: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    help: Option<&'a str>,
}

fn json(loaded: &LoadedFile, out: &mut impl Write) -> Result<(), CliError> {
    let lines = Lines::of(&loaded.text);
    let problems = loaded.problems.iter().map(|problem| {
        let (line, column) = lines.position(&loaded.text, problem.span.start);
        let (end_line, end_column) = lines.position(&loaded.text, problem.span.end);
        JsonProblem {
            code: problem.code.to_string(),
            severity: problem.severity.to_string(),
            message: &problem.message,
            line,
            column,
            end_line,
            end_column,
            help: problem.help.as_deref(),
        }
    });
    let report = JsonReport {
        version: JSON_VERSION,
        file: &loaded.path,
        problems: problems.collect(),
        errors: loaded.errors,
        warnings: loaded.warnings,
    };
    serde_json::to_writer_pretty(&mut *out, &report).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}
