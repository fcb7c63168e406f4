//! A piece of a stream around a place, kept for people to look at.

use std::ops::Range;

use crate::text::Span;

/// Bytes of a line that are kept on either side of a place.
const AROUND: usize = 60;
/// A line that is not longer is kept whole.
const SHORT: usize = 110;
/// What is underlined of a long value.
const MARKED: usize = 60;

/// Some lines and a place in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snippet {
    pub(crate) text: String,
    /// Line of the stream (from 1) with which it begins.
    pub(crate) line: u64,
    /// Column of that line, in characters from 1, with which it begins.
    pub(crate) column: u64,
    /// Bytes of `text`.
    pub(crate) span: Span,
}

impl Snippet {
    /// What stands around `place` in `text`, whose first line is `line`; a short line above and below included.
    pub(super) fn of(text: &[u8], place: &Range<usize>, line: u64) -> Self {
        let start = place.start.min(text.len());
        let line_start = memchr::memrchr(b'\n', &text[..start]).map_or(0, |newline| newline + 1);
        let line_end = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |newline| start + newline);
        let end = place.end.clamp(start, line_end.max(start)).min(start + MARKED);
        let (mut from, mut to) = (line_start, line_end);
        let mut first = line;
        if line_end - line_start > SHORT {
            // Not beyond the place itself, which may be the middle of broken UTF-8.
            from = boundary(text, line_start.max(start.saturating_sub(AROUND))).min(start);
            to = boundary(text, line_end.min(end + AROUND));
        } else {
            let above = text[..line_start.saturating_sub(1)]
                .iter()
                .rposition(|byte| *byte == b'\n')
                .map_or(0, |at| at + 1);
            if line_start > 0 && line_start - above <= SHORT {
                from = above;
                first -= 1;
            }
            let below_from = (line_end + 1).min(text.len());
            let below = memchr::memchr(b'\n', &text[below_from..]).map_or(text.len(), |at| below_from + at);
            if below_from < text.len() && below - below_from <= SHORT {
                to = below;
            }
        }
        // Bytes that are no UTF-8 become one character each, so places before them stay true.
        let shown = |range: Range<usize>| String::from_utf8_lossy(&text[range]).into_owned();
        let before = shown(from..start);
        let marked = shown(start..end);
        let span = Span::new(before.len(), before.len() + marked.len());
        let column = if from == line_start || first < line {
            1
        } else {
            1 + super::frame::characters(&text[line_start..from])
        };
        Self { text: before + &marked + &shown(end..to), line: first, column, span }
    }
}

/// The first place at or after `at` where a character begins.
fn boundary(text: &[u8], mut at: usize) -> usize {
    while at < text.len() && text[at] & 0xc0 == 0x80 {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, what: &str, line: u64) -> (String, u64, u64, String) {
        let start = text.find(what).unwrap();
        let snippet = Snippet::of(text.as_bytes(), &(start..start + what.len()), line);
        let marked = snippet.text[snippet.span.start..snippet.span.end].to_owned();
        (snippet.text, snippet.line, snippet.column, marked)
    }

    #[test]
    fn short_lines_are_kept_with_their_neighbours() {
        let text = "{\n  \"a\": 1,\n  \"b\": 22\n}\n";
        assert_eq!(of(text, "1", 8), ("{\n  \"a\": 1,\n  \"b\": 22".to_owned(), 7, 1, "1".to_owned()));
        assert_eq!(of(text, "22", 9).0, "  \"a\": 1,\n  \"b\": 22\n}");
    }

    #[test]
    fn of_a_long_line_only_what_is_around_the_place_is_kept() {
        let text = format!("{{}}\n{}MARK{}\n{{}}", "é".repeat(200), "y".repeat(200));
        let (shown, line, column, marked) = of(&text, "MARK", 2);
        assert_eq!((line, column, marked.as_str()), (2, 171, "MARK"));
        assert_eq!(shown, format!("{}MARK{}", "é".repeat(30), "y".repeat(60)));
    }
}
