//! JSON Schemas: compiled once, then held against borrowed bytes. Knows no event name.
//!
//! [`Schema`] judges one document, [`Judge`] picks the schema by the type of event. Both decide most valid
//! documents by a program over their bytes and leave the rest to the `jsonschema` crate, so that the verdict is
//! always the latter's.

mod alone;
pub(crate) mod bundle;
mod by_type;
pub(crate) mod compat;
mod compiled;
mod document;
pub(crate) mod json;
mod judge;
pub(crate) mod named;
mod program;
pub(crate) mod reader;
mod rule;
pub(crate) mod sample;
mod verdict;

pub use by_type::{ByType, Carries, Judge};
pub use compiled::{Compiler, Retriever, Schema, SchemaError};
pub use rule::{Broken, Rule, Rules, Values};
pub use verdict::Violation;
