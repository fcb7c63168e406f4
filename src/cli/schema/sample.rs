//! `kafkaflow schema sample`

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::versions::WHICH_FOLDER;
use crate::cli::error::CliError;
use crate::cli::event_judge::{self, Files};
use crate::cli::exit::Exit;
use crate::cli::schema_file::SchemaFile;
use crate::event;
use crate::schema::sample::Sampler;
use crate::schema::{Schema, Violation};
use crate::text::is_unprintable;

/// Write example events of a type, one a line.
///
/// They are made up from the schema and its `examples`, and every one is checked before it is written. With
/// `--invalid` each breaks the schema, or a rule beyond it, in one place; what is wrong is said on standard error.
/// For example: kafkaflow schema sample OrderPlaced -n 100 | kafkaflow validate-event
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The event (`OrderPlaced`, or one version: `OrderPlaced.v1`), or a file of any JSON Schema (`some/schema.json`)
    #[arg(value_name = "EVENT")]
    event: String,
    /// How many
    #[arg(short = 'n', long = "count", value_name = "N", default_value_t = 1)]
    count: u32,
    /// Make events that are almost right
    #[arg(long)]
    invalid: bool,
    /// Another seed makes other events, the same one the same
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Folder of the event schemas, `EVENT.vN.json` [default: what topology.yaml names, or `schemas`]
    #[arg(long, value_name = "FOLDER")]
    schemas: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Exit, CliError> {
    let (event, file) = args.file()?;
    let file = SchemaFile::read(&file)?;
    let judge = file.compile(event::rules().of(&event))?;
    let schema = file.bundle()?.schema;
    let mut maker =
        Maker { sampler: Sampler::new(&schema, args.seed), judge, event: &event, reasons: BTreeMap::new() };
    for number in 1..=args.count {
        let made = if args.invalid { maker.almost_valid() } else { maker.valid().map(|text| (text, None)) };
        let Some((text, wrong)) = made else {
            let what = if args.invalid { "invalid" } else { "valid" };
            return Err(CliError::failed(format!("no {what} event was found for {}", file.shown))
                .because("its schema asks for more than can be made up from it")
                .help(
                    "add an `examples` list with a valid event, or with values for its fields, to the schema",
                ));
        };
        writeln!(out, "{text}")?;
        if let Some(wrong) = wrong {
            eprintln!("{number}: {}", wrong.to_string().replace(is_unprintable, "\u{fffd}"));
        }
    }
    Ok(Exit::Fine)
}

impl Args {
    /// The event's name and its schema's file; a schema of no event has its file's name.
    fn file(&self) -> Result<(String, PathBuf), CliError> {
        let path = Path::new(&self.event);
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
            let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            return Ok((event_judge::event_of(name).0.to_owned(), path.to_owned()));
        }
        let files = Files::of(&event_judge::schema_folder(self.schemas.as_deref())?, WHICH_FOLDER)?;
        let (event, file) = files.find(&self.event)?;
        Ok((event.to_owned(), file.to_owned()))
    }
}

/// Makes events up, and lets none pass unchecked.
struct Maker<'a> {
    sampler: Sampler<'a>,
    judge: Schema,
    event: &'a str,
    /// How often an event was wrong for a reason, so that all reasons get their turn.
    reasons: BTreeMap<String, u32>,
}

impl Maker<'_> {
    fn valid(&mut self) -> Option<String> {
        let document = self.document()?;
        Some(document.to_string())
    }

    fn document(&mut self) -> Option<Value> {
        let (event, judge) = (self.event, &self.judge);
        self.sampler.valid(|document| {
            event::settle(event, document);
            judge.is_valid(document.to_string().as_bytes())
        })
    }

    /// An event that is wrong in one place, and what is wrong.
    fn almost_valid(&mut self) -> Option<(String, Option<Violation>)> {
        /// Events that are looked at; many are wrong for the same reason.
        const MOST: usize = 200;
        const TRIES: usize = 20;
        (0..TRIES).find_map(|_| {
            let valid = self.document()?;
            let spoiled = self.sampler.spoiled(&valid).take(MOST);
            let wrong = spoiled.filter_map(|document| {
                let text = document.to_string();
                let mut violations = self.judge.violations(text.as_bytes());
                (violations.len() == 1).then(|| (text, violations.pop()))
            });
            let reason = |made: &(String, Option<Violation>)| {
                made.1.as_ref().map(|wrong| wrong.rule.clone()).unwrap_or_default()
            };
            let rarest = wrong.min_by_key(|made| self.reasons.get(&reason(made)).copied())?;
            *self.reasons.entry(reason(&rarest)).or_default() += 1;
            Some(rarest)
        })
    }
}
