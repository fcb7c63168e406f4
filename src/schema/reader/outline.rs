//! The outline of a stream: which brackets are open, and where one document may end and the next begin. Nothing
//! is said about what stands between the brackets.

/// Where a stream can be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) at: usize,
    /// Whether the next document is an element of a list.
    pub(super) in_list: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InString {
    No,
    Yes,
    /// Behind a backslash.
    Escaped,
}

/// Follows brackets and strings, from one block of bytes to the next.
#[derive(Clone, Debug)]
pub(super) struct Outline {
    /// Arrays at the top are lists of documents.
    lists: bool,
    depth: usize,
    /// The outermost bracket is that of a list.
    in_list: bool,
    string: InString,
    /// The last byte that was no blank.
    last: u8,
    /// The byte before.
    before: u8,
    given_up: bool,
}

impl Outline {
    pub(super) fn new(lists: bool, in_list: bool) -> Self {
        let depth = usize::from(in_list);
        Self { lists, depth, in_list, string: InString::No, last: 0, before: 0, given_up: false }
    }

    /// Goes on over `bytes` and returns where they can be cut for the first time.
    pub(super) fn first_cut(&mut self, bytes: &[u8]) -> Option<Cut> {
        bytes.iter().enumerate().find_map(|(at, byte)| self.step(at, *byte))
    }

    /// Goes on over `bytes` and returns where they can be cut for the last time.
    pub(super) fn last_cut(&mut self, bytes: &[u8]) -> Option<Cut> {
        bytes.iter().enumerate().filter_map(|(at, byte)| self.step(at, *byte)).last()
    }

    /// The document that it is in is given up: whatever stands at the beginning of a line is the next one.
    pub(super) fn give_up(&mut self) {
        self.given_up = true;
    }

    fn step(&mut self, at: usize, byte: u8) -> Option<Cut> {
        let line_begins = std::mem::replace(&mut self.before, byte) == b'\n';
        if self.string != InString::No {
            self.inside_string(byte);
            return None;
        }
        let ended = self.given_up || may_end_with(self.last);
        let unclosed = line_begins && matches!(byte, b'{' | b'[') && ended && self.depth > 0;
        if unclosed {
            // Nothing can follow a value without a comma: what is open was never closed.
            (self.depth, self.in_list) = (0, false);
        }
        let mut cut = unclosed.then_some(Cut { at, in_list: false });
        match byte {
            b' ' | b'\t' | b'\r' => return None,
            b'\n' => return (self.depth == 0).then_some(Cut { at: at + 1, in_list: false }),
            b'"' => self.string = InString::Yes,
            b'{' => self.depth += 1,
            b'[' => {
                self.in_list |= self.depth == 0 && self.lists;
                self.depth += 1;
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    self.in_list = false;
                    cut = Some(Cut { at: at + 1, in_list: false });
                }
            }
            b',' if self.in_list && self.depth == 1 => cut = Some(Cut { at: at + 1, in_list: true }),
            _ => {}
        }
        self.last = byte;
        cut
    }

    fn inside_string(&mut self, byte: u8) {
        self.string = match (self.string, byte) {
            // A string ends on its line: a quote that was forgotten must not swallow the rest.
            (_, b'\n') | (InString::Yes, b'"') => InString::No,
            (InString::Yes, b'\\') => InString::Escaped,
            _ => InString::Yes,
        };
        self.last = b'"';
    }
}

/// Whether a document can end with this byte.
fn may_end_with(last: u8) -> bool {
    !matches!(last, b',' | b':' | b'[' | b'{' | 0)
}

/// The last newline behind which a document begins at the line's first column; found from the end, so that the
/// length of `bytes` does not matter.
pub(super) fn last_line_of_its_own(bytes: &[u8]) -> Option<usize> {
    memchr::memrchr_iter(b'\n', bytes).find_map(|newline| {
        let begins = matches!(bytes.get(newline + 1), Some(b'{' | b'['));
        let before = bytes[..newline].iter().rev().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
        (begins && before.is_some_and(|last| may_end_with(*last))).then_some(newline + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cuts(text: &str, lists: bool) -> Vec<(usize, bool)> {
        let mut outline = Outline::new(lists, false);
        let cuts = text.bytes().enumerate().filter_map(|(at, byte)| outline.step(at, byte));
        cuts.map(|cut| (cut.at, cut.in_list)).collect()
    }

    #[test]
    fn a_stream_is_cut_between_documents_and_nowhere_else() {
        assert_eq!(cuts("{\"a\": {}}{}", true), [(9, false), (11, false)]);
        assert_eq!(cuts("1\n2\n", true), [(2, false), (4, false)]);
        assert_eq!(cuts("{\"a\": \"}{\\\"}\"}", true), [(14, false)]);
        assert_eq!(cuts("{\n\"a\":\n{}\n}", true), [(11, false)]);
    }

    #[test]
    fn a_list_is_cut_between_its_elements_when_it_is_one() {
        let text = "[{\"a\": [1, 2]}, {}]";
        assert_eq!(cuts(text, true), [(15, true), (19, false)]);
        assert_eq!(cuts(text, false), [(19, false)]);
    }

    #[test]
    fn what_was_never_closed_does_not_swallow_what_follows() {
        assert_eq!(cuts("{\"a\": {\"b\": 1}\n{}\n", true), [(15, false), (17, false), (18, false)]);
        assert_eq!(cuts("{\"a\": \"x\n{}\n", true), [(9, false), (11, false), (12, false)]);
    }

    #[test]
    fn a_line_of_its_own_is_found_from_the_end() {
        assert_eq!(last_line_of_its_own(b"{}\n{}\n{\"a\""), Some(6));
        assert_eq!(last_line_of_its_own(b"[\n{},\n{},\n{"), None, "elements");
        assert_eq!(last_line_of_its_own(b"{\n  \"a\": 1\n}\n{\n  \"a\": [\n"), Some(13));
        assert_eq!(last_line_of_its_own(b"{}"), None);
    }
}
