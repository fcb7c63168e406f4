//! One document drawn from a schema: a guess that the judge has to confirm.

use serde_json::{Map, Value};

use super::dice::Dice;
use super::hints::{Hints, varied};
use super::path::{Step, get};
use super::{number, text};
use crate::schema::document::{Document, Parts, array, once};

/// What stands at one place whatever the schema leaves open.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pin {
    pub(crate) path: Vec<Step>,
    pub(crate) to: PinTo,
}

impl Pin {
    /// Is a document as the pin has it?
    pub(crate) fn is_in(&self, document: &Value) -> bool {
        match (self.to, self.path.split_last()) {
            (PinTo::Absent, Some((last, around))) => {
                get(document, around).is_some_and(|around| last.of(around).is_none())
            }
            _ => get(document, &self.path).is_some(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PinTo {
    /// Anything.
    Present,
    /// Nothing: the property is left out.
    Absent,
}

pub(super) struct Draw<'a, 'd> {
    pub(super) document: &'d Document<'a>,
    pub(super) hints: Hints<'a>,
    pub(super) pin: Option<&'d Pin>,
    /// How often, in percent, a value is drawn without looking at the example.
    pub(super) straying: u64,
    /// Values that may still be drawn.
    pub(super) budget: usize,
    pub(super) dice: &'d mut Dice,
}

/// Below this depth only what has to be there is drawn.
const DEEP: usize = 6;
/// A schema that demands more depth, or more values, has no end.
const DEEPEST: usize = 128;
pub(super) const MOST_VALUES: usize = 50_000;

impl<'a> Draw<'a, '_> {
    /// A value for all parts together; `None` where there surely is none.
    pub(super) fn value(&mut self, parts: Parts<'a>, path: &mut Vec<Step>) -> Option<Value> {
        let strays = self.dice.percent(self.straying);
        let example = if strays { None } else { self.hints.at(&parts, path, self.dice) };
        let parts = self.chosen(parts, example);
        if !parts.never.is_empty() || path.len() > DEEPEST || self.budget == 0 {
            return None;
        }
        self.budget -= 1;
        if let Some((_, constant)) = parts.said("const").next() {
            return Some(constant.clone());
        }
        if let Some((_, values)) = parts.said("enum").next() {
            let values = values.as_array()?;
            return example
                .filter(|example| values.contains(example))
                .or_else(|| self.dice.pick(values))
                .cloned();
        }
        let mut kinds = kinds(&parts, path.is_empty());
        if self.leads_on(path) {
            let step = self.pin.and_then(|pin| pin.path.get(path.len()));
            let wanted = if matches!(step, Some(Step::Name(_))) { Kind::Object } else { Kind::Array };
            kinds.retain(|kind| *kind == wanted);
        }
        let like = example.map(Kind::of).filter(|kind| is_among(*kind, &kinds));
        match like.or_else(|| self.dice.pick(&kinds).copied())? {
            Kind::Null => Some(Value::Null),
            Kind::Boolean => Some(Value::Bool(self.dice.percent(50))),
            Kind::Integer => number::draw(&parts, true, example, self.dice),
            Kind::Number => number::draw(&parts, false, example, self.dice),
            Kind::String => self.string(&parts, example),
            Kind::Array => self.array(&parts, example, path),
            Kind::Object => self.object(&parts, example, path),
        }
    }

    /// Does the pin stand at this place or inside it?
    fn leads_on(&self, path: &[Step]) -> bool {
        self.pin.is_some_and(|pin| pin.path.len() > path.len() && pin.path.starts_with(path))
    }

    /// Decides where the schema leaves a choice between schemas, for one that the example is of.
    fn chosen(&mut self, mut parts: Parts<'a>, example: Option<&Value>) -> Parts<'a> {
        let mut next = 0;
        while let Some(part) = parts.all.get(next).cloned() {
            next += 1;
            for keyword in ["anyOf", "oneOf"] {
                let branches: Vec<(String, &Value)> = array(part.keywords, keyword)
                    .iter()
                    .enumerate()
                    .map(|(index, branch)| (format!("{}/{keyword}/{index}", part.pointer), branch))
                    .collect();
                let of_example = |(pointer, branch): &&(String, &'a Value)| {
                    let kinds = kinds(&self.document.parts(pointer, branch), false);
                    example.is_some_and(|example| is_among(Kind::of(example), &kinds))
                };
                let likely: Vec<_> = branches.iter().filter(of_example).cloned().collect();
                let from = if likely.is_empty() { &branches } else { &likely };
                if let Some((pointer, branch)) = self.dice.pick(from) {
                    self.document.gather(pointer, branch, &mut parts);
                }
            }
            if part.keywords.contains_key("if") {
                let taken: &[&str] = if self.dice.percent(50) { &["if", "then"] } else { &["else"] };
                for keyword in taken {
                    if let Some(schema) = part.keywords.get(*keyword) {
                        let pointer = format!("{}/{keyword}", part.pointer);
                        self.document.gather(&pointer, schema, &mut parts);
                    }
                }
            }
        }
        parts
    }

    fn string(&mut self, parts: &Parts<'a>, example: Option<&Value>) -> Option<Value> {
        let example = example.and_then(Value::as_str);
        let free = parts.said("pattern").next().is_none() && parts.said("format").next().is_none();
        match example {
            Some(example) if free => Some(Value::from(varied(example, self.dice))),
            _ => text::draw(parts, self.dice).or_else(|| example.map(str::to_owned)).map(Value::from),
        }
    }

    fn array(&mut self, parts: &Parts<'a>, example: Option<&Value>, path: &mut Vec<Step>) -> Option<Value> {
        let least = number::greatest(parts, "minItems").max(parts.tuple().min(1));
        let most = number::least(parts, "maxItems");
        let empty = example.and_then(Value::as_array).is_some_and(Vec::is_empty);
        let few = if path.len() > DEEP || empty { least } else { least.max(1) + self.below(3) };
        let mut length = few.min(most).max(number::greatest(parts, "minItems"));
        if self.leads_on(path)
            && let Some(Step::Index(index)) = self.pin.and_then(|pin| pin.path.get(path.len()))
        {
            length = length.max(index + 1);
        }
        if length > number::LONGEST {
            return None;
        }
        let unique = parts.said("uniqueItems").any(|(_, wanted)| wanted == &Value::Bool(true));
        let mut elements: Vec<Value> = Vec::with_capacity(length);
        for index in 0..length {
            let mut element = parts.element(self.document, index);
            if index == 0 {
                for (part, schema) in parts.said("contains") {
                    self.document.gather(&format!("{}/contains", part.pointer), schema, &mut element);
                }
            }
            path.push(Step::Index(index));
            let tries = if unique { 20 } else { 1 };
            let drawn = (0..tries).find_map(|_| {
                self.value(element.clone(), path).filter(|value| !unique || !elements.contains(value))
            });
            path.pop();
            match drawn {
                Some(value) => elements.push(value),
                None => break,
            }
        }
        Some(Value::Array(elements))
    }

    fn object(&mut self, parts: &Parts<'a>, example: Option<&Value>, path: &mut Vec<Step>) -> Option<Value> {
        let example = example.and_then(Value::as_object);
        let (pinned, absent) = match self.pin {
            Some(pin) if self.leads_on(path) => match (&pin.path[path.len()], &pin.to) {
                (Step::Name(name), PinTo::Absent) if pin.path.len() == path.len() + 1 => {
                    (None, Some(name.as_str()))
                }
                (Step::Name(name), _) => (Some(name.as_str()), None),
                (Step::Index(_), _) => (None, None),
            },
            _ => (None, None),
        };
        let names = parts
            .names()
            .into_iter()
            .chain(parts.required().map(|(_, name)| name))
            .chain(parts.dependencies().flat_map(|(name, others)| {
                std::iter::once(name).chain(others.iter().filter_map(Value::as_str))
            }))
            .chain(pinned)
            .chain(example.into_iter().flat_map(Map::keys).map(String::as_str));
        let names = once(names);
        let mut members = Map::new();
        for name in names {
            let depended = parts
                .dependencies()
                .any(|(on, names)| members.contains_key(on) && names.contains(&Value::from(name)));
            let wanted = pinned == Some(name) || parts.requires(name) || depended;
            let chance = match example {
                Some(example) if example.contains_key(name) => 95,
                Some(_) => self.straying,
                None => 50,
            };
            if absent == Some(name) || !wanted && (path.len() > DEEP || !self.dice.percent(chance)) {
                continue;
            }
            path.push(Step::Name(name.to_owned()));
            let value = self.value(parts.property(self.document, name), path);
            path.pop();
            match value {
                Some(value) => drop(members.insert(name.to_owned(), value)),
                None if wanted => return None,
                None => {}
            }
        }
        self.fill(parts, path, example.is_none(), &mut members)?;
        Some(Value::Object(members))
    }

    /// Adds properties of no name in particular where more have to be there.
    fn fill(
        &mut self,
        parts: &Parts<'a>,
        path: &mut Vec<Step>,
        free: bool,
        members: &mut Map<String, Value>,
    ) -> Option<()> {
        let least =
            Some(number::greatest(parts, "minProperties")).filter(|least| *least <= number::LONGEST)?;
        let free = free && parts.names().is_empty() && path.len() <= DEEP;
        let wanted = if free { least.max(self.below(3)) } else { least };
        for number in 1..=2 * wanted {
            if members.len() >= wanted {
                break;
            }
            let name = format!("field{number}");
            path.push(Step::Name(name.clone()));
            let value = self.value(parts.property(self.document, &name), path);
            path.pop();
            if let Some(value) = value {
                members.insert(name, value);
            }
        }
        Some(())
    }

    fn below(&mut self, end: u64) -> usize {
        usize::try_from(self.dice.below(end)).unwrap_or(0)
    }
}

/// What JSON Schema calls a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] =
        [Self::Null, Self::Boolean, Self::Integer, Self::Number, Self::String, Self::Array, Self::Object];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }

    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            // A float without a fraction is whole.
            Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() != 0.0) => {
                Self::Number
            }
            Value::Number(_) => Self::Integer,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }

    /// Does a `type` keyword allow it? An integer is a number, too.
    pub(crate) fn is_allowed_by(self, keyword: &Value) -> bool {
        let named = |value: &Value| {
            value.as_str().is_some_and(|name| {
                name == self.name() || self == Self::Integer && name == Self::Number.name()
            })
        };
        match keyword {
            Value::Array(several) => several.iter().any(named),
            one => named(one),
        }
    }
}

/// Is a kind allowed where these are? An integer is a number, too.
fn is_among(kind: Kind, kinds: &[Kind]) -> bool {
    kinds.contains(&kind) || kind == Kind::Integer && kinds.contains(&Kind::Number)
}

/// The kinds of value that every part allows; where none says any, those that its keywords are about.
fn kinds(parts: &Parts<'_>, whole: bool) -> Vec<Kind> {
    let allowed = |kind: &Kind| parts.said("type").all(|(_, keyword)| kind.is_allowed_by(keyword));
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(allowed).collect();
    if parts.said("type").next().is_some() {
        // An integer is drawn as a number where both are allowed: the number's own drawing has both.
        return kinds
            .iter()
            .copied()
            .filter(|kind| *kind != Kind::Integer || !kinds.contains(&Kind::Number))
            .collect();
    }
    let about = |keywords: &[&str]| keywords.iter().any(|keyword| parts.said(keyword).next().is_some());
    let meant: &[(Kind, &[&str])] = &[
        (
            Kind::Object,
            &["properties", "required", "patternProperties", "additionalProperties", "minProperties"],
        ),
        (Kind::Array, &["items", "prefixItems", "contains", "minItems", "maxItems", "uniqueItems"]),
        (Kind::String, &["pattern", "format", "minLength", "maxLength"]),
        (Kind::Number, &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
    ];
    let meant: Vec<Kind> =
        meant.iter().filter(|(_, keywords)| about(keywords)).map(|(kind, _)| *kind).collect();
    match meant.is_empty() {
        true if whole => vec![Kind::Object],
        true => vec![Kind::String, Kind::Number, Kind::Boolean],
        false => meant,
    }
}
