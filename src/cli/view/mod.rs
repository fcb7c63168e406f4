//! What people see.

pub(crate) mod apply;
pub(crate) mod compat;
pub(crate) mod diagnostics;
mod excerpt;
pub(crate) mod findings;
pub(crate) mod github;
pub(crate) mod grid;
pub(crate) mod markdown;
pub(crate) mod plan;
pub(crate) mod screen;
pub(crate) mod text;
pub(crate) mod tone;
