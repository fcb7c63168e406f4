//! What holds for the elements of arrays.

use serde_json::Value;

use super::{Sides, Walk, place, said, whole};
use crate::schema::document::{Part, Parts, is_annotation};
use crate::schema::sample::Step;

impl<'a> Walk<'a, '_> {
    pub(super) fn arrays(&mut self, writer: &Parts<'a>, reader: &Parts<'a>) {
        let (sent, read) = (writer.tuple(), reader.tuple());
        for index in 0..sent.max(read) {
            self.element(writer, reader, index, index < sent, index < read);
        }
        self.other_elements(writer, reader, sent.max(read));
        self.contains(writer, reader);
        self.unevaluated(
            writer,
            reader,
            "unevaluatedItems",
            ["UNEVALUATED_ITEMS_REMOVED", "UNEVALUATED_ITEMS_NARROWED"],
        );
    }

    /// An element with a schema of its own, on one side at least.
    fn element(&mut self, writer: &Parts<'a>, reader: &Parts<'a>, index: usize, sent: bool, read: bool) {
        let (from, to) = (writer.element(self.writer, index), reader.element(self.reader, index));
        let step = Step::Index(index);
        let sides = || Sides {
            writer: from.all.first().map_or_else(|| whole(writer), |part| part.pointer.clone()),
            reader: first(&to).unwrap_or_else(|| whole(reader)),
        };
        match (sent, read) {
            (true, false) if !to.never.is_empty() && from.never.is_empty() => {
                self.note("ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL", sides(), format!("element {index}"));
            }
            (true, false) if !is_open(&to) && self.differs(&step, &from, &to) => {
                self.note_inside(
                    step,
                    "ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL",
                    sides(),
                    index,
                );
            }
            (false, true) if is_open(&from) && !is_open(&to) => {
                self.note_inside(step, "ITEM_ADDED_TO_OPEN_CONTENT_MODEL", sides(), index);
            }
            (false, true) if from.never.is_empty() && self.differs(&step, &from, &to) => {
                self.note_inside(
                    step,
                    "ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL",
                    sides(),
                    index,
                );
            }
            (true, true) => self.inside(step, from, to),
            _ => {}
        }
    }

    /// Elements without a schema of their own.
    fn other_elements(&mut self, writer: &Parts<'a>, reader: &Parts<'a>, index: usize) {
        let (from, to) = (writer.element(self.writer, index), reader.element(self.reader, index));
        let step = Step::Index(index);
        let sides = |reader: String| Sides { writer: whole(writer), reader };
        match to.never.first() {
            Some(never) if from.never.is_empty() => {
                self.note_inside(step, "ADDITIONAL_ITEMS_REMOVED", sides(never.clone()), index);
            }
            Some(_) => {}
            None if is_open(&from) && !is_open(&to) => {
                let rule = if index == 0 { "SCHEMA_ADDED" } else { "ADDITIONAL_ITEMS_NARROWED" };
                let reader = first(&to).unwrap_or_default();
                self.path.push(step.clone());
                self.note(rule, sides(reader), "a schema for every element");
                self.path.pop();
                self.inside(step, from, to);
            }
            None => self.inside(step, from, to),
        }
    }

    fn note_inside(&mut self, step: Step, rule: &'static str, sides: Sides, index: usize) {
        self.path.push(step);
        self.note(rule, sides, format!("element {index}"));
        self.path.pop();
    }

    fn contains(&mut self, writer: &Parts<'a>, reader: &Parts<'a>) {
        for (part, wanted) in reader.said("contains") {
            if writer.said("contains").any(|(_, known)| known == wanted) {
                continue;
            }
            let rule = if said(writer, "contains").is_some() { "CONTAINS_CHANGED" } else { "CONTAINS_ADDED" };
            let sides =
                Sides { writer: place(writer, "contains"), reader: format!("{}/contains", part.pointer) };
            self.note(rule, sides, "contains");
        }
    }

    /// `unevaluatedItems` or `unevaluatedProperties`; `rules`: closed, narrowed.
    pub(super) fn unevaluated(
        &mut self,
        writer: &Parts<'a>,
        reader: &Parts<'a>,
        keyword: &str,
        rules: [&'static str; 2],
    ) {
        for (part, wanted) in reader.said(keyword) {
            if wanted == &Value::Bool(true) || writer.said(keyword).any(|(_, known)| known == wanted) {
                continue;
            }
            let closed = wanted == &Value::Bool(false);
            let sides =
                Sides { writer: place(writer, keyword), reader: format!("{}/{keyword}", part.pointer) };
            self.note(
                rules[usize::from(!closed)],
                sides,
                format!("{keyword} {}", if closed { "false" } else { "narrowed" }),
            );
        }
    }
}

/// Does nothing narrow the value?
pub(super) fn is_open(parts: &Parts<'_>) -> bool {
    let says_nothing =
        |part: &Part<'_>| part.keywords.iter().all(|(keyword, value)| is_annotation(keyword, value));
    parts.never.is_empty() && parts.lost.is_empty() && parts.all.iter().all(says_nothing)
}

pub(super) fn first(parts: &Parts<'_>) -> Option<String> {
    let parts = parts.never.iter().cloned().chain(parts.all.iter().map(|part| part.pointer.clone()));
    parts.into_iter().next()
}
