//! What is wrong with events, each at its place.

use std::fmt;
use std::io::{self, Write};

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents,
    SourceCode, SourceSpan, SpanContents,
};

use super::excerpt::printable;
use super::screen::Screen;
use crate::schema::Violation;
use crate::schema::reader::{Finding, Snippet};
use crate::text::{Span, is_unprintable};

/// One line: `orders.ndjson:12:34: /items/0/quantity: expected at least 1, found `0` (minimum)`.
pub(crate) fn line(out: &mut impl Write, place: &str, violation: &Violation) -> io::Result<()> {
    writeln!(out, "{place}: {}", violation.to_string().replace(is_unprintable, "\u{fffd}"))
}

/// The lines around the place, with the place underlined.
pub(crate) fn excerpt(out: &mut impl Write, file: &str, finding: &Finding, screen: Screen) -> io::Result<()> {
    let theme = if screen.colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(screen.width)
        .with_context_lines(1)
        .with_links(false);
    let snippet = fitted(&finding.snippet, screen.width);
    let text = printable(&snippet.text).into_owned();
    let source = Source { file, snippet, text };
    let mut report = String::new();
    handler.render_report(&mut report, &Shown { finding, source }).map_err(io::Error::other)?;
    for line in report.trim_end().lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out)
}

/// A single line that is wider than the screen is cut on both sides of the place.
fn fitted(snippet: &Snippet, width: usize) -> Snippet {
    /// Line number and frame.
    const MARGIN: usize = 12;
    let room = width.saturating_sub(MARGIN);
    let Snippet { text, span, .. } = snippet;
    if text.contains('\n') || text.chars().count() <= room {
        return snippet.clone();
    }
    let marked = text[span.start..span.end].chars().count().min(room);
    let around = (room - marked) / 2;
    let from = text[..span.start].char_indices().rev().take(around).last().map_or(span.start, |(at, _)| at);
    let to = text[span.end..].char_indices().nth(around).map_or(text.len(), |(at, _)| span.end + at);
    Snippet {
        text: text[from..to].to_owned(),
        column: snippet.column + text[..from].chars().count() as u64,
        span: Span::new(span.start - from, span.end - from),
        ..*snippet
    }
}

struct Shown<'f> {
    finding: &'f Finding,
    source: Source<'f>,
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.finding.fmt(f)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let violation = &self.finding.violation;
        let place =
            if violation.pointer.is_empty() { String::new() } else { format!("{}: ", violation.pointer) };
        let said = format!("{place}expected {}, found {}", violation.expected, violation.found);
        f.write_str(&said.replace(is_unprintable, "\u{fffd}"))
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.finding.violation.rule))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.finding.violation.help.as_ref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.source.snippet.span;
        let length = span.end.saturating_sub(span.start);
        Some(Box::new(std::iter::once(LabeledSpan::new_primary_with_span(None, (span.start, length)))))
    }
}

/// A snippet as a file of which only some lines are there.
struct Source<'f> {
    file: &'f str,
    snippet: Snippet,
    text: String,
}

impl SourceCode for Source<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let whole = before > 0 || after > 0;
        let (from, length) = if whole { (0, self.text.len()) } else { (span.offset(), span.len()) };
        let data = self.text.get(from..from + length).ok_or(MietteError::OutOfBounds)?;
        let above = &self.text[..from];
        let lines = above.matches('\n').count();
        let column = match above.rfind('\n') {
            Some(newline) => above[newline + 1..].chars().count(),
            None => above.chars().count() + place(self.snippet.column) - 1,
        };
        Ok(Box::new(MietteSpanContents::new_named(
            self.file.to_owned(),
            data.as_bytes(),
            (from, length).into(),
            place(self.snippet.line) - 1 + lines,
            column,
            data.lines().count(),
        )))
    }
}

fn place(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::reader::{Options, judge_stream};
    use crate::schema::{Judge, Schema};

    fn shown(schema: &str, text: &str, width: usize) -> String {
        let judge = Judge::one(Schema::compile(schema.as_bytes()).unwrap());
        let options = Options { threads: 1, largest: 1 << 20, findings: 100, first_only: false };
        let mut out = Vec::new();
        let (_, result) = judge_stream(text.as_bytes(), &judge, &options, &mut |finding| {
            excerpt(&mut out, "events.ndjson", &finding, Screen { width, colour: false })
        });
        result.unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_place_is_underlined_in_its_lines() {
        let schema = r#"{"type": "object", "required": ["orderId"], "properties": {"n": {"type": "integer", "minimum": 1}}}"#;
        let long = "x".repeat(300);
        let text = format!(
            "{{\"orderId\": 1, \"n\": 0}}\n{{\"pad\": \"{long}\", \"n\": \"zero\", \"orderId\": \"{long}\"}}\n\
             {{\n  \"orderID\": 1,\n  \"n\": NaN\n}}\n{{\"orderID\": \"\u{1b}[1m\"}}\n"
        );
        insta::assert_snapshot!(shown(schema, &text, 80));
    }

    #[test]
    fn a_long_line_never_leaves_the_screen() {
        let text = format!("{{\"é\": \"{}\", \"n\": 0}}\n", "é".repeat(500)).repeat(2);
        for width in [40, 80, 120] {
            let shown =
                shown(r#"{"properties": {"n": {"minimum": 1}, "é": {"maxLength": 3}}}"#, &text, width);
            assert!(shown.lines().all(|line| line.chars().count() <= width), "{shown}");
        }
    }
}
