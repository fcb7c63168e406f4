//! What is written about events, from whatever source they come.

use std::io::{self, IsTerminal, Write};
use std::time::Instant;

use serde::Serialize;

use super::error::CliError;
use super::exit::Exit;
use super::view::screen::Screen;
use super::view::text::{counted, grouped};
use super::view::{findings, github};
use crate::messaging::Record;
use crate::schema::Violation;
use crate::schema::reader::{Finding, Totals};

const JSON_VERSION: u32 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people: an excerpt for each violation on a terminal, a line for each elsewhere
    Table,
    /// For programs
    Json,
    /// For GitHub Actions: annotations on the lines of a pull request
    Github,
}

/// Writes violations as they are found, and the counts at the end.
pub(crate) struct Report<'o, W> {
    out: &'o mut W,
    format: Format,
    quiet: bool,
    screen: Screen,
    terminal: bool,
    /// Violations that are still shown.
    room: u64,
    said: u64,
    totals: Totals,
    unread: usize,
    sources: Vec<JsonSource>,
    started: Instant,
}

impl<'o, W: Write> Report<'o, W> {
    /// Shows at most `most` violations; none at all when it is to be quiet.
    pub(crate) fn begin(out: &'o mut W, format: Format, most: u64, quiet: bool) -> io::Result<Self> {
        if format == Format::Json && !quiet {
            write!(out, "{{\n  \"version\": {JSON_VERSION},\n  \"violations\": [")?;
        }
        Ok(Self {
            out,
            format,
            quiet,
            screen: Screen::of_stdout(),
            terminal: io::stdout().is_terminal(),
            room: if quiet { 0 } else { most },
            said: 0,
            totals: Totals::default(),
            unread: 0,
            sources: Vec::new(),
            started: Instant::now(),
        })
    }

    /// Violations that would still be shown.
    pub(crate) fn room(&self) -> u64 {
        self.room
    }

    pub(crate) fn found_invalid(&self) -> bool {
        self.totals.invalid > 0
    }

    /// A violation in a file.
    pub(crate) fn in_file(&mut self, file: &str, finding: &Finding) -> io::Result<()> {
        self.count();
        let Finding { document, line, column, end_line, end_column, violation, .. } = finding;
        match self.format {
            Format::Table if self.terminal => findings::excerpt(self.out, file, finding, self.screen),
            Format::Table => findings::line(self.out, &format!("{file}:{line}:{column}"), violation),
            Format::Github => {
                let place = github::Place {
                    line: *line,
                    column: *column,
                    end_line: *end_line,
                    end_column: *end_column,
                };
                github::annotation(self.out, "error", file, place, &violation.rule, &message(violation))
            }
            Format::Json => self.json(&JsonInFile {
                file,
                document: *document,
                line: *line,
                column: *column,
                end_line: *end_line,
                end_column: *end_column,
                violation: violation.into(),
            }),
        }
    }

    /// A violation in a record; `finding` has its place in the value, if it has one.
    pub(crate) fn in_record(
        &mut self,
        record: &Record,
        violation: &Violation,
        finding: Option<&Finding>,
    ) -> io::Result<()> {
        self.count();
        let place = format!("{}[{}]@{}", record.topic(), record.partition(), record.offset());
        match (self.format, finding) {
            (Format::Table, Some(finding)) if self.terminal => {
                findings::excerpt(self.out, &place, finding, self.screen)
            }
            (Format::Table, _) => findings::line(self.out, &place, violation),
            (Format::Github, _) => github::notice(
                self.out,
                "error",
                &violation.rule,
                &format!("{place}: {}", message(violation)),
            ),
            (Format::Json, _) => self.json(&JsonInRecord {
                topic: record.topic(),
                partition: record.partition(),
                offset: record.offset(),
                violation: violation.into(),
            }),
        }
    }

    fn count(&mut self) {
        self.said += 1;
        self.room = self.room.saturating_sub(1);
    }

    fn json(&mut self, violation: &impl Serialize) -> io::Result<()> {
        let comma = if self.said > 1 { "," } else { "" };
        write!(self.out, "{comma}\n    ")?;
        serde_json::to_writer(&mut *self.out, violation).map_err(io::Error::from)
    }

    /// What a source came to.
    pub(crate) fn counts(&mut self, source: String, totals: Totals) {
        self.totals.valid += totals.valid;
        self.totals.invalid += totals.invalid;
        self.totals.unsaid += totals.unsaid;
        self.sources.push(JsonSource { source, valid: totals.valid, invalid: totals.invalid });
    }

    /// A source that could not be read to its end; said on standard error, because the others go on.
    pub(crate) fn unread(&mut self, error: &CliError) {
        self.unread += 1;
        eprintln!("{error}");
    }

    /// Writes what is left to say. `things` are what was judged: `event`, `record`.
    pub(crate) fn end(self, things: &str) -> io::Result<Exit> {
        let exit = match (self.unread, self.totals.invalid) {
            (0, 0) => Exit::Fine,
            (0, _) => Exit::Pending,
            _ => Exit::Failed,
        };
        if self.quiet {
            return Ok(exit);
        }
        if self.format == Format::Json {
            let close = if self.said > 0 { "\n  ]" } else { "]" };
            write!(self.out, "{close},\n  \"sources\": ")?;
            serde_json::to_writer(&mut *self.out, &self.sources)?;
            let Totals { valid, invalid, .. } = self.totals;
            writeln!(self.out, ",\n  \"valid\": {valid},\n  \"invalid\": {invalid}\n}}")?;
            return Ok(exit);
        }
        if self.totals.unsaid > 0 {
            let more = counted(count(self.totals.unsaid), &format!("invalid {things}"));
            writeln!(self.out, "… and {more} more; `--max-errors 0` shows everything")?;
        }
        writeln!(self.out, "{}", self.summary(things))?;
        Ok(exit)
    }

    /// `2 files: 990,000 valid, 10,000 invalid, 1,923,000 events/s`.
    fn summary(&self, things: &str) -> String {
        let several = self.sources.len();
        let files = if several > 1 { format!("{}: ", counted(several, "file")) } else { String::new() };
        let all = self.totals.valid + self.totals.invalid;
        if all == 0 {
            return format!("{files}no {things}");
        }
        let seconds = self.started.elapsed().as_secs_f64().max(1e-6);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // positive, and far from any limit
        let rate = (all as f64 / seconds) as u64;
        let (valid, invalid) = (grouped(count(self.totals.valid)), grouped(count(self.totals.invalid)));
        format!("{files}{valid} valid, {invalid} invalid, {} {things}s/s", grouped(count(rate)))
    }
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn message(violation: &Violation) -> String {
    match &violation.help {
        Some(help) => format!("{violation}\n{help}"),
        None => violation.to_string(),
    }
}

/// `source` is a file or a topic.
#[derive(Serialize)]
struct JsonSource {
    source: String,
    valid: u64,
    invalid: u64,
}

/// Documents, lines and columns count from 1, columns in characters; the end is exclusive.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonInFile<'f> {
    file: &'f str,
    document: u64,
    line: u64,
    column: u64,
    end_line: u64,
    end_column: u64,
    #[serde(flatten)]
    violation: JsonViolation<'f>,
}

#[derive(Serialize)]
struct JsonInRecord<'r> {
    topic: &'r str,
    partition: i32,
    offset: i64,
    #[serde(flatten)]
    violation: JsonViolation<'r>,
}

#[derive(Serialize)]
struct JsonViolation<'v> {
    pointer: &'v str,
    rule: &'v str,
    expected: &'v str,
    found: &'v str,
    help: Option<&'v str>,
}

impl<'v> From<&'v Violation> for JsonViolation<'v> {
    fn from(violation: &'v Violation) -> Self {
        Self {
            pointer: &violation.pointer,
            rule: &violation.rule,
            expected: &violation.expected,
            found: &violation.found,
            help: violation.help.as_deref(),
        }
    }
}
