//! What events are judged by: schema files, and the topology that says which topic carries what.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::CliError;
use super::schema_file::SchemaFile;
use super::topology_file;
use crate::event;
use crate::schema::{ByType, Carries, Judge, Rules};
use crate::text::{listed, nearest, quoted};
use crate::topology::schemas::event_and_version;
use crate::topology::{Topic, TopicRole, Topology};

/// Names that a message lists.
const MOST_LISTED: usize = 10;
const USUAL_TOPOLOGY: &str = "topology.yaml";
const USUAL_SCHEMAS: &str = "schemas";
/// How the folder of schemas is chosen here.
const WHICH_FOLDER: &str =
    "`--schemas FOLDER` names it, `--topology FILE` the topology that does, `--schema FILE` one schema";

/// Which schema judges an event.
#[derive(clap::Args)]
pub(crate) struct Selection {
    /// Take every document for this event, whatever it says of itself (`OrderPlaced`, or one version: `OrderPlaced.v1`)
    #[arg(long = "type", value_name = "EVENT", conflicts_with_all = ["topic", "schema"])]
    event: Option<String>,
    /// Also check that this topic may carry the events and that its key field is there
    #[arg(long, value_name = "NAME", conflicts_with = "schema")]
    topic: Option<String>,
    /// Judge by this JSON Schema alone (draft 4 to 2020-12, as its `$schema` says)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["schemas", "topology", "env"])]
    schema: Option<PathBuf>,
    /// Folder of the event schemas, `EVENT.vN.json` [default: what the topology names, or `schemas`]
    #[arg(long, value_name = "FOLDER")]
    schemas: Option<PathBuf>,
    /// The topology file [default: topology.yaml, if there is one]
    #[arg(long, value_name = "FILE")]
    topology: Option<PathBuf>,
    /// Lay an environment of the topology over its base
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Leave out the rules that go beyond the schemas, like the sum of an order
    #[arg(long)]
    no_rules: bool,
}

impl Selection {
    /// Reads and compiles what is needed.
    pub(crate) fn judge(&self) -> Result<Judge, CliError> {
        if let Some(file) = &self.schema {
            return Ok(Judge::one(SchemaFile::read(file)?.compile(&[])?));
        }
        let topology = self.topology()?;
        let folder = self.folder(topology.as_ref());
        let rules = if self.no_rules { Rules::none() } else { event::rules() };
        let only = self.event.as_deref();
        let schemas = Files::of(&folder, WHICH_FOLDER)?.compile(&rules, only)?;
        if let Some(event) = &self.event {
            return Ok(Judge::as_type(schemas, event_of(event).0));
        }
        let judge = Judge::by_type(schemas);
        let Some(name) = &self.topic else { return Ok(judge) };
        let Some((_, topology)) = topology else {
            return Err(CliError::usage("`--topic` needs a topology")
                .because(format!("there is no {} here", quoted(USUAL_TOPOLOGY)))
                .help("name it with `--topology FILE`"));
        };
        Ok(judge.carried_by(carries(&topology, name)?))
    }

    /// What judges the records of a live topic, and which field is their key, where a topology says so.
    pub(crate) fn judge_of_topic(&self, name: &str) -> Result<(Judge, Option<String>), CliError> {
        let judge = self.judge()?;
        if self.schema.is_some() {
            return Ok((judge, None));
        }
        let Some((_, topology)) = self.topology()? else { return Ok((judge, None)) };
        let known = topology.topics.iter().any(|topic| topic.name.as_str() == name);
        if !known {
            return Ok((judge, None));
        }
        let carries = carries(&topology, name)?;
        let key = carries.key.clone();
        Ok((if self.event.is_some() { judge } else { judge.carried_by(carries) }, key))
    }

    /// The topology and its folder.
    fn topology(&self) -> Result<Option<(PathBuf, Topology)>, CliError> {
        let file = match &self.topology {
            Some(file) => file.clone(),
            // A folder that was named needs no topology, unless a topic of it was.
            None if self.schemas.is_some() && self.topic.is_none() => return Ok(None),
            None if Path::new(USUAL_TOPOLOGY).exists() => PathBuf::from(USUAL_TOPOLOGY),
            None => return Ok(None),
        };
        let loaded = topology_file::load(&file, self.env.as_deref())?;
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        match loaded.topology {
            Some(topology) => Ok(Some((folder, topology))),
            None => Err(CliError::failed(format!("{} has errors", quoted(&loaded.path)))
                .help(format!("`kafkaflow validate {}` shows them", loaded.path))),
        }
    }

    fn folder(&self, topology: Option<&(PathBuf, Topology)>) -> PathBuf {
        let named = topology.and_then(|(folder, topology)| Some(folder.join(topology.schemas.as_ref()?)));
        self.schemas.clone().or(named).unwrap_or_else(|| PathBuf::from(USUAL_SCHEMAS))
    }
}

/// The folder of schemas: the one that was named, else the topology's, whatever else is wrong with that, else the
/// usual one.
pub(super) fn schema_folder(named: Option<&Path>) -> Result<PathBuf, CliError> {
    let topology = Path::new(USUAL_TOPOLOGY);
    let said = match named {
        Some(named) => Some(named.to_owned()),
        None if topology.exists() => topology_file::schema_folder(topology)?,
        None => None,
    };
    Ok(said.unwrap_or_else(|| PathBuf::from(USUAL_SCHEMAS)))
}

/// The newest version of every schema of a folder, with our rules.
pub(super) fn of_folder(folder: &Path) -> Result<Judge, CliError> {
    let schemas = Files::of(folder, "the topology's `schemas:` names it")?.compile(&event::rules(), None)?;
    Ok(Judge::by_type(schemas))
}

/// What a topic of the topology may carry; a dead-letter topic carries what its source does.
fn carries(topology: &Topology, name: &str) -> Result<Carries, CliError> {
    let find = |name: &str| topology.topics.iter().find(|topic| topic.name.as_str() == name);
    let unknown = || {
        let names = topology.topics.iter().map(|topic| topic.name.as_str());
        let failed = CliError::usage(format!("the topology has no topic {}", quoted(name)));
        match nearest(name, names.clone()) {
            Some(likely) => failed.help(format!("did you mean {}?", quoted(likely))),
            None => failed.help(format!("it has {}", listed(names, MOST_LISTED))),
        }
    };
    let topic = find(name).ok_or_else(unknown)?;
    let source: &Topic = match &topic.role {
        TopicRole::DeadLettersOf(source) => find(source.as_str()).unwrap_or(topic),
        TopicRole::Source { .. } => topic,
    };
    Ok(Carries { topic: name.to_owned(), events: source.events.clone(), key: source.key.clone() })
}

/// `OrderPlaced.v2` = version 2 of `OrderPlaced`.
pub(super) fn event_of(text: &str) -> (&str, Option<u32>) {
    let parts = text.rsplit_once(".v").and_then(|(event, version)| Some((event, version.parse().ok()?)));
    parts.map_or((text, None), |(event, version)| (event, Some(version)))
}

/// Schema files by event and version, of which there can be one each.
pub(super) fn by_event(
    files: impl IntoIterator<Item = PathBuf>,
) -> Result<BTreeMap<String, BTreeMap<u32, PathBuf>>, CliError> {
    let mut sorted: BTreeMap<String, BTreeMap<u32, PathBuf>> = BTreeMap::new();
    let mut files: Vec<PathBuf> = files.into_iter().collect();
    files.sort();
    for file in files {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some((event, version)) = event_and_version(name) else { continue };
        let (event, shown) = (event.to_owned(), name.to_owned());
        if let Some(other) = sorted.entry(event.clone()).or_default().insert(version, file) {
            let other =
                other.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            let both = format!("{} and {}", quoted(&other), quoted(&shown));
            return Err(CliError::failed(format!("{both} are both version {version} of {event}"))
                .help("rename one of them, or remove it"));
        }
    }
    Ok(sorted)
}

/// The schema files of a folder, by event and version.
pub(super) struct Files {
    folder: PathBuf,
    pub(super) files: BTreeMap<String, BTreeMap<u32, PathBuf>>,
}

impl Files {
    /// `which`: how the folder is chosen, for whoever chose one that is not there.
    pub(super) fn of(folder: &Path, which: &str) -> Result<Self, CliError> {
        let unreadable = |error: std::io::Error| {
            let folder = quoted(&folder.display().to_string());
            CliError::failed(format!("cannot read the folder of schemas {folder}")).because(error).help(which)
        };
        let mut paths = Vec::new();
        for entry in folder.read_dir().map_err(unreadable)? {
            paths.push(entry.map_err(unreadable)?.path());
        }
        let files = by_event(paths)?;
        if files.is_empty() {
            return Err(CliError::failed(format!(
                "{} has no schemas",
                quoted(&folder.display().to_string())
            ))
            .help("a schema file is called `EVENT.vN.json`, like `OrderPlaced.v1.json`"));
        }
        Ok(Self { folder: folder.to_owned(), files })
    }

    /// Compiles the newest version of every event, or what `only` names.
    fn compile(&self, rules: &Rules, only: Option<&str>) -> Result<ByType, CliError> {
        let mut wanted: Vec<(&str, &Path)> = Vec::new();
        match only {
            Some(only) => wanted.push(self.find(only)?),
            None => {
                let newest = self.files.iter().filter_map(|(event, versions)| {
                    Some((event.as_str(), versions.values().next_back()?.as_path()))
                });
                wanted.extend(newest);
            }
        }
        let mut schemas = ByType::new();
        let mut problems = Vec::new();
        for (event, file) in wanted {
            match SchemaFile::read(file).and_then(|file| file.compile(rules.of(event))) {
                Ok(schema) => schemas = schemas.with(event, schema),
                Err(error) => problems.extend(error.causes),
            }
        }
        if problems.is_empty() {
            return Ok(schemas);
        }
        let failed = CliError::failed("the schemas cannot be used");
        Err(problems.into_iter().fold(failed, CliError::because))
    }

    pub(super) fn find(&self, wanted: &str) -> Result<(&str, &Path), CliError> {
        let (event, version) = event_of(wanted);
        let failed = || {
            CliError::usage(format!(
                "{} has no schema of {}",
                quoted(&self.folder.display().to_string()),
                quoted(wanted)
            ))
        };
        let Some((event, versions)) = self.files.get_key_value(event) else {
            let names = self.files.keys().map(String::as_str);
            return Err(match nearest(event, names.clone()) {
                Some(likely) => failed().help(format!("did you mean {}?", quoted(likely))),
                None => failed().help(format!("it has {}", listed(names, MOST_LISTED))),
            });
        };
        let file = match version {
            None => versions.values().next_back(),
            Some(version) => versions.get(&version),
        };
        let known = || versions.keys().map(|version| format!("{event}.v{version}")).collect::<Vec<_>>();
        file.map(|file| (event.as_str(), file.as_path())).ok_or_else(|| {
            failed().help(format!("it has {}", listed(known().iter().map(String::as_str), MOST_LISTED)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_the_end_of_a_name() {
        assert_eq!(event_of("OrderPlaced"), ("OrderPlaced", None));
        assert_eq!(event_of("OrderPlaced.v12"), ("OrderPlaced", Some(12)));
        assert_eq!(event_of("Order.vip"), ("Order.vip", None));
    }
}
