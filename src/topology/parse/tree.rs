//! A YAML document as a tree in which every node knows its place.

use std::borrow::Cow;
use std::rc::Rc;

use crate::text::Span;

/// A node; cloning one (an alias) shares what is below it.
#[derive(Clone, Debug)]
pub(crate) struct Node<'a> {
    /// For an alias: where the alias stands, so that a problem is shown where it matters.
    pub(crate) span: Span,
    pub(crate) kind: Kind<'a>,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind<'a> {
    /// Nothing, `~` or `null`.
    Null,
    /// Text as the file has it after quotes and escapes: numbers and booleans are not read here,
    /// so that `0.50` stays `0.50`.
    Scalar(Cow<'a, str>),
    Sequence(Rc<[Node<'a>]>),
    Mapping(Rc<[Entry<'a>]>),
    /// Already reported; whoever meets it stays silent.
    Broken,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) key: Cow<'a, str>,
    pub(crate) key_span: Span,
    pub(crate) value: Node<'a>,
}

impl Node<'_> {
    /// What the node is, for "expected …, found …".
    pub(crate) fn describe(&self) -> String {
        match &self.kind {
            Kind::Null => "nothing".to_owned(),
            Kind::Scalar(text) => crate::text::quoted(text),
            Kind::Sequence(_) => "a list".to_owned(),
            Kind::Mapping(_) => "a mapping".to_owned(),
            Kind::Broken => "something unreadable".to_owned(),
        }
    }
}
