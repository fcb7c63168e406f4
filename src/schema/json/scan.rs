//! Steps over the bytes of a JSON text, shared by everything that reads one.

/// The first place at or after `at` where no blank of JSON stands.
#[inline]
pub(crate) fn skip_blanks(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = text.get(at) {
        at += 1;
    }
    at
}

/// The first place at or after `at` that ends a plain stretch of a string: a quote, a backslash or a control
/// character; the end of the text when there is none.
#[inline]
pub(crate) fn plain_until(text: &[u8], mut at: usize) -> usize {
    // Eight bytes at a time: https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    while let Some(eight) = text.get(at..at + 8).and_then(|bytes| <[u8; 8]>::try_from(bytes).ok()) {
        let word = u64::from_le_bytes(eight);
        let zero_in = |word: u64| word.wrapping_sub(ONES) & !word;
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let quote = zero_in(word ^ (ONES * u64::from(b'"')));
        let backslash = zero_in(word ^ (ONES * u64::from(b'\\')));
        let found = (control | quote | backslash) & HIGH;
        if found != 0 {
            // A borrow can mark a byte above the first true one, never below it.
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(byte) = text.get(at) {
        if matches!(byte, b'"' | b'\\' | 0..=0x1f) {
            break;
        }
        at += 1;
    }
    at
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digits {
    pub(crate) end: usize,
    /// Without point and exponent.
    pub(crate) integer: bool,
    pub(crate) exponent: bool,
}

/// The number that begins at `at`, by the grammar of RFC 8259; `None` when it is none.
#[inline]
pub(crate) fn number(text: &[u8], at: usize) -> Option<Digits> {
    let digits = |mut at: usize| {
        while let Some(b'0'..=b'9') = text.get(at) {
            at += 1;
        }
        at
    };
    let first = at + usize::from(text.get(at) == Some(&b'-'));
    let mut end = digits(first);
    if end == first || (text[first] == b'0' && end > first + 1) {
        return None;
    }
    let mut found = Digits { end, integer: true, exponent: false };
    if text.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        if fraction == end + 1 {
            return None;
        }
        end = fraction;
        found.integer = false;
    }
    if let Some(b'e' | b'E') = text.get(end) {
        let sign = end + 1 + usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(sign);
        if exponent == sign {
            return None;
        }
        end = exponent;
        found.integer = false;
        found.exponent = true;
    }
    Some(Digits { end, ..found })
}

/// What stands at `at` when it is one of JSON's three words.
#[inline]
pub(crate) fn word(text: &[u8], at: usize) -> Option<&'static str> {
    let rest = &text[at..];
    ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word.as_bytes()))
}

/// The end of the value that begins at `at`, by its brackets and quotes alone: whether it is JSON is not asked.
pub(crate) fn skip_value(text: &[u8], at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = at;
    loop {
        match text.get(at)? {
            b'"' => at = skip_string(text, at)?,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                at += 1;
            }
            b' ' | b'\n' | b'\r' | b'\t' | b',' | b':' if depth > 0 => at += 1,
            b' ' | b'\n' | b'\r' | b'\t' | b',' | b':' => return None,
            _ => {
                while text.get(at).is_some_and(|byte| !b" \n\r\t,:{}[]\"".contains(byte)) {
                    at += 1;
                }
            }
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

/// Behind the string that begins at `at`; `None` when it does not end on its line.
pub(crate) fn skip_string(text: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at = plain_until(text, at);
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            b'\n' => return None,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_those_of_the_grammar() {
        for good in ["0", "-0", "10", "1.5", "-0.25", "1e5", "1E-07", "12.50e+3"] {
            assert_eq!(number(good.as_bytes(), 0).map(|found| found.end), Some(good.len()), "{good}");
        }
        for bad in ["", "-", "+1", ".5", "01", "-01", "1.", "1.e5", "1e", "1e+", "x"] {
            assert_eq!(number(bad.as_bytes(), 0), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_plain_stretch_ends_where_a_slow_search_says(
            bytes in prop::collection::vec(prop_oneof![
                8 => any::<u8>(),
                1 => Just(b'"'),
                1 => Just(b'\\'),
                1 => 0x18..0x28_u8,
            ], 0..64),
            from in 0..8_usize,
        ) {
            let from = from.min(bytes.len());
            let slow = bytes[from..].iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
            prop_assert_eq!(plain_until(&bytes, from), slow.map_or(bytes.len(), |at| from + at));
        }
    }
}
