//! `kafkaflow validate-event`

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;

use super::error::CliError;
use super::event_judge::Selection;
use super::exit::Exit;
use super::input;
use super::progress::Bytes;
use super::view::screen::Screen;
use super::view::text::{counted, grouped};
use super::view::{findings, github};
use crate::schema::Judge;
use crate::schema::reader::{Finding, Options, Totals, judge_stream};
use crate::unit::Size;

const JSON_VERSION: u32 = 1;

/// Check events against their schemas; no cluster is needed.
///
/// Reads JSON documents one after the other, one a line (NDJSON) or pretty-printed, and arrays of them, also
/// compressed with gzip or Zstandard. The schema of each is picked by its `eventType`. Every violation is reported
/// with its place. Exit code 0: all are valid; 3: some are not; 1: an input or a schema cannot be read.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Files of events; `-`, or none, reads standard input
    #[arg(value_name = "FILE")]
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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people: an excerpt for each violation on a terminal, a line for each elsewhere
    Table,
    /// For programs
    Json,
    /// For GitHub Actions: annotations on the lines of a pull request
    Github,
}

fn size(text: &str) -> Result<usize, String> {
    let size = Size::parse(text).map_err(|error| format!("{error}; {}", error.help))?;
    let bytes = usize::try_from(size.as_bytes()).unwrap_or(0);
    if (1..=1 << 30).contains(&bytes) { Ok(bytes) } else { Err("it must be from 1B to 1GiB".to_owned()) }
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Exit, CliError> {
    let stdin = [PathBuf::from("-")];
    let files = if args.files.is_empty() { &stdin[..] } else { &args.files };
    if args.files.is_empty() && io::stdin().is_terminal() {
        return Err(CliError::usage("there is nothing to read")
            .help("name files of events, or pipe events in: `… | kafkaflow validate-event`"));
    }
    let judge = args.selection.judge()?;
    let mut report = Report::new(args, files);
    report.begin(out)?;
    for file in files {
        report.file(file, &judge, out)?;
        if args.quiet && report.totals.invalid > 0 {
            break;
        }
    }
    report.end(out)?;
    Ok(report.exit())
}

/// What is written of all files.
struct Report<'a> {
    args: &'a Args,
    screen: Screen,
    terminal: bool,
    files: usize,
    said: u64,
    totals: Totals,
    unread: usize,
    summaries: Vec<JsonFile>,
    started: Instant,
}

impl<'a> Report<'a> {
    fn new(args: &'a Args, files: &[PathBuf]) -> Self {
        Self {
            args,
            screen: Screen::of_stdout(),
            terminal: io::stdout().is_terminal(),
            files: files.len(),
            said: 0,
            totals: Totals::default(),
            unread: 0,
            summaries: Vec::new(),
            started: Instant::now(),
        }
    }

    fn begin(&self, out: &mut impl Write) -> io::Result<()> {
        if self.args.format == Format::Json && !self.args.quiet {
            write!(out, "{{\n  \"version\": {JSON_VERSION},\n  \"violations\": [")?;
        }
        Ok(())
    }

    /// Judges one file; one that cannot be read is said on standard error, and the next one is tried.
    fn file(&mut self, file: &Path, judge: &Judge, out: &mut impl Write) -> Result<(), CliError> {
        let name = if file == Path::new("-") { "<stdin>".to_owned() } else { file.display().to_string() };
        let bar = Arc::new(Bytes::new());
        let most = if self.args.max_errors == 0 { u64::MAX } else { self.args.max_errors };
        let options = Options {
            threads: self.args.threads.unwrap_or_else(processors),
            largest: self.args.max_size,
            findings: if self.args.quiet { 0 } else { most - self.said.min(most) },
            first_only: self.args.quiet,
        };
        let mut written = Ok(());
        let (totals, result) = match input::open(file, &bar) {
            Ok(source) => judge_stream(source, judge, &options, &mut |finding| {
                self.said += 1;
                written = bar.suspend(|| self.finding(&name, &finding, out));
                // Writing fails for reasons of its own.
                if written.is_ok() { Ok(()) } else { Err(io::Error::other("the output is closed")) }
            }),
            Err(error) => (Totals::default(), Err(error)),
        };
        bar.finish();
        written?;
        if let Err(error) = result {
            self.unread += 1;
            let judged = totals.valid + totals.invalid;
            let so_far = match judged {
                0 => String::new(),
                _ => format!(" after {}", counted(usize::try_from(judged).unwrap_or(usize::MAX), "event")),
            };
            eprintln!("{}", CliError::failed(format!("cannot read {name}{so_far}")).because(error));
        }
        self.totals.valid += totals.valid;
        self.totals.invalid += totals.invalid;
        self.totals.unsaid += totals.unsaid;
        self.summaries.push(JsonFile { file: name, valid: totals.valid, invalid: totals.invalid });
        Ok(())
    }

    fn finding(&self, file: &str, finding: &Finding, out: &mut impl Write) -> io::Result<()> {
        match self.args.format {
            Format::Table if self.terminal => findings::excerpt(out, file, finding, self.screen),
            Format::Table => findings::line(out, file, finding),
            Format::Github => {
                let Finding { line, column, end_line, end_column, violation, .. } = finding;
                let place = github::Place {
                    line: *line,
                    column: *column,
                    end_line: *end_line,
                    end_column: *end_column,
                };
                let mut message = violation.to_string();
                if let Some(help) = &violation.help {
                    message.push('\n');
                    message.push_str(help);
                }
                github::annotation(out, "error", file, place, &violation.rule, &message)
            }
            Format::Json => {
                let comma = if self.said > 1 { "," } else { "" };
                write!(out, "{comma}\n    ")?;
                serde_json::to_writer(out, &JsonViolation::of(file, finding)).map_err(io::Error::from)
            }
        }
    }

    fn end(&self, out: &mut impl Write) -> io::Result<()> {
        if self.args.quiet {
            return Ok(());
        }
        if self.args.format == Format::Json {
            let close = if self.said > 0 { "\n  ]" } else { "]" };
            write!(out, "{close},\n  \"files\": ")?;
            serde_json::to_writer(&mut *out, &self.summaries)?;
            return writeln!(
                out,
                ",\n  \"valid\": {},\n  \"invalid\": {}\n}}",
                self.totals.valid, self.totals.invalid
            );
        }
        if self.totals.unsaid > 0 {
            let more = counted(usize::try_from(self.totals.unsaid).unwrap_or(usize::MAX), "invalid event");
            writeln!(out, "… and {more} more; `--max-errors 0` shows everything")?;
        }
        writeln!(out, "{}", self.summary())
    }

    /// `2 files: 990,000 valid, 10,000 invalid, 1,923,000 events/s`.
    fn summary(&self) -> String {
        let number = |count: u64| grouped(usize::try_from(count).unwrap_or(usize::MAX));
        let files = if self.files > 1 { format!("{}: ", counted(self.files, "file")) } else { String::new() };
        let all = self.totals.valid + self.totals.invalid;
        if all == 0 {
            return format!("{files}no event");
        }
        let seconds = self.started.elapsed().as_secs_f64().max(1e-6);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // positive, and far from any limit
        let rate = (all as f64 / seconds) as u64;
        let (valid, invalid) = (number(self.totals.valid), number(self.totals.invalid));
        format!("{files}{valid} valid, {invalid} invalid, {} events/s", number(rate))
    }

    fn exit(&self) -> Exit {
        match (self.unread, self.totals.invalid) {
            (0, 0) => Exit::Fine,
            (0, _) => Exit::Pending,
            _ => Exit::Failed,
        }
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

#[derive(Serialize)]
struct JsonFile {
    file: String,
    valid: u64,
    invalid: u64,
}

/// Documents, lines and columns count from 1, columns in characters; the end is exclusive.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonViolation<'f> {
    file: &'f str,
    document: u64,
    line: u64,
    column: u64,
    end_line: u64,
    end_column: u64,
    pointer: &'f str,
    rule: &'f str,
    expected: &'f str,
    found: &'f str,
    help: Option<&'f str>,
}

impl<'f> JsonViolation<'f> {
    fn of(file: &'f str, finding: &'f Finding) -> Self {
        let violation = &finding.violation;
        Self {
            file,
            document: finding.document,
            line: finding.line,
            column: finding.column,
            end_line: finding.end_line,
            end_column: finding.end_column,
            pointer: &violation.pointer,
            rule: &violation.rule,
            expected: &violation.expected,
            found: &violation.found,
            help: violation.help.as_deref(),
        }
    }
}
