//! Versions of schemas: files of a folder, as they are or as a git revision has them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use crate::cli::error::CliError;
use crate::cli::event_judge::{Files, by_event};
use crate::cli::schema_file::{Finder, Referred, SchemaFile, has_id, path_of};
use crate::text::quoted;

/// How a folder of schemas is chosen here.
pub(super) const WHICH_FOLDER: &str = "`--schemas FOLDER` names it, or `schemas:` in topology.yaml";

/// Schemas by event and version.
pub(super) struct Versions {
    /// What a version of another place is called: `v1 of main`.
    pub(super) of: Option<String>,
    pub(super) files: BTreeMap<String, BTreeMap<u32, PathBuf>>,
    revision: Option<Revision>,
}

impl Versions {
    /// The files of a folder.
    pub(super) fn of_folder(folder: &Path) -> Result<Self, CliError> {
        Ok(Self { of: None, files: Files::of(folder, WHICH_FOLDER)?.files, revision: None })
    }

    /// The files of another folder, or of the same one as a git revision has it.
    pub(super) fn against(other: &str, folder: &Path) -> Result<Self, CliError> {
        if Path::new(other).is_dir() {
            return Ok(Self { of: Some(other.to_owned()), ..Self::of_folder(Path::new(other))? });
        }
        let revision = Revision::find(other, folder)?;
        let files = revision.names()?.into_iter().map(|name| revision.folder.join(name));
        let files = by_event(files)?;
        if files.is_empty() {
            // A gate that finds nothing to compare with must not stand open.
            let folder = revision.folder.strip_prefix(&revision.top).unwrap_or(&revision.folder);
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            return Err(CliError::failed(format!(
                "{} has no schemas in {}",
                quoted(other),
                quoted(&folder.display().to_string())
            ))
            .help(
                "where the folder was called otherwise, compare with a checkout of it: `--against FOLDER`",
            ));
        }
        Ok(Self { of: Some(other.to_owned()), files, revision: Some(revision) })
    }

    pub(super) fn read(&self, file: &Path) -> Result<SchemaFile, CliError> {
        match &self.revision {
            None => SchemaFile::read(file),
            Some(revision) => revision.read(file),
        }
    }
}

/// A commit, seen from a folder of its repository.
#[derive(Clone)]
struct Revision {
    /// As it was asked for.
    asked: String,
    commit: String,
    folder: PathBuf,
    /// The repository's top folder.
    top: PathBuf,
}

impl Revision {
    fn find(name: &str, folder: &Path) -> Result<Self, CliError> {
        let failed = || CliError::usage(format!("cannot compare with {}", quoted(name)));
        let folder = folder.canonicalize().map_err(|error| failed().because(error))?;
        let top = git(&folder, &["rev-parse", "--show-toplevel"]).map_err(|why| {
            failed()
                .because(format!("there is no such folder, and {why}"))
                .help("name a folder of schemas, or a git revision like `main`")
        })?;
        let wanted = format!("{name}^{{commit}}");
        let commit = git(&folder, &["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted]).map_err(|_| {
            failed()
                .because("there is neither such a folder nor such a git revision")
                .help("`git branch --all` and `git tag` list revisions; in CI, fetch the branch first (`fetch-depth: 0`)")
        })?;
        Ok(Self { asked: name.to_owned(), commit: text(&commit), folder, top: PathBuf::from(text(&top)) })
    }

    /// The names of the folder's files.
    fn names(&self) -> Result<Vec<String>, CliError> {
        let list = git(&self.folder, &["ls-tree", "-z", "--name-only", &self.commit]).map_err(|why| {
            CliError::failed(format!("cannot list the files of {}", quoted(&self.asked))).because(why)
        })?;
        let names = list.split(|byte| *byte == 0).filter(|name| !name.is_empty());
        Ok(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
    }

    fn read(&self, file: &Path) -> Result<SchemaFile, CliError> {
        let shown = self.shown(file);
        let text = self
            .bytes(file)
            .map_err(|why| CliError::failed(format!("cannot read {}", quoted(&shown))).because(why))?;
        Ok(SchemaFile::new(shown, text, file, self.finder()))
    }

    /// As git calls it.
    fn shown(&self, file: &Path) -> String {
        format!("{}:{}", self.asked, file.strip_prefix(&self.top).unwrap_or(file).display())
    }

    fn bytes(&self, file: &Path) -> Result<Vec<u8>, String> {
        let inside =
            file.strip_prefix(&self.top).map_err(|_| "it is outside of the repository".to_owned())?;
        git(&self.top, &["cat-file", "blob", &format!("{}:{}", self.commit, inside.display())])
    }

    /// Finds referred schemas in the same commit: files by their paths, anything else by `$id` in the folder.
    fn finder(&self) -> Finder {
        let revision = self.clone();
        Arc::new(move |uri| {
            let file = path_of(uri).or_else(|| revision.by_id(uri)).ok_or_else(|| {
                format!("no file of {} has this `$id`, and nothing is fetched from a network", revision.asked)
            })?;
            Ok(Referred { shown: revision.shown(&file), text: revision.bytes(&file)? })
        })
    }

    fn by_id(&self, uri: &str) -> Option<PathBuf> {
        let files = self.names().ok()?.into_iter().map(|name| self.folder.join(name));
        files
            .filter(|file| file.extension().is_some_and(|extension| extension == "json"))
            .find(|file| self.bytes(file).is_ok_and(|text| has_id(&text, uri)))
    }
}

/// What git writes, or why it does not.
fn git(folder: &Path, args: &[&str]) -> Result<Vec<u8>, String> {
    let output = Command::new("git").arg("-C").arg(folder).args(args).output();
    let output = output.map_err(|error| format!("git cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.lines().next().unwrap_or("git failed").trim_start_matches("fatal: ").to_owned())
}

/// A line that git wrote.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\n').to_owned()
}
