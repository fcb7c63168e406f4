//! Values that a schema just does not accept.

use serde_json::{Map, Value};

use super::dice::Dice;
use super::draw::Kind;
use super::text::{NO_FORMAT, words};
use super::{number, pattern};
use crate::schema::document::{Document, Parts, array};

/// Values like `current`, each of which one keyword of the parts is likely to refuse.
pub(super) fn spoiled<'a>(
    document: &Document<'a>,
    parts: &Parts<'a>,
    current: &Value,
    dice: &mut Dice,
) -> Vec<Value> {
    let mut values = Vec::new();
    kinds(parts, &mut values);
    constants(parts, current, &mut values);
    numbers(parts, current, &mut values);
    strings(parts, current, dice, &mut values);
    if let Value::Array(elements) = current {
        arrays(document, parts, elements, &mut values);
    }
    if let Value::Object(members) = current {
        objects(document, parts, members, &mut values);
    }
    values.retain(|value| value != current);
    values
}

/// A value of each kind that is not allowed.
fn kinds(parts: &Parts<'_>, values: &mut Vec<Value>) {
    let refused = |kind: &Kind| parts.said("type").any(|(_, keyword)| !kind.is_allowed_by(keyword));
    for kind in Kind::ALL.iter().filter(|kind| refused(kind)) {
        values.push(match kind {
            Kind::Null => Value::Null,
            Kind::Boolean => Value::Bool(true),
            Kind::Integer => Value::from(1),
            Kind::Number => Value::from(1.5),
            Kind::String => Value::from("text"),
            Kind::Array => Value::Array(Vec::new()),
            Kind::Object => Value::Object(Map::new()),
        });
    }
}

fn constants(parts: &Parts<'_>, current: &Value, values: &mut Vec<Value>) {
    let fixed = parts.said("const").chain(parts.said("enum")).next().is_some();
    if let (true, Value::String(text)) = (fixed, current) {
        values.push(Value::from(format!("{text}x")));
        values.push(Value::from(text.to_lowercase()));
    }
    if fixed {
        values.extend([Value::Null, Value::from("other"), Value::from(-1)]);
    }
}

fn numbers(parts: &Parts<'_>, current: &Value, values: &mut Vec<Value>) {
    let said = |keyword: &'static str| parts.said(keyword).filter_map(|(_, value)| value.as_f64());
    // What another field follows from, a rule may refuse.
    let other = current.as_f64().into_iter().flat_map(|current| [current + 1.0, current + 0.001]);
    let current = current.as_f64().unwrap_or(0.0);
    let beyond = said("minimum")
        .flat_map(|least| [least - 1.0, least - 0.01])
        .chain(said("maximum").flat_map(|most| [most + 1.0, most + 0.01]))
        .chain(said("exclusiveMinimum"))
        .chain(said("exclusiveMaximum"))
        .chain(
            said("multipleOf").flat_map(|step| [current + step / 2.0, current + step / 3.0, current + 1.0]),
        );
    values.extend(beyond.chain(other).map(number::rounded).filter_map(number::value));
}

fn strings(parts: &Parts<'_>, current: &Value, dice: &mut Dice, values: &mut Vec<Value>) {
    let mut add = |text: String| values.push(Value::from(text));
    let current = current.as_str().unwrap_or_default();
    let least = number::greatest(parts, "minLength");
    if least > 0 && least <= number::LONGEST {
        add(current.chars().take(least - 1).collect());
        add(words(0, least - 1, dice).chars().take(least - 1).collect());
    }
    let most = number::least(parts, "maxLength");
    if most < number::LONGEST {
        add(words(most + 1, most + 1, dice));
        for (_, pattern) in parts.said("pattern") {
            pattern
                .as_str()
                .and_then(|pattern| pattern::draw(pattern, most + 1, dice))
                .into_iter()
                .for_each(&mut add);
        }
    }
    if parts.said("pattern").next().is_some() {
        for text in [
            format!("{current}!"),
            format!("!{current}"),
            String::new(),
            "x".to_owned(),
            current.to_uppercase(),
        ] {
            add(text);
        }
    }
    if parts.said("format").next().is_some() {
        let half: String = current.chars().take(current.chars().count() / 2).collect();
        for text in [half, "text".to_owned(), NO_FORMAT.to_owned()] {
            add(text);
        }
    }
}

fn arrays<'a>(document: &Document<'a>, parts: &Parts<'a>, elements: &[Value], values: &mut Vec<Value>) {
    let end = elements.last().cloned().unwrap_or(Value::Null);
    let least = number::greatest(parts, "minItems");
    if least > 0 {
        values.push(elements.iter().take(least - 1).cloned().collect());
    }
    let most = number::least(parts, "maxItems");
    if most < number::LONGEST {
        let more = std::iter::repeat_n(end.clone(), (most + 1).saturating_sub(elements.len()));
        values.push(elements.iter().cloned().chain(more).collect());
    }
    if parts.said("uniqueItems").next().is_some() {
        values.push(elements.iter().cloned().chain([end.clone()]).collect());
    }
    if parts.said("contains").next().is_some() {
        values.extend([Value::Array(Vec::new()), Value::from(vec![Value::Null; elements.len().max(1)])]);
        let more = std::iter::repeat_n(end.clone(), number::least(parts, "maxContains").min(100));
        values.push(elements.iter().cloned().chain(more).collect());
    }
    if !parts.element(document, elements.len()).never.is_empty() {
        values.push(elements.iter().cloned().chain([end]).collect());
    }
}

fn objects<'a>(
    document: &Document<'a>,
    parts: &Parts<'a>,
    members: &Map<String, Value>,
    values: &mut Vec<Value>,
) {
    let without = |name: &str| {
        let rest = members.iter().filter(|(known, _)| *known != name);
        Value::Object(rest.map(|(name, value)| (name.clone(), value.clone())).collect())
    };
    let with = |names: &[String]| {
        let more = names.iter().map(|name| (name.clone(), Value::from("text")));
        Value::Object(members.clone().into_iter().chain(more).collect())
    };
    let needed = parts.dependencies().flat_map(|(_, names)| names);
    let required = parts.required().map(|(_, name)| name).chain(needed.filter_map(Value::as_str));
    for name in required.filter(|name| members.contains_key(*name)) {
        values.push(without(name));
    }
    let forbidden = parts.names().into_iter().filter(|name| !parts.property(document, name).never.is_empty());
    for name in forbidden.chain(["unexpected"]) {
        if !parts.property(document, name).never.is_empty() && !members.contains_key(name) {
            values.push(with(&[name.to_owned()]));
        }
    }
    if parts.said("propertyNames").next().is_some() {
        values.extend(["", "Unexpected name!", "x"].map(|name| with(&[name.to_owned()])));
    }
    let least = number::greatest(parts, "minProperties");
    if least > 0 {
        let few = members.iter().filter(|(name, _)| parts.requires(name)).chain(members).take(least - 1);
        values.push(Value::Object(few.map(|(name, value)| (name.clone(), value.clone())).collect()));
    }
    let most = number::least(parts, "maxProperties");
    if most < number::LONGEST {
        let names: Vec<String> =
            (1..=(most + 1).saturating_sub(members.len())).map(|number| format!("more{number}")).collect();
        values.push(with(&names));
    }
    for (name, _) in parts.dependencies().filter(|(name, _)| !members.contains_key(*name)) {
        values.push(with(&[name.to_owned()]));
    }
}

/// The parts that hold at a place inside a document, with every branch that may.
pub(super) fn parts_at<'a>(document: &Document<'a>, path: &[super::Step]) -> Parts<'a> {
    path.iter().fold(possible(document, document.root()), |parts, step| {
        let inside = match step {
            super::Step::Name(name) => parts.property(document, name),
            super::Step::Index(index) => parts.element(document, *index),
        };
        possible(document, inside)
    })
}

/// The parts and all branches that the schema leaves a choice of.
fn possible<'a>(document: &Document<'a>, mut parts: Parts<'a>) -> Parts<'a> {
    let mut next = 0;
    while let Some(part) = parts.all.get(next).cloned() {
        next += 1;
        for keyword in ["anyOf", "oneOf"] {
            for (index, branch) in array(part.keywords, keyword).iter().enumerate() {
                document.gather(&format!("{}/{keyword}/{index}", part.pointer), branch, &mut parts);
            }
        }
        for keyword in ["then", "else"] {
            if let Some(branch) = part.keywords.get(keyword) {
                document.gather(&format!("{}/{keyword}", part.pointer), branch, &mut parts);
            }
        }
    }
    parts
}
