//! Bytes that are to be exactly one document.

use super::Violation;
use super::json::{self, Node, scan};
use super::program::Places;

/// Whether `document` is one document that is valid: `surely` may say so sooner than `violations` would.
pub(super) fn is_valid(
    document: &[u8],
    surely: impl FnOnce(&str, usize, &mut Places) -> Option<usize>,
    violations: impl FnOnce() -> Vec<Violation>,
) -> bool {
    is_surely_valid(document, surely) || violations().is_empty()
}

/// Whether `surely` takes `document` as one document.
pub(super) fn is_surely_valid(
    document: &[u8],
    surely: impl FnOnce(&str, usize, &mut Places) -> Option<usize>,
) -> bool {
    let sure = || {
        let text = std::str::from_utf8(document).ok()?;
        let end = surely(text, scan::skip_blanks(document, 0), &mut Places::default())?;
        (scan::skip_blanks(document, end) == document.len()).then_some(())
    };
    sure().is_some()
}

/// What is wrong with `document` as one document: its text, and what `judge` says of it.
pub(super) fn violations(
    document: &[u8],
    judge: impl FnOnce(&[u8], &Node) -> Vec<Violation>,
) -> Vec<Violation> {
    let (node, mut found) = json::document(document);
    if let Some(node) = node {
        found.extend(judge(document, &node));
    }
    found
}
