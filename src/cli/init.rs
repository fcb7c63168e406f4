//! `kafkaflow init`

use std::io::Write;
use std::path::{Path, PathBuf};

use super::catalog_file;
use super::error::CliError;
use super::exit::Exit;
use super::run::assets;
use crate::event::SCHEMAS;
use crate::services::notification::templates;
use crate::text::quoted;

/// Write out the files that are part of kafkaflow, to begin with: topology, schemas, catalogue, templates.
///
/// A file that is there already stays as it is; one that says something else is named, and nothing is written.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder to write into
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Exit, CliError> {
    let files = files();
    let mut missing = Vec::new();
    let mut other = Vec::new();
    for (name, text) in &files {
        let path = args.folder.join(name);
        match std::fs::read(&path) {
            Ok(found) if found == *text => {}
            Ok(_) => other.push(path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => missing.push((path, *text)),
            Err(error) => return Err(failed("read", &path, &error)),
        }
    }
    if !other.is_empty() {
        let error = CliError::failed("nothing was written");
        let because = |error: CliError, path: &PathBuf| {
            error.because(format!("{} says something else", quoted(&path.display().to_string())))
        };
        return Err(other.iter().fold(error, because).help("name an empty folder: kafkaflow init DIR"));
    }
    for (path, text) in &missing {
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|error| failed("make", folder, &error))?;
        std::fs::write(path, text).map_err(|error| failed("write", path, &error))?;
        writeln!(out, "{}", path.display())?;
    }
    if missing.is_empty() {
        writeln!(out, "all {} files are there already", files.len())?;
    } else {
        writeln!(
            out,
            "\n{} files. Next: kafkaflow validate {}",
            missing.len(),
            args.folder.join("topology.yaml").display()
        )?;
    }
    Ok(Exit::Fine)
}

/// Each file by its name.
fn files() -> Vec<(PathBuf, &'static [u8])> {
    let mut files: Vec<(PathBuf, &'static [u8])> = vec![
        ("topology.yaml".into(), assets::TOPOLOGY.as_bytes()),
        ("catalog.yaml".into(), catalog_file::EMBEDDED.as_bytes()),
    ];
    files.extend(SCHEMAS.iter().map(|(event, text)| (format!("schemas/{event}.v1.json").into(), *text)));
    let template = |(name, text): &(&str, &'static str)| (Path::new("templates").join(name), text.as_bytes());
    files.extend(templates::EMBEDDED.iter().map(template));
    files
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> CliError {
    CliError::failed(format!("cannot {what} {}", quoted(&path.display().to_string()))).because(error)
}
