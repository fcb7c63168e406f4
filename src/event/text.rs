//! Texts of limited length.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::error::FieldError;
use super::wire::{Part, string};

/// A text of 1 to `MOST` characters, counted as JSON Schema does: in Unicode's code points.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text<const MOST: usize>(String);

/// Why a text is no [`Text`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// There is no character.
    #[error("a text must not be empty")]
    Empty,
    /// There are too many characters.
    #[error("a text has at most {most} characters, this one has {found}")]
    TooLong {
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
}

impl<const MOST: usize> Text<MOST> {
    /// Takes a text of the right length.
    pub fn new(text: impl Into<String>) -> Result<Self, TextError> {
        let text = text.into();
        if text.is_empty() {
            return Err(TextError::Empty);
        }
        // No character has more bytes than four, nor fewer than one.
        if text.len() > MOST {
            let found = text.chars().count();
            if found > MOST {
                return Err(TextError::TooLong { found, most: MOST });
            }
        }
        Ok(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MOST: usize> TryFrom<String> for Text<MOST> {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        Self::new(text)
    }
}

impl<const MOST: usize> From<Text<MOST>> for String {
    fn from(text: Text<MOST>) -> Self {
        text.0
    }
}

impl<const MOST: usize> fmt::Display for Text<MOST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<const MOST: usize> Part for Text<MOST> {
    fn read(raw: &RawValue) -> Result<Self, FieldError> {
        string(raw)
            .and_then(|text| Self::new(text).ok())
            .ok_or_else(|| FieldError::new(format!("a text of 1 to {MOST} characters"), Some(raw)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_characters() {
        for text in ["x", &"x".repeat(128), &"é".repeat(128), &"🦀".repeat(128)] {
            assert_eq!(Text::<128>::new(text).unwrap().as_str(), text);
        }
        assert_eq!(Text::<128>::new(""), Err(TextError::Empty));
        for text in ["x".repeat(129), "é".repeat(129), "e\u{301}".repeat(65)] {
            assert!(matches!(Text::<128>::new(text), Err(TextError::TooLong { most: 128, .. })));
        }
    }
}
