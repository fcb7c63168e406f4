//! What is no YAML: the parser's complaint, said so that it helps.

use granit_parser::{ErrorKind, Marker, ScanError};

use crate::text::Span;
use crate::topology::problem::Problem;
use crate::topology::rules::yaml_syntax::RULE;

/// The byte that a marker of the parser points at.
pub(super) fn offset(text: &str, marker: &Marker) -> usize {
    marker.byte_offset().unwrap_or(text.len()).min(text.len())
}

/// The first character that no text file holds (NUL and its like, which YAML forbids too).
pub(super) fn unreadable_character(text: &str) -> Option<Problem> {
    let (at, c) =
        text.char_indices().find(|(_, c)| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}'))?;
    let help = if c == '\0' {
        "the file looks binary; give a text file in UTF-8"
    } else {
        "remove it; inside double quotes it can be written as an escape"
    };
    Some(
        Problem::new(
            &RULE,
            Span::new(at, at + c.len_utf8()),
            format!("the control character U+{:04X} is not allowed in YAML", u32::from(c)),
        )
        .help(help),
    )
}

/// A refusal by the parser.
pub(super) fn problem(text: &str, error: &ScanError) -> Problem {
    let at = offset(text, error.marker());
    if let Some(tab) = indenting_tab(text, at, error.kind()) {
        return Problem::new(&RULE, Span::new(tab, tab + 1), "YAML does not allow tabs as indentation")
            .label("a tab")
            .help("indent with spaces, two a level");
    }
    let end = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
    let span = Span::new(at, end);
    let problem = match error.kind() {
        // The parser's own words speak of its inner states.
        ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry => {
            Problem::new(&RULE, span, "not valid YAML: this line does not fit to the lines above it")
                .label("is it indented like its neighbours?")
        }
        _ => Problem::new(&RULE, span, format!("not valid YAML: {}", error.info())),
    };
    match help(error.kind()) {
        Some(help) => problem.help(help),
        None => problem,
    }
}

/// A tab in the indentation of the line of `at`, or of a neighbour: the parser often complains where
/// the next line begins, or where the last one ended.
fn indenting_tab(text: &str, at: usize, kind: &ErrorKind) -> Option<usize> {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let tab = |start: usize| {
        let line = &text[start..];
        let blank = line.len() - line.trim_start_matches([' ', '\t']).len();
        line[..blank].find('\t').map(|tab| start + tab)
    };
    let before = || {
        let before = text[..start].strip_suffix('\n')?;
        tab(before.rfind('\n').map_or(0, |newline| newline + 1))
    };
    let after = || {
        let end = at + text[at..].find('\n')?;
        // A value that goes on in the next line is refused at its own beginning.
        let goes_on = matches!(kind, ErrorKind::TabInPlainScalar);
        (goes_on || text[at..end].trim().is_empty()).then(|| tab(end + 1))?
    };
    tab(start).or_else(before).or_else(after)
}

fn help(kind: &ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::MismatchedFlowCollectionEnd { .. }
        | ErrorKind::MisplacedFlowCollectionEnd => {
            "look for a `{`, `[`, `}`, `]` or `,` that is missing or left over"
        }
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => {
            "quote a text that holds `: `; look for a bracket above that is never closed"
        }
        ErrorKind::UnclosedQuotedScalar => "look for a quote that is never closed",
        ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::SimpleKeyExpected
        | ErrorKind::InvalidSimpleKey
        | ErrorKind::UnexpectedEofBlockMapping
        | ErrorKind::UnexpectedEofBlockSequence => {
            "fields of one mapping begin in the same column, as `key: value` with a space after the colon"
        }
        ErrorKind::UnexpectedCharacter { .. } => "quote the value: `\"…\"`",
        ErrorKind::UnknownQuotedScalarEscape => {
            "write `\\\\` for a backslash, or use single quotes, in which nothing is escaped"
        }
        ErrorKind::RecursionLimitExceeded => {
            "a file needs about ten levels; look for a bracket that is never closed"
        }
        _ => return None,
    })
}
