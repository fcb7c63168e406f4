//! The judge: JSON Schema as the `jsonschema` crate decides it, said in words a person can act on.

mod expected;
mod explain;

pub(crate) use explain::{explain, violations};
