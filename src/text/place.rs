//! Places in the text of a file.

use std::ops::Range;

/// A range of bytes in the text of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    pub(crate) fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The part of `self` that stands on its first line, without trailing blanks: what a person
    /// wants underlined. Always inside `text`, and on character boundaries.
    pub(crate) fn first_line(self, text: &str) -> Self {
        let start = floor(text, self.start);
        let end = floor(text, self.end.max(start));
        let line = text[start..end].lines().next().unwrap_or("");
        Self::new(start, start + line.trim_end().len())
    }
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self::new(range.start, range.end)
    }
}

/// A value and where it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Located<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

impl<T> Located<T> {
    pub(crate) fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// Where the lines of a text begin; built once, then every lookup is a binary search.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    pub(crate) fn of(text: &str) -> Self {
        let mut starts = vec![0];
        starts.extend(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1));
        Self { starts }
    }

    /// The line, counted from 1, in which the byte at `offset` stands.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }

    /// Where a line (counted from 1) begins; a line past the end begins at the end's line.
    pub(crate) fn start(&self, line: usize) -> usize {
        let index = line.saturating_sub(1).min(self.starts.len() - 1);
        self.starts[index]
    }

    pub(crate) fn count(&self) -> usize {
        self.starts.len()
    }

    /// Line and column, both counted from 1; the column counts characters, as editors do.
    pub(crate) fn position(&self, text: &str, offset: usize) -> (usize, usize) {
        let offset = floor(text, offset);
        let line = self.line(offset);
        let column = text[self.start(line)..offset].chars().count() + 1;
        (line, column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let text = "a\nçb\r\n";
        let lines = Lines::of(text);
        assert_eq!(lines.position(text, 0), (1, 1));
        assert_eq!(lines.position(text, 4), (2, 2));
        assert_eq!(lines.position(text, 3), (2, 1), "inside a character");
        assert_eq!(lines.position(text, 99), (3, 1));
        assert_eq!(lines.count(), 3);
    }

    #[test]
    fn a_span_over_many_lines_is_underlined_on_its_first() {
        let text = "key: |  \n  one\n";
        assert_eq!(Span::new(5, 15).first_line(text), Span::new(5, 6));
        assert_eq!(Span::new(99, 120).first_line(text), Span::new(15, 15));
    }
}
