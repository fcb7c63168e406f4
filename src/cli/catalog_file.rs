//! Catalogue files: read, checked, shown as they are wrong.

use std::path::Path;

use super::error::CliError;
use crate::catalog::{self, Catalog};
use crate::text::{Lines, quoted};

pub(crate) const EMBEDDED: &str = include_str!("../../catalog.yaml");

/// Reads a catalogue file; without one, that which is part of kafkaflow.
pub(crate) fn load(file: Option<&Path>) -> Result<Catalog, CliError> {
    let (shown, text) = match file {
        None => ("catalog.yaml".to_owned(), EMBEDDED.to_owned()),
        Some(path) => {
            let shown = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|error| {
                CliError::failed(format!("cannot read {}", quoted(&shown)))
                    .because(error)
                    .help("--catalog names a catalogue file, as kafkaflow's own catalog.yaml is one")
            })?;
            (shown, text)
        }
    };
    let loaded = catalog::load(&text);
    loaded.catalog.ok_or_else(|| {
        let lines = Lines::of(&text);
        let failed = CliError::failed(format!("the catalogue {} cannot be used", quoted(&shown)));
        loaded.problems.iter().fold(failed, |error, problem| {
            let (line, column) = lines.position(&text, problem.span.start);
            error.because(format!("{shown}:{line}:{column}: {}", problem.message))
        })
    })
}
