//! Is every document that the writer's schema accepts one that the reader's accepts?

use jsonschema::canonical::{self, CanonicalSchema, Containment};
use serde_json::{Map, Value};

use super::walk;
use crate::schema::document::is_annotation;

#[derive(Debug)]
pub(super) enum Proof {
    Yes,
    /// Not shown.
    Unknown {
        reason: String,
        /// A schema of documents that prove the contrary, if there are any.
        difference: Option<Value>,
    },
}

/// Shown by a walk that found nothing, or by the judge's own algebra of schemas, which says when it does
/// not know.
pub(super) fn accepts_all(writer: &Value, reader: &Value) -> Proof {
    let walked = walk::differences(writer, reader);
    if walked.sure && walked.differences.is_empty() {
        return Proof::Yes;
    }
    // Some keywords are beyond the algebra; a schema that says the same accepts the same all the same.
    let local = |schema| !refers_elsewhere(schema);
    if local(writer) && local(reader) && anonymous(asserting(writer)) == anonymous(asserting(reader)) {
        return Proof::Yes;
    }
    // The algebra goes into schemas by recursion.
    let proof = std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(STACK);
        builder.spawn_scoped(scope, || by_algebra(writer, reader)).ok()?.join().ok()
    });
    let reason = || "the schemas are beyond what can be proven here".to_owned();
    proof.unwrap_or_else(|| Proof::Unknown { reason: reason(), difference: None })
}

/// Bytes, taken only as they are needed.
const STACK: usize = 256 << 20;

fn by_algebra(writer: &Value, reader: &Value) -> Proof {
    let (from, to) = match (canonical(writer), canonical(reader)) {
        (Ok(from), Ok(to)) => (from, to),
        (Err(reason), _) | (_, Err(reason)) => return Proof::Unknown { reason, difference: None },
    };
    match to.covers(&from) {
        Ok(Containment::Yes) => Proof::Yes,
        Ok(Containment::No | Containment::Unknown) => {
            let difference = from.subtract(&to).ok().map(|difference| difference.to_json_schema());
            let reason = "whether the reader accepts all of it is beyond what can be proven here".to_owned();
            Proof::Unknown { reason, difference }
        }
        Err(error) => Proof::Unknown { reason: error.to_string(), difference: None },
    }
}

fn canonical(schema: &Value) -> Result<CanonicalSchema, String> {
    let options = canonical::options().should_validate_formats(true).offline();
    options.canonicalize(schema).map_err(|error| error.to_string())
}

/// A schema without what asserts nothing.
fn asserting(schema: &Value) -> Value {
    match schema {
        Value::Object(keywords) => {
            // Further in, an `$id` decides where `#` leads.
            let says = |keyword: &str, value: &Value| keyword == "$id" || !is_annotation(keyword, value);
            let keywords = keywords.iter().filter(|(keyword, value)| says(keyword, value));
            Value::Object(
                keywords.map(|(keyword, value)| (keyword.clone(), asserting_of(keyword, value))).collect(),
            )
        }
        Value::Array(schemas) => schemas.iter().map(asserting).collect(),
        value => value.clone(),
    }
}

/// A whole schema without its own name.
fn anonymous(mut schema: Value) -> Value {
    if let Some(keywords) = schema.as_object_mut() {
        keywords.remove("$id");
    }
    schema
}

/// Names of properties are no keywords, and constants no schemas.
fn asserting_of(keyword: &str, value: &Value) -> Value {
    match (keyword, value) {
        ("const" | "enum" | "dependentRequired", _) => value.clone(),
        (
            "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas"
            | "dependencies",
            Value::Object(named),
        ) => Value::Object(
            named.iter().map(|(name, schema)| (name.clone(), asserting(schema))).collect::<Map<_, _>>(),
        ),
        _ => asserting(value),
    }
}

/// Does a reference begin with a name, so that names decide where it leads?
fn refers_elsewhere(schema: &Value) -> bool {
    match schema {
        Value::Object(keywords) => keywords.iter().any(|(keyword, value)| {
            let reference = value.as_str().filter(|_| keyword.ends_with("ref") || keyword.ends_with("Ref"));
            reference.is_some_and(|reference| !reference.starts_with('#')) || refers_elsewhere(value)
        }),
        Value::Array(schemas) => schemas.iter().any(refers_elsewhere),
        _ => false,
    }
}
