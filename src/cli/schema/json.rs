//! A check as programs read it.

use std::io::Write;
use std::rc::Rc;

use serde::Serialize;
use serde_json::Value;

use super::check::{Compared, Modes, Report, Side};
use crate::cli::error::CliError;
use crate::schema::compat::{Difference, Finding};

const JSON_VERSION: u32 = 1;

#[derive(Serialize)]
struct JsonReport<'a> {
    version: u32,
    mode: &'a str,
    policy: &'a str,
    against: Option<&'a str>,
    comparisons: Vec<JsonComparison<'a>>,
    /// Events that were there and are no more.
    gone: &'a [String],
}

#[derive(Serialize)]
struct JsonComparison<'a> {
    event: &'a str,
    direction: &'a str,
    writer: JsonSide<'a>,
    reader: JsonSide<'a>,
    /// `compatible`, `incompatible` or `undecided`.
    verdict: &'a str,
    breaks: Vec<JsonFinding<'a>>,
    tolerated: Vec<JsonFinding<'a>>,
    undecided: Option<JsonUndecided<'a>>,
}

#[derive(Serialize)]
struct JsonSide<'a> {
    label: &'a str,
    file: &'a str,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    #[serde(flatten)]
    difference: JsonDifference<'a>,
    example: &'a Value,
    refusal: &'a str,
}

/// `place` is a JSON pointer into events, the others into schemas.
#[derive(Serialize)]
struct JsonDifference<'a> {
    rule: &'a str,
    detail: &'a str,
    place: String,
    writer: JsonPlace,
    reader: JsonPlace,
}

/// Lines and columns count from 1, columns in characters.
#[derive(Serialize)]
struct JsonPlace {
    file: String,
    pointer: String,
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct JsonUndecided<'a> {
    reason: &'a str,
    suspects: Vec<JsonDifference<'a>>,
}

pub(super) fn write(out: &mut impl Write, report: &Report, modes: &Modes<'_>) -> Result<(), CliError> {
    let report = JsonReport {
        version: JSON_VERSION,
        mode: &modes.mode,
        policy: &modes.policy,
        against: modes.against,
        comparisons: report.compared.iter().map(comparison).collect(),
        gone: &report.gone,
    };
    serde_json::to_writer_pretty(&mut *out, &report).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

fn comparison(compared: &Compared) -> JsonComparison<'_> {
    let outcome = &compared.outcome;
    JsonComparison {
        event: &compared.event,
        direction: compared.direction.name(),
        writer: side(&compared.writer),
        reader: side(&compared.reader),
        verdict: outcome.verdict(),
        breaks: outcome.breaks.iter().map(|found| finding(compared, found)).collect(),
        tolerated: outcome.tolerated.iter().map(|found| finding(compared, found)).collect(),
        undecided: outcome.undecided.as_ref().map(|undecided| JsonUndecided {
            reason: &undecided.reason,
            suspects: undecided.suspects.iter().map(|suspect| difference(compared, suspect)).collect(),
        }),
    }
}

fn finding<'a>(compared: &'a Compared, found: &'a Finding) -> JsonFinding<'a> {
    JsonFinding {
        difference: difference(compared, &found.difference),
        example: &found.example,
        refusal: &found.refusal,
    }
}

fn side(side: &Rc<Side>) -> JsonSide<'_> {
    JsonSide { label: &side.label, file: &side.file.shown }
}

fn difference<'a>(compared: &'a Compared, found: &'a Difference) -> JsonDifference<'a> {
    JsonDifference {
        rule: found.rule,
        detail: &found.detail,
        place: found.place(),
        writer: place(&compared.writer, &found.writer),
        reader: place(&compared.reader, &found.reader),
    }
}

fn place(side: &Side, pointer: &str) -> JsonPlace {
    let spot = side.spot(pointer);
    JsonPlace { file: spot.file, pointer: spot.pointer, line: spot.start.0, column: spot.start.1 }
}
