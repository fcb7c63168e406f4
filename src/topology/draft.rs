//! The topology with defaults applied and dead-letter topics derived, still with places: what rules
//! look at, and what becomes the model when they are content.

use std::collections::{BTreeSet, HashMap};

use super::file::{
    Config, Defaults, DltBlock, DltFields, File, Given, Names, RetryBlock, ServiceBlock, Setting,
    SettingValue, TopicBlock,
};
use super::model::UnknownEvents;
use super::name::TopicName;
use super::overlay;
use super::problem::{Code, Problem, Report};
use super::rules::topic_name;
use super::schemas::SchemaFiles;
use crate::text::{Located, Span, quoted};
use crate::unit::{Duration, Rate};

/// What a dead-letter topic is called, after its source's name.
pub(crate) const DLT_SUFFIX: &str = ".DLT";
const DLT_PARTITIONS: i32 = 1;
const DLT_RETENTION: Duration = Duration::from_days(30);

#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) name: Given<String>,
    pub(crate) schemas: Given<String>,
    pub(crate) dlt_suffix: String,
    pub(crate) services: Vec<ServiceBlock>,
    /// In file order, a dead-letter topic after its source.
    pub(crate) topics: Vec<DraftTopic>,
    service_by_name: HashMap<String, usize>,
    topic_by_name: HashMap<TopicName, usize>,
    pub(crate) schema_files: SchemaFiles,
}

#[derive(Debug)]
pub(crate) struct DraftTopic {
    /// Where the entry begins.
    pub(crate) start: usize,
    /// What to underline when the topic as a whole is meant: its name, or `dlt`.
    pub(crate) place: Span,
    /// `None`: broken, reported.
    pub(crate) name: Option<TopicName>,
    pub(crate) partitions: Given<i32>,
    pub(crate) replication: Given<i16>,
    pub(crate) config: Config,
    pub(crate) key: Given<String>,
    pub(crate) events: Names,
    pub(crate) producers: Names,
    pub(crate) consumers: Names,
    pub(crate) unknown_events: Given<UnknownEvents>,
    /// Of its dead letters.
    pub(crate) retry: RetryBlock,
    pub(crate) rate: Given<Rate>,
    pub(crate) copartitioned_with: Given<String>,
    pub(crate) rationale: Given<String>,
    pub(crate) reason: Given<String>,
    pub(crate) allow: BTreeSet<Code>,
    pub(crate) role: Role,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Source(DeadLetters),
    /// Index of the source.
    DeadLettersOf(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeadLetters {
    NotSaid,
    /// Reported.
    Broken,
    /// `dlt: none`, and where it stands.
    None(Span),
    /// Index of the dead-letter topic.
    Topic(usize),
}

impl Draft {
    pub(crate) fn service(&self, name: &str) -> Option<&ServiceBlock> {
        self.service_by_name.get(name).map(|&index| &self.services[index])
    }

    pub(crate) fn topic(&self, name: &str) -> Option<&DraftTopic> {
        self.topic_by_name.get(name).map(|&index| &self.topics[index])
    }

    pub(crate) fn topic_names(&self) -> impl Iterator<Item = &str> {
        self.topics.iter().filter_map(|topic| topic.name.as_ref().map(TopicName::as_str))
    }

    /// Builds the draft; a name that is too long for its dead-letter topic is reported here.
    pub(crate) fn of(file: File, schema_files: SchemaFiles, report: &mut Report) -> Self {
        let dlt_suffix = (file.dlt_suffix.value()).map_or(DLT_SUFFIX, String::as_str).to_owned();
        let mut topics = Vec::with_capacity(file.topics.len() * 2);
        for block in file.topics {
            add(block, &file.defaults, &dlt_suffix, &mut topics, report);
        }
        let service_by_name = (file.services.iter().enumerate())
            .map(|(index, service)| (service.name.value.clone(), index))
            .collect();
        // The first of a name counts; the second one is reported by a rule.
        let topic_by_name = (topics.iter().enumerate().rev())
            .filter_map(|(index, topic): (usize, &DraftTopic)| Some((topic.name.clone()?, index)))
            .collect();
        Self {
            name: file.name,
            schemas: file.schemas,
            dlt_suffix,
            services: file.services,
            topics,
            service_by_name,
            topic_by_name,
            schema_files,
        }
    }
}

impl DraftTopic {
    /// The name; empty while it is broken.
    pub(crate) fn shown(&self) -> &str {
        self.name.as_ref().map_or("", TopicName::as_str)
    }

    /// The name for a message.
    pub(crate) fn title(&self) -> String {
        self.name.as_ref().map_or_else(|| "this topic".to_owned(), |name| quoted(name.as_str()))
    }

    pub(crate) fn is_source(&self) -> bool {
        matches!(self.role, Role::Source(_))
    }

    /// Reports a problem of this topic, unless the topic silences it.
    pub(crate) fn report(&self, report: &mut Report, problem: Problem) {
        if !self.allow.contains(&problem.code) {
            report.push(problem);
        }
    }
}

fn add(
    block: TopicBlock,
    defaults: &Defaults,
    suffix: &str,
    topics: &mut Vec<DraftTopic>,
    report: &mut Report,
) {
    let index = topics.len();
    // The name of an aliased entry stands where the entry was first written.
    let place = match block.name.get() {
        Some(name) if block.span.contains(name.span) => name.span,
        _ => block.span,
    };
    let dead_letters = match &block.dlt {
        DltBlock::NotSaid => DeadLetters::NotSaid,
        DltBlock::Broken => DeadLetters::Broken,
        DltBlock::None(span) => DeadLetters::None(*span),
        DltBlock::Is(_) => DeadLetters::Topic(index + 1),
    };
    let source = DraftTopic {
        start: block.span.start,
        place,
        name: block.name.value().cloned(),
        partitions: block.partitions.or(defaults.partitions.clone()),
        replication: block.replication.or(defaults.replication.clone()),
        config: overlay::config(block.config, defaults.config.clone()),
        key: block.key,
        events: block.events,
        producers: block.producers,
        consumers: block.consumers,
        unknown_events: block.unknown_events,
        retry: match &block.dlt {
            DltBlock::Is(fields) => fields.retry.clone(),
            _ => RetryBlock::default(),
        },
        rate: block.rate,
        copartitioned_with: block.copartitioned_with,
        rationale: block.rationale,
        reason: block.reason,
        allow: block.allow,
        role: Role::Source(dead_letters),
    };
    let dead = match block.dlt {
        DltBlock::Is(fields) => Some(dead_letters_of(&source, index, *fields, defaults, suffix, report)),
        _ => None,
    };
    topics.push(source);
    topics.extend(dead);
}

fn dead_letters_of(
    source: &DraftTopic,
    index: usize,
    fields: DltFields,
    defaults: &Defaults,
    suffix: &str,
    report: &mut Report,
) -> DraftTopic {
    let name =
        source.name.as_ref().and_then(|name| topic_name::dead_letters(name, suffix, source.place, report));
    let stated = fields.config.contains_key("retention.ms");
    let mut config = overlay::config(fields.config, defaults.config.clone());
    if !stated {
        let setting = Setting {
            value: SettingValue::Is(DLT_RETENTION.as_millis().to_string()),
            span: fields.span,
            written: DLT_RETENTION.to_string(),
        };
        config.insert("retention.ms".to_owned(), setting);
    }
    DraftTopic {
        start: fields.span.start,
        place: fields.span,
        name,
        partitions: fields.partitions.or(Given::Is(Located::new(DLT_PARTITIONS, fields.span))),
        replication: fields.replication.or(defaults.replication.clone()),
        config,
        key: source.key.clone(),
        events: source.events.clone(),
        producers: source.consumers.clone(),
        consumers: fields.consumers,
        unknown_events: Given::No,
        retry: RetryBlock::default(),
        rate: Given::No,
        copartitioned_with: Given::No,
        rationale: fields.rationale,
        reason: Given::No,
        allow: source.allow.clone(),
        role: Role::DeadLettersOf(index),
    }
}
