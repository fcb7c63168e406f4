//! JSON Schemas: compiled once, then held against borrowed bytes. Knows no event name.

mod rule;

pub use rule::{Broken, Rule, Rules, Values};
