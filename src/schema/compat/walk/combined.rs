//! Schemas made of other schemas.

use serde_json::Value;

use super::{Sides, Walk, place, whole};
use crate::schema::document::{Part, Parts, array, is_plain};

impl<'a> Walk<'a, '_> {
    pub(super) fn combined(&mut self, writer: &Parts<'a>, reader: &Parts<'a>) {
        for part in &reader.all {
            for keyword in ["anyOf", "oneOf"] {
                if let Some(wanted) = part.keywords.get(keyword) {
                    self.sums(writer, part, keyword, wanted);
                }
            }
            if let Some(wanted) = part.keywords.get("not")
                && writer.said("not").all(|(_, known)| known != wanted)
            {
                let sides = Sides { writer: place(writer, "not"), reader: format!("{}/not", part.pointer) };
                self.note("NOT_TYPE_EXTENDED", sides, "not");
            }
            // What is written the same may refer to what is not.
            let keywords = ["oneOf", "not", "if", "then", "else"]
                .iter()
                .filter_map(|keyword| part.keywords.get(*keyword));
            self.sure &= keywords.into_iter().all(is_plain);
            if let Some(condition) = part.keywords.get("if") {
                self.condition(writer, part, condition);
            }
        }
    }

    /// One of several schemas has to hold.
    fn sums(&mut self, writer: &Parts<'a>, reader: &Part<'a>, keyword: &str, wanted: &Value) {
        let place = format!("{}/{keyword}", reader.pointer);
        if let Some((part, _)) = writer.said(keyword).find(|(_, known)| *known == wanted) {
            // Written the same; what they refer to may differ.
            let branches = array(part.keywords, keyword).iter().zip(array(reader.keywords, keyword));
            for (index, (from, to)) in branches.enumerate() {
                let from = self.writer.parts(&format!("{}/{keyword}/{index}", part.pointer), from);
                let to = self.reader.parts(&format!("{place}/{index}"), to);
                self.schemas(&from, &to);
            }
            return;
        }
        let other = if keyword == "anyOf" { "oneOf" } else { "anyOf" };
        let Some((part, before)) = writer
            .said(keyword)
            .next()
            .map(|(part, _)| (part, keyword))
            .or_else(|| writer.said(other).next().map(|(part, _)| (part, other)))
        else {
            let sides = Sides { writer: whole(writer), reader: place };
            return self.note("TYPE_CHANGED", sides, format!("{keyword} of {} schemas", length(wanted)));
        };
        let sides = || Sides { writer: format!("{}/{before}", part.pointer), reader: place.clone() };
        let (sent, read) = (array(part.keywords, before), array(reader.keywords, keyword));
        self.sure &= is_plain(wanted);
        let count = |schemas: &[Value], one: &Value| schemas.iter().filter(|schema| *schema == one).count();
        let lost: Vec<usize> = (0..sent.len()).filter(|index| !read.contains(&sent[*index])).collect();
        let new: Vec<usize> = (0..read.len()).filter(|index| !sent.contains(&read[*index])).collect();
        if before != keyword && keyword == "oneOf" {
            self.note("COMBINED_TYPE_CHANGED", sides(), "anyOf -> oneOf");
        }
        if read.len() < sent.len() {
            self.note("SUM_TYPE_NARROWED", sides(), format!("{} schemas -> {}", sent.len(), read.len()));
        } else if !lost.is_empty() {
            // What changed inside says more, where it is clear what became of what.
            for (from, to) in lost.iter().zip(&new) {
                let from = self.writer.parts(&format!("{}/{before}/{from}", part.pointer), &sent[*from]);
                let to = self.reader.parts(&format!("{place}/{to}"), &read[*to]);
                self.schemas(&from, &to);
            }
            self.note("COMBINED_TYPE_SUBSCHEMAS_CHANGED", sides(), "the schemas to choose from");
        } else if keyword == "oneOf" && read.iter().any(|schema| count(read, schema) != count(sent, schema)) {
            // A document that one schema accepts may now be accepted by two, or by one twice.
            self.note(
                "COMBINED_TYPE_SUBSCHEMAS_CHANGED",
                sides(),
                "more schemas, of which only one may accept",
            );
        }
    }

    fn condition(&mut self, writer: &Parts<'a>, reader: &Part<'a>, condition: &Value) {
        let same = |known: &Part<'a>| {
            ["then", "else"]
                .iter()
                .all(|keyword| known.keywords.get(*keyword) == reader.keywords.get(*keyword))
        };
        if writer.said("if").any(|(known, before)| before == condition && same(known)) {
            return;
        }
        for keyword in ["then", "else"] {
            if reader.keywords.contains_key(keyword) {
                let sides =
                    Sides { writer: place(writer, "if"), reader: format!("{}/{keyword}", reader.pointer) };
                self.note("CONDITION_CHANGED", sides, format!("if … {keyword}"));
            }
        }
    }
}

fn length(value: &Value) -> usize {
    value.as_array().map_or(0, Vec::len)
}
