//! The documents of a chunk, judged one after the other.

use super::frame::{Chunk, Skipped, characters};
use super::snippet::Snippet;
use crate::schema::json::{self, scan};
use crate::schema::program::Places;
use crate::schema::{Judge, Violation};
use crate::unit::{Size, grouped};

/// What a chunk came to. Lines count from the chunk's first one, which is 1.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) valid: u64,
    pub(super) invalid: u64,
    pub(super) findings: Vec<Found>,
    pub(super) newlines: u64,
    /// Characters behind the last newline.
    pub(super) columns: u64,
}

/// A violation and where it stands in the chunk.
#[derive(Debug)]
pub(super) struct Found {
    /// Which document of the chunk, from 0.
    pub(super) document: u64,
    pub(super) violation: Violation,
    pub(super) line: u64,
    /// In characters, from 1.
    pub(super) column: u64,
    pub(super) end_line: u64,
    pub(super) end_column: u64,
    pub(super) snippet: Snippet,
}

/// Judges every document of `chunk`; keeps at most `keep` findings, and says no more than the counts when it is 0.
pub(super) fn judge_chunk(
    chunk: &Chunk,
    judge: &Judge,
    keep: usize,
    largest: usize,
    places: &mut Places,
) -> Outcome {
    let text = &chunk.bytes[..];
    let mut documents = Documents {
        text,
        judge,
        keep,
        at: 0,
        lines: Lines { at: 0, newlines: 0 },
        outcome: Outcome::default(),
    };
    match chunk.too_large {
        Some(skipped) => documents.too_large(skipped, largest),
        None => documents.run(chunk.in_list, chunk.last, places),
    }
    documents.outcome
}

struct Documents<'c> {
    text: &'c [u8],
    judge: &'c Judge,
    keep: usize,
    at: usize,
    lines: Lines,
    outcome: Outcome,
}

/// Counts newlines up to places that only grow.
struct Lines {
    at: usize,
    newlines: u64,
}

impl Lines {
    fn up_to(&mut self, text: &[u8], at: usize) -> u64 {
        if at < self.at {
            *self = Self { at: 0, newlines: 0 };
        }
        self.newlines += memchr::memchr_iter(b'\n', &text[self.at..at]).count() as u64;
        self.at = at;
        self.newlines
    }
}

impl Documents<'_> {
    fn run(&mut self, begins_in_list: bool, is_last: bool, places: &mut Places) {
        let mut list = begins_in_list.then_some(List::Element);
        let mut valid_to = 0;
        let mut valid = "";
        loop {
            self.skip_blanks();
            let Some(byte) = self.text.get(self.at).copied() else { break };
            match (&mut list, byte) {
                (None, b'[') if self.judge.lists() => {
                    list = Some(List::First);
                    self.at += 1;
                    continue;
                }
                (Some(state @ (List::Separator | List::Unsure)), b',') => {
                    *state = List::Element;
                    self.at += 1;
                    continue;
                }
                (Some(List::First | List::Separator | List::Unsure), b']') => {
                    list = None;
                    self.at += 1;
                    continue;
                }
                (Some(List::Separator), _) => {
                    let found = show_byte(self.text, self.at);
                    self.broken(
                        self.at,
                        self.at + 1,
                        "`,` or `]` behind an element of the list",
                        found,
                        None,
                    );
                    list = Some(List::Unsure);
                    // It may well be the next element.
                    if !matches!(byte, b'{' | b'[') {
                        self.next_line();
                        continue;
                    }
                }
                (Some(List::Element), b']') => {
                    self.broken(self.at, self.at + 1, "an element of the list", "`]`".to_owned(), None);
                    list = None;
                    self.at += 1;
                    continue;
                }
                _ => {}
            }
            // Most of the text is good; of what is not, the part before it is known to be.
            if self.at >= valid_to {
                (valid, valid_to) = valid_from(self.text, self.at);
            }
            let offset = valid_to - valid.len();
            let surely = self.judge.surely_valid(valid, self.at - offset, places).map(|end| end + offset);
            if let Some(end) = surely.filter(|end| self.ends_well(*end, list.is_some())) {
                self.outcome.valid += 1;
                self.at = end;
                set(&mut list, List::Separator);
            } else if self.document(list.is_some()) {
                set(&mut list, List::Separator);
            } else {
                set(&mut list, List::Unsure);
            }
        }
        if is_last && list.is_some() {
            let end = self.text.len();
            self.broken(end, end, "`]` that closes the list", "the end".to_owned(), None);
        }
        self.outcome.newlines = self.lines.up_to(self.text, self.text.len());
        self.outcome.columns = characters(self.tail());
    }

    /// What follows a document must not be part of it: `1x`, `{}"`.
    fn ends_well(&self, end: usize, in_list: bool) -> bool {
        match self.text.get(end) {
            None | Some(b' ' | b'\n' | b'\r' | b'\t' | b'{' | b'[') => true,
            Some(b',' | b']') => in_list,
            _ => false,
        }
    }

    /// Reads and judges one document; false when it could not be told where it ends.
    fn document(&mut self, in_list: bool) -> bool {
        let start = self.at;
        let json::Parsed { node, errors, end } = json::parse(self.text, start);
        let mut violations: Vec<Violation> = errors.into_iter().map(Violation::from).collect();
        let Some(node) = node else {
            self.at = self.resume(start, end, in_list, &mut violations);
            self.invalid(violations);
            return false;
        };
        self.at = end;
        let mut certain = true;
        if !self.ends_well(end, in_list) {
            let found = show_byte(self.text, end);
            violations.push(json_violation(end, end + 1, "the end of the document", found, None));
            self.at = self.line_after(end);
            certain = false;
        }
        // Whether it is valid is said much sooner than why it is not.
        if violations.is_empty() && self.judge.holds(self.text, &node) {
            self.outcome.valid += 1;
            return certain;
        }
        if self.keep > 0 {
            violations.extend(self.judge.judge(self.text, &node));
        }
        self.invalid(violations);
        certain
    }

    /// Where to go on behind a document that could not be read to its end.
    fn resume(&self, start: usize, stopped: usize, in_list: bool, violations: &mut [Violation]) -> usize {
        if in_list && self.text.get(start) == Some(&b',') {
            return start;
        }
        // Its brackets may still be in order, and end on the line where reading stopped.
        let line_end = self.line_after(stopped.min(self.text.len()));
        if let Some(end) = scan::skip_value(&self.text[..line_end], start)
            && end >= stopped
            && self.ends_well(end, in_list)
            // Words behind each other are one piece of nonsense, not many documents.
            && (in_list || self.text[end..line_end].trim_ascii().is_empty())
        {
            return end;
        }
        // Else the next line that is not indented deeper belongs to the next document.
        let line_start = memchr::memrchr(b'\n', &self.text[..start]).map_or(0, |newline| newline + 1);
        let indent = indentation(&self.text[line_start..]);
        let mut at = self.line_after(start);
        while at < self.text.len() {
            let line = &self.text[at..];
            let blanks = indentation(line);
            let first = line.get(blanks).copied().unwrap_or(b'\n');
            if blanks <= indent && !matches!(first, b'\n' | b'\r' | b'}' | b',') && (first != b']' || in_list)
            {
                break;
            }
            at = self.line_after(at);
        }
        if let Some(last) = violations.last_mut()
            && last.place.start >= at
            && at < self.text.len()
        {
            // The next document was read as part of this one.
            let end = start + self.text[start..at].trim_ascii_end().len();
            let expected = std::mem::take(&mut last.expected);
            let found = "the end of the document".to_owned();
            *last = json_violation(end, end, &expected, found, None);
        }
        at
    }

    fn too_large(&mut self, skipped: Skipped, largest: usize) {
        let at = scan::skip_blanks(self.text, 0);
        let expected =
            format!("a document of at most {}", Size::from_bytes(i64::try_from(largest).unwrap_or(i64::MAX)));
        let bytes = skipped.bytes + self.text.len() as u64;
        let found = format!("one of {} bytes", grouped(usize::try_from(bytes).unwrap_or(usize::MAX)));
        let help = Some("`--max-size` allows larger ones; Kafka's own limit is 1 MiB by default".to_owned());
        self.broken(at, at + 1, &expected, found, help);
        self.outcome.newlines = self.lines.up_to(self.text, self.text.len()) + skipped.lines;
        let head = if skipped.lines > 0 { 0 } else { characters(self.tail()) };
        self.outcome.columns = head + skipped.columns;
    }

    fn broken(&mut self, start: usize, end: usize, expected: &str, found: String, help: Option<String>) {
        let violation = json_violation(start, end.min(self.text.len()), expected, found, help);
        self.invalid(vec![violation]);
    }

    fn invalid(&mut self, violations: Vec<Violation>) {
        let document = self.outcome.valid + self.outcome.invalid;
        self.outcome.invalid += 1;
        for violation in violations {
            if self.outcome.findings.len() >= self.keep {
                return;
            }
            let from = violation.place.start.min(self.text.len());
            let to = violation.place.end.clamp(from, self.text.len());
            let (line, column) = self.position(from);
            let (end_line, end_column) = self.position(to);
            let snippet = Snippet::of(self.text, &(from..to), line);
            self.outcome.findings.push(Found {
                document,
                violation,
                line,
                column,
                end_line,
                end_column,
                snippet,
            });
        }
    }

    /// Line and column of a place, from 1.
    fn position(&mut self, at: usize) -> (u64, u64) {
        let line = self.lines.up_to(self.text, at) + 1;
        let line_start = memchr::memrchr(b'\n', &self.text[..at]).map_or(0, |newline| newline + 1);
        (line, characters(&self.text[line_start..at]) + 1)
    }

    fn skip_blanks(&mut self) {
        self.at = scan::skip_blanks(self.text, self.at);
    }

    fn next_line(&mut self) {
        self.at = self.line_after(self.at);
    }

    fn line_after(&self, at: usize) -> usize {
        memchr::memchr(b'\n', &self.text[at..]).map_or(self.text.len(), |newline| at + newline + 1)
    }

    /// What stands behind the last newline.
    fn tail(&self) -> &[u8] {
        memchr::memrchr(b'\n', self.text).map_or(self.text, |newline| &self.text[newline + 1..])
    }
}

/// What comes next in a list of documents.
#[derive(Clone, Copy)]
enum List {
    /// An element, or the end.
    First,
    Element,
    Separator,
    /// Any of these: what came before could not be read.
    Unsure,
}

fn set(list: &mut Option<List>, state: List) {
    if let Some(list) = list {
        *list = state;
    }
}

/// The UTF-8 that begins at `at`, and where it ends.
fn valid_from(text: &[u8], at: usize) -> (&str, usize) {
    match std::str::from_utf8(&text[at..]) {
        Ok(valid) => (valid, text.len()),
        Err(error) => {
            let end = at + error.valid_up_to();
            // At least one byte further, so that the bad one is not looked at again and again.
            (std::str::from_utf8(&text[at..end]).unwrap_or_default(), end)
        }
    }
}

fn indentation(line: &[u8]) -> usize {
    line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

fn show_byte(text: &[u8], at: usize) -> String {
    let rest = &text[at..text.len().min(at + 4)];
    let shown = String::from_utf8_lossy(rest);
    shown.chars().next().map_or("the end".to_owned(), |first| crate::text::quoted(&first.to_string()))
}

fn json_violation(
    start: usize,
    end: usize,
    expected: &str,
    found: String,
    help: Option<String>,
) -> Violation {
    Violation {
        pointer: String::new(),
        place: start..end,
        rule: "json".to_owned(),
        expected: expected.to_owned(),
        found,
        help,
    }
}
