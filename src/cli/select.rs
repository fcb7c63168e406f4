//! The topics of a file that a command is about.

use std::path::Path;

use clap::Args;
use globset::{Glob, GlobSet, GlobSetBuilder};

use super::error::CliError;
use super::topology_file;
use super::view::diagnostics;
use super::view::screen::Screen;
use super::view::text::counted;
use crate::plan::select;
use crate::topology::{TopicName, Topology};

/// Which part of which file is meant.
#[derive(Args, Debug, Clone)]
pub(crate) struct SelectArgs {
    /// Environment of the file to lay over its base
    #[arg(long, value_name = "NAME")]
    pub(crate) env: Option<String>,

    /// Only the file's topics that match; `*`, `?`, `[…]` and `{a,b}` are understood (repeatable)
    #[arg(long = "topic", value_name = "GLOB")]
    topics: Vec<String>,
}

/// The file's topology, cut down to what was asked for.
pub(crate) struct Wanted {
    pub(crate) file: String,
    pub(crate) topology: Topology,
    /// Is it the whole file?
    pub(crate) whole: bool,
}

impl SelectArgs {
    pub(crate) fn is_whole(&self) -> bool {
        self.topics.is_empty()
    }

    /// Reads the file; a file with errors is shown with all of them, and refused. `done`: what would
    /// have been done with it, as in "nothing was planned".
    pub(crate) fn wanted(&self, file: &Path, done: &str) -> Result<Wanted, CliError> {
        let globs = self.globs()?;
        let loaded = topology_file::load(file, self.env.as_deref())?;
        let Some(topology) = loaded.topology else {
            let mut report = Vec::new();
            let most = loaded.problems.len().min(50);
            diagnostics::write(
                &mut report,
                &loaded.path,
                &loaded.text,
                &loaded.problems[..most],
                Screen::of_stderr(),
            )?;
            eprint!("{}", String::from_utf8_lossy(&report));
            let count = counted(loaded.errors, "error");
            return Err(CliError::failed(format!("{} has {count}; nothing was {done}", loaded.path))
                .help(format!("kafkaflow validate {}", loaded.path)));
        };
        if loaded.warnings > 0 {
            let count = counted(loaded.warnings, "warning");
            tracing::info!("{}: {count}; `kafkaflow validate` shows them", loaded.path);
        }
        let Some(globs) = globs else {
            return Ok(Wanted { file: loaded.path, topology, whole: true });
        };
        let topology = select(&topology, |topic| globs.is_match(topic.name.as_str()));
        if topology.topics.is_empty() {
            return Err(CliError::usage(format!(
                "no topic of {} matches --topic {}",
                loaded.path,
                self.topics.join(" --topic ")
            ))
            .help("quote the pattern, so that the shell leaves it alone: --topic 'order-service.*'"));
        }
        Ok(Wanted { file: loaded.path, topology, whole: false })
    }

    fn globs(&self) -> Result<Option<GlobSet>, CliError> {
        if self.topics.is_empty() {
            return Ok(None);
        }
        let mut set = GlobSetBuilder::new();
        for pattern in &self.topics {
            let bad = |error: globset::Error| {
                CliError::usage(format!("--topic `{pattern}` is not a pattern")).because(error.kind())
            };
            set.add(Glob::new(pattern).map_err(bad)?);
        }
        set.build().map(Some).map_err(|error| CliError::usage("--topic cannot be used").because(error))
    }
}

impl Wanted {
    pub(crate) fn names(&self) -> Vec<TopicName> {
        self.topology.topics.iter().map(|topic| topic.name.clone()).collect()
    }
}
