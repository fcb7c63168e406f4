//! The schema files in the folder that `schemas:` names.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::CliError;
use super::event_judge::by_event;
use crate::schema::json::{self, Kind};
use crate::text::{Lines, quoted};

/// Reads the JSON files of a folder, by name. Everything that is wrong with them is said at its place.
pub(crate) fn read(folder: &Path) -> Result<BTreeMap<String, Value>, CliError> {
    let unreadable = |error: std::io::Error| {
        CliError::failed(format!("cannot read the folder {}", quoted(&folder.display().to_string())))
            .because(error)
            .help("`schemas:` is a folder beside the topology file")
    };
    let mut read = BTreeMap::new();
    for entry in folder.read_dir().map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        if let Some(name) = path.file_name().and_then(|name| name.to_str())
            && is_json
            && path.is_file()
        {
            read.insert(name.to_owned(), read_file(&path));
        }
    }
    by_event(read.keys().map(PathBuf::from))?;
    let mut schemas = BTreeMap::new();
    let mut problems = Vec::new();
    for (name, file) in read {
        match file {
            Ok(schema) => {
                schemas.insert(name, schema);
            }
            Err(said) => problems.extend(said),
        }
    }
    if problems.is_empty() {
        return Ok(schemas);
    }
    let failed = CliError::failed("the schemas cannot be read");
    Err(problems.into_iter().fold(failed, CliError::because))
}

fn read_file(path: &Path) -> Result<Value, Vec<String>> {
    let shown = path.display();
    let text = fs::read(path).map_err(|error| vec![format!("{shown}: {error}")])?;
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
    let (node, problems) = json::document(text);
    match node {
        Some(node) if problems.is_empty() => match node.kind {
            Kind::Object(_) | Kind::Bool(_) => Ok(node.to_value()),
            _ => Err(vec![format!("{shown}:1:1: a schema is an object, not {}", node.kind_name())]),
        },
        _ => {
            let text = String::from_utf8_lossy(text);
            let lines = Lines::of(&text);
            let said = problems.iter().map(|problem| {
                let (line, column) = lines.position(&text, problem.place.start);
                format!("{shown}:{line}:{column}: {problem}")
            });
            Err(said.collect())
        }
    }
}
