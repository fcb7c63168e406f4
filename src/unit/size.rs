//! Sizes.

use std::fmt;

use super::decimal::Decimal;
use super::{UnitError, excerpt};

/// A number of bytes.
///
/// Written as people say it (`1GiB`, `100MB`) and printed so: in the unit that gives the smallest
/// whole number, binary units first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Size(i64);

const UNITS: [(&str, i64); 11] = [
    ("PiB", 1 << 50),
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("PB", 1_000_000_000_000_000),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

const FORMS: &str = "write it like `1GiB`, `512MiB`, `100MB`, `64KiB` or `10B`";

impl Size {
    pub(crate) const fn from_bytes(bytes: i64) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(self) -> i64 {
        self.0
    }

    /// Reads `1GiB`, `1.5GiB`, `100 MB`; `KiB` is 1024 bytes, `kB` is 1000.
    pub(crate) fn parse(text: &str) -> Result<Self, UnitError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(UnitError::new("a size is missing", FORMS));
        }
        if text.starts_with('-') {
            return Err(UnitError::new(format!("`{}` is negative", excerpt(text)), "a size is 0 or more"));
        }
        let (number, word) = Decimal::take(text)
            .ok_or_else(|| UnitError::new(format!("`{}` is not a size", excerpt(text)), FORMS))?;
        let word = word.trim();
        let unit = UNITS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(word))
            .map(|&(_, unit)| unit)
            .ok_or_else(|| unknown_unit(text, word))?;
        let bytes = number.times(unit).ok_or_else(|| {
            UnitError::new(
                format!("`{}` is not a whole number of bytes", excerpt(text)),
                "use a smaller unit",
            )
        })?;
        i64::try_from(bytes).map(Self).map_err(|_| {
            UnitError::new(
                format!("`{}` is too large", excerpt(text)),
                "Kafka counts bytes in 64 bits: less than 8192PiB",
            )
        })
    }
}

fn unknown_unit(text: &str, word: &str) -> UnitError {
    let shown = excerpt(text);
    match word.chars().next().map(|c| c.to_ascii_uppercase()) {
        None => UnitError::new(
            format!("`{shown}` has no unit"),
            format!("add one: `{shown}B`, `{shown}KiB`, `{shown}MiB` or `{shown}GiB`"),
        ),
        Some(letter @ ('K' | 'M' | 'G' | 'T' | 'P')) if word.len() == 1 => UnitError::new(
            format!("`{shown}` can mean two sizes"),
            format!("write `{letter}iB` for powers of 1024 or `{letter}B` for powers of 1000"),
        ),
        Some(_) => UnitError::new(
            format!("`{}` is not a unit of size", excerpt(word)),
            "the units are B, KiB, MiB, GiB, TiB and kB, MB, GB, TB",
        ),
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, unit) = UNITS
            .into_iter()
            .filter(|&(_, unit)| self.0 != 0 && self.0 % unit == 0)
            .min_by_key(|&(_, unit)| (self.0 / unit).unsigned_abs())
            .unwrap_or(("B", 1));
        f.pad(&format!("{}{name}", self.0 / unit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("1GiB", 1 << 30),
            ("512MiB", 512 << 20),
            ("100MB", 100_000_000),
            ("64KiB", 65_536),
            ("10B", 10),
            ("1.5GiB", 3 << 29),
            ("1 kb", 1000),
            ("0B", 0),
        ] {
            assert_eq!(Size::parse(text), Ok(Size(bytes)), "{text}");
        }
    }

    #[test]
    fn sizes_are_printed_in_the_unit_of_the_smallest_whole_number() {
        for (bytes, text) in [
            (1 << 30, "1GiB"),
            (100_000_000, "100MB"),
            (512_000_000, "512MB"),
            (1_024_000, "1000KiB"),
            (1234, "1234B"),
            (1_048_588, "1048588B"),
            (0, "0B"),
            (3 << 29, "1536MiB"),
        ] {
            assert_eq!(Size(bytes).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_size_is_refused_with_the_reason() {
        for (text, reason) in [
            ("1024", "has no unit"),
            ("1G", "can mean two sizes"),
            ("0.3B", "not a whole number of bytes"),
            ("-1MB", "negative"),
            ("9000PiB", "too large"),
            ("big", "not a size"),
            ("1XB", "not a unit of size"),
            ("", "missing"),
        ] {
            let error = Size::parse(text).unwrap_err();
            assert!(error.message.contains(reason), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn a_printed_size_reads_back_as_itself(bytes in 0..=i64::MAX) {
            let size = Size(bytes);
            prop_assert_eq!(Size::parse(&size.to_string()), Ok(size));
        }

        #[test]
        fn a_round_size_reads_back_as_itself(count in 0..8192_i64, unit in 0..UNITS.len()) {
            let size = Size(count.saturating_mul(UNITS[unit].1));
            prop_assert_eq!(Size::parse(&size.to_string()), Ok(size));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = Size::parse(&text);
        }
    }
}
