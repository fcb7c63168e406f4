//! The program at work.

use super::{Array, Edge, Number, Object, Program, Shape, Step, Text};
use crate::schema::json::{DEEPEST, scan};

/// Where the values that rules read stand, by read; kept between documents so that nothing is allocated.
#[derive(Debug, Default)]
pub(crate) struct Places {
    pub(crate) by_read: Vec<Vec<(u32, u32)>>,
}

/// Names beside the known ones that are remembered of one object; one with more is left to the judge.
const MOST_OTHERS: usize = 8;

impl Program {
    /// The end of the document that begins at `at` if it is surely valid.
    ///
    /// What follows the document is not looked at. `text` must be shorter than 4 GiB.
    pub(crate) fn run(&self, text: &str, at: usize, places: &mut Places) -> Option<usize> {
        places.by_read.resize_with(self.reads, Vec::new);
        places.by_read.iter_mut().for_each(Vec::clear);
        Run { text: text.as_bytes(), places }.step(&self.root, at, 0)
    }
}

/// Each step takes where a value begins and gives where it ends; `None` = not surely valid.
struct Run<'t, 'p> {
    text: &'t [u8],
    places: &'p mut Places,
}

impl Run<'_, '_> {
    fn edge(&mut self, edge: &Edge, at: usize, depth: usize) -> Option<usize> {
        let end = self.step(&edge.step, at, depth)?;
        for read in &edge.reads {
            self.places.by_read[*read].push((u32::try_from(at).ok()?, u32::try_from(end).ok()?));
        }
        Some(end)
    }

    fn step(&mut self, step: &Step, at: usize, depth: usize) -> Option<usize> {
        match step {
            Step::Shape(shape) => self.shape(shape, at, depth),
            Step::Any => self.any(at, depth),
            Step::Ask => None,
        }
    }

    #[inline]
    fn shape(&mut self, shape: &Shape, at: usize, depth: usize) -> Option<usize> {
        match self.text.get(at)? {
            b'"' => self.string(shape.string.as_ref()?, at + 1),
            b'-' | b'0'..=b'9' => self.number(shape.number.as_ref()?, at),
            b'{' => self.object(shape.object.as_ref()?, at + 1, depth),
            b'[' => self.array(shape.array.as_ref()?, at + 1, depth),
            _ => {
                let word = scan::word(self.text, at)?;
                let allowed = match word {
                    "null" => shape.null,
                    "false" => shape.boolean[0],
                    _ => shape.boolean[1],
                };
                allowed.then_some(at + word.len())
            }
        }
    }

    fn any(&mut self, at: usize, depth: usize) -> Option<usize> {
        match self.text.get(at)? {
            b'"' => self.plain(at + 1).map(|text| text.end + 1),
            b'-' | b'0'..=b'9' => {
                let digits = scan::number(self.text, at)?;
                // A float of so many digits cannot be too large for one.
                (!digits.exponent && digits.end - at < 300).then_some(digits.end)
            }
            b'{' => self.object(&EVERY_OBJECT, at + 1, depth),
            b'[' => self.array(&EVERY_ARRAY, at + 1, depth),
            _ => scan::word(self.text, at).map(|word| at + word.len()),
        }
    }

    /// The text that begins at `at`, behind its quote.
    #[inline]
    fn plain(&self, at: usize) -> Option<Plain> {
        let end = scan::plain_until(self.text, at);
        match self.text.get(end)? {
            b'"' => Some(Plain { end, escapes: 0, in_escapes: 0 }),
            b'\\' => self.with_escapes(end),
            _ => None,
        }
    }

    /// The same from the first backslash on.
    fn with_escapes(&self, mut at: usize) -> Option<Plain> {
        let mut plain = Plain { end: at, escapes: 0, in_escapes: 0 };
        loop {
            let length = match self.text.get(at + 1)? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
                // Surrogates are rare; the judge knows all about them.
                b'u' => {
                    let digits = self.text.get(at + 2..at + 6)?;
                    let surrogate =
                        matches!(digits, [b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..]);
                    (digits.iter().all(u8::is_ascii_hexdigit) && !surrogate).then_some(6)?
                }
                _ => return None,
            };
            plain.escapes += 1;
            plain.in_escapes += length;
            at = scan::plain_until(self.text, at + length);
            plain.end = at;
            match self.text.get(at)? {
                b'"' => return Some(plain),
                b'\\' => {}
                _ => return None,
            }
        }
    }

    #[inline]
    fn string(&self, wanted: &Text, at: usize) -> Option<usize> {
        let plain = self.plain(at)?;
        let text = &self.text[at..plain.end];
        if let Some(words) = &wanted.words {
            // An escaped spelling of a word is left to the judge.
            words.iter().find(|word| word.as_bytes() == text)?;
        }
        if wanted.date_time && !is_date_time(text) {
            return None;
        }
        let bytes = text.len() - plain.in_escapes + plain.escapes;
        // A character has one to four bytes, so counting is rarely needed.
        if bytes > wanted.most || bytes < wanted.least.saturating_mul(4) {
            let continuations = text.iter().filter(|byte| **byte & 0xc0 == 0x80).count();
            let characters = bytes - continuations;
            if characters < wanted.least || characters > wanted.most {
                return None;
            }
        }
        Some(plain.end + 1)
    }

    #[inline]
    fn number(&self, wanted: &Number, at: usize) -> Option<usize> {
        let digits = scan::number(self.text, at)?;
        let text = &self.text[at..digits.end];
        if digits.exponent || (wanted.integer && !digits.integer) {
            return None;
        }
        let value = exact(text)?;
        let fits =
            value >= wanted.least && value <= wanted.most && value > wanted.above && value < wanted.below;
        fits.then_some(digits.end)
    }

    fn array(&mut self, wanted: &Array, at: usize, depth: usize) -> Option<usize> {
        if depth >= DEEPEST {
            return None;
        }
        let mut at = scan::skip_blanks(self.text, at);
        let mut count = 0;
        if self.text.get(at) != Some(&b']') {
            loop {
                at = self.edge(&wanted.items, at, depth + 1)?;
                count += 1;
                at = scan::skip_blanks(self.text, at);
                match self.text.get(at)? {
                    b',' => at = scan::skip_blanks(self.text, at + 1),
                    b']' => break,
                    _ => return None,
                }
            }
        }
        (count >= wanted.least && count <= wanted.most).then_some(at + 1)
    }

    fn object(&mut self, wanted: &Object, at: usize, depth: usize) -> Option<usize> {
        if depth >= DEEPEST {
            return None;
        }
        let mut seen = 0_u64;
        let mut next = 0;
        let mut others = Others::default();
        let mut at = scan::skip_blanks(self.text, at);
        if self.text.get(at) == Some(&b'}') {
            return (wanted.required == 0).then_some(at + 1);
        }
        loop {
            let found = wanted.find(&self.text[at..], next);
            if let Some(found) = found {
                if seen & (1 << found) != 0 {
                    return None;
                }
                seen |= 1 << found;
                next = found + 1;
                at = self.value_after(at + wanted.properties[found].quoted.len())?;
                at = self.edge(&wanted.properties[found].edge, at, depth + 1)?;
            } else {
                if self.text.get(at) != Some(&b'"') || !wanted.others_allowed {
                    return None;
                }
                let name = self.plain(at + 1).filter(|name| name.escapes == 0)?;
                if !others.is_new(self.text, at + 1, name.end) {
                    return None;
                }
                at = self.value_after(name.end + 1)?;
                at = self.step(&wanted.others, at, depth + 1)?;
            }
            at = scan::skip_blanks(self.text, at);
            match self.text.get(at)? {
                b',' => at = scan::skip_blanks(self.text, at + 1),
                b'}' => break,
                _ => return None,
            }
        }
        (seen & wanted.required == wanted.required).then_some(at + 1)
    }

    /// Over the colon that must stand next.
    #[inline]
    fn value_after(&self, at: usize) -> Option<usize> {
        let at = scan::skip_blanks(self.text, at);
        (self.text.get(at) == Some(&b':')).then(|| scan::skip_blanks(self.text, at + 1))
    }
}

static EVERY_ARRAY: Array =
    Array { least: 0, most: usize::MAX, items: Edge { step: Step::Any, reads: Vec::new() } };

static EVERY_OBJECT: Object =
    Object { properties: Vec::new(), required: 0, others: Step::Any, others_allowed: true };

impl Object {
    /// The known property whose name stands at the beginning of `text`; usually the next one.
    #[inline]
    fn find(&self, text: &[u8], next: usize) -> Option<usize> {
        let is = |at: &usize| begins_with(text, &self.properties[*at].quoted);
        (next..self.properties.len()).chain(0..next.min(self.properties.len())).find(is)
    }
}

/// The same as `starts_with`, without the call that costs more than comparing so few bytes.
#[inline]
fn begins_with(text: &[u8], name: &[u8]) -> bool {
    let eight = |bytes: &[u8], at: usize| bytes[at..at + 8].try_into().map(u64::from_ne_bytes).ok();
    let length = name.len();
    if length < 8 || text.len() < length {
        return text.starts_with(name);
    }
    let mut at = 0;
    while at + 8 < length {
        if eight(text, at) != eight(name, at) {
            return false;
        }
        at += 8;
    }
    // The last eight overlap those before.
    eight(text, length - 8) == eight(name, length - 8)
}

/// A text without its quotes.
struct Plain {
    end: usize,
    escapes: usize,
    /// Bytes that the escapes take.
    in_escapes: usize,
}

/// The names of an object that the schema does not know.
#[derive(Default)]
struct Others {
    names: [(usize, usize); MOST_OTHERS],
    count: usize,
}

impl Others {
    fn is_new(&mut self, text: &[u8], start: usize, end: usize) -> bool {
        let known = |(from, to): &(usize, usize)| text[*from..*to] == text[start..end];
        if self.count == MOST_OTHERS || self.names[..self.count].iter().any(known) {
            return false;
        }
        self.names[self.count] = (start, end);
        self.count += 1;
        true
    }
}

/// The value of a number without exponent, when it is certain to be what every reader makes of it.
///
/// Up to fifteen digits fit into a float's mantissa, and powers of ten up to 10^22 are floats themselves, so that
/// one division rounds once (W. D. Clinger, "How to Read Floating Point Numbers Accurately", 1990).
#[inline]
fn exact(text: &[u8]) -> Option<f64> {
    const TENS: [f64; 16] =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.len() > 16 {
        return None;
    }
    let mut mantissa = 0_u64;
    let mut fraction = 0;
    let mut behind_point = false;
    for byte in digits {
        if *byte == b'.' {
            behind_point = true;
            continue;
        }
        mantissa = mantissa * 10 + u64::from(byte - b'0');
        fraction += usize::from(behind_point);
    }
    // -0 is a float to some readers and a whole number to others.
    if (negative && mantissa == 0) || mantissa >= 1_000_000_000_000_000 {
        return None;
    }
    let value = mantissa as f64 / TENS[fraction];
    Some(if negative { -value } else { value })
}

/// Surely an RFC 3339 timestamp; leap seconds and odd spellings are left to the judge.
#[inline]
fn is_date_time(text: &[u8]) -> bool {
    let two = |at: usize| Some(digit(*text.get(at)?)? * 10 + digit(*text.get(at + 1)?)?);
    let check = || {
        let year = two(0)? * 100 + two(2)?;
        let (month, day) = (two(5)?, two(8)?);
        let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
        let signs = (text[4], text[7], text[10], text[13], text[16]) == (b'-', b'-', b'T', b':', b':');
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u32::from(leap),
            1..=12 => 31,
            _ => 0,
        };
        let date = (1..=days).contains(&day);
        let time = hour < 24 && minute < 60 && second < 60;
        let mut at = 19;
        if text.get(at) == Some(&b'.') {
            let fraction = text[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            if fraction == 0 {
                return None;
            }
            at += 1 + fraction;
        }
        let zone = match text.get(at)? {
            b'Z' => at + 1 == text.len(),
            b'+' | b'-' => {
                at + 6 == text.len() && two(at + 1)? < 24 && text[at + 3] == b':' && two(at + 4)? < 60
            }
            _ => false,
        };
        Some(signs && date && time && zone)
    };
    check() == Some(true)
}

#[inline]
fn digit(byte: u8) -> Option<u32> {
    byte.is_ascii_digit().then(|| u32::from(byte - b'0'))
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
