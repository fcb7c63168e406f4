//! Payment providers.

mod simulated;

pub(crate) use simulated::{Simulated, Verdict};
