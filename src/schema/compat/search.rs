//! Documents that one schema accepts and another one refuses.

use std::cell::RefCell;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::{Difference, Finding, NoSchema};
use crate::schema::document::Document;
use crate::schema::json;
use crate::schema::judge;
use crate::schema::sample::{Pin, PinTo, Sampler, Step, places, smaller, steps};

/// Documents drawn for one difference, at each of its places.
const TRIES: usize = 12;
/// How many of them look like the schema's examples, and how little the others do (see [`Sampler::stray`]).
const USUAL: usize = 4;
const STRAYING: u64 = 40;
/// Documents drawn of which one has to be a writer's.
const SENT_TRIES: usize = 60;
/// Documents drawn where nobody knows what to look for.
const BLIND_TRIES: usize = 60;
/// Documents that each of them is spoiled to, and values in all of those.
const MOST_SPOILED: usize = 200;
const MOST_VALUES: usize = 20_000;
/// Every search finds the same.
const SEED: u64 = 20;

/// Two schemas that are asked about documents.
pub(super) struct Search<'a> {
    writer: Validator,
    reader: Validator,
    from_writer: RefCell<Sampler<'a>>,
    from_reader: RefCell<Sampler<'a>>,
    /// The reader's schema, where its refusals are looked up.
    document: Document<'a>,
    settle: &'a dyn Fn(&mut Value),
}

impl<'a> Search<'a> {
    pub(super) fn new(
        writer: &'a Value,
        reader: &'a Value,
        settle: &'a dyn Fn(&mut Value),
    ) -> Result<Self, NoSchema> {
        Ok(Self {
            writer: validator(writer)?,
            reader: validator(reader)?,
            from_writer: RefCell::new(Sampler::new(writer, SEED)),
            from_reader: RefCell::new(Sampler::new(reader, SEED)),
            document: Document::new(reader),
            settle,
        })
    }

    /// A document that shows a difference: at which of its places, and what the reader says about it.
    pub(super) fn example(&self, difference: &Difference) -> Option<(usize, Value, String)> {
        let mut pins = difference.shows.iter().enumerate();
        let (shown_at, found) =
            pins.find_map(|(index, pin)| Some((index, self.at(pin, &difference.reader)?)))?;
        let (example, refusal) = self.told(found, &difference.reader);
        Some((shown_at, example, refusal))
    }

    fn at(&self, pin: &Pin, wanted: &str) -> Option<Value> {
        (0..TRIES).find_map(|number| {
            // What the reader accepts, and then just not, is as good a start as what writers write.
            let from = if number % 2 == 0 { &self.from_writer } else { &self.from_reader };
            let mut from = from.borrow_mut();
            // At first like the schema's examples, which people know; then anything.
            from.stray(if number < USUAL { 0 } else { STRAYING });
            let drawn = from.guess(Some(pin))?;
            drop(from);
            self.shown(&drawn, wanted).then(|| drawn.clone()).or_else(|| self.near(&drawn, &pin.path, wanted))
        })
    }

    /// Tries other values at the place and right around it.
    fn near(&self, drawn: &Value, path: &[Step], wanted: &str) -> Option<Value> {
        let (mut writer, mut reader) = (self.from_writer.borrow_mut(), self.from_reader.borrow_mut());
        let around = (path.len().saturating_sub(1)..=path.len()).rev();
        around.map(|depth| &path[..depth]).find_map(|place| {
            let mut tried = writer.extremes_at(drawn, place).chain(reader.spoiled_near(drawn, place));
            tried.find(|document| self.shown(document, wanted))
        })
    }

    /// Does the writer's schema accept some document with a pin's place?
    pub(super) fn sends(&self, pin: &Pin) -> bool {
        let mut from = self.from_writer.borrow_mut();
        (0..SENT_TRIES).any(|number| {
            from.stray(if number < USUAL { 0 } else { 100 });
            let drawn = from.guess(Some(pin));
            drawn.is_some_and(|drawn| pin.is_in(&drawn) && self.writer.is_valid(&drawn))
        })
    }

    /// Does the writer's schema accept it, and the reader's refuse it for what it says at a pointer?
    fn shown(&self, document: &Value, wanted: &str) -> bool {
        self.writer.is_valid(document)
            && self.reader.iter_errors(document).any(|error| is_at(&self.document.pointer_of(&error), wanted))
    }

    /// A document of whatever kind; `difference`: a schema that such documents are of, `suspects`: what
    /// may be why.
    pub(super) fn any_example(&self, difference: Option<&Value>, suspects: &[Difference]) -> Option<Finding> {
        let refused = |document: &Value| self.writer.is_valid(document) && !self.reader.is_valid(document);
        let of_difference =
            difference.and_then(|schema| Sampler::new(schema, SEED).valid(|document| refused(document)));
        let found = of_difference.or_else(|| (0..BLIND_TRIES).find_map(|_| self.blind(&refused)))?;
        let error = self.reader.iter_errors(&found).next()?;
        let pointer = self.document.pointer_of(&error);
        let path = steps(&found, error.instance_path().as_str());
        let (example, refusal) = self.told(found.clone(), &pointer);
        let shows = vec![Pin { path, to: PinTo::Present }];
        let suspect = suspects.iter().find(|suspect| is_at(&pointer, &suspect.reader));
        let difference = suspect.map_or_else(
            || Difference {
                rule: "ACCEPTED_VALUES_NARROWED",
                writer: String::new(),
                reader: pointer.clone(),
                detail: "what is accepted".to_owned(),
                shows: shows.clone(),
                lens: None,
            },
            |suspect| Difference { shows: shows.clone(), ..suspect.clone() },
        );
        Some(Finding { difference, example, refusal })
    }

    fn blind(&self, refused: &impl Fn(&Value) -> bool) -> Option<Value> {
        let mut from = self.from_writer.borrow_mut();
        from.stray(STRAYING);
        let drawn = from.guess(None)?;
        if refused(&drawn) {
            return Some(drawn);
        }
        let most = (MOST_VALUES / places(&drawn).len()).clamp(1, MOST_SPOILED);
        let mut from = self.from_reader.borrow_mut();
        from.spoiled(&drawn).take(most).find(refused)
    }

    /// The document, as small as it still shows the same, and the reader's words about it.
    fn told(&self, document: Value, wanted: &str) -> (Value, String) {
        let mut document = smaller(document, |smaller| self.shown(smaller, wanted));
        let mut settled = document.clone();
        (self.settle)(&mut settled);
        if self.shown(&settled, wanted) {
            document = settled;
        }
        let text = document.to_string();
        let mut words = Vec::new();
        if let (Some(node), _) = json::document(text.as_bytes()) {
            let errors = self.reader.iter_errors(&document);
            let error = errors.into_iter().find(|error| is_at(&self.document.pointer_of(error), wanted));
            if let Some(error) = error {
                judge::explain(&error, text.as_bytes(), &node, &mut words);
            }
        }
        let refusal = words.first().map_or_else(String::new, ToString::to_string);
        (document, refusal)
    }
}

/// Is an error's place the wanted one, around it (one of several schemas had to hold), or inside it?
fn is_at(place: &str, wanted: &str) -> bool {
    let inside = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    inside(place, wanted) || (inside(wanted, place) && !place.is_empty())
}

fn validator(schema: &Value) -> Result<Validator, NoSchema> {
    // A pattern that takes longer says that it does not match, on either side.
    let patterns = PatternOptions::fancy_regex().backtrack_limit(100_000);
    let options =
        jsonschema::options().should_validate_formats(true).offline().with_pattern_options(patterns);
    options.build(schema).map_err(|error| NoSchema(error.to_string()))
}
