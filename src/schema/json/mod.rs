//! Strict JSON with places: what RFC 8259 allows, without repeated names, and where everything stands.

mod error;
mod parse;
pub(crate) mod scan;
mod tree;

pub(crate) use error::JsonError;
pub(crate) use parse::{Parsed, parse};
pub(crate) use tree::{Kind, Node, escaped, tokens};

use super::Violation;

/// Deeper documents are refused; the usual readers of JSON stop at this depth too.
pub(crate) const DEEPEST: usize = 128;

/// Reads bytes as exactly one document.
pub(crate) fn document(text: &[u8]) -> (Option<Node>, Vec<Violation>) {
    let Parsed { node, errors, end } = parse(text, 0);
    let mut found: Vec<Violation> = errors.into_iter().map(Violation::from).collect();
    let rest = scan::skip_blanks(text, end);
    if node.is_some() && rest < text.len() {
        found.push(Violation {
            pointer: String::new(),
            place: rest..text.len(),
            rule: "json".to_owned(),
            expected: "nothing after the document".to_owned(),
            found: "more text".to_owned(),
            help: None,
        });
        return (None, found);
    }
    (node, found)
}
