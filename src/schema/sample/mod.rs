//! Documents drawn from a schema, and documents that it just does not accept.
//!
//! What is drawn is a guess: whoever asks holds it against the judge.

mod dice;
mod draw;
mod extremes;
mod hints;
mod number;
mod path;
mod pattern;
mod smaller;
mod spoil;
mod text;

#[cfg(test)]
mod tests;

use serde_json::Value;

use super::document::Document;
use dice::Dice;
use draw::Draw;
use hints::Hints;

pub(crate) use draw::{Kind, Pin, PinTo};
pub(crate) use path::{Step, places, steps};
pub(crate) use smaller::smaller;

/// Draws documents from one schema: the same ones for the same seed.
pub(crate) struct Sampler<'a> {
    schema: &'a Value,
    document: Document<'a>,
    straying: u64,
    dice: Dice,
}

/// Guesses before a schema is given up on.
const TRIES: usize = 500;

impl<'a> Sampler<'a> {
    pub(crate) fn new(schema: &'a Value, seed: u64) -> Self {
        Self { schema, document: Document::new(schema), straying: 0, dice: Dice::new(seed) }
    }

    /// From now on, so many values of a hundred are drawn without looking at the schema's examples.
    pub(crate) fn stray(&mut self, percent: u64) {
        self.straying = percent;
    }

    /// A document that the judge accepts, who may put right first what no schema says; `None` where none was
    /// found.
    pub(crate) fn valid(&mut self, accepts: impl Fn(&mut Value) -> bool) -> Option<Value> {
        (0..TRIES).find_map(|_| {
            let mut guess = self.guess(None)?;
            accepts(&mut guess).then_some(guess)
        })
    }

    /// A document that may be what the schema accepts.
    pub(crate) fn guess(&mut self, pin: Option<&Pin>) -> Option<Value> {
        let root = self.document.root();
        let hints = Hints::of(self.schema, &mut self.dice);
        let mut draw = Draw {
            document: &self.document,
            hints,
            pin,
            straying: self.straying,
            budget: draw::MOST_VALUES,
            dice: &mut self.dice,
        };
        draw.value(root, &mut Vec::new())
    }

    /// Documents like `valid`, each spoiled at one place, in no particular order. They are made one after the other:
    /// all those of a long document would be too many.
    pub(crate) fn spoiled(&mut self, valid: &Value) -> impl Iterator<Item = Value> {
        let mut places = path::places(valid);
        self.dice.shuffle(&mut places);
        places.into_iter().flat_map(|place| {
            let mut values = self.spoiled_at(valid, &place);
            self.dice.shuffle(&mut values);
            replaced(valid, place, values)
        })
    }

    /// Documents like `valid`, spoiled at one place.
    pub(crate) fn spoiled_near(&mut self, valid: &Value, place: &[Step]) -> impl Iterator<Item = Value> {
        let values = self.spoiled_at(valid, place);
        replaced(valid, place.to_vec(), values)
    }

    /// Values that may spoil one place of a document; none where there is no such place.
    fn spoiled_at(&mut self, valid: &Value, place: &[Step]) -> Vec<Value> {
        let Some(current) = path::get(valid, place) else { return Vec::new() };
        let parts = spoil::parts_at(&self.document, place);
        spoil::spoiled(&self.document, &parts, current, &mut self.dice)
    }

    /// Documents like `valid` with values at one place that are at the edge of what is accepted.
    pub(crate) fn extremes_at(&mut self, valid: &Value, place: &[Step]) -> impl Iterator<Item = Value> {
        let parts = spoil::parts_at(&self.document, place);
        let values = path::get(valid, place)
            .map_or_else(Vec::new, |current| extremes::extremes(&parts, current, &mut self.dice));
        replaced(valid, place.to_vec(), values)
    }
}

/// A document for each other value of one place.
fn replaced(document: &Value, place: Vec<Step>, others: Vec<Value>) -> impl Iterator<Item = Value> {
    others.into_iter().filter_map(move |other| {
        let mut document = document.clone();
        *path::at(&mut document, &place)? = other;
        Some(document)
    })
}

/// A name that a pattern matches.
pub(crate) fn matching(pattern: &str) -> Option<String> {
    pattern::draw(pattern, 0, &mut Dice::new(1))
}
