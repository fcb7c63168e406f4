//! What people see.

pub(crate) mod diagnostics;
mod excerpt;
pub(crate) mod github;
pub(crate) mod screen;
pub(crate) mod text;
