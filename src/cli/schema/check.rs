//! `kafkaflow schema check`

use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::json;
use super::versions::Versions;
use crate::cli::error::CliError;
use crate::cli::event_judge::schema_folder;
use crate::cli::exit::Exit;
use crate::cli::schema_file::SchemaFile;
use crate::cli::view::compat as view;
use crate::cli::view::screen::Screen;
use crate::event;
use crate::schema::bundle::Bundled;
use crate::schema::compat::{self, Comparison, Policy, place_of};
use crate::text::{Lines, listed, nearest, quoted};

/// Names that a message lists.
const MOST_LISTED: usize = 10;

/// Check that versions of the events' schemas can follow each other.
///
/// The newest version of each event is compared with the one before it, or with what `--against` names. Every break
/// has the name that Confluent's Schema Registry gives it, both places, and an example that one version accepts and
/// the other refuses. Exit code 0: compatible; 3: not, or it could not be decided; 1: a schema cannot be used.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only these events
    #[arg(value_name = "EVENT")]
    events: Vec<String>,
    /// Compare with another folder, or with the same one in a git revision (`main`, `v1.2.0`) [default: the
    /// earlier versions in the folder]
    #[arg(long, value_name = "FOLDER|REVISION")]
    against: Option<String>,
    /// Who has to be able to read what
    #[arg(long, value_enum, default_value_t = Mode::Backward)]
    mode: Mode,
    /// How much is demanded
    #[arg(long, value_enum, default_value_t = PolicyArg::Lenient)]
    policy: PolicyArg,
    /// How to write the breaks
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Folder of the event schemas, `EVENT.vN.json` [default: what topology.yaml names, or `schemas`]
    #[arg(long, value_name = "FOLDER")]
    schemas: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Mode {
    /// The new version reads what was written with the one before: upgrade consumers first
    Backward,
    /// The new version reads what was written with any earlier one
    BackwardTransitive,
    /// The version before reads what is written with the new one: upgrade producers first
    Forward,
    /// Every earlier version reads what is written with the new one
    ForwardTransitive,
    /// Both: in whatever order
    Full,
    /// Both, with every earlier version
    FullTransitive,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum PolicyArg {
    /// Writers send only the properties that their schema describes, readers fill in defaults: an optional property
    /// may be added to an event that takes any
    Lenient,
    /// Whatever the writer's schema accepts has to be read
    Strict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Table,
    /// For programs
    Json,
    /// For GitHub Actions: annotations on the lines of a pull request
    Github,
}

impl Mode {
    fn directions(self) -> &'static [Direction] {
        match self {
            Self::Backward | Self::BackwardTransitive => &[Direction::Backward],
            Self::Forward | Self::ForwardTransitive => &[Direction::Forward],
            Self::Full | Self::FullTransitive => &[Direction::Backward, Direction::Forward],
        }
    }

    fn is_transitive(self) -> bool {
        matches!(self, Self::BackwardTransitive | Self::ForwardTransitive | Self::FullTransitive)
    }
}

/// Who reads: the new version or the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Direction {
    Backward,
    Forward,
}

impl Direction {
    pub(in crate::cli) fn name(self) -> &'static str {
        match self {
            Self::Backward => "backward",
            Self::Forward => "forward",
        }
    }
}

/// A schema that was compared.
pub(in crate::cli) struct Side {
    /// `v1`, `v1 of main`.
    pub(in crate::cli) label: String,
    pub(in crate::cli) file: SchemaFile,
    bundled: Bundled,
}

impl Side {
    fn new(label: String, file: SchemaFile) -> Result<Self, CliError> {
        let bundled = file.bundle()?;
        Ok(Self { label, file, bundled })
    }

    /// Where a pointer's value stands: in the schema's own file, or in one that it refers to.
    pub(in crate::cli) fn spot(&self, pointer: &str) -> Spot {
        let origin = self.bundled.origin(pointer);
        match origin.and_then(|(uri, inside)| Some((self.file.referred(uri)?, inside))) {
            Some((referred, inside)) => Spot::of(referred.shown, &referred.text, inside),
            None => Spot::of(self.file.shown.clone(), &self.file.text, pointer),
        }
    }
}

/// A place in a file: lines and columns count from 1, columns in characters.
pub(in crate::cli) struct Spot {
    pub(in crate::cli) file: String,
    pub(in crate::cli) pointer: String,
    pub(in crate::cli) start: (usize, usize),
    pub(in crate::cli) end: (usize, usize),
}

impl Spot {
    fn of(file: String, text: &[u8], pointer: &str) -> Self {
        let span = place_of(text, pointer);
        let text = String::from_utf8_lossy(text);
        let lines = Lines::of(&text);
        let shown = span.first_line(&text);
        let (start, end) = (lines.position(&text, shown.start), lines.position(&text, shown.end));
        Self { file, pointer: pointer.to_owned(), start, end }
    }
}

/// Two versions, and what came of them.
pub(in crate::cli) struct Compared {
    pub(in crate::cli) event: String,
    pub(in crate::cli) direction: Direction,
    pub(in crate::cli) writer: Rc<Side>,
    pub(in crate::cli) reader: Rc<Side>,
    pub(in crate::cli) outcome: Comparison,
}

impl Compared {
    /// The newer one: the one that a pull request can change.
    pub(in crate::cli) fn is_new(&self, side: &Rc<Side>) -> bool {
        let new = match self.direction {
            Direction::Backward => &self.reader,
            Direction::Forward => &self.writer,
        };
        Rc::ptr_eq(side, new)
    }
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Exit, CliError> {
    let folder = schema_folder(args.schemas.as_deref())?;
    let ours = Versions::of_folder(&folder)?;
    let theirs = args.against.as_deref().map(|other| Versions::against(other, &folder)).transpose()?;
    let known: Vec<&str> = ours
        .files
        .keys()
        .chain(theirs.iter().flat_map(|theirs| theirs.files.keys()))
        .map(String::as_str)
        .collect();
    for event in &args.events {
        if !known.contains(&event.as_str()) {
            return Err(unknown(event, &known, &folder));
        }
    }
    let wanted = |event: &String| args.events.is_empty() || args.events.contains(event);
    let mut report = Report { events: 0, compared: Vec::new(), gone: Vec::new() };
    for event in ours.files.keys().filter(|event| wanted(event)) {
        report.events += 1;
        for (old, new) in pairs(&ours, theirs.as_ref(), event, args.mode.is_transitive()) {
            report.compare(event, side(theirs.as_ref().unwrap_or(&ours), old)?, side(&ours, new)?, args)?;
        }
    }
    let theirs = theirs.iter().flat_map(|theirs| theirs.files.keys());
    report.gone = theirs.filter(|event| wanted(event) && !ours.files.contains_key(*event)).cloned().collect();
    let modes = Modes {
        mode: value_name(&args.mode),
        policy: value_name(&args.policy),
        against: args.against.as_deref(),
    };
    match args.format {
        Format::Table => view::table(out, &report, &modes, Screen::of_stdout())?,
        Format::Github => view::github(out, &report, &modes)?,
        Format::Json => json::write(out, &report, &modes)?,
    }
    Ok(if report.is_compatible() { Exit::Fine } else { Exit::Pending })
}

/// What was asked for, as it is typed.
pub(in crate::cli) struct Modes<'a> {
    pub(in crate::cli) mode: String,
    pub(in crate::cli) policy: String,
    pub(in crate::cli) against: Option<&'a str>,
}

fn value_name(value: &impl clap::ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

/// Everything that was compared.
pub(in crate::cli) struct Report {
    pub(in crate::cli) events: usize,
    pub(in crate::cli) compared: Vec<Compared>,
    /// Events that were there and are no more.
    pub(in crate::cli) gone: Vec<String>,
}

impl Report {
    fn is_compatible(&self) -> bool {
        self.gone.is_empty() && self.compared.iter().all(|compared| compared.outcome.is_compatible())
    }

    fn compare(&mut self, event: &str, old: Side, new: Side, args: &Args) -> Result<(), CliError> {
        let (old, new) = (Rc::new(old), Rc::new(new));
        let policy = match args.policy {
            PolicyArg::Lenient => Policy::Lenient,
            PolicyArg::Strict => Policy::Strict,
        };
        for direction in args.mode.directions() {
            let (writer, reader) = match direction {
                Direction::Backward => (&old, &new),
                Direction::Forward => (&new, &old),
            };
            let outcome =
                compat::compare(&writer.bundled.schema, &reader.bundled.schema, policy, &|document| {
                    event::settle(event, document);
                })
                .map_err(|error| {
                    let files = format!("{} and {}", quoted(&writer.file.shown), quoted(&reader.file.shown));
                    CliError::failed(format!("{files} cannot be compared")).because(error)
                })?;
            self.compared.push(Compared {
                event: event.to_owned(),
                direction: *direction,
                writer: Rc::clone(writer),
                reader: Rc::clone(reader),
                outcome,
            });
        }
        Ok(())
    }
}

type File<'v> = (u32, &'v Path);

/// Which versions of an event are compared: the old one and the new one.
fn pairs<'v>(
    ours: &'v Versions,
    theirs: Option<&'v Versions>,
    event: &str,
    transitive: bool,
) -> Vec<(File<'v>, File<'v>)> {
    let files = |versions: &'v Versions| -> Vec<File<'v>> {
        let files = versions.files.get(event).into_iter().flatten();
        files.map(|(version, file)| (*version, file.as_path())).collect()
    };
    let mine = files(ours);
    let Some(newest) = mine.last().copied() else { return Vec::new() };
    let mut pairs = Vec::new();
    let mut olds = match theirs {
        None => mine[..mine.len() - 1].to_vec(),
        Some(theirs) => {
            let old = files(theirs);
            // A version that is out must not change in place.
            for version in old.iter().filter(|old| old.0 != newest.0) {
                let same = mine.iter().find(|mine| mine.0 == version.0);
                pairs.extend(same.map(|same| (*version, *same)));
            }
            old
        }
    };
    let skipped = if transitive { 0 } else { olds.len().saturating_sub(1) };
    pairs.extend(olds.drain(skipped..).map(|old| (old, newest)));
    pairs
}

fn side(versions: &Versions, (version, file): File<'_>) -> Result<Side, CliError> {
    let of = versions.of.as_ref().map_or(String::new(), |of| format!(" of {of}"));
    Side::new(format!("v{version}{of}"), versions.read(file)?)
}

fn unknown(event: &str, known: &[&str], folder: &Path) -> CliError {
    let failed = CliError::usage(format!(
        "{} has no schema of {}",
        quoted(&folder.display().to_string()),
        quoted(event)
    ));
    match nearest(event, known.iter().copied()) {
        Some(likely) => failed.help(format!("did you mean {}?", quoted(likely))),
        None => failed.help(format!("it has {}", listed(known.iter().copied(), MOST_LISTED))),
    }
}
