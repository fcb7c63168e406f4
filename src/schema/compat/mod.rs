//! May a reader with one schema read what writers with another one write? In the names of Confluent's
//! Schema Registry, and with an example for every "no" that both schemas were really asked about.
//!
//! Three parts work together. A walk over both schemas finds what is different, and names it. A search
//! finds documents that the writer's schema accepts and the reader's refuses. Where it finds none, a
//! prover says whether there are none at all; if it cannot, the answer is "undecided".

mod lens;
mod prove;
mod search;
mod turned;
mod walk;

#[cfg(test)]
mod lens_tests;
#[cfg(test)]
mod random_tests;
#[cfg(test)]
mod tests;

use serde_json::Value;

use super::json;
use super::sample::{Pin, PinTo};
use crate::text::Span;
use search::Search;

/// How much is demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Every document that the writer's schema accepts has to be read.
    Strict,
    /// Writers are taken to send only properties that their schema describes, and readers to fill in
    /// defaults.
    Lenient,
}

/// What came of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Comparison {
    /// Whatever makes the reader's schema refuse what writers write; with none, and nothing undecided,
    /// it is compatible.
    pub(crate) breaks: Vec<Finding>,
    /// What the lenient policy lets pass.
    pub(crate) tolerated: Vec<Finding>,
    /// Why it could not be decided, when it could not.
    pub(crate) undecided: Option<Undecided>,
}

/// A difference that makes the reader refuse.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Finding {
    pub(crate) difference: Difference,
    /// A document that the writer's schema accepts and the reader's refuses.
    pub(crate) example: Value,
    /// What the reader's schema says about it.
    pub(crate) refusal: String,
}

/// Neither a document that proves a break was found, nor that there is none.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Undecided {
    pub(crate) reason: String,
    /// What was changed, and may be why.
    pub(crate) suspects: Vec<Difference>,
}

/// Something that two schemas say differently.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference {
    /// Its name, Confluent's where they have one.
    pub(crate) rule: &'static str,
    /// Where the writer's schema says it, or would: a JSON pointer.
    pub(crate) writer: String,
    /// Where the reader's schema says it.
    pub(crate) reader: String,
    /// What is different: `minimum 1 -> 2`.
    pub(crate) detail: String,
    /// Where it shows in documents, and how.
    shows: Vec<Pin>,
    /// What the lenient policy takes for granted.
    lens: Option<lens::Lens>,
}

impl Difference {
    /// Where it shows in documents, as a JSON pointer.
    pub(crate) fn place(&self) -> String {
        let path = self.shows.first().map_or(&[][..], |probe| &probe.path);
        path.iter().map(ToString::to_string).collect()
    }
}

impl Comparison {
    pub(crate) fn is_compatible(&self) -> bool {
        self.breaks.is_empty() && self.undecided.is_none()
    }

    /// In one word.
    pub(crate) fn verdict(&self) -> &'static str {
        match (self.breaks.is_empty(), &self.undecided) {
            (false, _) => "incompatible",
            (true, Some(_)) => "undecided",
            (true, None) => "compatible",
        }
    }
}

/// Compares two schemas, each a whole: references into other files are embedded. `settle` puts right in an example
/// what no schema says, where that is left to it.
///
/// Fails where one of them is no schema.
pub(crate) fn compare(
    writer: &Value,
    reader: &Value,
    policy: Policy,
    settle: &dyn Fn(&mut Value),
) -> Result<Comparison, NoSchema> {
    let plain = Search::new(writer, reader, settle)?;
    let mut differences = walk::differences(writer, reader).differences;
    let (mut seen_writer, mut seen_reader) = seen(writer, reader, policy, &differences);
    if Search::new(&seen_writer, &seen_reader, settle).is_err() {
        // A reference led to what was written over: nothing is taken for granted.
        (seen_writer, seen_reader) = (writer.clone(), reader.clone());
        for difference in &mut differences {
            difference.lens = None;
        }
    }
    let seen = Search::new(&seen_writer, &seen_reader, settle)?;
    let mut comparison = Comparison { breaks: Vec::new(), tolerated: Vec::new(), undecided: None };
    let (mut suspects, mut granted) = (Vec::new(), Vec::new());
    for mut difference in differences {
        let tolerable = policy == Policy::Lenient && difference.lens.is_some();
        if tolerable {
            // Without the property that it is about, there has to be the rest.
            let path = difference.shows.first().map_or_else(Vec::new, |pin| pin.path.clone());
            let object = Pin { path: path[..path.len().saturating_sub(1)].to_vec(), to: PinTo::Present };
            for pin in [Pin { path, to: PinTo::Absent }, object] {
                if !granted.contains(&pin) {
                    granted.push(pin);
                }
            }
        }
        let example = if tolerable { plain.example(&difference) } else { seen.example(&difference) };
        match example {
            Some((shown_at, example, refusal)) => {
                difference.shows.swap(0, shown_at);
                let finding = Finding { difference, example, refusal };
                if tolerable { &mut comparison.tolerated } else { &mut comparison.breaks }.push(finding);
            }
            None if tolerable => {}
            None => suspects.push(difference),
        }
    }
    if comparison.breaks.is_empty() {
        match prove::accepts_all(&seen_writer, &seen_reader) {
            prove::Proof::Yes if hides(&plain, &seen, &granted, &suspects) => {
                let reason = "what the lenient policy takes for granted leaves the writer nothing to write; \
                              the strict policy takes nothing for granted";
                comparison.undecided = Some(Undecided { reason: reason.to_owned(), suspects });
            }
            prove::Proof::Yes => {}
            prove::Proof::Unknown { reason, difference } => {
                match seen.any_example(difference.as_ref(), &suspects) {
                    Some(finding) => comparison.breaks.push(finding),
                    None => comparison.undecided = Some(Undecided { reason, suspects }),
                }
            }
        }
    }
    Ok(comparison)
}

/// Does what is taken for granted (`granted`: at these places) leave out more than that? Then nothing is proven about
/// the rest.
fn hides(plain: &Search<'_>, seen: &Search<'_>, granted: &[Pin], suspects: &[Difference]) -> bool {
    let is_emptied = |pin: &Pin| plain.sends(pin) && !seen.sends(pin);
    let is_hidden = |suspect: &Difference| match plain.example(suspect) {
        Some((shown_at, ..)) => !seen.sends(&suspect.shows[shown_at]),
        None => false,
    };
    !granted.is_empty() && (granted.iter().any(is_emptied) || suspects.iter().any(is_hidden))
}

/// Both schemas as the policy sees them.
fn seen(writer: &Value, reader: &Value, policy: Policy, differences: &[Difference]) -> (Value, Value) {
    let lenses = differences.iter().filter(|_| policy == Policy::Lenient);
    lens::applied(writer, reader, lenses.filter_map(|difference| difference.lens.as_ref()))
}

/// A value is no schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NoSchema(String);

/// Where a pointer of a schema stands in its text, or the nearest place around it.
pub(crate) fn place_of(text: &[u8], pointer: &str) -> Span {
    let (Some(node), _) = json::document(text) else { return Span::default() };
    let mut pointer = pointer;
    loop {
        if let Some(found) = node.at(pointer) {
            return found.span;
        }
        pointer = pointer.rsplit_once('/').map_or("", |(around, _)| around);
    }
}

/// Rules of ours beside Confluent's, for keywords that theirs leave out.
pub(crate) const OURS: [&str; 8] = [
    "ACCEPTED_VALUES_NARROWED",
    "CONDITION_CHANGED",
    "CONTAINS_ADDED",
    "CONTAINS_CHANGED",
    "FORMAT_ADDED",
    "FORMAT_CHANGED",
    "PROPERTY_NAMES_ADDED",
    "PROPERTY_NAMES_CHANGED",
];
