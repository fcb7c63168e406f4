//! Whether versions of schemas can follow each other, for people.

use std::io::{self, Write};

use super::github::{Place, annotation, notice};
use super::screen::Screen;
use super::text::{counted, grouped, indented};
use super::tone::Tone;
use crate::cli::schema::{Compared, Modes, Report, Side};
use crate::schema::compat::{Difference, Finding, OURS};
use crate::text::is_unprintable;

pub(crate) fn table(
    out: &mut impl Write,
    report: &Report,
    modes: &Modes<'_>,
    screen: Screen,
) -> io::Result<()> {
    for compared in &report.compared {
        let (word, tone) = verdict(compared);
        writeln!(out, "{}  {}", screen.paint(tone, &word), screen.paint(Tone::Strong, &heading(compared)))?;
        for (findings, mark) in [(&compared.outcome.breaks, ""), (&compared.outcome.tolerated, "tolerated: ")]
        {
            for finding in findings {
                writeln!(out)?;
                difference(out, compared, &finding.difference, mark, screen)?;
                example(out, compared, finding)?;
            }
        }
        if let Some(undecided) = &compared.outcome.undecided {
            write!(out, "{}", indented(&format!("{}.", undecided.reason), "  ", screen.width))?;
            for suspect in &undecided.suspects {
                writeln!(out)?;
                difference(out, compared, suspect, "perhaps: ", screen)?;
            }
        }
        if !compared.outcome.is_compatible() || !compared.outcome.tolerated.is_empty() {
            writeln!(out)?;
        }
    }
    for event in &report.gone {
        writeln!(out, "{}  {event} has no schema any more", screen.paint(Tone::Alarm, "gone        "))?;
    }
    write!(out, "{}", indented(&summary(report, modes), "", screen.width))
}

/// Words of one width, so that the headings stand below each other.
fn verdict(compared: &Compared) -> (String, Tone) {
    let tone = match (compared.outcome.is_compatible(), &compared.outcome.undecided) {
        (true, _) => Tone::Added,
        (false, Some(_)) => Tone::Changed,
        (false, None) => Tone::Alarm,
    };
    (format!("{:<12}", compared.outcome.verdict()), tone)
}

/// `OrderPlaced: v2 reads what v1 writes`.
fn heading(compared: &Compared) -> String {
    let Compared { event, reader, writer, .. } = compared;
    format!("{event}: {} reads what {} writes", reader.label, writer.label)
}

fn difference(
    out: &mut impl Write,
    compared: &Compared,
    difference: &Difference,
    mark: &str,
    screen: Screen,
) -> io::Result<()> {
    let place = match difference.place() {
        place if place.is_empty() => String::new(),
        place => format!(" at {}", printable(&place)),
    };
    let ours = if OURS.contains(&difference.rule) { " (a rule of kafkaflow's)" } else { "" };
    writeln!(
        out,
        "  {mark}{}{place}: {}{ours}",
        screen.paint(Tone::Strong, difference.rule),
        printable(&difference.detail)
    )?;
    for (word, side, pointer) in
        [("reader", &compared.reader, &difference.reader), ("writer", &compared.writer, &difference.writer)]
    {
        writeln!(out, "    {word}   {}", printable(&location(side, pointer)))?;
    }
    Ok(())
}

/// `schemas/OrderPlaced.v2.json:98:18 /$defs/quantity/minimum`.
fn location(side: &Side, pointer: &str) -> String {
    let spot = side.spot(pointer);
    let (line, column) = spot.start;
    format!("{}:{line}:{column} {}", spot.file, spot.pointer).trim_end().to_owned()
}

/// The example stands on one line, to be copied, unless that is endless.
fn example(out: &mut impl Write, compared: &Compared, finding: &Finding) -> io::Result<()> {
    let example = shortened(&finding.example.to_string());
    writeln!(out, "    {} accepts {}", compared.writer.label, printable(&example))?;
    writeln!(out, "    {} refuses {}", compared.reader.label, printable(&finding.refusal))
}

fn shortened(example: &str) -> String {
    const LONGEST: usize = 2_000;
    match example.char_indices().nth(LONGEST) {
        None => example.to_owned(),
        Some((end, _)) => {
            format!("{}… ({} bytes; --format json has all)", &example[..end], grouped(example.len()))
        }
    }
}

fn printable(text: &str) -> String {
    text.replace(is_unprintable, "\u{fffd}")
}

fn summary(report: &Report, modes: &Modes<'_>) -> String {
    let events = counted(report.events, "event");
    if report.compared.is_empty() && report.gone.is_empty() {
        let hint = match modes.against {
            None => "there is one version of each; `--against main` compares with a git revision",
            Some(_) => "there was none of them",
        };
        return format!("{events}, nothing to compare: {hint}.");
    }
    let count = |of: fn(&Compared) -> usize| report.compared.iter().map(of).sum::<usize>();
    let found = [
        (count(|compared| compared.outcome.breaks.len()), "break"),
        (report.gone.len(), "missing event"),
        (count(|compared| compared.outcome.tolerated.len()), "tolerated difference"),
    ];
    let mut parts: Vec<String> =
        found.iter().filter(|(count, _)| *count > 0).map(|(count, word)| counted(*count, word)).collect();
    let undecided = count(|compared| usize::from(compared.outcome.undecided.is_some()));
    if undecided > 0 {
        parts.push(format!("{undecided} undecided"));
    }
    if parts.is_empty() {
        parts.push("all compatible".to_owned());
    }
    let compared = counted(report.compared.len(), "comparison");
    format!("{events}, {compared} ({}, {}): {}.", modes.mode, modes.policy, parts.join(", "))
}

/// Annotations on the newer file, which is the one that can be changed.
pub(crate) fn github(out: &mut impl Write, report: &Report, modes: &Modes<'_>) -> io::Result<()> {
    for compared in &report.compared {
        let outcome = &compared.outcome;
        for (findings, command) in [(&outcome.breaks, "error"), (&outcome.tolerated, "notice")] {
            for Finding { difference, example, refusal } in findings {
                let message = format!(
                    "{}: {}\n{} accepts {}\n{} refuses {refusal}",
                    heading(compared),
                    difference.detail,
                    compared.writer.label,
                    shortened(&example.to_string()),
                    compared.reader.label,
                );
                annotate(out, command, compared, difference, &message)?;
            }
        }
        if let Some(undecided) = &outcome.undecided {
            let message = format!("{} is undecided: {}", heading(compared), undecided.reason);
            match &undecided.suspects[..] {
                [] => {
                    let side =
                        if compared.is_new(&compared.reader) { &compared.reader } else { &compared.writer };
                    annotation(out, "error", &side.file.shown, first_line(), "undecided", &message)?;
                }
                suspects => {
                    for suspect in suspects {
                        annotate(out, "error", compared, suspect, &message)?;
                    }
                }
            }
        }
    }
    for event in &report.gone {
        notice(out, "error", "gone", &format!("{event} has no schema any more"))?;
    }
    writeln!(out, "{}", summary(report, modes))
}

fn annotate(
    out: &mut impl Write,
    command: &str,
    compared: &Compared,
    difference: &Difference,
    message: &str,
) -> io::Result<()> {
    let (side, pointer) = if compared.is_new(&compared.reader) {
        (&compared.reader, &difference.reader)
    } else {
        (&compared.writer, &difference.writer)
    };
    let spot = side.spot(pointer);
    let place = Place {
        line: spot.start.0 as u64,
        column: spot.start.1 as u64,
        end_line: spot.end.0 as u64,
        end_column: spot.end.1 as u64,
    };
    annotation(out, command, &spot.file, place, difference.rule, message)
}

fn first_line() -> Place {
    Place { line: 1, column: 1, end_line: 1, end_column: 1 }
}
