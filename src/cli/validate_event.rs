//! `kafkaflow validate-event`

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::audit::{self, AuditArgs};
use super::connect::ConnectArgs;
use super::error::CliError;
use super::event_judge::Selection;
use super::event_report::{Format, Report};
use super::exit::Exit;
use super::input;
use super::progress::Reading;
use super::view::text::counted;
use crate::schema::Judge;
use crate::schema::reader::{Options, Totals, judge_stream};
use crate::unit::Size;

/// Check events against their schemas: of files, or of a live topic.
///
/// Reads JSON documents one after the other, one a line (NDJSON) or pretty-printed, and arrays of them, also
/// compressed with gzip or Zstandard. The schema of each is picked by its `eventType`. Every violation is reported
/// with its place. `--from-topic` reads the records of a topic instead, without joining a group, and also holds their
/// keys and headers against their payloads. Exit code 0: all are valid; 3: some are not; 1: an input or a schema cannot be read.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Files of events; `-`, or none, reads standard input
    #[arg(value_name = "FILE", conflicts_with = "from_topic")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    selection: Selection,
    /// How to write the violations
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Violations that are shown; the rest is counted (0 = all)
    #[arg(long, value_name = "N", default_value_t = 50)]
    max_errors: u64,
    /// The largest document
    #[arg(long, value_name = "SIZE", default_value = "8MiB", value_parser = size)]
    max_size: usize,
    /// Threads that judge [default: one for each processor]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Say nothing, end at the first violation: the exit code tells
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    audit: AuditArgs,
    #[command(flatten)]
    connect: ConnectArgs,
}

fn size(text: &str) -> Result<usize, String> {
    let size = Size::parse(text).map_err(|error| format!("{error}; {}", error.help))?;
    let bytes = usize::try_from(size.as_bytes()).unwrap_or(0);
    if (1..=1 << 30).contains(&bytes) { Ok(bytes) } else { Err("it must be from 1B to 1GiB".to_owned()) }
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Exit, CliError> {
    let most = if args.max_errors == 0 { u64::MAX } else { args.max_errors };
    if let Some(topic) = &args.audit.from_topic {
        let (judge, key) = args.selection.judge_of_topic(topic)?;
        let connection = args.connect.config()?;
        let report = Report::begin(out, args.format, most, args.quiet)?;
        return audit::run(topic, &args.audit, &connection, &judge, key.as_deref(), report);
    }
    let stdin = [PathBuf::from("-")];
    let files = if args.files.is_empty() { &stdin[..] } else { &args.files };
    if args.files.is_empty() && io::stdin().is_terminal() {
        return Err(CliError::usage("there is nothing to read")
            .help("name files of events, or pipe events in: `… | kafkaflow validate-event`"));
    }
    let judge = args.selection.judge()?;
    let mut report = Report::begin(out, args.format, most, args.quiet)?;
    for path in files {
        file(path, args, &judge, &mut report)?;
        if args.quiet && report.found_invalid() {
            break;
        }
    }
    Ok(report.end("event")?)
}

/// Judges one file.
fn file(
    path: &Path,
    args: &Args,
    judge: &Judge,
    report: &mut Report<'_, impl Write>,
) -> Result<(), CliError> {
    let name = if path == Path::new("-") { "<stdin>".to_owned() } else { path.display().to_string() };
    let progress = Arc::new(Reading::of_bytes());
    let options = Options {
        threads: args.threads.unwrap_or_else(processors),
        largest: args.max_size,
        findings: report.room(),
        first_only: args.quiet,
    };
    let mut written = Ok(());
    let (totals, result) = match input::open(path, &progress) {
        Ok(source) => judge_stream(source, judge, &options, &mut |finding| {
            written = progress.suspend(|| report.in_file(&name, &finding));
            // Writing fails for reasons of its own, which are told apart from those of reading.
            if written.is_ok() { Ok(()) } else { Err(io::Error::other("the output is closed")) }
        }),
        Err(error) => (Totals::default(), Err(error)),
    };
    progress.finish();
    written?;
    if let Err(error) = result {
        let so_far = match totals.valid + totals.invalid {
            0 => String::new(),
            judged => format!(" after {}", counted(usize::try_from(judged).unwrap_or(usize::MAX), "event")),
        };
        report.unread(&CliError::failed(format!("cannot read {name}{so_far}")).because(error));
    }
    report.counts(name, totals);
    Ok(())
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
