//! One document of a text into a tree, with everything that is wrong with it.

use std::collections::HashSet;

use serde_json::Number;

use super::error::{JsonError, Mistake};
use super::tree::{Kind, Member, Node};
use super::{DEEPEST, scan};
use crate::text::Span;

/// What a document came to.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// `None` when reading could not go on; the last error says where.
    pub(crate) node: Option<Node>,
    /// In the order of their places.
    pub(crate) errors: Vec<JsonError>,
    /// Where the document ends, or where reading stopped.
    pub(crate) end: usize,
}

/// Errors kept of one document; one with more says nothing new.
const MOST_ERRORS: usize = 100;
/// Objects with more names are watched by a set.
const FEW: usize = 16;

/// Reads the document that begins at `at`; what follows it is not looked at.
pub(crate) fn parse(text: &[u8], at: usize) -> Parsed {
    let mut parser = Parser { text, at: scan::skip_blanks(text, at), errors: Vec::new() };
    let node = match parser.value(0) {
        Ok(node) => Some(node),
        Err(Stop(error)) => {
            parser.errors.push(error);
            None
        }
    };
    Parsed { node, errors: parser.errors, end: parser.at }
}

struct Parser<'t> {
    text: &'t [u8],
    at: usize,
    errors: Vec<JsonError>,
}

/// A mistake after which nothing is certain.
struct Stop(JsonError);

impl Parser<'_> {
    fn value(&mut self, depth: usize) -> Result<Node, Stop> {
        let start = self.at;
        let kind = match self.text.get(start) {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Kind::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => self.word()?,
        };
        Ok(Node { span: Span::new(start, self.at), kind })
    }

    fn object(&mut self, depth: usize) -> Result<Kind, Stop> {
        self.go_deeper(depth)?;
        let mut members: Vec<Member> = Vec::new();
        let mut names: HashSet<String> = HashSet::new();
        loop {
            self.skip_blanks();
            match self.text.get(self.at) {
                Some(b'"') => {}
                Some(b'}') if members.is_empty() => break,
                Some(b'}') => return Err(self.trailing_comma()),
                _ if members.is_empty() => return Err(self.unexpected("a name in double quotes, or `}`")),
                _ => return Err(self.unexpected("a name in double quotes")),
            }
            let start = self.at;
            let name = self.string()?;
            let name_span = Span::new(start, self.at);
            self.skip_blanks();
            if self.text.get(self.at) != Some(&b':') {
                return Err(self.unexpected("`:`"));
            }
            self.at += 1;
            self.skip_blanks();
            let value = self.value(depth + 1)?;
            if members.len() == FEW {
                names = members.iter().map(|member| member.name.clone()).collect();
            }
            let known = match members.len() {
                0..FEW => members.iter().any(|member| member.name == name),
                _ => !names.insert(name.clone()),
            };
            if known {
                self.note(Mistake::DuplicateName { name: name.clone() }, name_span.start, name_span.end);
            }
            members.push(Member { name, name_span, value });
            self.skip_blanks();
            match self.text.get(self.at) {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.unexpected("`,` or `}`")),
            }
        }
        self.at += 1;
        Ok(Kind::Object(members))
    }

    fn array(&mut self, depth: usize) -> Result<Kind, Stop> {
        self.go_deeper(depth)?;
        let mut items = Vec::new();
        loop {
            self.skip_blanks();
            match self.text.get(self.at) {
                Some(b']') if items.is_empty() => break,
                Some(b']') => return Err(self.trailing_comma()),
                _ => items.push(self.value(depth + 1)?),
            }
            self.skip_blanks();
            match self.text.get(self.at) {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.unexpected("`,` or `]`")),
            }
        }
        self.at += 1;
        Ok(Kind::Array(items))
    }

    fn go_deeper(&mut self, depth: usize) -> Result<(), Stop> {
        if depth == DEEPEST {
            return Err(Stop(JsonError::new(Mistake::TooDeep, self.at, self.at + 1)));
        }
        self.at += 1;
        Ok(())
    }

    fn string(&mut self) -> Result<String, Stop> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let end = scan::plain_until(self.text, self.at);
            self.plain(end, &mut out);
            match self.text.get(end) {
                Some(b'"') => {
                    self.at = end + 1;
                    return Ok(out);
                }
                Some(b'\\') => self.escape(&mut out),
                Some(b'\n' | b'\r') => {
                    return Err(Stop(JsonError::new(Mistake::UnfinishedString, start, end)));
                }
                Some(byte) => {
                    self.note(Mistake::ControlCharacter { byte: *byte }, end, end + 1);
                    out.push(char::from(*byte));
                    self.at = end + 1;
                }
                None => return Err(Stop(JsonError::new(Mistake::Ended { expected: "`\"`" }, end, end))),
            }
        }
    }

    /// Takes the plain text up to `end`.
    fn plain(&mut self, end: usize, out: &mut String) {
        while self.at < end {
            match std::str::from_utf8(&self.text[self.at..end]) {
                Ok(text) => {
                    out.push_str(text);
                    self.at = end;
                }
                Err(error) => {
                    let bad = self.at + error.valid_up_to();
                    out.push_str(std::str::from_utf8(&self.text[self.at..bad]).unwrap_or_default());
                    out.push('\u{fffd}');
                    let length = error.error_len().unwrap_or(end - bad);
                    self.note(Mistake::NotUtf8 { byte: self.text[bad] }, bad, bad + length);
                    self.at = bad + length;
                }
            }
        }
    }

    fn escape(&mut self, out: &mut String) {
        let start = self.at;
        let plain = match self.text.get(start + 1) {
            Some(byte @ (b'"' | b'\\' | b'/')) => Some(char::from(*byte)),
            Some(b'b') => Some('\u{8}'),
            Some(b'f') => Some('\u{c}'),
            Some(b'n') => Some('\n'),
            Some(b'r') => Some('\r'),
            Some(b't') => Some('\t'),
            _ => None,
        };
        if let Some(plain) = plain {
            out.push(plain);
            self.at += 2;
            return;
        }
        let Some(first) = hex(self.text, start) else {
            let shown = self.text[start..]
                .iter()
                .take(6)
                .take_while(|byte| byte.is_ascii_graphic() && **byte != b'"');
            let text: String = shown.map(|byte| char::from(*byte)).collect();
            let end = start + text.len();
            self.note(Mistake::BadEscape { text }, start, end);
            out.push('\u{fffd}');
            self.at += 1;
            return;
        };
        self.at += 6;
        if let Some(character) = char::from_u32(first) {
            out.push(character);
            return;
        }
        let second = hex(self.text, self.at).filter(|_| (0xd800..0xdc00).contains(&first));
        if let Some(second @ 0xdc00..0xe000) = second {
            let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
            self.at += 6;
            return;
        }
        let text = String::from_utf8_lossy(&self.text[start..self.at]).into_owned();
        self.note(Mistake::LoneSurrogate { text }, start, self.at);
        out.push('\u{fffd}');
    }

    fn number(&mut self) -> Result<Kind, Stop> {
        let start = self.at;
        let Some(digits) = scan::number(self.text, start) else {
            return Err(self.not_a_number());
        };
        self.at = digits.end;
        if self.text.get(self.at).is_some_and(|byte| is_of_a_word(*byte)) {
            self.at = start;
            return Err(self.not_a_number());
        }
        let text = std::str::from_utf8(&self.text[start..self.at]).unwrap_or_default();
        let integer = || {
            let signed = text.parse::<i64>().ok().filter(|_| text != "-0").map(Number::from);
            signed.or_else(|| text.parse::<u64>().ok().map(Number::from))
        };
        let number = digits.integer.then(integer).flatten();
        let number = number.or_else(|| Number::from_f64(text.parse().ok()?));
        Ok(Kind::Number(number.unwrap_or_else(|| {
            let mut text = text.to_owned();
            if text.len() > 40 {
                text.truncate(40);
                text.push('…');
            }
            let end = self.at;
            self.note(Mistake::NumberTooLarge { text }, start, end);
            Number::from(0)
        })))
    }

    fn not_a_number(&self) -> Stop {
        let text = self.word_here();
        let end = self.at + text.len().max(1);
        let mistake = match text.trim_start_matches('-') {
            "Infinity" | "NaN" | "inf" | "nan" => Mistake::NoSuchWord { word: text },
            _ => Mistake::BadNumber { text },
        };
        Stop(JsonError::new(mistake, self.at, end))
    }

    fn word(&mut self) -> Result<Kind, Stop> {
        let text = self.word_here();
        let kind = match text.as_str() {
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            "null" => Kind::Null,
            "" => return Err(self.unexpected("a value")),
            _ if !text.starts_with(|c: char| c.is_ascii_alphabetic()) => return Err(self.not_a_number()),
            _ => {
                let end = self.at + text.len();
                return Err(Stop(JsonError::new(Mistake::NoSuchWord { word: text }, self.at, end)));
            }
        };
        self.at += text.len();
        Ok(kind)
    }

    /// The letters, digits and signs from here on, as far as a message needs them.
    fn word_here(&self) -> String {
        let bytes = self.text[self.at..].iter().take_while(|byte| is_of_a_word(**byte));
        bytes.take(40).map(|byte| char::from(*byte)).collect()
    }

    fn skip_blanks(&mut self) {
        self.at = scan::skip_blanks(self.text, self.at);
    }

    fn trailing_comma(&self) -> Stop {
        let comma = self.text[..self.at].iter().rposition(|byte| *byte == b',').unwrap_or(self.at);
        Stop(JsonError::new(Mistake::TrailingComma, comma, comma + 1))
    }

    fn unexpected(&self, expected: &'static str) -> Stop {
        let rest = &self.text[self.at..];
        let mistake = match rest {
            [] => Mistake::Ended { expected },
            [b'/', b'/' | b'*', ..] => Mistake::Comment,
            [b'\'', ..] => Mistake::SingleQuotes,
            [b'\xef', b'\xbb', b'\xbf', ..] => {
                Mistake::Unexpected { expected, found: "a byte order mark (U+FEFF)".to_owned() }
            }
            _ => match first_character(rest) {
                Some(character) => {
                    Mistake::Unexpected { expected, found: crate::text::quoted(&character.to_string()) }
                }
                None => Mistake::NotUtf8 { byte: rest[0] },
            },
        };
        let length = first_character(rest).map_or(usize::from(!rest.is_empty()), char::len_utf8);
        Stop(JsonError::new(mistake, self.at, self.at + length))
    }

    fn note(&mut self, mistake: Mistake, start: usize, end: usize) {
        if self.errors.len() < MOST_ERRORS {
            self.errors.push(JsonError::new(mistake, start, end));
        }
    }
}

/// What can stand in a number or a word, so that `1x` is one mistake and not two.
fn is_of_a_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_')
}

fn first_character(bytes: &[u8]) -> Option<char> {
    let most = &bytes[..bytes.len().min(4)];
    let valid = match std::str::from_utf8(most) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&most[..error.valid_up_to()]).ok()?,
    };
    valid.chars().next()
}

/// The code unit of a `\uXXXX` that begins at `at`.
fn hex(text: &[u8], at: usize) -> Option<u32> {
    let escape = text.get(at..at + 6)?;
    let digits = escape.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |code, digit| Some(code * 16 + char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
