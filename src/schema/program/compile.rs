//! From a schema to its program.

use serde_json::{Map, Value};

use super::{Array, Edge, Number, Object, Program, Property, Shape, Step, Text};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// References that are followed on one way from the root; a schema that refers to itself has more.
const MOST_REFERENCES: usize = 32;
/// Steps of a program; references are copied, so a small schema could unfold into a huge one.
const MOST_STEPS: usize = 10_000;
/// One bit each.
const MOST_PROPERTIES: usize = 64;
/// Whole numbers up to here are exact as floats.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Program {
    /// Compiles a schema; `reads` are pointers of values that rules want to see (`*` = every element).
    ///
    /// `None` when a document would have to be asked about in any case.
    pub(crate) fn compile(schema: &Value, reads: &[&str]) -> Option<Self> {
        let dialect = schema.get("$schema").is_none_or(|dialect| dialect == DIALECT);
        let mut compiler = Compiler { schema, steps: 0 };
        let wanted: Vec<Read<'_>> = reads
            .iter()
            .enumerate()
            .map(|(number, pointer)| Read { number, rest: pointer.split('/').skip(1).collect() })
            .collect();
        let root = if dialect { compiler.step(schema, &wanted, 0) } else { Step::Ask };
        (!matches!(root, Step::Ask)).then_some(Self { root, reads: reads.len() })
    }

    /// Whether a document can only be valid with a text at this property of its root.
    pub(crate) fn requires_text(&self, name: &str) -> bool {
        let Step::Shape(shape) = &self.root else { return false };
        let only_objects = !shape.null
            && shape.boolean == [false, false]
            && shape.string.is_none()
            && shape.number.is_none()
            && shape.array.is_none();
        let Some(object) = shape.object.as_ref().filter(|_| only_objects) else { return false };
        let quoted = quoted(name);
        object.properties.iter().enumerate().any(|(at, property)| {
            let text = match &property.edge.step {
                Step::Shape(shape) => {
                    shape.string.as_ref().is_some_and(|text| text.least > 0)
                        && !shape.null
                        && shape.boolean == [false, false]
                        && shape.number.is_none()
                        && shape.array.is_none()
                        && shape.object.is_none()
                }
                Step::Any | Step::Ask => false,
            };
            property.quoted == quoted && object.required & (1 << at) != 0 && text
        })
    }
}

/// The rest of a way that a rule reads along.
#[derive(Clone)]
struct Read<'r> {
    number: usize,
    rest: Vec<&'r str>,
}

/// The reads that go on through `token`.
fn through<'r>(reads: &[Read<'r>], token: &str) -> Vec<Read<'r>> {
    let through = reads.iter().filter(|read| read.rest.first() == Some(&token));
    through.map(|read| Read { number: read.number, rest: read.rest[1..].to_vec() }).collect()
}

struct Compiler<'s> {
    schema: &'s Value,
    steps: usize,
}

impl Compiler<'_> {
    fn edge(&mut self, schema: &Value, reads: &[Read<'_>], references: usize) -> Edge {
        let (here, on): (Vec<_>, Vec<_>) = reads.iter().cloned().partition(|read| read.rest.is_empty());
        Edge {
            step: self.step(schema, &on, references),
            reads: here.into_iter().map(|read| read.number).collect(),
        }
    }

    fn step(&mut self, schema: &Value, reads: &[Read<'_>], references: usize) -> Step {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Step::Ask;
        }
        let keywords = match schema {
            // What a rule reads inside of a value that may be anything is looked for by the judge.
            Value::Bool(true) if reads.is_empty() => return Step::Any,
            Value::Object(keywords) => keywords,
            _ => return Step::Ask,
        };
        let mut constraints = keywords.iter().filter(|(name, _)| !is_annotation(name));
        match (constraints.next(), constraints.next()) {
            (None, _) if reads.is_empty() => Step::Any,
            (Some((name, Value::String(target))), None) if name == "$ref" => {
                let target = target.strip_prefix('#').and_then(|pointer| self.schema.pointer(pointer));
                match target {
                    Some(target) if references < MOST_REFERENCES => self.step(target, reads, references + 1),
                    _ => Step::Ask,
                }
            }
            (Some((name, Value::Array(alternatives))), None) if name == "anyOf" => {
                self.any_of(alternatives, reads, references)
            }
            _ => self
                .shape(keywords, reads, references)
                .map_or(Step::Ask, |shape| Step::Shape(Box::new(shape))),
        }
    }

    /// Alternatives of which no two take values of one kind.
    fn any_of(&mut self, alternatives: &[Value], reads: &[Read<'_>], references: usize) -> Step {
        let mut all = Shape::default();
        for alternative in alternatives {
            let Step::Shape(shape) = self.step(alternative, reads, references) else { return Step::Ask };
            if !all.take_over(*shape) {
                return Step::Ask;
            }
        }
        Step::Shape(Box::new(all))
    }

    /// `None` when a keyword is not one of those that are known here.
    fn shape(
        &mut self,
        keywords: &Map<String, Value>,
        reads: &[Read<'_>],
        references: usize,
    ) -> Option<Shape> {
        let count = |name: &str, otherwise: usize| match keywords.get(name) {
            None => Some(otherwise),
            Some(value) => value.as_u64().and_then(|count| usize::try_from(count).ok()),
        };
        let limit = |name: &str, otherwise: f64| match keywords.get(name) {
            None => Some(otherwise),
            Some(value) => value.as_f64().filter(|limit| limit.abs() <= EXACT),
        };
        let date_time = match keywords.get("format") {
            None => false,
            Some(format) if format == "date-time" => true,
            Some(_) => return None,
        };
        let known = |name: &String| is_annotation(name) || KNOWN.contains(&name.as_str());
        if !keywords.keys().all(known) {
            return None;
        }
        let text = Text {
            least: count("minLength", 0)?,
            most: count("maxLength", usize::MAX)?,
            date_time,
            words: None,
        };
        let number = Number {
            integer: false,
            least: limit("minimum", f64::NEG_INFINITY)?,
            most: limit("maximum", f64::INFINITY)?,
            above: limit("exclusiveMinimum", f64::NEG_INFINITY)?,
            below: limit("exclusiveMaximum", f64::INFINITY)?,
        };
        let everything = Value::Bool(true);
        let array = Array {
            least: count("minItems", 0)?,
            most: count("maxItems", usize::MAX)?,
            items: self.edge(keywords.get("items").unwrap_or(&everything), &through(reads, "*"), references),
        };
        let shape = Shape {
            null: true,
            boolean: [true, true],
            string: Some(text),
            number: Some(number),
            array: Some(array),
            object: Some(self.object(keywords, reads, references)?),
        };
        let shape = match keywords.get("type") {
            None => shape,
            Some(kinds) => shape.of_kinds(kinds)?,
        };
        let options = match (keywords.get("const"), keywords.get("enum")) {
            (None, None) => return Some(shape),
            (Some(only), None) => std::slice::from_ref(only),
            (None, Some(options)) => options.as_array()?,
            (Some(_), Some(_)) => return None,
        };
        Some(shape.one_of(options))
    }

    fn object(
        &mut self,
        keywords: &Map<String, Value>,
        reads: &[Read<'_>],
        references: usize,
    ) -> Option<Object> {
        let mut names: Vec<(&str, Option<&Value>)> = match keywords.get("properties") {
            None => Vec::new(),
            Some(properties) => {
                properties.as_object()?.iter().map(|(name, schema)| (name.as_str(), Some(schema))).collect()
            }
        };
        let required: Vec<&str> = match keywords.get("required") {
            None => Vec::new(),
            Some(required) => required.as_array()?.iter().map(Value::as_str).collect::<Option<_>>()?,
        };
        let read = reads.iter().filter_map(|read| read.rest.first().copied()).filter(|token| *token != "*");
        for name in required.iter().copied().chain(read) {
            if !names.iter().any(|(known, _)| *known == name) {
                names.push((name, None));
            }
        }
        if names.len() > MOST_PROPERTIES {
            return None;
        }
        // Documents are usually written in the order in which a schema lists what it requires.
        names.sort_by_key(|(name, _)| {
            required.iter().position(|required| required == name).unwrap_or(usize::MAX)
        });
        let others = keywords.get("additionalProperties");
        let everything = Value::Bool(true);
        let mut properties = Vec::new();
        let mut bits = 0;
        for (at, (name, schema)) in names.into_iter().enumerate() {
            let schema = schema.or(others).unwrap_or(&everything);
            properties.push(Property {
                quoted: quoted(name),
                edge: self.edge(schema, &through(reads, name), references),
            });
            bits |= u64::from(required.contains(&name)) << at;
        }
        Some(Object {
            properties,
            required: bits,
            others: others.map_or(Step::Any, |schema| self.step(schema, &[], references)),
            others_allowed: others != Some(&Value::Bool(false)),
        })
    }
}

impl Shape {
    /// Takes the kinds of another shape over; false when both have one of them.
    fn take_over(&mut self, other: Self) -> bool {
        let both = (self.null && other.null)
            || (self.boolean != [false, false] && other.boolean != [false, false])
            || (self.string.is_some() && other.string.is_some())
            || (self.number.is_some() && other.number.is_some())
            || (self.array.is_some() && other.array.is_some())
            || (self.object.is_some() && other.object.is_some());
        self.null |= other.null;
        self.boolean = [self.boolean[0] | other.boolean[0], self.boolean[1] | other.boolean[1]];
        self.string = self.string.take().or(other.string);
        self.number = self.number.take().or(other.number);
        self.array = self.array.take().or(other.array);
        self.object = self.object.take().or(other.object);
        !both
    }

    fn of_kinds(self, kinds: &Value) -> Option<Self> {
        let kinds: Vec<&str> = match kinds {
            Value::String(kind) => vec![kind],
            Value::Array(kinds) => kinds.iter().map(Value::as_str).collect::<Option<_>>()?,
            _ => return None,
        };
        let has = |kind: &str| kinds.contains(&kind);
        Some(Self {
            null: has("null"),
            boolean: [has("boolean"); 2],
            string: self.string.filter(|_| has("string")),
            number: self
                .number
                .filter(|_| has("number") || has("integer"))
                .map(|number| Number { integer: !has("number"), ..number }),
            array: self.array.filter(|_| has("array")),
            object: self.object.filter(|_| has("object")),
        })
    }

    /// Only these values; numbers, arrays and objects among them are left to the judge.
    fn one_of(self, options: &[Value]) -> Self {
        let words = options.iter().filter_map(Value::as_str).map(Box::from).collect();
        let has = |value: Value| options.contains(&value);
        Self {
            null: self.null && has(Value::Null),
            boolean: [self.boolean[0] && has(Value::Bool(false)), self.boolean[1] && has(Value::Bool(true))],
            string: self.string.map(|text| Text { words: Some(words), ..text }),
            number: None,
            array: None,
            object: None,
        }
    }
}

fn quoted(name: &str) -> Box<[u8]> {
    Value::from(name).to_string().into_bytes().into()
}

/// Keywords that say nothing about validity in this dialect.
fn is_annotation(keyword: &str) -> bool {
    const ANNOTATIONS: [&str; 12] = [
        "$schema",
        "$comment",
        "$defs",
        "definitions",
        "title",
        "description",
        "default",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
        "$id",
    ];
    ANNOTATIONS.contains(&keyword)
}

const KNOWN: [&str; 16] = [
    "type",
    "const",
    "enum",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "format",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
];
