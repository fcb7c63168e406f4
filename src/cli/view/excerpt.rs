//! Lines of a file around a place, for miette; every lookup is a binary search, whatever the
//! file's size.

use std::borrow::Cow;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::text::{Lines, Span, is_unprintable};

/// Longer lines are shown in part only.
const LONGEST_LINE: usize = 200;
/// What is shown of a long line on either side of a place.
const AROUND: usize = 60;

/// A file whose lines can be shown.
pub(super) struct Excerpt<'a> {
    name: String,
    text: Cow<'a, str>,
    lines: &'a Lines,
}

impl<'a> Excerpt<'a> {
    pub(super) fn new(name: &str, text: &'a str, lines: &'a Lines) -> Self {
        Self { name: name.to_owned(), text: printable(text), lines }
    }

    /// Whether every place stands on a line that can be shown whole.
    pub(super) fn has_short_lines(&self, spans: impl IntoIterator<Item = Span>) -> bool {
        spans.into_iter().all(|span| self.is_short(self.lines.line(span.start)))
    }

    fn is_short(&self, line: usize) -> bool {
        let (from, to) = self.range(line, line);
        to - from <= LONGEST_LINE
    }

    /// The bytes of some lines.
    fn range(&self, first: usize, last: usize) -> (usize, usize) {
        let to = if last < self.lines.count() { self.lines.start(last + 1) } else { self.text.len() };
        (self.lines.start(first), to)
    }

    /// The lines from `start` to `end` and those around them that are not too long.
    fn around(&self, start: usize, end: usize) -> (usize, usize) {
        let (first, last) = (self.lines.line(start), self.lines.line(end));
        if first == last && !self.is_short(first) {
            return self.window(start, end);
        }
        let above = first > 1 && self.is_short(first - 1);
        let below = last < self.lines.count() && self.is_short(last + 1);
        let (from, to) = self.range(first - usize::from(above), last + usize::from(below));
        (from, to - from)
    }

    /// Part of a long line.
    fn window(&self, start: usize, end: usize) -> (usize, usize) {
        let line = self.lines.start(self.lines.line(start));
        let mut from = start.saturating_sub(AROUND).max(line);
        let mut to = (end.min(start + LONGEST_LINE) + AROUND).min(self.text.len());
        while !self.text.is_char_boundary(from) {
            from -= 1;
        }
        while !self.text.is_char_boundary(to) {
            to -= 1;
        }
        let shown = &self.text[from..to];
        let end_of_line = shown.find('\n').unwrap_or(shown.len());
        (from, end_of_line)
    }
}

impl SourceCode for Excerpt<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let start = span.offset();
        let end = start + span.len();
        if end > self.text.len() {
            return Err(MietteError::OutOfBounds);
        }
        let (from, length) =
            if before == 0 && after == 0 { (start, span.len()) } else { self.around(start, end) };
        let data = &self.text[from..from + length];
        let (line, column) = self.lines.position(&self.text, from);
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            data.as_bytes(),
            (from, length).into(),
            line - 1,
            column - 1,
            data.lines().count(),
        )))
    }
}

/// The text without characters that could drive a terminal; every byte keeps its place.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    let drives = |c: char| !matches!(c, '\n' | '\t' | '\r') && is_unprintable(c);
    let lone_return = |rest: &str| rest.starts_with('\r') && !rest.starts_with("\r\n");
    let needs_it = text.char_indices().any(|(at, c)| drives(c) || (c == '\r' && lone_return(&text[at..])));
    if !needs_it {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if drives(c) || (c == '\r' && lone_return(&text[at..])) {
            shown.extend(std::iter::repeat_n('?', c.len_utf8()));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_drive_a_terminal_is_not_shown() {
        assert_eq!(printable("a\u{1b}[1m\u{202e}\r\n\rb"), "a?[1m???\r\n?b");
        assert!(matches!(printable("ä\t\r\n"), Cow::Borrowed(_)));
    }
}
