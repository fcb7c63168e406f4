//! The file's upper levels: the root, defaults, services, environments.

use super::reader;
use super::tree::{Entry, Kind};
use super::value::Decoder;
use crate::text::{Lines, Located, Span, quoted};
use crate::topology::file::{Config, Defaults, Environment, File, Given, ServiceBlock};
use crate::topology::problem::{Problem, Report};
use crate::topology::rules::{count, missing_field, unknown_version, wrong_kind};
use crate::unit::Duration;

const ROOT: &[&str] =
    &["version", "name", "schemas", "dlt_suffix", "allow", "defaults", "services", "topics", "environments"];
const DEFAULTS: &[&str] = &["partitions", "replication", "retention", "config"];
const SERVICE: &[&str] = &["group", "instances", "handler"];
const ENVIRONMENT: &[&str] = &["defaults", "services", "topics"];

/// Reads a topology file. `None`: there is no mapping to read, reported.
pub(crate) fn decode(text: &str, lines: &Lines, report: &mut Report) -> Option<File> {
    let before = report.has_errors();
    let root = reader::read(text, lines, report);
    let Some(root) = root else {
        if report.has_errors() == before {
            report.push(empty_file(text));
        }
        return None;
    };
    let mut decoder = Decoder { report };
    match &root.kind {
        Kind::Mapping(entries) => Some(decoder.file(entries, text)),
        Kind::Null => {
            decoder.report.push(empty_file(text));
            None
        }
        Kind::Broken => None,
        _ => {
            decoder.report.push(
                Problem::new(
                    &wrong_kind::RULE,
                    root.span,
                    format!("a topology file is a mapping, and this is {}", root.describe()),
                )
                .label("expected `version: 1` or another field")
                .help("begin with `version: 1`, then `topics:` and a list"),
            );
            None
        }
    }
}

fn empty_file(text: &str) -> Problem {
    Problem::new(&missing_field::RULE, Span::new(0, text.len()), "the file is empty")
        .help("the smallest topology is\nversion: 1\ntopics:\n  - { name: orders, partitions: 3 }")
}

impl Decoder<'_> {
    fn file(&mut self, entries: &[Entry<'_>], text: &str) -> File {
        // First of all, so that what is silenced is silenced in every block.
        if let Some(entry) = entries.iter().find(|entry| entry.key == "allow") {
            let codes = self.allow(entry);
            self.report.allowed = codes;
        }
        let mut file = File::default();
        let (mut version, mut topics) = (false, false);
        for entry in entries {
            match entry.key.as_ref() {
                "version" => {
                    version = true;
                    match &entry.value.kind {
                        Kind::Scalar(text) => {
                            unknown_version::check(text, entry.value.span, self.report);
                        }
                        _ => self.misfit(entry, "a number", "write `version: 1`"),
                    }
                }
                "name" => file.name = self.text(entry),
                "schemas" => file.schemas = self.text(entry),
                "dlt_suffix" => file.dlt_suffix = self.text(entry),
                "allow" => {}
                "defaults" => file.defaults = self.defaults(entry),
                "services" => file.services = self.services(entry),
                "topics" => {
                    topics = true;
                    file.topics = self.topics(entry);
                }
                "environments" => file.environments = self.environments(entry),
                _ => self.unknown_field(entry, "a topology", ROOT),
            }
        }
        let start = entries.first().map_or(Span::new(0, text.len()), |entry| entry.key_span);
        if !version {
            self.missing(start, "the file", "version", "begin the file with `version: 1`");
        }
        if !topics {
            self.missing(start, "the file", "topics", "add `topics:` and a list, or `topics: []`");
        }
        file
    }

    pub(crate) fn missing(&mut self, span: Span, owner: &str, field: &str, help: &str) {
        self.report.push(
            Problem::new(&missing_field::RULE, span, format!("{owner} has no {}", quoted(field))).help(help),
        );
    }

    fn defaults(&mut self, block: &Entry<'_>) -> Defaults {
        let mut defaults = Defaults::default();
        let example = "write `defaults: { replication: 3 }`, or remove the line";
        let Some(entries) = self.mapping(block, example) else {
            return defaults;
        };
        let mut retention = None;
        for entry in entries {
            match entry.key.as_ref() {
                "partitions" => defaults.partitions = self.count(entry, &count::PARTITIONS),
                "replication" => defaults.replication = self.count(entry, &count::REPLICATION),
                "retention" => retention = Some(entry),
                "config" => defaults.config = self.config(entry),
                _ => self.unknown_field(entry, "`defaults`", DEFAULTS),
            }
        }
        self.retention(retention, &mut defaults.config);
        defaults
    }

    fn services(&mut self, block: &Entry<'_>) -> Vec<ServiceBlock> {
        let example = "write `services: { my-service: { group: my-service } }`, or remove the line";
        let Some(entries) = self.mapping(block, example) else {
            return Vec::new();
        };
        entries.iter().map(|entry| self.service(entry)).collect()
    }

    fn service(&mut self, block: &Entry<'_>) -> ServiceBlock {
        let mut service = ServiceBlock {
            name: Located::new(block.key.clone().into_owned(), block.key_span),
            external: true,
            group: Given::No,
            instances: Given::No,
            handler: Given::No,
        };
        // `operations:` alone is what people write for "nothing to say about it".
        if matches!(block.value.kind, Kind::Null) {
            return service;
        }
        let example = "write `my-service: { group: my-service }`, or `my-service: {}`";
        let Some(entries) = self.mapping(block, example) else {
            return service;
        };
        service.external = entries.is_empty();
        for entry in entries {
            match entry.key.as_ref() {
                "group" => service.group = self.text(entry),
                "instances" => service.instances = self.count(entry, &count::INSTANCES),
                "handler" => service.handler = self.unit(entry, "a duration", Duration::parse),
                _ => self.unknown_field(entry, "a service", SERVICE),
            }
        }
        service
    }

    fn environments(&mut self, block: &Entry<'_>) -> Vec<Environment> {
        let example = "write `environments: { dev: { defaults: { replication: 1 } } }`";
        let Some(entries) = self.mapping(block, example) else {
            return Vec::new();
        };
        entries.iter().map(|entry| self.environment(entry)).collect()
    }

    fn environment(&mut self, block: &Entry<'_>) -> Environment {
        let mut environment = Environment {
            name: Located::new(block.key.clone().into_owned(), block.key_span),
            defaults: Defaults::default(),
            services: Vec::new(),
            topics: Vec::new(),
        };
        let Some(entries) = self.mapping(block, "write `dev: { defaults: { replication: 1 } }`") else {
            return environment;
        };
        for entry in entries {
            match entry.key.as_ref() {
                "defaults" => environment.defaults = self.defaults(entry),
                "services" => environment.services = self.services(entry),
                "topics" => environment.topics = self.topics_by_name(entry),
                _ => self.unknown_field(entry, "an environment", ENVIRONMENT),
            }
        }
        environment
    }

    /// `retention:` is another word for the setting `retention.ms`; saying both is a mistake.
    pub(super) fn retention(&mut self, entry: Option<&Entry<'_>>, config: &mut Config) {
        if let Some(entry) = entry {
            let setting = self.retention_setting(entry);
            self.add_retention(entry.key_span, setting, config);
        }
    }
}
