//! A schema, compiled once.

use std::fmt;
use std::sync::Arc;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, ReferencingError, Retrieve, Uri};
use serde_json::Value;

use super::bundle::Bundled;
use super::json::{self, Node};
use super::program::{Places, Program};
use super::{Rule, Violation, alone, bundle, judge, rule};
use crate::text::{Span, quoted};

/// Backtracks of one match; a pattern that needs more is catastrophic, and is said to be.
const BACKTRACKS: usize = 100_000;

/// Gives the text of a schema that another one refers to, by its absolute URI; an error says why it does not.
pub type Retriever = Arc<dyn Fn(&str) -> Result<Vec<u8>, String> + Send + Sync>;

/// How a schema is compiled.
#[derive(Clone, Default)]
pub struct Compiler {
    base: Option<String>,
    retriever: Option<Retriever>,
    rules: Vec<Rule>,
}

impl Compiler {
    /// Nothing is retrieved, no rules apply.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The URI of the schema itself, which relative references start from.
    #[must_use]
    pub fn base(mut self, uri: impl Into<String>) -> Self {
        self.base = Some(uri.into());
        self
    }

    /// Asked for schemas that are referred to; without it there can be none.
    #[must_use]
    pub fn retriever(mut self, retriever: Retriever) -> Self {
        self.retriever = Some(retriever);
        self
    }

    /// Rules that hold beyond the schema.
    #[must_use]
    pub fn rules(mut self, rules: &[Rule]) -> Self {
        self.rules = rules.to_vec();
        self
    }

    /// Compiles the text of a schema. Its `$schema` decides the dialect (draft 4 to 2020-12, which it is without
    /// one); formats are asserted.
    ///
    /// Every mistake in it is reported at once.
    pub fn compile(&self, text: &[u8]) -> Result<Schema, SchemaError> {
        let (node, problems) = json::document(text);
        let Some(node) = node.filter(|_| problems.is_empty()) else {
            return Err(SchemaError { problems });
        };
        let value = node.to_value();
        let validator = self.options().build(&value).map_err(|error| {
            let all = against_meta_schema(&value, text, &node);
            SchemaError { problems: if all.is_empty() { unusable(&error, text, &node) } else { all } }
        })?;
        let reads: Vec<&str> = self.rules.iter().flat_map(|rule| rule.reads).copied().collect();
        Ok(Schema {
            validator,
            program: Program::compile(&value, &reads),
            rules: self.rules.clone(),
            takes_arrays: takes_arrays(&value, &value, 0),
        })
    }

    /// The schema with all that it refers to embedded, so that it stands for itself.
    pub(crate) fn bundle(&self, text: &[u8]) -> Result<Bundled, SchemaError> {
        self.compile(text)?;
        let (node, problems) = json::document(text);
        let Some(node) = node else { return Err(SchemaError { problems }) };
        let base = self.base.as_deref().unwrap_or_default();
        Ok(bundle::bundle(node.to_value(), base, &|uri| {
            let text = self.retriever.as_ref()?(uri).ok()?;
            json::document(&text).0.map(|node| node.to_value())
        }))
    }

    fn options(&self) -> jsonschema::ValidationOptions<'static> {
        let options = jsonschema::options()
            .should_validate_formats(true)
            .with_retriever(Bridge(self.retriever.clone()))
            .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(BACKTRACKS));
        match &self.base {
            Some(base) => options.with_base_uri(base.clone()),
            None => options,
        }
    }
}

/// Why a text is no schema that can be used; places are bytes of that text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaError {
    pub problems: Vec<Violation>,
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.problems.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for SchemaError {}

/// A compiled schema and the rules that hold beyond it.
pub struct Schema {
    validator: jsonschema::Validator,
    /// `None` when the schema says more than a program knows.
    program: Option<Program>,
    rules: Vec<Rule>,
    takes_arrays: bool,
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schema").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Schema {
    /// Compiles a schema that refers to no other; see [`Compiler`] for the rest.
    pub fn compile(text: &[u8]) -> Result<Self, SchemaError> {
        Compiler::new().compile(text)
    }

    /// Whether the bytes are one valid document.
    #[must_use]
    pub fn is_valid(&self, document: &[u8]) -> bool {
        let surely = |text: &str, at, places: &mut Places| self.surely_valid(text, at, places);
        alone::is_valid(document, surely, || self.violations(document))
    }

    /// Everything that is wrong with the bytes as one document, in the order of the places; places are bytes
    /// of `document`.
    #[must_use]
    pub fn violations(&self, document: &[u8]) -> Vec<Violation> {
        alone::violations(document, |text, node| self.judge(text, node))
    }

    /// What is wrong with a document that could be read.
    pub(crate) fn judge(&self, text: &[u8], node: &Node) -> Vec<Violation> {
        let found = judge::violations(&self.validator, text, node);
        if found.is_empty() { rule::violations(&self.rules, text, node) } else { found }
    }

    /// Whether a document that could be read has nothing wrong; said sooner than what is.
    pub(crate) fn holds(&self, text: &[u8], node: &Node) -> bool {
        self.validator.is_valid(&node.to_value()) && rule::violations(&self.rules, text, node).is_empty()
    }

    /// The end of the document that begins at `at` if it is surely valid, rules included.
    pub(crate) fn surely_valid(&self, text: &str, at: usize, places: &mut Places) -> Option<usize> {
        let end = self.program.as_ref()?.run(text, at, places)?;
        let mut first = 0;
        for rule in &self.rules {
            let values = super::Values::new(text, &places.by_read[first..first + rule.reads.len()]);
            if !(rule.check)(&values).is_empty() {
                return None;
            }
            first += rule.reads.len();
        }
        Some(end)
    }

    /// Whether every valid document surely has a text at this property.
    pub(crate) fn requires_text(&self, name: &str) -> bool {
        self.program.as_ref().is_some_and(|program| program.requires_text(name))
    }

    /// Whether an array can be a valid document; if not, an array of documents is meant.
    pub(crate) fn takes_arrays(&self) -> bool {
        self.takes_arrays
    }
}

/// Everything that a schema's own dialect finds wrong with it: compiling stops at the first.
fn against_meta_schema(schema: &Value, text: &[u8], node: &Node) -> Vec<Violation> {
    const USUAL: &str = "https://json-schema.org/draft/2020-12/schema";
    let dialect = schema.get("$schema").and_then(Value::as_str).unwrap_or(USUAL);
    let meta_schema = jsonschema::options().build(&serde_json::json!({ "$ref": dialect }));
    meta_schema.map_or_else(|_| Vec::new(), |validator| judge::violations(&validator, text, node))
}

/// What the judge says of a schema that it cannot use.
fn unusable(error: &jsonschema::ValidationError<'_>, text: &[u8], node: &Node) -> Vec<Violation> {
    let ValidationErrorKind::Referencing(error) = error.kind() else {
        let mut found = Vec::new();
        judge::explain(error, text, node, &mut found);
        return found;
    };
    let (target, reason) = match error {
        ReferencingError::Unretrievable { uri, source } => (uri.as_str(), source.to_string()),
        ReferencingError::PointerToNowhere { pointer } => {
            (pointer.as_str(), "nothing stands there".to_owned())
        }
        ReferencingError::NoSuchAnchor { anchor } => (anchor.as_str(), "there is no such anchor".to_owned()),
        ReferencingError::UnknownSpecification { specification } => {
            (specification.as_str(), "dialects from draft 4 to 2020-12 are known".to_owned())
        }
        other => ("", other.to_string()),
    };
    let (pointer, place) = reference_to(node, target, "").unwrap_or_else(|| {
        let start = node.span.start;
        (String::new(), Span::new(start, start + 1))
    });
    let found = String::from_utf8_lossy(&text[place.start..place.end]).into_owned();
    vec![Violation {
        pointer,
        place: place.start..place.end,
        rule: "reference".to_owned(),
        expected: "a reference that can be followed".to_owned(),
        found: quoted(&found),
        help: Some(reason),
    }]
}

/// The reference that leads to `target`, which may be written in part only.
fn reference_to(node: &Node, target: &str, pointer: &str) -> Option<(String, Span)> {
    const REFERENCES: [&str; 4] = ["$ref", "$dynamicRef", "$recursiveRef", "$schema"];
    for member in node.members() {
        let way = format!("{pointer}/{}", json::escaped(&member.name));
        if REFERENCES.contains(&member.name.as_str())
            && let Some(text) = member.value.as_str()
            && (text.ends_with(target) || target.ends_with(text.trim_start_matches("./")))
        {
            return Some((way, member.value.span));
        }
        if let Some(found) = reference_to(&member.value, target, &way) {
            return Some(found);
        }
    }
    let items = node.items().iter().enumerate();
    items.into_iter().find_map(|(at, item)| reference_to(item, target, &format!("{pointer}/{at}")))
}

/// Whether the root of a schema lets arrays pass; it does when it does not say.
fn takes_arrays(root: &Value, schema: &Value, followed: usize) -> bool {
    const MOST_FOLLOWED: usize = 8;
    match schema.get("type") {
        Some(Value::String(kind)) => return kind == "array",
        Some(Value::Array(kinds)) => return kinds.iter().any(|kind| kind == "array"),
        _ => {}
    }
    let target = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
    match target.and_then(|pointer| root.pointer(pointer)) {
        Some(target) if followed < MOST_FOLLOWED => takes_arrays(root, target, followed + 1),
        _ => true,
    }
}

/// Asks our retriever on the judge's behalf.
struct Bridge(Option<Retriever>);

impl Retrieve for Bridge {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let Some(retriever) = &self.0 else { return Err("no other schema can be referred to here".into()) };
        let text = retriever(uri.as_str())?;
        let (node, problems) = json::document(&text);
        match (node, problems.first()) {
            (Some(node), None) => Ok(node.to_value()),
            (_, problem) => Err(problem.map_or_else(String::new, ToString::to_string).into()),
        }
    }
}

#[cfg(test)]
#[path = "compiled_tests.rs"]
mod tests;
