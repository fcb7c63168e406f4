//! Schema files: read with what they refer to, and compiled.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::error::CliError;
use crate::schema::bundle::Bundled;
use crate::schema::named::percent_decoded;
use crate::schema::{Compiler, Retriever, Rule, Schema, SchemaError};
use crate::text::{Lines, quoted};

/// The text of a schema, and where what it refers to is found.
pub(crate) struct SchemaFile {
    /// As messages call it.
    pub(crate) shown: String,
    pub(crate) text: Vec<u8>,
    compiler: Compiler,
    finder: Finder,
}

/// A schema that another one refers to.
pub(crate) struct Referred {
    /// As messages call it.
    pub(crate) shown: String,
    pub(crate) text: Vec<u8>,
}

/// Finds a schema by its absolute URI, or says why not.
pub(super) type Finder = Arc<dyn Fn(&str) -> Result<Referred, String> + Send + Sync>;

impl SchemaFile {
    /// Reads a file; its references may lead to other files, never to a network.
    pub(crate) fn read(file: &Path) -> Result<Self, CliError> {
        let shown = file.display().to_string();
        let text = fs::read(file).map_err(|error| unusable(&shown).because(format!("{shown}: {error}")))?;
        let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let folder = absolute.parent().map(Path::to_owned).unwrap_or_default();
        Ok(Self::new(shown, text, &absolute, finder(folder)))
    }

    /// Takes a text that stands, or stood, at a path.
    pub(super) fn new(shown: String, text: Vec<u8>, path: &Path, finder: Finder) -> Self {
        let found = Arc::clone(&finder);
        let retriever: Retriever = Arc::new(move |uri| found(uri).map(|referred| referred.text));
        let compiler = Compiler::new().base(file_uri(path)).retriever(retriever);
        Self { shown, text: without_mark(text), compiler, finder }
    }

    /// A schema that this one refers to, by its absolute URI.
    pub(crate) fn referred(&self, uri: &str) -> Option<Referred> {
        (self.finder)(uri).ok()
    }

    pub(crate) fn compile(&self, rules: &[Rule]) -> Result<Schema, CliError> {
        self.compiler.clone().rules(rules).compile(&self.text).map_err(|error| self.refused(&error))
    }

    /// The schema with all that it refers to embedded.
    pub(crate) fn bundle(&self) -> Result<Bundled, CliError> {
        self.compiler.bundle(&self.text).map_err(|error| self.refused(&error))
    }

    fn refused(&self, error: &SchemaError) -> CliError {
        places(error, &self.shown, &self.text).into_iter().fold(unusable(&self.shown), CliError::because)
    }
}

fn unusable(shown: &str) -> CliError {
    CliError::failed(format!("the schema {} cannot be used", quoted(shown)))
}

/// What is wrong with a schema, a line each: `schemas/A.v1.json:3:5: …`.
fn places(error: &SchemaError, file: &str, text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let lines = Lines::of(&text);
    let line = |problem: &crate::schema::Violation| {
        let (line, column) = lines.position(&text, problem.place.start);
        let help = problem.help.as_ref().map_or(String::new(), |help| format!("; {help}"));
        format!("{file}:{line}:{column}: {problem}{help}")
    };
    error.problems.iter().map(line).collect()
}

/// Finds referred schemas: files by their paths, anything else by the `$id` of the files in `folder`.
fn finder(folder: PathBuf) -> Finder {
    Arc::new(move |uri| {
        let path = path_of(uri).or_else(|| by_id(&folder, uri)).ok_or_else(|| {
            format!("no file in {} has this `$id`, and nothing is fetched from a network", folder.display())
        })?;
        let text = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let here = std::env::current_dir().unwrap_or_default();
        let shown = path.strip_prefix(here).unwrap_or(&path).display().to_string();
        Ok(Referred { shown, text: without_mark(text) })
    })
}

fn by_id(folder: &Path, uri: &str) -> Option<PathBuf> {
    let mut files: Vec<PathBuf> =
        folder.read_dir().ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.into_iter().find(|path| fs::read(path).is_ok_and(|text| has_id(&text, uri)))
}

/// Is it a schema that calls itself so?
pub(super) fn has_id(text: &[u8], uri: &str) -> bool {
    let schema: Value = serde_json::from_slice(text).unwrap_or_default();
    let id = schema.get("$id").or_else(|| schema.get("id")).and_then(Value::as_str);
    id.is_some_and(|id| id.trim_end_matches('#') == uri.trim_end_matches('#'))
}

fn without_mark(mut text: Vec<u8>) -> Vec<u8> {
    if text.starts_with(b"\xef\xbb\xbf") {
        text.drain(..3);
    }
    text
}

/// `file:///a%20b/c.json`.
fn file_uri(path: &Path) -> String {
    let mut uri = String::from("file://");
    for byte in path.display().to_string().bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            _ => {
                use std::fmt::Write as _;
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

/// The path of a `file:` URI.
pub(super) fn path_of(uri: &str) -> Option<PathBuf> {
    let encoded = uri.strip_prefix("file://")?.split('#').next()?;
    percent_decoded(encoded).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_survive_being_uris() {
        for path in ["/a/b.json", "/a b/ü%20#?.json"] {
            assert_eq!(path_of(&file_uri(Path::new(path))), Some(PathBuf::from(path)));
        }
        assert_eq!(path_of("https://example.com/a.json"), None);
    }
}
