//! Rules that JSON Schema cannot state, over the values of a document that its schema accepts.

use std::collections::BTreeMap;

use super::Violation;
use super::json::{Node, escaped};
use crate::text::quoted;

/// A rule over some values of a document.
///
/// It sees each value as it is written in the document: a number's own text, never a float.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// What a violation is called, like `total-amount`.
    pub name: &'static str,
    /// JSON pointers of the values that the rule reads; `*` stands for every element of an array.
    pub reads: &'static [&'static str],
    /// Says what is wrong; empty when all is well. Called only for documents that the schema accepts.
    pub check: fn(&Values<'_>) -> Vec<Broken>,
}

/// What a [`Rule`] found wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which of the rule's `reads`.
    pub read: usize,
    /// Which of the values that were found there, in the document's order.
    pub nth: usize,
    /// What would be right, without a full stop: `the sum of quantity times unitPrice, 119.93`.
    pub expected: String,
}

/// The values that a rule reads, in the document's order, as they are written there.
///
/// Strings keep their quotes and escapes; where nothing stands at a pointer there is no value.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    document: &'a str,
    /// Byte ranges of the document, by the rule's `reads`.
    places: &'a [Vec<(u32, u32)>],
}

impl<'a> Values<'a> {
    pub(crate) fn new(document: &'a str, places: &'a [Vec<(u32, u32)>]) -> Self {
        Self { document, places }
    }

    /// The texts at the rule's `read`th pointer.
    #[must_use]
    pub fn texts(self, read: usize) -> impl ExactSizeIterator<Item = &'a str> + Clone {
        self.places[read].iter().map(move |(start, end)| &self.document[*start as usize..*end as usize])
    }
}

/// Rules by the type of event that they apply to.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    by_event: BTreeMap<&'static str, Vec<Rule>>,
}

impl Rules {
    /// No rule at all: the schemas alone decide.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds the rules of one type of event.
    #[must_use]
    pub fn with(mut self, event: &'static str, rules: impl IntoIterator<Item = Rule>) -> Self {
        self.by_event.entry(event).or_default().extend(rules);
        self
    }

    /// The rules of a type of event.
    #[must_use]
    pub fn of(&self, event: &str) -> &[Rule] {
        self.by_event.get(event).map_or(&[], Vec::as_slice)
    }
}

/// What rules find wrong with a document that its schema accepts.
pub(crate) fn violations(rules: &[Rule], text: &[u8], root: &Node) -> Vec<Violation> {
    let Ok(text) = std::str::from_utf8(text) else { return Vec::new() };
    let mut found = Vec::new();
    for rule in rules {
        let read: Vec<Vec<(String, &Node)>> = rule.reads.iter().map(|pointer| read(root, pointer)).collect();
        let places: Option<Vec<Vec<(u32, u32)>>> =
            read.iter().map(|values| values.iter().map(|(_, node)| place(node)).collect()).collect();
        let Some(places) = places else { continue };
        for broken in (rule.check)(&Values::new(text, &places)) {
            let Some((pointer, node)) = read.get(broken.read).and_then(|values| values.get(broken.nth))
            else {
                continue;
            };
            found.push(Violation {
                pointer: pointer.clone(),
                place: node.span.start..node.span.end,
                rule: rule.name.to_owned(),
                expected: broken.expected,
                found: quoted(&text[node.span.start..node.span.end]),
                help: None,
            });
        }
    }
    found.sort_by_key(|violation| violation.place.start);
    found
}

/// `None` for texts of 4 GiB and more.
fn place(node: &Node) -> Option<(u32, u32)> {
    Some((u32::try_from(node.span.start).ok()?, u32::try_from(node.span.end).ok()?))
}

/// The values that a pointer with `*` leads to, each with its own pointer.
fn read<'n>(root: &'n Node, pointer: &str) -> Vec<(String, &'n Node)> {
    let mut found = vec![(String::new(), root)];
    for token in pointer.split('/').skip(1) {
        let step = |(way, node): (String, &'n Node)| -> Vec<(String, &'n Node)> {
            if token == "*" {
                let items = node.items().iter().enumerate();
                return items.map(|(at, item)| (format!("{way}/{at}"), item)).collect();
            }
            node.member(token)
                .map(|member| (format!("{way}/{}", escaped(token)), &member.value))
                .into_iter()
                .collect()
        };
        found = found.into_iter().flat_map(step).collect();
    }
    found
}
