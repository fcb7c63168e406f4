//! Topology files: read, checked against the schemas beside them.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::CliError;
use crate::text::{Lines, quoted};
use crate::topology::{self, Problem, SchemaFiles, Topology};

/// Larger files are no topologies; 10 MB hold some 60,000 topics.
const LARGEST: u64 = 64 << 20;

/// A topology file that could be read; what is wrong with its text is in `problems`.
#[derive(Debug)]
pub(crate) struct LoadedFile {
    /// As messages call it.
    pub(crate) path: String,
    pub(crate) text: String,
    /// `None` when there are errors.
    pub(crate) topology: Option<Topology>,
    /// At most ten thousand; the counts are of all.
    pub(crate) problems: Vec<Problem>,
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
}

/// Reads and checks a topology file; `-` is standard input, whose schemas are looked for in the
/// working directory. Fails when the file cannot be read, never for what is in it.
pub(crate) fn load(path: &Path, env: Option<&str>) -> Result<LoadedFile, CliError> {
    let (shown, bytes) = if path == Path::new("-") {
        let bytes = read_limited(io::stdin().lock())
            .map_err(|error| CliError::failed("cannot read standard input").because(error))?;
        ("<stdin>".to_owned(), bytes)
    } else {
        (path.display().to_string(), read_file(path)?)
    };
    let Some(bytes) = bytes else {
        return Err(CliError::failed(format!("{} is too large for a topology", quoted(&shown)))
            .because(format!("it has more than {} MiB", LARGEST >> 20))
            .help("give the topology file; it is a few kilobytes of YAML"));
    };
    let text = String::from_utf8(bytes).map_err(|error| not_utf8(&shown, &error))?;
    let loaded = topology::load(&text, env, |schemas| schema_files(&beside(path, schemas)));
    Ok(LoadedFile {
        path: shown,
        text,
        topology: loaded.topology,
        problems: loaded.problems,
        errors: loaded.errors,
        warnings: loaded.warnings,
    })
}

/// The folder that a topology file names: where it is relative, it stands beside the file.
pub(crate) fn beside(file: &Path, folder: &str) -> PathBuf {
    let parent = if file == Path::new("-") { Path::new(".") } else { file.parent().unwrap_or(Path::new("")) };
    parent.join(folder)
}

/// The folder of schemas that a topology file names, whatever else it says.
pub(crate) fn schema_folder(path: &Path) -> Result<Option<PathBuf>, CliError> {
    let text = String::from_utf8(read_file(path)?.unwrap_or_default()).unwrap_or_default();
    let mut named = None;
    topology::load(&text, None, |schemas| {
        named = Some(beside(path, schemas));
        SchemaFiles::Unchecked
    });
    Ok(named)
}

fn read_file(path: &Path) -> Result<Option<Vec<u8>>, CliError> {
    let shown = quoted(&path.display().to_string());
    if path.is_dir() {
        let inside = path.join("topology.yaml");
        return Err(CliError::failed(format!("{shown} is a folder"))
            .help(format!("name the file in it, like {}", quoted(&inside.display().to_string()))));
    }
    let failed = |error: &io::Error| {
        let failed = CliError::failed(format!("cannot read {shown}")).because(error);
        match error.kind() {
            io::ErrorKind::NotFound => failed.help("check the path; `-` reads standard input"),
            io::ErrorKind::PermissionDenied => failed.help("check who may read the file: `ls -l`"),
            _ => failed,
        }
    };
    let file = File::open(path).map_err(|error| failed(&error))?;
    read_limited(file).map_err(|error| failed(&error))
}

/// The bytes; `None` when there are more than a topology has.
fn read_limited(source: impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    source.take(LARGEST + 1).read_to_end(&mut bytes)?;
    let fits = bytes.len() as u64 <= LARGEST;
    Ok(fits.then_some(bytes))
}

fn not_utf8(shown: &str, error: &std::string::FromUtf8Error) -> CliError {
    let bytes = error.as_bytes();
    let at = error.utf8_error().valid_up_to();
    let good = String::from_utf8_lossy(&bytes[..at]);
    let (line, column) = Lines::of(&good).position(&good, good.len());
    let failed = CliError::failed(format!("{} is not UTF-8 text", quoted(shown))).because(format!(
        "byte {at} (line {line}, column {column}) is 0x{:02x}",
        bytes.get(at).copied().unwrap_or(0)
    ));
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            failed.help("it looks like UTF-16; save it as UTF-8 (`iconv -f UTF-16 -t UTF-8`)")
        }
        _ => failed.help("save it as UTF-8; an editor calls this the file's encoding"),
    }
}

fn schema_files(folder: &Path) -> SchemaFiles {
    let entries = match folder.read_dir() {
        Ok(entries) => entries,
        Err(error) => return SchemaFiles::Unreadable(error.to_string()),
    };
    let names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    SchemaFiles::from_names(names.iter().map(String::as_str))
}
