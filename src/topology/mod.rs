//! The topology: desired state, observed state, and the rules that hold between its parts. No I/O.

mod draft;
mod file;
mod inbox;
mod lower;
pub(crate) mod model;
pub(crate) mod name;
pub(crate) mod observed;
mod overlay;
pub(crate) mod parse;
pub(crate) mod problem;
pub(crate) mod rules;
pub(crate) mod schemas;
mod setting;
mod topic_configs;
mod topic_id;

pub(crate) use file::Given;
pub(crate) use inbox::{Inbox, inboxes};
pub(crate) use model::{Retry, Topic, TopicRole, Topology, UnknownEvents};
pub(crate) use name::TopicName;
pub(crate) use problem::Problem;
pub(crate) use schemas::SchemaFiles;
pub(crate) use setting::shown;
pub(crate) use topic_id::TopicId;

use draft::Draft;
use problem::Report;

use crate::text::Lines;

/// What a topology file came to.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// `None` when there are errors.
    pub(crate) topology: Option<Topology>,
    /// In the order of their places; at most ten thousand.
    pub(crate) problems: Vec<Problem>,
    /// How many there are, those beyond the ten thousand included.
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
}

/// Reads a topology file, with the environment `env` laid over it, and checks every rule.
///
/// All problems are reported at once. `schemas` is asked, with the folder that the file names, which
/// schema files exist.
pub(crate) fn load(text: &str, env: Option<&str>, schemas: impl FnOnce(&str) -> SchemaFiles) -> Loaded {
    let lines = Lines::of(text);
    let mut report = Report::default();
    let topology = read(text, env, schemas, &lines, &mut report);
    let topology = topology.filter(|_| !report.has_errors());
    let findings = report.finish(text);
    Loaded { topology, problems: findings.problems, errors: findings.errors, warnings: findings.warnings }
}

fn read(
    text: &str,
    env: Option<&str>,
    schemas: impl FnOnce(&str) -> SchemaFiles,
    lines: &Lines,
    report: &mut Report,
) -> Option<Topology> {
    let mut file = parse::decode(text, lines, report)?;
    if let Some(env) = env {
        let environment = rules::unknown_environment::take(&mut file, env, report)?;
        file = overlay::overlay(file, environment, report);
    }
    let folder = file.schemas.value();
    let schemas = folder.map_or(SchemaFiles::Unchecked, |folder| schemas(folder));
    let draft = Draft::of(file, schemas, report);
    rules::check(&draft, report);
    Some(lower::lower(&draft, lines))
}

#[cfg(test)]
mod tests;
