//! What can be wrong with a JSON text.

use std::fmt;

use super::DEEPEST;
use crate::text::{Span, quoted};

/// A mistake and its place, in bytes of the text that was parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JsonError {
    pub(crate) mistake: Mistake,
    pub(crate) span: Span,
}

impl JsonError {
    pub(crate) fn new(mistake: Mistake, start: usize, end: usize) -> Self {
        Self { mistake, span: Span::new(start, end) }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// Something else was to come.
    Unexpected {
        expected: &'static str,
        found: String,
    },
    /// The text ends before the document does.
    Ended {
        expected: &'static str,
    },
    /// A name that an object has already.
    DuplicateName {
        name: String,
    },
    /// `NaN`, `Infinity`, `undefined`, `None`, `True`: what other languages print.
    NoSuchWord {
        word: String,
    },
    TrailingComma,
    Comment,
    SingleQuotes,
    BadNumber {
        text: String,
    },
    /// More than a 64-bit float holds.
    NumberTooLarge {
        text: String,
    },
    ControlCharacter {
        byte: u8,
    },
    UnfinishedString,
    BadEscape {
        text: String,
    },
    LoneSurrogate {
        text: String,
    },
    NotUtf8 {
        byte: u8,
    },
    TooDeep,
}

impl Mistake {
    pub(crate) fn expected(&self) -> String {
        match self {
            Self::Unexpected { expected, .. } | Self::Ended { expected } => (*expected).to_owned(),
            Self::DuplicateName { .. } => "each name once in an object".to_owned(),
            Self::NoSuchWord { .. } => "a value of JSON".to_owned(),
            Self::TrailingComma => "no comma after the last element".to_owned(),
            Self::Comment => "no comments".to_owned(),
            Self::SingleQuotes => "text in double quotes".to_owned(),
            Self::BadNumber { .. } => "a number of JSON".to_owned(),
            Self::NumberTooLarge { .. } => "a number that a 64-bit float can hold".to_owned(),
            Self::ControlCharacter { .. } => "control characters written as escapes".to_owned(),
            Self::UnfinishedString => "a closing `\"` on the same line".to_owned(),
            Self::BadEscape { .. } => "an escape of JSON".to_owned(),
            Self::LoneSurrogate { .. } => "both halves of a surrogate pair".to_owned(),
            Self::NotUtf8 { .. } => "UTF-8 text".to_owned(),
            Self::TooDeep => format!("at most {DEEPEST} levels"),
        }
    }

    pub(crate) fn found(&self) -> String {
        match self {
            Self::Unexpected { found, .. } => found.clone(),
            Self::Ended { .. } => "the end".to_owned(),
            Self::DuplicateName { name } => format!("{} again", quoted(name)),
            Self::NoSuchWord { word: text }
            | Self::BadNumber { text }
            | Self::NumberTooLarge { text }
            | Self::BadEscape { text }
            | Self::LoneSurrogate { text } => quoted(text),
            Self::TrailingComma => "`,`".to_owned(),
            Self::Comment => "a comment".to_owned(),
            Self::SingleQuotes => "`'`".to_owned(),
            Self::ControlCharacter { byte } => format!("the control character U+{byte:04X}"),
            Self::UnfinishedString => "the end of the line".to_owned(),
            Self::NotUtf8 { byte } => format!("the byte 0x{byte:02x}"),
            Self::TooDeep => "a deeper one".to_owned(),
        }
    }

    /// What to type instead, where that is not said by what was expected.
    pub(crate) fn help(&self) -> Option<String> {
        let help = match self {
            Self::NoSuchWord { word } => match word.as_str() {
                "NaN" | "Infinity" | "-Infinity" | "-NaN" | "inf" | "nan" => {
                    "JSON has no such number; write null, or leave the field out"
                }
                "None" | "undefined" | "nil" | "NULL" | "Null" => "JSON writes it `null`",
                "True" | "TRUE" => "JSON writes it `true`",
                "False" | "FALSE" => "JSON writes it `false`",
                _ => "text stands in double quotes",
            },
            Self::DuplicateName { .. } => "readers disagree which of the two counts; remove one",
            Self::ControlCharacter { .. } => "write it as `\\u00XX`, or `\\n`, `\\t`",
            Self::BadEscape { .. } => "JSON knows \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX",
            Self::LoneSurrogate { .. } => {
                "characters beyond U+FFFF are written as a pair, like \\ud83d\\ude00, or as themselves in UTF-8"
            }
            Self::NotUtf8 { .. } => "JSON is UTF-8; convert it (`iconv -f LATIN1 -t UTF-8`)",
            Self::BadNumber { .. } => {
                "digits, with at most one point and an exponent; no leading zero, no `+`, no separators"
            }
            _ => return None,
        };
        Some(help.to_owned())
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found {}", self.expected(), self.found())
    }
}
