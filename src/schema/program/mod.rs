//! A schema's common keywords as a program that is driven by a document's bytes; no value is built.
//!
//! It only ever says "surely valid". Everything else, broken text included, is left to the judge, which also
//! says why. A differential test holds the two against each other.

mod compile;
#[cfg(test)]
mod differential_tests;
mod run;

pub(crate) use run::Places;

/// What may stand at a place of a document.
#[derive(Debug)]
enum Step {
    /// Any value of JSON.
    Any,
    /// The judge must be asked.
    Ask,
    Shape(Box<Shape>),
}

/// What a value of each kind must be like; `None` where no value of that kind is surely valid.
#[derive(Debug, Default)]
struct Shape {
    null: bool,
    /// `false` and `true`.
    boolean: [bool; 2],
    string: Option<Text>,
    number: Option<Number>,
    array: Option<Array>,
    object: Option<Object>,
}

#[derive(Debug)]
struct Text {
    /// In characters.
    least: usize,
    most: usize,
    date_time: bool,
    /// The only ones allowed.
    words: Option<Vec<Box<str>>>,
}

#[derive(Debug)]
struct Number {
    integer: bool,
    least: f64,
    most: f64,
    above: f64,
    below: f64,
}

#[derive(Debug)]
struct Array {
    least: usize,
    most: usize,
    items: Edge,
}

#[derive(Debug)]
struct Object {
    properties: Vec<Property>,
    /// Bits of the properties that must be there.
    required: u64,
    others: Step,
    others_allowed: bool,
}

#[derive(Debug)]
struct Property {
    /// The name between its quotes, as it is usually written.
    quoted: Box<[u8]>,
    edge: Edge,
}

/// The way to a value, and which reads of the rules take it.
#[derive(Debug)]
struct Edge {
    step: Step,
    reads: Vec<usize>,
}

/// A compiled program.
#[derive(Debug)]
pub(crate) struct Program {
    root: Step,
    /// How many places the rules read.
    reads: usize,
}
