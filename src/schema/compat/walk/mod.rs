//! What two schemas say differently, found by walking through both at once.
//!
//! Only differences that may make the reader refuse something are noted. The walk may note too many:
//! each is held against documents afterwards. It never notes too few without saying that it is unsure,
//! so that a walk that is sure and noted nothing is a proof: recursive schemas are compared once, and
//! what holds for a document's parts is shown before it is used for the whole.

mod array;
mod combined;
mod object;
mod scalar;

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use super::Difference;
use super::lens::Lens;
use super::turned::Turned;
use crate::schema::document::{Document, Part, Parts, array as values_of};
use crate::schema::sample::{Kind, Pin, PinTo, Step};

/// Places that one difference is looked for in.
const MOST_PLACES: usize = 8;
/// Below this depth of documents nothing is compared.
const DEEPEST: usize = 128;
/// Questions for differences inside of questions for differences.
const DEEPEST_QUESTION: usize = 32;

/// What a walk came to.
pub(super) struct Walked {
    pub(super) differences: Vec<Difference>,
    /// Is nothing else different that could make the reader refuse something?
    pub(super) sure: bool,
}

/// What the reader's schema says differently.
pub(super) fn differences(writer: &Value, reader: &Value) -> Walked {
    // Before 2020-12 tuples are written otherwise, and before 2019-09 keywords beside a `$ref` say nothing.
    let sure = [writer, reader].iter().all(|schema| is_recent(schema));
    let (writer, reader) = (Document::new(writer), Document::new(reader));
    let turned = [Turned::of(&writer), Turned::of(&reader)];
    let mut walk = Walk::new(&writer, &reader, &turned);
    walk.sure = sure;
    walk.all(Vec::new(), writer.root(), reader.root());
    Walked { differences: walk.found, sure: walk.sure }
}

/// Is the schema, with all that is embedded in it, of the newest dialect, which is also the usual one?
fn is_recent(schema: &Value) -> bool {
    match schema {
        Value::Object(keywords) => {
            let dialect = keywords.get("$schema").and_then(Value::as_str);
            dialect.is_none_or(|dialect| dialect.contains("2020-12")) && keywords.values().all(is_recent)
        }
        Value::Array(schemas) => schemas.iter().all(is_recent),
        _ => true,
    }
}

struct Walk<'a, 'd> {
    writer: &'d Document<'a>,
    reader: &'d Document<'a>,
    /// The place in documents.
    path: Vec<Step>,
    /// What holds there for certain, of the writer's schema and of the reader's.
    here: (Parts<'a>, Parts<'a>),
    /// Places further in; what lies near the top comes first.
    waiting: VecDeque<(Vec<Step>, Parts<'a>, Parts<'a>)>,
    /// Pairs of schemas that have been compared, or are being compared, and the pair that holds where they do: what
    /// the lenient policy takes for granted depends on it.
    compared: BTreeMap<(Pair, Pair), Progress>,
    answers: Answers,
    found: Vec<Difference>,
    sure: bool,
    /// Of the writer's schema and of the reader's.
    turned: &'d [Turned; 2],
}

/// The pointers of what holds on either side.
type Pair = (Vec<String>, Vec<String>);

/// Whether pairs of schemas differ.
#[derive(Default)]
struct Answers {
    /// A pair that is still asked about does not, as far as is known: it lies a step further in, so that a difference
    /// shows in the question that is asked.
    known: BTreeMap<Pair, bool>,
    /// Noes that were given since the first question that is still asked; they may lean on one another.
    noes: Vec<Pair>,
    depth: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Begun,
    Done,
}

/// The two sides of one difference.
struct Sides {
    writer: String,
    reader: String,
}

impl<'a, 'd> Walk<'a, 'd> {
    /// At no place yet.
    fn new(writer: &'d Document<'a>, reader: &'d Document<'a>, turned: &'d [Turned; 2]) -> Self {
        Self {
            writer,
            reader,
            path: Vec::new(),
            here: (Parts::default(), Parts::default()),
            waiting: VecDeque::new(),
            compared: BTreeMap::new(),
            answers: Answers::default(),
            found: Vec::new(),
            sure: true,
            turned,
        }
    }

    /// Compares two schemas and all that is inside.
    fn all(&mut self, path: Vec<Step>, writer: Parts<'a>, reader: Parts<'a>) {
        self.waiting.push_back((path, writer, reader));
        while let Some((path, writer, reader)) = self.waiting.pop_front() {
            self.path = path;
            self.here = (writer.clone(), reader.clone());
            self.schemas(&writer, &reader);
        }
    }

    /// Compares what holds at this place.
    fn schemas(&mut self, writer: &Parts<'a>, reader: &Parts<'a>) {
        if !writer.never.is_empty() {
            return;
        }
        if let Some(never) = reader.never.first() {
            let sides = Sides { writer: whole(writer), reader: never.clone() };
            return self.note("TYPE_CHANGED", sides, "nothing is accepted any more");
        }
        let around = (pointers(&self.here.0), pointers(&self.here.1));
        let pair = ((pointers(writer), pointers(reader)), around);
        if let Some(progress) = self.compared.get(&pair) {
            // A schema that leads to itself without a step into the document has no bottom.
            self.sure &= *progress == Progress::Done;
            return;
        }
        if self.path.len() > DEEPEST {
            self.sure = false;
            return;
        }
        self.compared.insert(pair.clone(), Progress::Begun);
        self.sure &= is_understood(writer, reader);
        self.kinds(writer, reader);
        self.constants(writer, reader);
        self.scalars(writer, reader);
        self.arrays(writer, reader);
        self.objects(writer, reader);
        self.combined(writer, reader);
        self.compared.insert(pair, Progress::Done);
    }

    /// Compares what holds one step further in, later.
    fn inside(&mut self, step: Step, writer: Parts<'a>, reader: Parts<'a>) {
        let path = self.path.iter().cloned().chain([step]).collect();
        self.waiting.push_back((path, writer, reader));
    }

    /// Is there any difference one step further in? Nothing is noted.
    fn differs(&mut self, step: &Step, writer: &Parts<'a>, reader: &Parts<'a>) -> bool {
        let pair = (pointers(writer), pointers(reader));
        if let Some(known) = self.answers.known.get(&pair) {
            return *known;
        }
        if self.answers.depth == DEEPEST_QUESTION {
            self.sure = false;
            return true;
        }
        self.answers.known.insert(pair.clone(), false);
        self.answers.depth += 1;
        let mut walk = Walk::new(self.writer, self.reader, self.turned);
        walk.answers = std::mem::take(&mut self.answers);
        let path = self.path.iter().cloned().chain([step.clone()]).collect();
        walk.all(path, writer.clone(), reader.clone());
        self.sure &= walk.sure;
        let differs = !walk.found.is_empty();
        self.answers = walk.answers;
        self.answers.depth -= 1;
        if differs {
            self.answers.known.insert(pair, true);
        } else {
            self.answers.noes.push(pair);
        }
        if self.answers.depth == 0 {
            for no in std::mem::take(&mut self.answers.noes) {
                if differs {
                    self.answers.known.remove(&no);
                }
            }
        }
        differs
    }

    fn note(&mut self, rule: &'static str, sides: Sides, detail: impl Into<String>) {
        let probe = Pin { path: self.path.clone(), to: PinTo::Present };
        self.note_at(rule, sides, detail, probe, None);
    }

    fn note_at(
        &mut self,
        rule: &'static str,
        sides: Sides,
        detail: impl Into<String>,
        probe: Pin,
        lens: Option<Lens>,
    ) {
        let Sides { writer, reader } = sides;
        let lens = lens.filter(|lens| lens.is_safe(self.turned));
        let same = |known: &&mut Difference| {
            known.rule == rule && known.writer == writer && known.reader == reader && known.lens == lens
        };
        match self.found.iter_mut().find(same) {
            Some(known) if known.shows.len() < MOST_PLACES => known.shows.push(probe),
            Some(_) => {}
            None => self.found.push(Difference {
                rule,
                writer,
                reader,
                detail: detail.into(),
                shows: vec![probe],
                lens,
            }),
        }
    }

    fn kinds(&mut self, writer: &Parts<'a>, reader: &Parts<'a>) {
        let sent = self.kinds_of(writer, 0);
        for (part, keyword) in reader.said("type") {
            let read: Vec<Kind> = sent.iter().copied().filter(|kind| kind.is_allowed_by(keyword)).collect();
            let only_whole = sent.contains(&Kind::Number)
                && !read.contains(&Kind::Number)
                && read.contains(&Kind::Integer);
            let rule = match (read.len(), writer.said("type").next()) {
                _ if read.len() == sent.len() => continue,
                (_, Some((_, Value::String(_)))) if only_whole => "TYPE_NARROWED",
                (0, _) | (_, None) => "TYPE_CHANGED",
                _ => "SUM_TYPE_NARROWED",
            };
            let detail = match said(writer, "type") {
                Some((_, before)) => format!("type {before} -> {keyword}"),
                None => format!("type {keyword}"),
            };
            let sides = Sides { writer: place(writer, "type"), reader: format!("{}/type", part.pointer) };
            self.note(rule, sides, detail);
        }
    }

    /// The kinds of values that the parts accept, branches considered.
    fn kinds_of(&self, parts: &Parts<'a>, depth: usize) -> Vec<Kind> {
        const BRANCHES: usize = 4;
        let mut kinds: Vec<Kind> = Kind::ALL.to_vec();
        kinds.retain(|kind| parts.said("type").all(|(_, keyword)| kind.is_allowed_by(keyword)));
        let constants = parts.said("const").map(|(_, value)| std::slice::from_ref(value));
        let listed = parts.said("enum").filter_map(|(_, values)| values.as_array()).map(Vec::as_slice);
        for values in constants.chain(listed) {
            kinds.retain(|kind| values.iter().any(|value| Kind::of(value) == *kind));
        }
        if depth < BRANCHES {
            for part in &parts.all {
                for keyword in ["anyOf", "oneOf"] {
                    let branches = values_of(part.keywords, keyword);
                    if branches.is_empty() {
                        continue;
                    }
                    let mut some = Vec::new();
                    for (index, branch) in branches.iter().enumerate() {
                        let pointer = format!("{}/{keyword}/{index}", part.pointer);
                        some.extend(self.kinds_of(&self.writer.parts(&pointer, branch), depth + 1));
                    }
                    kinds.retain(|kind| some.contains(kind));
                }
            }
        }
        kinds
    }

    fn constants(&mut self, writer: &Parts<'a>, reader: &Parts<'a>) {
        let sent = constants_of(writer);
        for keyword in ["const", "enum"] {
            for (part, value) in reader.said(keyword) {
                let read = if keyword == "const" { std::slice::from_ref(value) } else { listed(value) };
                let (rule, detail) = match &sent {
                    None => ("ENUM_ARRAY_NARROWED", format!("only {}", some_of(read))),
                    Some(sent) => {
                        let lost: Vec<Value> =
                            sent.iter().filter(|value| !read.contains(value)).cloned().collect();
                        let more = read.iter().any(|value| !sent.contains(value));
                        match lost.is_empty() {
                            true => continue,
                            false if more => ("ENUM_ARRAY_CHANGED", format!("no longer {}", some_of(&lost))),
                            false => ("ENUM_ARRAY_NARROWED", format!("no longer {}", some_of(&lost))),
                        }
                    }
                };
                let before = if writer.said("const").next().is_some() { "const" } else { "enum" };
                let sides =
                    Sides { writer: place(writer, before), reader: format!("{}/{keyword}", part.pointer) };
                self.note(rule, sides, detail);
            }
        }
    }
}

/// The values that the parts list, where they do.
fn constants_of(parts: &Parts<'_>) -> Option<Vec<Value>> {
    let constants = parts.said("const").map(|(_, value)| vec![value.clone()]);
    let listed = parts.said("enum").map(|(_, values)| listed(values).to_vec());
    constants.chain(listed).min_by_key(Vec::len)
}

fn listed(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Some of many values, as JSON.
fn some_of(values: &[Value]) -> String {
    const SOME: usize = 5;
    let shown: Vec<String> = values.iter().take(SOME).map(ToString::to_string).collect();
    let more = if values.len() > SOME { format!(" and {} more", values.len() - SOME) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

fn pointers(parts: &Parts<'_>) -> Vec<String> {
    parts.all.iter().map(|part| part.pointer.clone()).chain(parts.never.iter().cloned()).collect()
}

/// Where the writer's schema says a keyword, or would.
fn place(writer: &Parts<'_>, keyword: &str) -> String {
    match said(writer, keyword) {
        Some((part, _)) => format!("{}/{keyword}", part.pointer),
        None => whole(writer),
    }
}

fn whole(parts: &Parts<'_>) -> String {
    parts.all.first().map_or_else(String::new, |part| part.pointer.clone())
}

fn said<'p, 'a>(parts: &'p Parts<'a>, keyword: &'p str) -> Option<(&'p Part<'a>, &'a Value)> {
    parts.said(keyword).next()
}

/// Are all keywords of the kind that the walk compares completely?
fn is_understood(writer: &Parts<'_>, reader: &Parts<'_>) -> bool {
    let strange = |part: &Part<'_>| {
        let said = |keyword: &str| part.keywords.contains_key(keyword);
        let number = |keyword: &str| part.keywords.get(keyword).is_none_or(Value::is_number);
        STRANGE.iter().any(|keyword| said(keyword))
            || !number("exclusiveMinimum")
            || !number("exclusiveMaximum")
    };
    let patterns = |parts: &Parts<'_>| parts.said("patternProperties").next().is_some();
    writer.lost.is_empty()
        && reader.lost.is_empty()
        && !patterns(writer)
        && !patterns(reader)
        && !reader.all.iter().any(strange)
}

/// Keywords that the walk looks at in passing only.
const STRANGE: [&str; 9] = [
    "$dynamicRef",
    "$recursiveRef",
    "contains",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "dependencies",
    "unevaluatedItems",
    "unevaluatedProperties",
];
